"""`jobthread bench`: durable sends a second on this machine, next to the same server doing nothing.

The server runs on one core and the load on another, in one run, so that the figures can be compared.
"""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop
from litestar import Litestar, Response, post
from sqlalchemy import make_url

from jobthread import app, load, tokens
from jobthread.actions import people, threads
from jobthread.api import shapes
from jobthread.api.calls import Asked, Calls, Nothing, Who, no_content
from jobthread.entities import Actor, Role, Staff, Visibility
from jobthread.load import Figures, Request
from jobthread.settings import load_settings
from jobthread.store import people as people_store
from jobthread.store import sessions
from jobthread.store.database import Writing

CLIENTS = (1, 16, 64)
CORES = sorted(os.sched_getaffinity(0))
"""Taken before anything is pinned: a process hands what it is pinned to on to its children."""
THREADS = 200
WARM_UP_SECONDS = 1.0
TEXT = "The boiler is off again and the cellar is wet: can you bring the long ladder and a new valve?"
NOTHING = "/bench/nothing"
BENCH = Actor(None, "127.0.0.1", "jobthread bench")

Requests = Callable[[int], Iterator[Request]]
"""What each client of a load asks, by the client's number."""

extra = Calls()


@extra.add("POST", NOTHING, Who.STAFF, body=shapes.NewMessage, answers={204: None})
async def nothing(asked: Asked[shapes.NewMessage, Nothing]) -> Response[bytes]:
    """An authenticated call with a message's body that does nothing: what a send is compared with."""
    return no_content()


@dataclass(frozen=True)
class Company:
    """Who sends in the bench, and where."""

    tokens: list[str]
    thread_ids: list[int]


def run(seconds: float, database_url: str | None) -> int:
    """Measure with a database of its own, or an empty one at `database_url`; prints a table."""
    with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
        environ = {
            "JOBTHREAD_DATA_DIR": folder,
            "JOBTHREAD_RATE_LIMITS": "off",
            "JOBTHREAD_LOG_LEVEL": "warning",
            "JOBTHREAD_PORT": str(free_port()),
        }
        if database_url is not None:
            environ["JOBTHREAD_DATABASE_URL"] = database_url
        company = asyncio.run(_company(environ))
        pin(1)
        _measure(environ, company, seconds)
    return 0


async def _company(environ: dict[str, str]) -> Company:
    db = app.open_database(load_settings(environ))
    try:
        return await db.write(_made)
    finally:
        db.close()


def _made(tx: Writing) -> Company:
    if people_store.any_staff(tx):
        raise SystemExit("jobthread: the bench wants an empty database")
    staff = [
        people.enrol(tx, BENCH, f"Person {n}", f"person{n}@example.com", Role.TECHNICIAN, None)
        for n in range(max(CLIENTS))
    ]
    return Company([session(tx, one) for one in staff], [_thread(tx, staff, n) for n in range(THREADS)])


def session(tx: Writing, staff: Staff) -> str:
    token = tokens.new_token()
    sessions.add(tx, staff.id, tokens.hash_of(token), tx.now + 10**12, "127.0.0.1", "bench")
    return token


def _thread(tx: Writing, staff: list[Staff], number: int) -> int:
    """Everybody takes part in every thread, as they would after a while."""
    draft = threads.ThreadDraft(
        Visibility.INTERNAL, f"Thread {number}", [one.id for one in staff], None, "Hello"
    )
    return threads.create(tx, Actor(staff[0], "127.0.0.1", "bench"), draft).id


# --- measuring ------------------------------------------------------------------------------------


