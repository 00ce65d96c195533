"""One attempt at one delivery: may it still go, how did it end, and what follows from that."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from jobthread.deliver.letters import Withheld, as_of_now
from jobthread.deliver.outgoing import Away, Compose, DeliveryFailed, Letter, Outgoing, Send, Trial
from jobthread.entities import (
    Actor,
    AuditAction,
    Channel,
    Delivery,
    DeliveryKind,
    DeliveryQueued,
    DeliveryStatus,
    Micros,
    Reader,
)
from jobthread.errors import Unavailable
from jobthread.store import audit, consent, notifications, outbox, people, push
from jobthread.store.database import Database, Writing
from jobthread.store.outbox import Claimed
from jobthread.tokens import Seal

log = structlog.get_logger()

SECOND: Micros = 1_000_000
FIRST_PAUSE = 10 * SECOND
LONGEST_PAUSE = 600 * SECOND
GIVE_UP_AFTER = 48 * 3600 * SECOND
TRIES = 10
"""Never fewer, where it surely did not go; never more, where each of them may have arrived."""
PUSH_TRIES = 3
ASKED_TO_END = 3
LET_GO_SECONDS = 0.5
"""How often an attempt whose time is over is told to end, and how long each time it may take to."""
REPEATABLE = frozenset({Channel.EMAIL, Channel.PUSH})
"""A repeated mail bears the same Message-ID again, a notice takes the place of the one before.

