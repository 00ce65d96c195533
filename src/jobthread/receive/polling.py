"""Looking into the mailbox: each mail is taken in, and put away only after that is on disk."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

import structlog

from jobthread.entities import MailOutcome
from jobthread.errors import RateLimited, Unavailable
from jobthread.receive import parse
from jobthread.receive.imap import FAILED, PROCESSED, Mailbox, Visit
from jobthread.receive.taking import LARGEST, Means, take
from jobthread.store.database import Database
from jobthread.store.limits import ON, SECOND, Rate

log = structlog.get_logger()

T = TypeVar("T")
EVERY_SECONDS = 60.0
LET_GO_SECONDS = 3.0


async def poll(
    means: Means, mailbox: Mailbox, stopping: asyncio.Event, *, every_seconds: float = EVERY_SECONDS
) -> None:
    """Until `stopping` is set. A look that fails is logged, and made again at its time."""
    while not stopping.is_set():
        look = asyncio.ensure_future(_look_in_turn(means, mailbox, stopping, every_seconds))
        await _until_done_or(stopping, look)
        with suppress(TimeoutError):
            async with asyncio.timeout(every_seconds):
                await stopping.wait()


async def _look_in_turn(
    means: Means, mailbox: Mailbox, stopping: asyncio.Event, every_seconds: float
) -> None:
    try:
        if await _is_our_turn(means.db, mailbox, every_seconds):
            await _look(means, mailbox, stopping)
            means.looked()
    except Exception as error:
        if not stopping.is_set():
            log.error("mailbox_look_failed", error=type(error).__name__)


async def _until_done_or(stopping: asyncio.Event, look: "asyncio.Future[None]") -> None:
    """A look that does not end soon after the word to stop is left: what it took in stands."""
    told: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([look, told], return_when=asyncio.FIRST_COMPLETED)
        if not look.done():
            await asyncio.wait({look}, timeout=LET_GO_SECONDS)
    finally:
        told.cancel()
        look.cancel()
        await asyncio.gather(look, told, return_exceptions=True)


async def _is_our_turn(db: Database, mailbox: Mailbox, every_seconds: float) -> bool:
    """Of several processes one looks at a time."""
    turn = Rate(burst=1, every=int(every_seconds * 0.9 * SECOND))
    key = f"mailbox:{mailbox.host}:{mailbox.port}:{mailbox.username}:{mailbox.folder}"[:400]
    try:
        await db.write(lambda tx: ON.spend(tx, key, turn))
    except RateLimited:
        return False
    return True


async def _look(means: Means, mailbox: Mailbox, stopping: asyncio.Event) -> None:
    visit = await apart(Visit, mailbox)
    end = asyncio.ensure_future(_cut_when(stopping, visit))
    try:
        for uid in await apart(visit.waiting):
            if stopping.is_set():
                return
            await _handle(means, visit, uid)
    finally:
        end.cancel()
        visit.cut()
        await apart(visit.leave)


async def _cut_when(stopping: asyncio.Event, visit: Visit) -> None:
    await stopping.wait()
    visit.cut()


async def _handle(means: Means, visit: Visit, uid: bytes) -> None:
    """Where the database or the disk is away the mail stays where it is, for the next look."""
    size = await apart(visit.size, uid)
    if size is None:
        return
    if size > LARGEST:
        log.warning("mail_too_large", size=size)
        await apart(visit.put_away, uid, FAILED)
        return
    raw = await apart(visit.raw, uid)
    if raw is None:
        return
    folder = await _folder_for(means, raw)
    if folder is not None:
        await apart(visit.put_away, uid, folder)


async def _folder_for(means: Means, raw: bytes) -> str | None:
    """None where it must stay."""
    addresses = await asyncio.to_thread(parse.recipients, raw)
    to = list(dict.fromkeys(filter(None, map(means.addressed, addresses))))
    if not to:
        log.info("mail_address_unknown")
        return FAILED
    try:
        outcomes = await take(means, raw, to)
    except OSError as error:
        log.error("mail_not_kept", error=type(error).__name__)
        return None
    if any(isinstance(outcome, Unavailable) for outcome in outcomes):
        return None
    visibly = (MailOutcome.REFUSED, MailOutcome.UNREADABLE, MailOutcome.TOO_MANY)
    failed = any(isinstance(outcome, Exception) or outcome in visibly for outcome in outcomes)
    return FAILED if failed else PROCESSED


async def apart(do: Callable[..., T], *given: object) -> T:
    """In a thread of its own that nobody waits for at the end: a mail server may not answer for long."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(value: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        value, error = None, None
        try:
            value = do(*given)
        except Exception as failed:
            error = failed
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(tell, value, error)

    Thread(target=work, name="mailbox", daemon=True).start()
    return await done
