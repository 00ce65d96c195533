"""`jobthread serve`: the application under uvicorn, with what a person at the terminal wants to know."""

import asyncio
import socket
import sys
from collections.abc import Callable, Sequence

import uvicorn

from jobthread import app, workers
from jobthread.actions import demo, passwords
from jobthread.api.calls import Calls
from jobthread.api.parts import Parts
from jobthread.connections import Connection
from jobthread.live.hub import Hub
from jobthread.logs import set_up_logs
from jobthread.settings import Settings, SettingsError
from jobthread.store import opening
from jobthread.store import people as people_store
from jobthread.store.database import Database
from jobthread.store.schema import SchemaError

BACKLOG = 2048
GRACE_SECONDS = 5
"""How long requests under way may take to finish once the server was told to stop."""


def serve(settings: Settings, *, demo: bool, more: Sequence[Calls] = ()) -> int:
    """Serve until told to stop; `more` are calls beyond the contract's.

    Raises `SchemaError` with one line where the database cannot be used, `SettingsError` where it can only
    be used by one process.
    """
    if settings.workers > 1:
        return _serve_with_workers(settings, demo)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = opening.lock(settings.database_url)
    try:
        set_up_logs(settings.log_format, settings.log_level)
        db = app.open_database(settings)
        greeting = asyncio.run(_greeting(settings, db, demo))
        parts = app.parts_of(settings, db, demo=demo)
        server = Server(_config(settings, parts, more), parts.hub, lambda: _say(greeting))
        server.run()
        return 0 if server.started else 1
    finally:
        if held is not None:
            held.close()


def _serve_with_workers(settings: Settings, demo: bool) -> int:
    """What is done once is done here; what serves are processes of their own, on one socket."""
    if opening.sqlite_file(settings.database_url) is not None:
        raise SettingsError(
            f"workers: SQLite takes one process, not {settings.workers}: that needs PostgreSQL"
        )
    set_up_logs(settings.log_format, settings.log_level)
    db = app.open_database(settings)
    try:
        app.secret_key(settings)
        greeting = asyncio.run(_greeting(settings, db, demo))
    finally:
        db.close()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG) as listening:
        given = (settings, demo)
        return workers.run("jobthread.serving", settings.workers, listening, given, lambda: _say(greeting))


def _serve_as_worker() -> int:
    listening, (settings, demo) = workers.received()
    set_up_logs(settings.log_format, settings.log_level)
    parts = app.parts_of(settings, Database(settings.database_url), demo=demo)
    server = Server(_config(settings, parts, ()), parts.hub, workers.say_ready)
    workers.when_the_parent_is_gone(server.stop)
    server.run(sockets=[listening])
    return 0 if server.started else 1


class Server(uvicorn.Server):
    """Says where it is once it listens, and not before: what it prints works."""

    def __init__(
        self, config: uvicorn.Config, hub: Hub, say_ready: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._hub = hub
        self._say_ready = say_ready

    def stop(self) -> None:
        """From any thread."""
        self.should_exit = True

    async def startup(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._say_ready()

    async def shutdown(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        # It waits for every answer to end before it tells the application: a stream would never end.
        self._hub.close()
        await super().shutdown(sockets)  # type: ignore[arg-type]


def _config(settings: Settings, parts: Parts, more: Sequence[Calls]) -> uvicorn.Config:
    return uvicorn.Config(
        app.application(settings, parts, more),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Connection,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **app.proxy_options(settings),
    )


def _say(greeting: Sequence[str]) -> None:
    print("\n".join(greeting), flush=True)  # noqa: T201


async def _greeting(settings: Settings, db: Database, with_demo: bool) -> list[str]:
    await opening.opened(settings.database_url, db)
    lines = ["", f"  {settings.company} is at {settings.base_url}"]
    if settings.smtp_url is None:
        lines.append(f"  No mail server is set: mails are written to {app.outbox_folder(settings)}")
    if with_demo:
        lines += await _demo_lines(settings, db)
    elif not await db.read(people_store.any_staff):
        lines += [
            "  Nobody can sign in yet. Make the first admin with:",
            "    jobthread user add you@example.com --name 'Your Name' --role admin",
        ]
    return [*lines, ""]


async def _demo_lines(settings: Settings, db: Database) -> list[str]:
    how, password_hash = app.issuing(settings), passwords.hashed_now(demo.PASSWORD)
    try:
        made = await db.write(lambda tx: demo.fill(tx, how, password_hash))
    except demo.NotEmpty:
        raise SchemaError("The database holds a real company: --demo keeps its hands off it.") from None
    sign_ins = [f"    {email:<18} {role}" for email, role in made.sign_ins]
    return [
        f"  Sign in, password {demo.PASSWORD}:",
        *sign_ins,
        "  A customer's magic link:",
        f"    {made.link}",
        f"  Mails and texts that go out: {settings.base_url}/dev/outbox",
        f"  The API: {settings.base_url}/api/docs",
    ]


if __name__ == "__main__":
    sys.exit(_serve_as_worker())
