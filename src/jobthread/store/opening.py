"""Opening the store: schema current, disk trustworthy, and a restored backup made harmless first."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from sqlalchemy import make_url

from jobthread.entities import Actor, AuditAction, Micros
from jobthread.store import audit, engines, facts, links, notifications, outbox, schema, sessions
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.schema import SchemaError

BACKUP_TAKEN = "backup_taken_at"
NOBODY = Actor(None, "", "")


def lock(url: str) -> TextIO | None:
    """Hold a SQLite file for this server alone; let go when the process ends.

    Raises `SchemaError` where another server holds it. PostgreSQL takes any number of servers.
    """
    file = sqlite_file(url)
    if file is None:
        return None
    held = open(f"{file}.lock", "w", encoding="ascii")  # noqa: SIM115 - held for as long as the server lives
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise SchemaError(
            f"Another Jobthread server already uses {file}: SQLite takes one at a time."
        ) from None
    held.write(str(os.getpid()))
    held.flush()
    return held


def sqlite_file(url: str) -> Path | None:
    found = make_url(url)
    return Path(found.database or "") if engines.is_sqlite(url) else None


async def opened(url: str, db: Database) -> None:
    """The checks that every start makes. Raises `SchemaError` with the one line to show."""
    fault = await db.read(schema.durability_fault)
    if fault is not None:
        raise SchemaError(f"{fault} Turn it on; Jobthread does not start without it.")
    if await db.read(_taken_at) is not None:
        await db.write(end_what_was_restored)


def _taken_at(tx: Reading) -> str | None:
    return facts.get(tx, BACKUP_TAKEN)


def end_what_was_restored(tx: Writing) -> None:
    """An old copy must not bring back what was withdrawn since: all links and sessions end."""
    taken_at: Micros = int(facts.get(tx, BACKUP_TAKEN) or 0)
    sessions.end_everything(tx)
    links.revoke_everything(tx)
    outbox.drop_waiting(tx, "The server was restored from a backup before this was sent")
    notifications.forget_all(tx)
    facts.drop(tx, BACKUP_TAKEN)
    audit.add(tx, NOBODY, AuditAction.BACKUP_RESTORED, audit.About(), taken_at=taken_at)
