"""Telling people what they have not read: once a burst, by the first way that reaches them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from jobthread import tokens
from jobthread.actions.links import HOUR, Issuing
from jobthread.actions.quiet_hours import end_of_quiet
from jobthread.entities import (
    WENT_OUT,
    Actor,
    AuditAction,
    Channel,
    DeliveryKind,
    DeliveryQueued,
    JobStatus,
    Micros,
    Reader,
    SenderKind,
    Thread,
    Visitor,
)
from jobthread.policy import sees, sight_of
from jobthread.store import (
    audit,
    jobs,
    links,
    notifications,
    outbox,
    people,
    preferences,
    presence,
    push,
    threads,
)
from jobthread.store.consent import is_stopped
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.notifications import Notice

log = structlog.get_logger()

SECOND: Micros = 1_000_000
LOOK_SECONDS = 5.0
"""How often to look for what was written: nothing wakes us, so that sending pays nothing."""
AT_ONCE = 25
"""Decisions in one transaction: senders wait behind it."""
BETWEEN_SECONDS = 0.02
NOBODY = Actor(None, "", "")


@dataclass(frozen=True, slots=True)
class Addressee:
    """A reader who may be told, and their ways in the order in which they are tried."""

    ways: Sequence[tuple[Channel, str]]
    job_id: int
    """Whose page shows that they are there; 0 for staff."""
    since: Micros
    """What was written before needs no telling."""
    quiet_until: Micros | None


async def keep_telling(db: Database, how: Issuing, after_seconds: int, stopping: asyncio.Event) -> None:
    """Until `stopping` is set. An error is logged and never ends the loop."""
    while not stopping.is_set():
        pause = LOOK_SECONDS
        try:
            pause = await look(db, how, after_seconds * SECOND)
        except Exception as error:
            log.error("notifying_failed", error=type(error).__name__)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stopping.wait()


async def look(db: Database, how: Issuing, after: Micros) -> float:
    """Find who has something unread, and tell whom it is time to tell. Answers the seconds to rest."""
    more = await _sow(db, after)
    next_at = await _tell_who_is_due(db, how, after)
    if more or (next_at is not None and next_at <= db.clock()):
        return 0
    if next_at is None:
        return LOOK_SECONDS
    return min(max((next_at - db.clock()) / SECOND, 0.01), LOOK_SECONDS)


async def _tell_who_is_due(db: Database, how: Issuing, after: Micros) -> Micros | None:
    """As many as may have been found in one go. Answers when to look at the next."""
    next_at = await db.read(notifications.next_look)
    for _ in range(notifications.SOWN_AT_ONCE // AT_ONCE):
        if next_at is None or next_at > db.clock():
            break
        await db.write(lambda tx: decide(tx, how, after))
        # Not at once: where nothing was left to us, another process is at it.
        await asyncio.sleep(BETWEEN_SECONDS)
        next_at = await db.read(notifications.next_look)
    return next_at


async def _sow(db: Database, after: Micros) -> bool:
    """Looked for on the readers' pool, so that the writer is kept for what is found only.

    Answers whether there may be more.
    """
    found, up_to = await db.read(notifications.seeds)
    if found or up_to is not None:
        await db.write(partial(_sown, found=found, up_to=up_to, after=after))
    return len(found) == notifications.SOWN_AT_ONCE


def _sown(tx: Writing, found: Sequence[notifications.Seed], up_to: Micros | None, after: Micros) -> None:
    notifications.sow(tx, found, after)
    if up_to is not None:
        notifications.sown(tx, up_to)


# --- deciding -------------------------------------------------------------------------------------


def decide(tx: Writing, how: Issuing, after: Micros) -> None:
    """Look at what is due; what another process has in hand is its business."""
    for notice in notifications.due(tx, AT_ONCE):
        _decide(tx, how, notice, after)


def _decide(tx: Writing, how: Issuing, notice: Notice, after: Micros) -> None:
    thread = threads.as_it_stands(tx, notice.thread_id)
    addressee = _addressee(tx, notice.reader, thread) if thread else None
    if thread is None or addressee is None:
        notifications.forget(tx, notice)
        return
    after_seq = max(notice.told_seq, notifications.last_read(tx, thread.id, notice.reader))
    oldest = notifications.oldest_since(tx, thread.id, notice.reader, after_seq, addressee.since)
    if oldest is None or not addressee.ways:
        notifications.nothing_to_tell(tx, notice, thread.last_message_seq or 0)
        return
    seen_until = presence.visible_until(tx, notice.reader, addressee.job_id)
    not_before = max(oldest.created_at + after, seen_until or 0, addressee.quiet_until or 0)
    if not_before > tx.now:
        notifications.look_again(tx, notice, not_before)
        return
    _queue(tx, how, notice.reader, thread, addressee, oldest.seq - 1)
    notifications.told(tx, notice, thread.last_message_seq or 0)


def _addressee(tx: Reading, reader: Reader, thread: Thread) -> Addressee | None:
    """None for whoever has no business with the thread, now."""
    kind, reader_id = reader
    if kind is SenderKind.STAFF:
        return _member_of_staff(tx, reader_id, thread)
    return _customer(tx, reader_id, thread)


def _member_of_staff(tx: Reading, user_id: int, thread: Thread) -> Addressee | None:
    staff = people.staff_by_id(tx, [user_id]).get(user_id)
    if staff is None or user_id not in thread.participant_ids or not sees(sight_of(staff), thread):
        return None
    wanted = preferences.of_staff(tx, user_id)
    ways: list[tuple[Channel, str]] = []
    if preferences.is_muted(tx, user_id, thread.id):
        return Addressee(ways, 0, 0, None)
    # In the order in which they are tried: what rings in a pocket comes first.
    if wanted.push and push.can_reach(tx, user_id):
        ways.append((Channel.PUSH, str(user_id)))
    if wanted.email and staff.email:
        ways.append((Channel.EMAIL, staff.email))
    return Addressee(ways, 0, 0, end_of_quiet(wanted, tx.now))


def _customer(tx: Reading, customer_id: int, thread: Thread) -> Addressee | None:
    if thread.job_id is None:
        return None
    visitor = Visitor(customer_id, "", thread.job_id, 0, 0)
    job = jobs.get_for_visitor(tx, visitor)
    if (
        job.customer.id != customer_id
        or job.ref.status is not JobStatus.ACTIVE
        or not sees(sight_of(visitor), thread)
    ):
        return None
    ways: list[tuple[Channel, str]] = []
    if links.holds_link(tx, customer_id, thread.job_id, WENT_OUT):
        ways = _ways_to_customer(tx, customer_id, thread.job_id)
    # What was written before an invitation went out is what the invitation invites to.
    since = outbox.last_invited_at(tx, customer_id, thread.job_id) or 0
    return Addressee(ways, thread.job_id, since, None)


def _ways_to_customer(tx: Reading, customer_id: int, job_id: int) -> list[tuple[Channel, str]]:
    """By what reached them last; whoever wants no mails is not sent texts instead, nor mails once again."""
    customer = people.get_customer(tx, customer_id)
    ways: dict[Channel, str | None] = {Channel.EMAIL: customer.email, Channel.SMS: customer.phone}
    last = outbox.last_channel(tx, customer_id, job_id) or Channel.EMAIL
    if not preferences.of_customer(tx, customer_id, job_id).email:
        if last is Channel.EMAIL:
            return []
        del ways[Channel.EMAIL]
    if customer.phone and is_stopped(tx, customer.phone):
        del ways[Channel.SMS]
    order = sorted(ways, key=lambda channel: channel is not last)
    return [(channel, to) for channel in order if (to := ways[channel])]


# --- queueing -------------------------------------------------------------------------------------


def _queue(
    tx: Writing, how: Issuing, reader: Reader, thread: Thread, addressee: Addressee, after_seq: int
) -> None:
    channel, to = addressee.ways[0]
    link_id, sealed = None, None
    if reader[0] is SenderKind.CUSTOMER:
        link_id, token = _link_for(tx, how, reader[1], addressee.job_id, channel)
        sealed = how.seal.close(token)
    outbox.add(
        tx,
        outbox.NewDelivery(
            kind=DeliveryKind.NOTIFICATION,
            channel=channel,
            to=to,
            reader=reader,
            link_id=link_id,
            job_id=thread.job_id,
            sealed_token=sealed,
            thread_id=thread.id,
            after_seq=after_seq,
            up_to_seq=thread.last_message_seq,
        ),
    )
    tx.tell(DeliveryQueued())


def _link_for(tx: Writing, how: Issuing, customer_id: int, job_id: int, channel: Channel) -> tuple[int, str]:
    """The one link that this job's notifications lead to, by a new token; a new link where it has ended."""
    token, expires_at = tokens.new_token(), tx.now + how.hours * HOUR
    standing = links.for_notifications(tx, customer_id, job_id)
    if standing is not None and links.refusal_of(tx, standing) is None:
        links.extend(tx, standing.link.id, expires_at)
        links.add_token(tx, standing.link.id, tokens.hash_of(token))
        return standing.link.id, token
    link_id = links.add(tx, job_id, customer_id, tokens.hash_of(token), None, expires_at)
    links.use_for_notifications(tx, customer_id, job_id, link_id)
    about = audit.About("link", link_id, job_id=job_id)
    audit.add(tx, NOBODY, AuditAction.LINK_CREATED, about, sent_by=[channel], hours=how.hours)
    return link_id, token