def _measure(environ: dict[str, str], company: Company, seconds: float) -> None:
    kind = make_url(load_settings(environ).database_url).get_backend_name()
    print(f"{'':<34}{'clients':>8}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'refused':>9}")
    port = free_port()
    with child_on_first_core(["bare", str(port)], environ, port):
        bare = _row("a bare Litestar handler", 64, port, lambda n: itertools.repeat(_BARE), seconds)
    port = int(environ["JOBTHREAD_PORT"])
    with child_on_first_core(["server"], environ, port) as process:
        idle = resident_mb(process.pid)
        noop = _row("authenticated, does nothing", 64, port, lambda n: _nothings(company, n), seconds)
        sends = [
            _row(f"durable send, {kind}", clients, port, lambda n: _sends(company, n), seconds)
            for clients in CLIENTS
        ]
        again = _row("authenticated, does nothing", 64, port, lambda n: _nothings(company, n), seconds)
        loaded = resident_mb(process.pid)
    nothing_at_all = (noop.per_second + again.per_second) / 2
    print(
        f"\nAt 64 clients a send reaches {sends[-1].per_second / nothing_at_all:.0%} of the same server "
        f"doing nothing,\nand {sends[-1].per_second / bare.per_second:.0%} of a bare handler. "
        f"Resident: {idle:.0f} MB idle, {loaded:.0f} MB after the load."
    )


def _row(name: str, clients: int, port: int, requests_of: Requests, seconds: float) -> Figures:
    uvloop.run(load.load("127.0.0.1", port, clients, WARM_UP_SECONDS, requests_of))
    figures = uvloop.run(load.load("127.0.0.1", port, clients, seconds, requests_of))
    print(
        f"{name:<34}{clients:>8}{figures.per_second:>12,.0f}"
        f"{figures.p50_ms:>9.2f}{figures.p99_ms:>9.2f}{figures.refused:>9}",
        flush=True,
    )
    return figures


_BARE = load.request("POST", "/", {}, json.dumps({"body": TEXT, "client_msg_id": "a-1"}).encode())


def _nothings(company: Company, client: int) -> Iterator[Request]:
    body = json.dumps({"body": TEXT, "client_msg_id": "a-1"}).encode()
    return itertools.repeat(load.request("POST", NOTHING, _cookie(company, client), body))


_run_number = itertools.count()


def _sends(company: Company, client: int) -> Iterator[Request]:
    """Each a message of its own, in the next thread; every tenth one is sent twice, as phones do."""
    run = next(_run_number)
    for number in itertools.count():
        thread_id = company.thread_ids[(client * 7 + number) % len(company.thread_ids)]
        # As our apps name what they send: the time first.
        name = f"{time.time_ns() // 1_000_000:012x}-{run}-{client}-{number}"
        body = json.dumps({"body": TEXT, "client_msg_id": name}).encode()
        sent = load.request("POST", f"/api/chat/threads/{thread_id}/messages", _cookie(company, client), body)
        yield sent
        if number % 10 == 0:
            yield sent


def _cookie(company: Company, client: int) -> dict[str, str]:
    return {"cookie": f"jobthread={company.tokens[client]}"}


# --- processes ------------------------------------------------------------------------------------


@contextlib.contextmanager
def child_on_first_core(
    arguments: list[str], environ: dict[str, str], port: int
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours that listens on `port`; ended with the block."""
    command = [sys.executable, "-m", "jobthread.bench", *arguments]
    with subprocess.Popen(command, env=os.environ | environ) as child:  # noqa: S603
        pin(0, child.pid)
        try:
            _wait_until_it_listens(child, port)
            yield child
        finally:
            child.terminate()


def _wait_until_it_listens(child: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("jobthread: the server of the bench did not start")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def pin(core: int, process_id: int = 0) -> None:
    """Pin a process, this one by default. On a machine with one core there is nothing to choose."""
    os.sched_setaffinity(process_id, {CORES[min(core, len(CORES) - 1)]})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve_nothing(port: int) -> None:
    import uvicorn

    @post("/", status_code=201)
    async def bare() -> dict[str, bool]:
        return {"ok": True}

    handler = Litestar([bare], openapi_config=None, logging_config=None)
    uvicorn.run(handler, port=port, loop="uvloop", http="httptools", access_log=False, log_config=None)


def _child(arguments: list[str]) -> None:
    if arguments[0] == "bare":
        _serve_nothing(int(arguments[1]))
        return
    from jobthread import serving

    serving.serve(load_settings(os.environ), demo=False, more=[extra])


if __name__ == "__main__":
    _child(sys.argv[1:])
