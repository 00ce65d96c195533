"""What goes on by itself: sealing the audit trail after each commit, forgetting what has run out."""

import asyncio

import structlog

from jobthread.store import audit, limits, links, presence, push, sessions
from jobthread.store.database import Database, Writing

log = structlog.get_logger()

LOOK_AGAIN_SECONDS = 5.0
"""Another process may have written rows, and nothing tells this one."""
PAUSE_SECONDS = 1.0
SWEEP_SECONDS = 3600.0


async def keep_sealed(db: Database, key: bytes, written: asyncio.Event) -> None:
    """Seal whatever was written, until cancelled. An error is logged and never ends the loop."""
    while True:
        try:
            while await db.write(lambda tx: audit.seal(tx, key)) == audit.BATCH:
                pass
        except Exception as error:
            log.error("sealing_failed", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
        await _wait(written, LOOK_AGAIN_SECONDS)


async def keep_tidy(db: Database) -> None:
    """Forget sessions, cookies and counters that have run out, once an hour, until cancelled."""
    while True:
        try:
            await db.write(_sweep)
        except Exception as error:
            log.error("sweep_failed", error=type(error).__name__)
        await asyncio.sleep(SWEEP_SECONDS)


def _sweep(tx: Writing) -> None:
    sessions.sweep(tx)
    links.sweep(tx)
    limits.sweep(tx)
    presence.sweep(tx)
    push.sweep(tx)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()
