"""Sending a message: exactly once, in order, and for many senders in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import Struct

from jobthread import policy
from jobthread.actions.writing import Pen, Sheet, sender_of
from jobthread.entities import (
    Actor,
    Caller,
    Correspondent,
    EventType,
    Message,
    Micros,
    Staff,
    Texter,
    Thread,
    ThreadStatus,
    Visitor,
)
from jobthread.errors import ClientMsgIdReused, JobthreadError, NotAuthenticated, NotFound, ThreadClosed
from jobthread.store import links, people, threads
from jobthread.store import messages as store
from jobthread.store.batches import at_once
from jobthread.store.database import Writing
from jobthread.store.links import refusal_of
from jobthread.store.messages import NewRow, Once

ITSELF = Actor(None, "", "")


class Send(Struct, frozen=True):
    by: Actor
    thread_id: int
    body: str
    client_msg_id: str | None
    via: str | None = None
    """By what it came where not by the web."""
    away_until: Micros | None = None
    """When the office opens next, where it is closed by now: a customer is told so, once."""


class Sent(Struct, frozen=True):
    message: Message
    repeated: bool
    """Whether this was said before, under the same `client_msg_id`: then `message` is the first one."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the sends of one transaction are judged by, read after their threads were locked."""

    threads: Mapping[int, Thread]
    staff: Mapping[int, Staff]
    links: Mapping[int, links.Standing]
    said: dict[Once, Message | NewRow]
    pen: Pen


def send_all(tx: Writing, sends: Sequence[Send]) -> list[Sent | JobthreadError]:
    """Each send's message, or why it is refused.

    The order matters: lock the threads, then look at rights and earlier sends, then number and write.
    Under PostgreSQL's READ COMMITTED only what is read after the lock is sure to hold.
    """
    onces = [_once(send) for send in sends]
    batch = _looked_up(tx, sends, [once for once in onces if once is not None])
    outcomes = [_outcome(tx, batch, send, once) for send, once in zip(sends, onces, strict=True)]
    written = batch.pen.put_down(tx)
    return [_answer(outcome, written) for outcome in outcomes]


def _looked_up(tx: Writing, sends: Sequence[Send], asked: Sequence[Once]) -> _Batch:
    callers = [send.by.caller for send in sends]
    with at_once(tx):
        locked = threads.locked_for_senders(
            tx, [(send.thread_id, _staff_id(send.by.caller)) for send in sends]
        )
        staff = people.ask_staff_by_id(tx, [caller.id for caller in callers if isinstance(caller, Staff)])
        said = store.repeats(tx, asked)
    return _Batch(
        threads=locked(),
        staff=staff(),
        links=links.by_id(tx, [caller.link_id for caller in callers if isinstance(caller, Visitor)]),
        said={**said()},
        pen=Pen(),
    )


def _outcome(
    tx: Writing, batch: _Batch, send: Send, once: Once | None
) -> tuple[Message | NewRow, bool] | JobthreadError:
    try:
        return _say(tx, batch, send, once)
    except JobthreadError as refusal:
        return refusal


def _say(tx: Writing, batch: _Batch, send: Send, once: Once | None) -> tuple[Message | NewRow, bool]:
    """Every check comes before the first stroke of the pen: a refused send leaves nothing behind."""
    caller = _as_of_now(tx, batch, send.by.caller)
    by = Actor(caller, send.by.ip, send.by.user_agent)
    thread = batch.threads.get(send.thread_id)
    if thread is None or not policy.may_write(caller, thread):
        raise NotFound
    if once is not None and (earlier := batch.said.get(once)) is not None:
        if earlier.body != send.body:
            raise ClientMsgIdReused
        return earlier, True

    sheet = batch.pen.sheet(thread)
    if sheet.status is ThreadStatus.CLOSED:
        if isinstance(caller, Staff):
            raise ThreadClosed
        batch.pen.status(sheet, by, ThreadStatus.OPEN)
    if isinstance(caller, Staff):
        batch.pen.join(sheet, by, [caller])
    row = batch.pen.message(sheet, by, send.body, send.client_msg_id, send.via)
    if isinstance(caller, Visitor):
        _say_that_nobody_is_there(batch.pen, sheet, send.away_until)
    if once is not None:
        batch.said[once] = row
    return row, False


def _say_that_nobody_is_there(pen: Pen, sheet: Sheet, away_until: Micros | None) -> None:
    """Once for each time that the office is closed: in the very transaction of what it answers."""
    if away_until is None or sheet.away_until == away_until:
        return
    sheet.away_until = away_until
    opens = datetime.fromtimestamp(away_until / 1_000_000, UTC).isoformat(timespec="milliseconds")
    pen.event(sheet, ITSELF, EventType.AWAY, body=opens.replace("+00:00", "Z"))


def _as_of_now(tx: Writing, batch: _Batch, caller: Caller | None) -> Caller:
    """The caller as the database has them in this transaction: what was looked up before may be stale."""
    if isinstance(caller, Staff):
        staff = batch.staff.get(caller.id)
        if staff is None or not staff.active:
            raise NotAuthenticated
        return staff
    if isinstance(caller, Texter | Correspondent):
        # Looked up in this very transaction (`actions.texts`, `actions.replies`): no link could end.
        return caller
    if isinstance(caller, Visitor):
        standing = batch.links.get(caller.link_id)
        if standing is None:
            raise NotAuthenticated
        if (refusal := refusal_of(tx, standing)) is not None:
            raise refusal
        return standing.visitor
    raise NotAuthenticated


def _answer(
    outcome: tuple[Message | NewRow, bool] | JobthreadError, written: Mapping[tuple[int, int], Message]
) -> Sent | JobthreadError:
    if isinstance(outcome, JobthreadError):
        return outcome
    said, repeated = outcome
    message = said if isinstance(said, Message) else written[said.thread_id, said.seq]
    return Sent(message, repeated)


def _once(send: Send) -> Once | None:
    if send.client_msg_id is None:
        return None
    sender = sender_of(send.by.caller)
    return Once(send.thread_id, sender.kind, sender.id or store.SYSTEM_ID, send.client_msg_id)


def _staff_id(caller: Caller | None) -> int:
    return caller.id if isinstance(caller, Staff) else 0
