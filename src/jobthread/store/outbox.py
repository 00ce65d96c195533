"""What waits to go out: a table is the queue, claimed with a lease, so that a crash loses nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, select, update

from jobthread.entities import (
    WENT_OUT,
    Channel,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    Micros,
    Reader,
    SenderKind,
)
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.tables import chat_magic_sessions, deliveries

WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A customer's delivery has a link, whose token is sealed with it; staff sign in."""

    kind: DeliveryKind
    channel: Channel
    to: str
    reader: Reader
    link_id: int | None = None
    job_id: int | None = None
    sealed_token: bytes | None = None
    thread_id: int | None = None
    after_seq: int | None = None
    up_to_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send until the lease ends."""

    delivery: Delivery
    sealed_token: bytes | None
    unknown_ends: int
    """How many earlier attempts ended without anybody knowing how."""


def add(tx: Writing, new: NewDelivery) -> Delivery:
    reader_kind, reader_id = new.reader
    values = {
        "kind": new.kind,
        "channel": new.channel,
        "recipient": new.to,
        "status": DeliveryStatus.QUEUED,
        "reader_kind": reader_kind,
        "reader_id": reader_id,
        "magic_session_id": new.link_id,
        "job_id": new.job_id,
        "thread_id": new.thread_id,
        "after_seq": new.after_seq,
        "up_to_seq": new.up_to_seq,
        "sealed_token": new.sealed_token,
        "attempts": 0,
        "unknown_ends": 0,
        "due_at": tx.now,
        "created_at": tx.now,
    }
    added = tx.conn.execute(insert(deliveries).values(values).returning(deliveries)).one()
    return made(added)


def claim(tx: Writing, limit: int, lease: Micros) -> list[Claimed]:
    """Take what another worker took but did not finish in time, and what is due."""
    ids = _free_ids(tx, limit, DeliveryStatus.SENDING, deliveries.c.leased_until)
    ids += _free_ids(tx, limit - len(ids), DeliveryStatus.QUEUED, deliveries.c.due_at)
    if not ids:
        return []
    # Being sent, and yet free to take: its worker is gone, and what became of the attempt nobody knows.
    abandoned = case((deliveries.c.status == DeliveryStatus.SENDING, 1), else_=0)
    taken = (
        update(deliveries)
        .where(deliveries.c.id.in_(ids))
        .values(
            status=DeliveryStatus.SENDING,
            leased_until=tx.now + lease,
            attempts=deliveries.c.attempts + 1,
            unknown_ends=deliveries.c.unknown_ends + abandoned,
        )
        .returning(deliveries)
    )
    rows = sorted(tx.conn.execute(taken).all(), key=lambda row: (row.due_at, row.id))
    return [Claimed(made(row), row.sealed_token, row.unknown_ends) for row in rows]


def sent(tx: Writing, delivery: Delivery, provider_id: str) -> bool:
    """Whether this attempt was still ours to mark: a later one has another count of attempts."""
    return _finish(
        tx,
        delivery,
        status=DeliveryStatus.SENT,
        sent_at=tx.now,
        provider_id=provider_id[:254],
        error=None,
        sealed_token=None,
    )


def failed(tx: Writing, delivery: Delivery, error: str) -> bool:
    """Given up for good; the sealed link goes as well."""
    return _finish(tx, delivery, status=DeliveryStatus.FAILED, error=error[:400], sealed_token=None)


def cancelled(tx: Writing, delivery: Delivery, why: str) -> bool:
    """Not wanted any more; nothing went wrong."""
    return _finish(tx, delivery, status=DeliveryStatus.CANCELLED, error=why[:400], sealed_token=None)


def again(tx: Writing, delivery: Delivery, error: str, due_at: Micros) -> bool:
    """It did not go, and is tried again."""
    return _finish(tx, delivery, status=DeliveryStatus.QUEUED, error=error[:400], due_at=due_at)


def unknown(tx: Writing, delivery: Delivery, error: str, due_at: Micros) -> bool:
    """It may have gone, and is tried again all the same."""
    counted = deliveries.c.unknown_ends + 1
    return _finish(
        tx, delivery, status=DeliveryStatus.QUEUED, error=error[:400], due_at=due_at, unknown_ends=counted
    )


def queue_again(tx: Writing, delivery_id: int, sealed_token: bytes | None) -> None:
    """What was given up, from the beginning."""
    tx.conn.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.status == DeliveryStatus.FAILED)
        .values(
            status=DeliveryStatus.QUEUED,
            due_at=tx.now,
            attempts=0,
            unknown_ends=0,
            error=None,
            sealed_token=sealed_token,
        )
    )


def next_due(tx: Reading) -> Micros | None:
    """When there will be something to claim: the earliest moment due or lease's end."""
    # One status each: so the first row of an index says it, however many wait.
    ends = [
        tx.conn.execute(select(func.min(moment)).where(deliveries.c.status == status)).scalar()
        for status, moment in (
            (DeliveryStatus.QUEUED, deliveries.c.due_at),
            (DeliveryStatus.SENDING, deliveries.c.leased_until),
        )
    ]
    return min((moment for moment in ends if moment is not None), default=None)


