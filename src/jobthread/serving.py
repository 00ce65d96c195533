"""`jobthread serve`: the application under uvicorn, with what a person at the terminal wants to know."""

import asyncio
from collections.abc import Sequence

import uvicorn

from jobthread import app
from jobthread.actions import demo, passwords
from jobthread.api.calls import Calls
from jobthread.api.parts import Parts
from jobthread.connections import Connection
from jobthread.live.hub import Hub
from jobthread.logs import set_up_logs
from jobthread.settings import Settings
from jobthread.store import opening
from jobthread.store import people as people_store
from jobthread.store.database import Database
from jobthread.store.schema import SchemaError

GRACE_SECONDS = 5
"""How long requests under way may take to finish once the server was told to stop."""


def serve(settings: Settings, *, demo: bool, more: Sequence[Calls] = ()) -> int:
    """Serve until told to stop; `more` are calls beyond the contract's.

    Raises `SchemaError` with one line where the database cannot be used.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = opening.lock(settings.database_url)
    try:
        set_up_logs(settings.log_format, settings.log_level)
        db = app.open_database(settings)
        greeting = asyncio.run(_greeting(settings, db, demo))
        parts = app.parts_of(settings, db, demo=demo)
        server = Server(_config(settings, parts, more), parts.hub, greeting)
        server.run()
        return 0 if server.started else 1
    finally:
        if held is not None:
            held.close()


class Server(uvicorn.Server):
    """Says where it is once it listens, and not before: what it prints works."""

    def __init__(self, config: uvicorn.Config, hub: Hub, greeting: Sequence[str] = ()) -> None:
        super().__init__(config)
        self._hub = hub
        self._greeting = greeting

    async def startup(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started and self._greeting:
            print("\n".join(self._greeting), flush=True)  # noqa: T201

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
