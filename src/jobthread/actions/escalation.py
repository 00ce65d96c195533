"""Customers who wait for too long: the dispatchers are told, then the admins, once each."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from msgspec import Struct

from jobthread.business_hours import MINUTE, BusinessHours, open_time_ago
from jobthread.entities import (
    Actor,
    AuditAction,
    Channel,
    DeliveryKind,
    DeliveryQueued,
    Role,
    SenderKind,
    Staff,
    Thread,
    ThreadChanged,
)
from jobthread.store import audit, outbox, people, push, threads, waiting
from jobthread.store.database import Database, Reading, Writing

log = structlog.get_logger()

LOOK_SECONDS = 3.0
TOLD_AT = {1: Role.DISPATCHER, 2: Role.ADMIN}
"""Level → who is told. Each comes after so many times the patience, and only after the one before it."""
ITSELF = Actor(None, "", "")

Tell = Callable[[Writing, int, Thread, Sequence[int]], None]
"""`tell(tx, level, thread, staff_ids)`, inside the transaction that makes sure it is called once."""


class Patience(Struct, frozen=True):
    """How long customers may wait, in minutes of business hours; 0: for ever."""

    hours: BusinessHours
    minutes: int


async def keep_escalating(db: Database, patience: Patience, told_by: Tell | None = None) -> None:
    """Until cancelled. An error is logged and never ends the loop."""
    told_by = told_by or tell
    while patience.minutes:
        try:
            # Looked for on the readers' pool: mostly there is nothing, and the writer has better to do.
            if await db.read(lambda tx: _any_overdue(tx, patience)):
                await db.write(lambda tx: escalate(tx, patience, told_by))
        except Exception as error:
            log.error("escalation_failed", error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


def escalate(tx: Writing, patience: Patience, tell: Tell) -> int:
    """Tell of those that wait for too long and that nobody has claimed; answers of how many."""
    told = 0
    for level, role in TOLD_AT.items():
        ids = waiting.raise_overdue(tx, level, _since(tx, patience, level))
        if not ids:
            continue
        staff_ids = waiting.to_be_told(tx, role)
        for thread in threads.as_they_are(tx, ids).values():
            tell(tx, level, thread, staff_ids)
            tx.tell(ThreadChanged(thread.id))
        told += len(ids)
    return told


def tell(tx: Writing, level: int, thread: Thread, staff_ids: Sequence[int]) -> None:
    """Each by the first way that reaches them. It is their duty: no mute and no quiet hours hold it back."""
    note(tx, level, thread, staff_ids)
    for staff in people.staff_by_id(tx, staff_ids).values():
        if push.can_reach(tx, staff.id):
            outbox.add(tx, _word_of(thread, staff, Channel.PUSH, str(staff.id)))
        elif staff.email:
            outbox.add(tx, _word_of(thread, staff, Channel.EMAIL, staff.email))
    tx.tell(DeliveryQueued())


def _word_of(thread: Thread, staff: Staff, channel: Channel, to: str) -> outbox.NewDelivery:
    last = thread.last_message_seq or 0
    return outbox.NewDelivery(
        kind=DeliveryKind.ESCALATION,
        channel=channel,
        to=to,
        reader=(SenderKind.STAFF, staff.id),
        job_id=thread.job_id,
        thread_id=thread.id,
        after_seq=last - 1,
        up_to_seq=last,
    )


def note(tx: Writing, level: int, thread: Thread, staff_ids: Sequence[int]) -> None:
    """Leave it in the audit trail, with who is concerned."""
    about = audit.About("thread", thread.id, job_id=thread.job_id, thread_id=thread.id)
    audit.add(tx, ITSELF, AuditAction.THREAD_ESCALATED, about, level=level, told=list(staff_ids))


def _any_overdue(tx: Reading, patience: Patience) -> bool:
    return any(waiting.any_overdue(tx, level, _since(tx, patience, level)) for level in TOLD_AT)


def _since(tx: Reading, patience: Patience, level: int) -> int:
    return open_time_ago(patience.hours, tx.now, level * patience.minutes * MINUTE)
