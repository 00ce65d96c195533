"""Text messages: what came in, whom a number stands for, and what providers tell of what went out."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import (
    WENT_OUT,
    Channel,
    DeliveryStatus,
    JobStatus,
    Micros,
    Texter,
    ThreadStatus,
    Visibility,
)
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import chat_threads, customers, deliveries, jobs, sms_incoming

NO_LINK = 0


@dataclass(frozen=True, slots=True)
class Handed:
    """Where a delivery stands, as far as receipts are concerned."""

    id: int
    job_id: int
    number: str
    status: DeliveryStatus
    provider_id: str | None


# --- what came in ---------------------------------------------------------------------------------


def note(tx: Writing, provider: str, provider_id: str, number: str) -> int | None:
    """The id of the new row; None where this very text was noted before, by whatever process."""
    insert_one = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    values = {"provider": provider, "provider_id": provider_id, "at": tx.now, "number": number, "outcome": ""}
    once = insert_one(sms_incoming).values(values).on_conflict_do_nothing().returning(sms_incoming.c.id)
    return tx.conn.execute(once).scalar()


def came_to(tx: Writing, noted: int, outcome: str, thread_id: int | None = None) -> None:
    changed = update(sms_incoming).where(sms_incoming.c.id == noted)
    tx.conn.execute(changed.values(outcome=outcome, thread_id=thread_id))


# --- whose number ---------------------------------------------------------------------------------


def owner(tx: Writing, number: str) -> Texter | None:
    """The customer with this number on file, for the job that an answer is most likely about.

    The job of which a text went there last; else the newest one; jobs that are active before all others.
    """
    of_number = (
        select(jobs.c.id, jobs.c.customer_id, customers.c.name)
        .join(customers, customers.c.id == jobs.c.customer_id)
        .where(customers.c.phone == number)
    )
    active = jobs.c.status == JobStatus.ACTIVE
    last_sent = select(func.max(deliveries.c.id)).where(_texts_that_went_out(number))
    texted = last_sent.where(deliveries.c.job_id == jobs.c.id).correlate(jobs).scalar_subquery()
    likely = of_number.order_by(active.desc(), texted.desc().nulls_last(), jobs.c.id.desc()).limit(1)
    # Locked, so that two texts at once open one thread and not two.
    row = tx.conn.execute(likely.with_for_update(of=jobs)).first()
    return Texter(row.customer_id, row.name, row.id, NO_LINK, tx.now) if row else None


def _texts_that_went_out(number: str) -> ColumnElement[bool]:
    return and_(
        deliveries.c.recipient == number,
        deliveries.c.channel == Channel.SMS,
        # One whose end is unknown may have arrived, and have been what is answered.
        or_(deliveries.c.status.in_(WENT_OUT), deliveries.c.unknown_ends > 0),
    )


def thread_for(tx: Reading, job_id: int) -> int | None:
    """The customer-visible thread that saw the latest activity: an open one before any closed one."""
    newest = (
        select(chat_threads.c.id)
        .where(chat_threads.c.job_id == job_id, chat_threads.c.visibility == Visibility.CUSTOMER_VISIBLE)
        .order_by(
            (chat_threads.c.status == ThreadStatus.OPEN).desc(),
            chat_threads.c.active_at.desc(),
            chat_threads.c.id.desc(),
        )
        .limit(1)
    )
    return tx.conn.execute(newest).scalar()


# --- what went out --------------------------------------------------------------------------------


def refuse(tx: Writing, delivery_id: int, error: str) -> None:
    """Mark a delivery that was queued in this very transaction as one that will not go."""
    tx.conn.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.status == DeliveryStatus.QUEUED)
        .values(status=DeliveryStatus.FAILED, error=error, sealed_token=None)
    )


def of_receipt(tx: Writing, provider_id: str, named: tuple[int, Micros] | None) -> Handed | None:
    """The text that a receipt is about: by the provider's name for it, else by ours. Locked until the commit.

    Ours is its id and the moment it was queued: a database made anew has other moments.
    """
    found = _handed(tx, _of_texts().where(deliveries.c.provider_id == provider_id))
    if found is not None or named is None:
        return found
    ours = and_(deliveries.c.id == named[0], deliveries.c.created_at == named[1])
    return _handed(tx, _of_texts().where(ours, deliveries.c.provider_id.is_(None)))


def receipted(
    tx: Writing, handed: Handed, status: DeliveryStatus, provider_id: str, error: str | None
) -> None:
    """What an attempt still under way would write does not hold any more: the lease ends with it."""
    tx.conn.execute(
        update(deliveries)
        .where(deliveries.c.id == handed.id)
        .values(
            status=status,
            provider_id=provider_id[:254],
            error=error and error[:400],
            sent_at=func.coalesce(deliveries.c.sent_at, tx.now),
            sealed_token=None,
            leased_until=None,
        )
    )


def _of_texts() -> Select[tuple[int, int, str, str, str | None]]:
    columns = (
        deliveries.c.id,
        deliveries.c.job_id,
        deliveries.c.recipient,
        deliveries.c.status,
        deliveries.c.provider_id,
    )
    return select(*columns).where(deliveries.c.channel == Channel.SMS).limit(1).with_for_update()


def _handed(tx: Writing, chosen: Select[tuple[int, int, str, str, str | None]]) -> Handed | None:
    row = tx.conn.execute(chosen).first()
    if row is None:
        return None
    return Handed(row.id, row.job_id, row.recipient, DeliveryStatus(row.status), row.provider_id)
