"""What went out, and what did not, as people ask for it."""

from typing import Any

from sqlalchemy import Select, and_, func, select

from jobthread.entities import WENT_OUT, Channel, Delivery, DeliveryKind, DeliveryStatus, SenderKind, SentTo
from jobthread.errors import NotFound
from jobthread.store import outbox
from jobthread.store.database import AnyRow, Reading
from jobthread.store.outbox import WAITING
from jobthread.store.pages import Page, page_of
from jobthread.store.tables import customers, deliveries, users

OF_A_THREAD = 200


def of_thread(tx: Reading, thread_id: int) -> list[SentTo]:
    """Word of its messages, newest first."""
    chosen = _with_names().where(
        deliveries.c.thread_id == thread_id, deliveries.c.kind == DeliveryKind.NOTIFICATION
    )
    rows = tx.conn.execute(chosen.order_by(deliveries.c.id.desc()).limit(OF_A_THREAD))
    return [_sent_to(row) for row in rows]


def page(tx: Reading, status: DeliveryStatus | None, cursor: str | None, limit: int) -> Page[SentTo]:
    """All there are, newest first."""
    chosen = _with_names()
    if status is not None:
        chosen = chosen.where(deliveries.c.status == status)
    return page_of(tx, chosen, [deliveries.c.id], cursor, limit, _sent_to)


def get(tx: Reading, delivery_id: int) -> SentTo:
    row = tx.conn.execute(_with_names().where(deliveries.c.id == delivery_id)).first()
    if row is None:
        raise NotFound
    return _sent_to(row)


def by_channel(tx: Reading) -> dict[Channel, tuple[int | None, int, int]]:
    """Of each channel: when something last went out, how many wait, how many were given up."""
    counted = select(
        deliveries.c.channel,
        deliveries.c.status,
        func.count().label("many"),
        func.max(deliveries.c.sent_at).label("last"),
    ).group_by(deliveries.c.channel, deliveries.c.status)
    rows = tx.conn.execute(counted).all()
    found: dict[Channel, tuple[int | None, int, int]] = {}
    for channel in Channel:
        own = [row for row in rows if row.channel == channel]
        last = max((row.last for row in own if row.status in WENT_OUT), default=None)
        waiting = sum(row.many for row in own if row.status in WAITING)
        failed = sum(row.many for row in own if row.status == DeliveryStatus.FAILED)
        found[channel] = (last, waiting, failed)
    return found


def _with_names() -> Select[Any]:
    to_staff = and_(deliveries.c.reader_kind == SenderKind.STAFF, users.c.id == deliveries.c.reader_id)
    to_customer = and_(
        deliveries.c.reader_kind == SenderKind.CUSTOMER, customers.c.id == deliveries.c.reader_id
    )
    return select(
        deliveries, users.c.name.label("staff_name"), customers.c.name.label("customer_name")
    ).select_from(deliveries.outerjoin(users, to_staff).outerjoin(customers, to_customer))


def _sent_to(row: AnyRow) -> SentTo:
    delivery: Delivery = outbox.made(row)
    return SentTo(delivery, row.staff_name or row.customer_name or "")