def of_links(tx: Reading, link_ids: Iterable[int]) -> dict[int, list[Delivery]]:
    wanted = sorted(set(link_ids))
    found: dict[int, list[Delivery]] = {}
    if wanted:
        chosen = select(deliveries).where(deliveries.c.magic_session_id.in_(wanted)).order_by(deliveries.c.id)
        for row in tx.conn.execute(chosen):
            found.setdefault(row.magic_session_id, []).append(made(row))
    return found


def links_sent_to(tx: Reading, customer_id: int, channel: Channel, to: str) -> list[int]:
    """The links of a customer that went to this contact."""
    sent = (
        select(chat_magic_sessions.c.id)
        .join(deliveries, deliveries.c.magic_session_id == chat_magic_sessions.c.id)
        .where(
            chat_magic_sessions.c.customer_id == customer_id,
            deliveries.c.channel == channel,
            deliveries.c.recipient == to,
        )
    )
    return list(tx.conn.execute(sent.distinct()).scalars())


def last_channel(tx: Reading, customer_id: int, job_id: int) -> Channel | None:
    """By which the customer was last reached about the job."""
    sent = (
        _to_customer(customer_id, job_id)
        .where(deliveries.c.status.in_(WENT_OUT))
        .order_by(deliveries.c.sent_at.desc(), deliveries.c.id.desc())
    )
    row = tx.conn.execute(sent.limit(1)).first()
    return Channel(row.channel) if row else None


def last_invited_at(tx: Reading, customer_id: int, job_id: int) -> Micros | None:
    """When the newest invitation was queued that went, or will go."""
    invited = _to_customer(customer_id, job_id).where(
        deliveries.c.kind == DeliveryKind.INVITATION,
        deliveries.c.status.in_((*WAITING, *WENT_OUT)),
    )
    row = tx.conn.execute(invited.order_by(deliveries.c.id.desc()).limit(1)).first()
    return row.created_at if row else None


def _to_customer(customer_id: int, job_id: int) -> Select[Any]:
    links = chat_magic_sessions
    return (
        select(deliveries)
        .join(links, links.c.id == deliveries.c.magic_session_id)
        .where(links.c.job_id == job_id, links.c.customer_id == customer_id)
    )


def counts(tx: Reading) -> dict[str, int]:
    rows = tx.conn.execute(
        select(deliveries.c.status, func.count().label("count")).group_by(deliveries.c.status)
    )
    return {row[0]: row[1] for row in rows}


def oldest_waiting(tx: Reading) -> Micros | None:
    waiting = select(func.min(deliveries.c.created_at)).where(deliveries.c.status.in_(WAITING))
    return tx.conn.execute(waiting).scalar()


def drop_waiting(tx: Writing, error: str) -> None:
    """Send none of what waits: it was meant for another time."""
    tx.conn.execute(
        update(deliveries)
        .where(deliveries.c.status.in_(WAITING))
        .values(status=DeliveryStatus.FAILED, error=error, sealed_token=None, leased_until=None)
    )


def _free_ids(tx: Writing, limit: int, status: DeliveryStatus, since: ColumnElement[int]) -> list[int]:
    """Locked until the commit: another worker takes others."""
    free = (
        select(deliveries.c.id)
        .where(deliveries.c.status == status, since <= tx.now)
        .order_by(since, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(tx.conn.execute(free).scalars())


def _finish(tx: Writing, delivery: Delivery, **values: Any) -> bool:
    ours = and_(
        deliveries.c.id == delivery.id,
        deliveries.c.status == DeliveryStatus.SENDING,
        deliveries.c.attempts == delivery.attempts,
    )
    return tx.conn.execute(update(deliveries).where(ours).values(leased_until=None, **values)).rowcount > 0


def made(row: AnyRow) -> Delivery:
    return Delivery(
        id=row.id,
        channel=Channel(row.channel),
        to=row.recipient,
        status=DeliveryStatus(row.status),
        link_id=row.magic_session_id,
        job_id=row.job_id,
        attempts=row.attempts,
        due_at=row.due_at,
        created_at=row.created_at,
        sent_at=row.sent_at,
        error=row.error,
        kind=DeliveryKind(row.kind),
        reader=(SenderKind(row.reader_kind), row.reader_id),
        thread_id=row.thread_id,
        after_seq=row.after_seq or 0,
        up_to_seq=row.up_to_seq or 0,
    )