A repeated text message simply arrives twice.
"""
NOBODY = Actor(None, "", "")

Observe = Callable[[Channel, DeliveryStatus], None]
"""Told of each attempt's end: sent, failed for good, cancelled, or queued again."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the worker works with. `send_seconds` is the time that one attempt may take."""

    db: Database
    seal: Seal
    channels: Mapping[Channel, Send]
    compose: Compose
    observe: Observe
    send_seconds: float


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How an attempt ended: `words` for staff (or the provider's id), and a word for the log."""

    status: DeliveryStatus
    words: str
    cause: str = ""
    due_at: Micros = 0
    unknown: bool = False


async def attempt(means: Means, claimed: Claimed) -> None:
    delivery = claimed.delivery
    try:
        outcome = await _tried(means, claimed)
    except Exception as error:
        # Only what comes before the sending raises: nothing has gone out.
        outcome = _not_now(means, delivery, "something went wrong before it was sent", type(error).__name__)
    if await _mark(means.db, delivery, outcome):
        _tell(means, delivery, outcome)


async def _tried(means: Means, claimed: Claimed) -> _Outcome:
    delivery = claimed.delivery
    if claimed.unknown_ends and (end := _end_of_guessing(delivery, claimed.unknown_ends)):
        return end
    letter = await means.db.read(lambda tx: as_of_now(tx, delivery))
    if isinstance(letter, Withheld):
        return _withheld(letter, claimed.unknown_ends)
    if (send := means.channels.get(delivery.channel)) is None:
        return _failed(f"no way to send by {delivery.channel} is set up", "NoChannel")
    token = ""
    if claimed.sealed_token is not None:
        try:
            token = means.seal.open(claimed.sealed_token)
        except ValueError as error:
            return _failed("the secret key was changed meanwhile; send a new link", type(error).__name__)
    try:
        outgoing = means.compose(_with_token(letter, token))
    except Exception as error:
        return _failed("its text could not be written", type(error).__name__)
    return await _sent(means, claimed, send, outgoing, token)


def _with_token(letter: Letter, token: str) -> Letter:
    return letter if isinstance(letter, Trial | Away) else replace(letter, token=token)


async def _sent(means: Means, claimed: Claimed, send: Send, outgoing: Outgoing, token: str) -> _Outcome:
    delivery = claimed.delivery
    try:
        provider_id = await _in_time(means.send_seconds, send(outgoing))
    except DeliveryFailed as failure:
        # A server may quote what it refuses: the link must not come to rest in our table.
        words = failure.message.replace(token, "…") if token else failure.message
        cause = type(failure.__cause__ or failure).__name__
        return _failed(words, cause) if failure.permanent else _not_now(means, delivery, words, cause)
    except Exception as error:
        return _unsure(means, claimed, type(error).__name__)
    return _Outcome(DeliveryStatus.SENT, provider_id)


async def _in_time(seconds: float, sending: Awaitable[str]) -> str:
    """What it answers. Raises `TimeoutError` after so many seconds, whether or not it hears that it is over.

    Whoever waits by `asyncio.wait_for`, as the SMTP client does, may miss a cancellation (Python 3.11).
    """
    task = asyncio.ensure_future(sending)
    try:
        await asyncio.wait({task}, timeout=seconds)
        for _ in range(ASKED_TO_END):
            if task.done() or not task.cancel():
                break
            await asyncio.wait({task}, timeout=LET_GO_SECONDS)
    finally:
        task.cancel()
        task.add_done_callback(_unheard)
    if not task.done() or task.cancelled():
        raise TimeoutError
    return task.result()


def _unheard(task: "asyncio.Future[str]") -> None:
    """However it ends after that: nobody asks any more, and asyncio would complain of it."""
    if not task.cancelled():
        task.exception()


# --- how it ended ---------------------------------------------------------------------------------


def pause_after(tries: int) -> Micros:
    """Up to 10 s, 40 s, 160 s and then 10 minutes; anywhere in it, so that not all come back at once."""
    longest: Micros = min(FIRST_PAUSE * 4 ** min(tries - 1, 10), LONGEST_PAUSE)
    return secrets.randbelow(longest + 1)


def _failed(words: str, cause: str) -> _Outcome:
    return _Outcome(DeliveryStatus.FAILED, words, cause)


def _not_now(means: Means, delivery: Delivery, words: str, cause: str) -> _Outcome:
    """It surely did not go: again after a pause, for two days."""
    due_at = means.db.clock() + pause_after(delivery.attempts)
    if delivery.channel is Channel.PUSH and delivery.attempts >= PUSH_TRIES:
        # Mail comes next, and must not be late.
        return _failed(words, cause)
    if delivery.attempts >= TRIES and due_at > delivery.created_at + GIVE_UP_AFTER:
        return _failed(f"given up after {delivery.attempts} attempts: {words}", cause)
    return _Outcome(DeliveryStatus.QUEUED, words, cause, due_at)


def _unsure(means: Means, claimed: Claimed, cause: str) -> _Outcome:
    """It may have gone, or not."""
    if end := _end_of_guessing(claimed.delivery, claimed.unknown_ends + 1):
        return end
    due_at = means.db.clock() + pause_after(claimed.delivery.attempts)
    words = "it is unknown whether it arrived; it is repeated"
    return _Outcome(DeliveryStatus.QUEUED, words, cause, due_at, unknown=True)


def _end_of_guessing(delivery: Delivery, unknown_ends: int) -> _Outcome | None:
    """Failed for good, where what may have arrived already may not be sent once more."""
    if delivery.channel not in REPEATABLE:
        return _failed("it is unknown whether this text arrived; ask, or try again", "OutcomeUnknown")
    if unknown_ends >= TRIES:
        words = f"given up after {unknown_ends} attempts of which it is unknown whether they arrived"
        return _failed(words, "OutcomeUnknown")
    return None


def _withheld(letter: Withheld, unknown_ends: int) -> _Outcome:
    doubt = "; it is unknown whether an earlier attempt arrived" if unknown_ends else ""
    return _Outcome(letter.status, letter.words + doubt, letter.cause)


# --- keeping it -----------------------------------------------------------------------------------


async def _mark(db: Database, delivery: Delivery, outcome: _Outcome) -> bool:
    """Whether it was ours to mark. Insists where the database is away: what was sent must not go again."""
    while True:
        with suppress(Unavailable):
            return await db.write(lambda tx: _marked(tx, delivery, outcome))
        await asyncio.sleep(1)


def _marked(tx: Writing, delivery: Delivery, outcome: _Outcome) -> bool:
    if outcome.status is DeliveryStatus.QUEUED:
        keep = outbox.unknown if outcome.unknown else outbox.again
        return keep(tx, delivery, outcome.words, outcome.due_at)
    if outcome.status is DeliveryStatus.CANCELLED:
        return outbox.cancelled(tx, delivery, outcome.words)
    about = audit.About("delivery", delivery.id, job_id=delivery.job_id, thread_id=delivery.thread_id)
    told = {"channel": delivery.channel, "link": delivery.link_id, "attempts": delivery.attempts}
    if outcome.status is DeliveryStatus.SENT:
        ours = outbox.sent(tx, delivery, outcome.words)
        # The trail keeps who was given a link; that colleagues heard of messages is no matter of record.
        if ours and (delivery.kind is not DeliveryKind.NOTIFICATION or delivery.link_id is not None):
            audit.add(tx, NOBODY, AuditAction.DELIVERY_SENT, about, **told)
        return ours
    if ours := outbox.failed(tx, delivery, outcome.words):
        _by_another_way(tx, delivery)
        audit.add(tx, NOBODY, AuditAction.DELIVERY_FAILED, about, **told, error=outcome.words)
    return ours


def _by_another_way(tx: Writing, delivery: Delivery) -> None:
    """What no device of theirs takes, or goes to a number that was stopped, is decided anew: by mail."""
    if delivery.reader is None:
        return
    if delivery.channel is Channel.PUSH:
        push.failed(tx, delivery.reader[1])
        if delivery.kind is DeliveryKind.ESCALATION:
            _by_mail(tx, delivery, delivery.reader)
    elif delivery.channel is not Channel.SMS or not consent.is_stopped(tx, delivery.to):
        return
    if delivery.kind is DeliveryKind.NOTIFICATION:
        notifications.tell_anew(tx, delivery.reader, delivery.thread_id or 0, delivery.after_seq)


def _by_mail(tx: Writing, delivery: Delivery, reader: Reader) -> None:
    staff = people.staff_by_id(tx, [reader[1]]).get(reader[1])
    if staff is None or not staff.email:
        return
    outbox.add(
        tx,
        outbox.NewDelivery(
            kind=delivery.kind,
            channel=Channel.EMAIL,
            to=staff.email,
            reader=reader,
            job_id=delivery.job_id,
            thread_id=delivery.thread_id,
            after_seq=delivery.after_seq,
            up_to_seq=delivery.up_to_seq,
        ),
    )
    tx.tell(DeliveryQueued())


def _tell(means: Means, delivery: Delivery, outcome: _Outcome) -> None:
    """No recipient, no text, no answer of a server: those belong into the table, not into a log."""
    told = {"channel": delivery.channel, "delivery": delivery.id, "attempt": delivery.attempts}
    if outcome.status is DeliveryStatus.SENT:
        log.info("delivery_sent", **told)
    elif outcome.status is DeliveryStatus.CANCELLED:
        log.info("delivery_cancelled", **told, reason=outcome.cause)
    elif outcome.status is DeliveryStatus.QUEUED:
        log.warning("delivery_delayed", **told, error=outcome.cause)
    else:
        log.error("delivery_failed", **told, error=outcome.cause)
    with suppress(Exception):
        means.observe(delivery.channel, outcome.status)
