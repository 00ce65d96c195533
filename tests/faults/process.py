"""A Jobthread server as a process of its own: started, killed with all that it started, ended in any case.

Its group is killed with the test that forgot it, and with a test run that was killed itself.
"""

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jobthread

ROOT = Path(__file__).parents[2]
SOURCE = Path(jobthread.__file__).parents[1]
PATIENCE_SECONDS = 30.0
# Reads from a pipe that only this process holds open: it wakes when this process is gone, even if killed.
_WATCH = 'cat >/dev/null; kill -KILL -- "-$1"'


@dataclass
class ServerProcess:
    """`process` and its `watch` are None while the server is down; the address stays."""

    data_dir: Path
    port: int
    environ: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    watch: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """Beside its data: a full disk must not silence it."""
        return self.data_dir.with_name(self.data_dir.name + ".log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def environment(data_dir: Path, database_url: str | None = None, **settings: str) -> dict[str, str]:
    """What a server or command of its own is started with: no setting of ours reaches it by accident."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JOBTHREAD_")}
    own = {"JOBTHREAD_DATA_DIR": str(data_dir), "JOBTHREAD_RATE_LIMITS": "off"}
    if database_url is not None:
        own["JOBTHREAD_DATABASE_URL"] = database_url
    given = {"JOBTHREAD_" + name: value for name, value in settings.items()}
    return inherited | {"PYTHONPATH": f"{SOURCE}:{ROOT}"} | own | given


@contextmanager
def server_process(
    data_dir: Path, database_url: str | None = None, **settings: str
) -> Iterator[ServerProcess]:
    """A server that was not started yet; whatever runs of it in the end is killed."""
    port = free_port()
    environ = environment(data_dir, database_url, PORT=str(port), **settings)
    server = ServerProcess(data_dir, port, environ)
    try:
        yield server
    finally:
        kill(server)


def start(server: ServerProcess, *arguments: str) -> float:
    """Start it and wait until it is ready; answers how many seconds that took."""
    started = time.monotonic()
    spawn(server, *arguments)
    wait_until_ready(server)
    return time.monotonic() - started


def spawn(server: ServerProcess, *arguments: str) -> "subprocess.Popen[bytes]":
    """In a session of its own: its process group is exactly the server and what it starts."""
    assert server.process is None, "it runs already"
    with server.log.open("ab") as log:
        server.process = subprocess.Popen(
            [sys.executable, "-m", "jobthread.cli", "serve", *arguments],
            env=server.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server.watch = subprocess.Popen(
        ["sh", "-c", _WATCH, "watch", str(server.process.pid)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return server.process


def kill(server: ServerProcess) -> None:
    """kill -9 of its whole process group; does nothing where it is down."""
    if server.process is not None and server.process.poll() is None:
        os.killpg(server.process.pid, signal.SIGKILL)
    _forget(server)


def stop(server: ServerProcess) -> tuple[int, float]:
    """Ask it to stop; its exit status, and the seconds that it took."""
    assert server.process is not None
    asked, process = time.monotonic(), server.process
    process.terminate()
    status = process.wait(PATIENCE_SECONDS)
    seconds = time.monotonic() - asked
    _forget(server)
    return status, seconds


def _forget(server: ServerProcess) -> None:
    process, watch, server.process, server.watch = server.process, server.watch, None, None
    if watch is not None and watch.stdin:
        watch.kill()
        watch.wait()
        watch.stdin.close()
    if process is not None:
        process.wait(PATIENCE_SECONDS)


def wait_until(true: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.005)


def wait_until_ready(server: ServerProcess, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_ready(server):
        assert runs(server), f"the server has ended:\n{tail(server)}"
        assert time.monotonic() < deadline, f"the server is not ready:\n{tail(server)}"
        time.sleep(0.01)


def runs(server: ServerProcess) -> bool:
    return server.process is not None and server.process.poll() is None


def is_ready(server: ServerProcess) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tail(server: ServerProcess) -> str:
    return server.log.read_text(errors="replace")[-4000:]


def free_port() -> int:
    """Below the ports that clients get: one that calls a dead server's port could else meet itself there."""
    for _ in range(100):
        port = random.randint(15_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


def run(
    *arguments: str, environ: Mapping[str, str], stdin: str = "", seconds: float = PATIENCE_SECONDS
) -> "subprocess.CompletedProcess[str]":
    """One `jobthread` command, as typed into a shell."""
    return subprocess.run(
        [sys.executable, "-m", "jobthread.cli", *arguments],
        env=dict(environ),
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
