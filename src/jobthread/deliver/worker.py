"""The worker that empties the outbox: claims what is due, and has each delivery attempted."""

import asyncio
from collections.abc import Mapping

import structlog

from jobthread.deliver.attempt import SECOND, Means, Observe, attempt
from jobthread.deliver.outgoing import Compose, Send
from jobthread.entities import Channel, Micros
from jobthread.store import outbox
from jobthread.store.database import Database
from jobthread.store.outbox import Claimed
from jobthread.tokens import Seal

log = structlog.get_logger()

AT_ONCE = 8
"""Deliveries under way at a time: a server that hangs holds up one of them."""
LEASE: Micros = 60 * SECOND
SEND_SECONDS = 30.0
"""For one attempt; well below the lease, which so runs out only where the worker is gone."""
LOOK_SECONDS = 5.0
"""How often to look without being woken: another process may have queued something."""
LET_GO_SECONDS = 3.0


async def deliver_forever(
    db: Database,
    seal: Seal,
    channels: Mapping[Channel, Send],
    compose: Compose,
    wake: asyncio.Event,
    stopping: asyncio.Event,
    *,
    observe: Observe = lambda channel, status: None,
    send_seconds: float = SEND_SECONDS,
) -> None:
    """Send what is due until `stopping` is set; set `wake` when something was queued.

    Never ends by an error: that is logged, and a moment later the work goes on. The database must
    stay open until this has returned, which takes three seconds at most.
    """
    means = Means(db, seal, channels, compose, observe, send_seconds)
    under_way: set[asyncio.Task[None]] = set()
    try:
        while not stopping.is_set():
            wake.clear()
            pause = await _look(means, under_way)
            await _rest(pause, wake, stopping, under_way)
    finally:
        await _let_go(under_way)


async def _look(means: Means, under_way: set[asyncio.Task[None]]) -> float:
    """Begin what is due and there is room for. Answers after how many seconds to look again."""
    room = AT_ONCE - len(under_way)
    if room <= 0:
        return LOOK_SECONDS
    try:
        due_at = await means.db.read(outbox.next_due)
        if due_at is None:
            return LOOK_SECONDS
        if (wait := due_at - means.db.clock()) > 0:
            return min(wait / SECOND, LOOK_SECONDS)
        claimed = await means.db.write(lambda tx: outbox.claim(tx, room, LEASE))
    except Exception as error:
        log.error("delivery_look_failed", error=type(error).__name__)
        return LOOK_SECONDS
    for one in claimed:
        task = asyncio.create_task(_deliver(means, one))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    # Nothing, though something was due: another process was quicker.
    return 0 if claimed else 0.1


async def _deliver(means: Means, claimed: Claimed) -> None:
    """Whatever goes wrong with one delivery stays with it: its lease runs out, and it is looked at anew."""
    try:
        await attempt(means, claimed)
    except Exception as error:
        log.error("delivery_crashed", delivery=claimed.delivery.id, error=type(error).__name__)


async def _rest(
    seconds: float, wake: asyncio.Event, stopping: asyncio.Event, under_way: set[asyncio.Task[None]]
) -> None:
    """Until something is queued, something ended, or the time is over."""
    signals = {asyncio.create_task(event.wait()) for event in (wake, stopping)}
    try:
        await asyncio.wait(signals | under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for signal in signals:
            signal.cancel()


async def _let_go(under_way: set[asyncio.Task[None]]) -> None:
    """What does not end in time keeps its lease, and is looked at anew when that has run out."""
    if not under_way:
        return
    _, left = await asyncio.wait(under_way, timeout=LET_GO_SECONDS)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
