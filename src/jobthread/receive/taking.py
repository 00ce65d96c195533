"""One mail, from its bytes to its thread: put on disk, read, and written in one transaction an address."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from jobthread.entities import MailOutcome, Reader
from jobthread.receive import keeping, parse
from jobthread.store.database import Database, Writing
from jobthread.store.incoming import Mail, Taken

log = structlog.get_logger()

LARGEST = 25 * 1024 * 1024
"""Bytes of a mail; most providers take no larger ones either."""

NOT_TAKEN = "not_taken"
"""As a figure: the sender tries again."""

Signed = tuple[Reader, int]
"""What a signed address says: who answers, and in which thread."""


@dataclass(frozen=True, slots=True)
class Means:
    """What mails are taken in with. `addressed` reads a signed address; None for whatever else it is."""

    db: Database
    folder: Path
    addressed: Callable[[str], Signed | None]
    take_in: Callable[[Writing, Mail, Reader, int], Taken]
    own_domain: str
    observe: Callable[[str, str], None] = lambda outcome, reason: None
    """Told of each mail's outcome and the reason for it."""
    looked: Callable[[], None] = lambda: None
    """Told of each look into the mailbox that went well."""


async def take(means: Means, raw: bytes, to: Sequence[Signed]) -> list[MailOutcome | Exception]:
    """What became of it for each address, on disk by then; an error where that cannot be said yet.

    Raises `OSError` where the mail itself could not be kept: then nothing was written at all.
    """
    name = await asyncio.to_thread(keeping.put, means.folder, raw)
    mail = await asyncio.to_thread(parse.read, raw, name, means.own_domain)
    outcomes = [await _taken(means, mail, signed) for signed in to]
    if all(outcome is MailOutcome.TOO_MANY for outcome in outcomes):
        await asyncio.to_thread(keeping.drop, means.folder, name)
    return outcomes


async def _taken(means: Means, mail: Mail, signed: Signed) -> MailOutcome | Exception:
    reader, thread_id = signed
    try:
        taken = await means.db.write(lambda tx: means.take_in(tx, mail, reader, thread_id))
    except Exception as error:
        log.error("mail_not_taken", error=type(error).__name__)
        means.observe(NOT_TAKEN, type(error).__name__)
        return error
    log.info("mail_taken", outcome=taken.outcome, size=mail.size)
    means.observe(taken.outcome, taken.reason)
    return taken.outcome
