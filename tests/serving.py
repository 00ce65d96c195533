"""A whole Jobthread in this process: real HTTP, a real database of either kind, a clock in hand."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import uvicorn
from sqlalchemy import select, text, update

from jobthread import app
from jobthread.api.parts import Parts
from jobthread.connections import Connection
from jobthread.entities import DeliveryStatus
from jobthread.errors import Taken
from jobthread.serving import Server
from jobthread.settings import Settings, load_settings
from jobthread.store import audit, schema
from jobthread.store.database import Database, Reading, Writing, wall_clock
from jobthread.store.tables import audit_head, deliveries, metadata

T = TypeVar("T")
PATIENCE_SECONDS = 20.0
# Loopback speaks plain HTTP: reading the system's certificates would cost each browser 20 ms.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Clock:
    """The time as the server has it; runs on its own unless pushed."""

    ahead: int = 0

    def __call__(self) -> int:
        return wall_clock() + self.ahead

    def pass_time(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        self.ahead += int((days * 86_400 + hours * 3_600 + seconds) * 1_000_000)


@dataclass
class Serving:
    """A running server, and the back doors that tests may use."""

    settings: Settings
    db: Database
    clock: Clock
    url: str
    parts: Parts
    _server: uvicorn.Server = field(repr=False)
    _thread: threading.Thread = field(repr=False)
    browsers: list[httpx2.Client] = field(default_factory=list)

    def read(self, fn: Callable[[Reading], T]) -> T:
        return _apart(lambda: asyncio.run(self.db.read(fn)))

    def write(self, fn: Callable[[Writing], T]) -> T:
        return _apart(lambda: asyncio.run(self.db.write(fn)))

    def close_browsers(self) -> None:
        while self.browsers:
            self.browsers.pop().close()

    def stop(self) -> None:
        self.close_browsers()
        self._server.should_exit = True
        self._thread.join(PATIENCE_SECONDS)


def serve(database_url: str, data_dir: Path, **environ: str) -> Serving:
    """Start a server; `environ` are settings without their prefix.

    Unless that says otherwise rate limits are off, and nobody is told by itself that a customer waits.
    """
    port = _free_port()
    usual = {"RATE_LIMITS": "off", "ANSWER_MINUTES": "0"}
    given = {"JOBTHREAD_" + name: value for name, value in (usual | environ).items()}
    settings = load_settings(
        given
        | {
            "JOBTHREAD_DATABASE_URL": database_url,
            "JOBTHREAD_DATA_DIR": str(data_dir),
            "JOBTHREAD_PORT": str(port),
        }
    )
    clock = Clock()
    schema.migrate(settings.database_url)
    db = Database(settings.database_url, clock)
    parts = app.parts_of(settings, db)
    config = uvicorn.Config(
        app.application(settings, parts),
        port=port,
        access_log=False,
        log_config=None,
        lifespan="on",
        http=Connection,
        **app.proxy_options(settings),
    )
    server = Server(config, parts.hub)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    assert server.started
    return Serving(settings, db, clock, f"http://127.0.0.1:{port}", parts, server, thread)


def wait_until(true: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition, asking often; fails where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.005)


def empty(serving: Serving) -> None:
    """Every row goes, except for what a fresh database has."""
    wait_until(lambda: _emptied(serving))
    serving.clock.ahead = 0
    serving.parts.callers.forget()


def rests(serving: Serving) -> None:
    """What was to go out goes no more, and what is under way has come to its end."""
    wait_until(lambda: serving.write(_nothing_is_on_its_way))


def _nothing_is_on_its_way(tx: Writing) -> bool:
    queued = deliveries.c.status == DeliveryStatus.QUEUED
    tx.conn.execute(update(deliveries).where(queued).values(status=DeliveryStatus.CANCELLED))
    sending = select(deliveries.c.id).where(deliveries.c.status == DeliveryStatus.SENDING)
    return tx.conn.execute(sending).first() is None


def _emptied(serving: Serving) -> bool:
    """False where another server noted in between whom it may have to tell of what goes here."""
    try:
        serving.write(_empty)
    except Taken:
        return False
    return True


def _empty(tx: Writing) -> None:
    for table in reversed(metadata.sorted_tables):
        if table.name != "audit_head":
            tx.conn.execute(table.delete())
    tx.conn.execute(audit_head.update().values(position=0, hash=audit.FIRST, mac=b""))
    if tx.dialect == "sqlite":
        tx.conn.execute(text("INSERT INTO search_messages(search_messages) VALUES ('delete-all')"))
        tx.conn.execute(text("INSERT INTO search_subjects(search_subjects) VALUES ('delete-all')"))


def _apart(doing: Callable[[], T]) -> T:
    """In a thread of its own: a test with browsers has Playwright's event loop running in this one."""
    with ThreadPoolExecutor(1) as own:
        return own.submit(doing).result()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def browser(serving: Serving, **headers: str) -> httpx2.Client:
    """A client that ends with the test."""
    client = httpx2.Client(
        base_url=serving.url,
        headers=headers,
        timeout=PATIENCE_SECONDS,
        verify=NO_CERTIFICATES,
        trust_env=False,
    )
    serving.browsers.append(client)
    return client
