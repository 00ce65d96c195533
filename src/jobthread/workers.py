"""Several processes behind one address: started, started again when one dies, and stopped together.

Each is handed on its standard input what it is to do, and ends when that closes: with its parent, however
that ended. On its standard output it says once that it serves.
"""

import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import structlog

log = structlog.get_logger()

READY = b"ready\n"
LOOK_SECONDS = 0.2
PAUSE_SECONDS = 2.0
"""Before one that died at once is started again."""
STOP_SECONDS = 15.0
"""How long they may take to stop before they are killed."""


@dataclass
class _Worker:
    process: "subprocess.Popen[bytes]"
    started_at: float


def run(module: str, count: int, listening: socket.socket, given: Any, ready: Callable[[], None]) -> int:
    """Until told to stop. Each runs `python -m module`, which calls `received` first.

    `ready` is called once all of them serve; where one does not come up at first, all are stopped: status 1.
    """
    told = threading.Event()
    with _until_told(told):
        workers = [_start(module, listening, given) for _ in range(count)]
        try:
            if not all(_is_ready(worker) for worker in workers):
                return 1
            if not told.is_set():
                ready()
            while not told.wait(LOOK_SECONDS):
                for place, worker in enumerate(workers):
                    workers[place] = _kept(worker, told, lambda: _start(module, listening, given))
            return 0
        finally:
            _stop(workers)


def _start(module: str, listening: socket.socket, given: Any) -> _Worker:
    number = listening.fileno()
    process = subprocess.Popen(
        # Its own folder is no place to import from.
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[number],
    )
    assert process.stdin is not None  # noqa: S101
    try:
        pickle.dump((number, given), process.stdin)
        process.stdin.flush()
    except BrokenPipeError:
        # It died, and is found so.
        pass
    return _Worker(process, time.monotonic())


def _is_ready(worker: _Worker) -> bool:
    assert worker.process.stdout is not None  # noqa: S101
    return worker.process.stdout.readline() == READY


def _kept(worker: _Worker, told: threading.Event, start: Callable[[], _Worker]) -> _Worker:
    status = worker.process.poll()
    if status is None:
        return worker
    log.error("worker_ended", process=worker.process.pid, status=status)
    _let_go(worker)
    if time.monotonic() - worker.started_at < PAUSE_SECONDS:
        told.wait(PAUSE_SECONDS)
    return start()


def _stop(workers: Iterable[_Worker]) -> None:
    for worker in workers:
        worker.process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for worker in workers:
        try:
            worker.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        _let_go(worker)


def _let_go(worker: _Worker) -> None:
    for pipe in (worker.process.stdin, worker.process.stdout):
        if pipe is not None:
            pipe.close()


@contextmanager
def _until_told(told: threading.Event) -> Iterator[None]:
    """Signals to stop set it, for the time of the block."""

    def tell(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    before = {one: signal.signal(one, tell) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


# --- in each of them ------------------------------------------------------------------------------


def received() -> tuple[socket.socket, Any]:
    """The socket to serve on, and what was given."""
    number, given = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent, over a pipe of its own
    return socket.socket(fileno=number), given


def say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()


def when_the_parent_is_gone(stop: Callable[[], None]) -> None:
    """Call `stop` from another thread."""

    def wait() -> None:
        sys.stdin.buffer.read()
        stop()

    threading.Thread(target=wait, name="parent", daemon=True).start()
