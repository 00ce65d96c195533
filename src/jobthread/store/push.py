"""Devices that take notices: each belongs to one session, and is silent with it."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import Micros
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import push_subscriptions, user_sessions

REST: Micros = 3600 * 1_000_000
"""For so long a device whose push service failed is not counted on."""


@dataclass(frozen=True, slots=True)
class Subscription:
    id: int
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)


def put(tx: Writing, user_id: int, session_hash: bytes, endpoint: str, p256dh: str, auth: str) -> None:
    """One row an endpoint: a browser has one, whoever is signed in there by now."""
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    values = {"user_id": user_id, "session_hash": session_hash, "p256dh": p256dh, "auth": auth}
    now = {"created_at": tx.now, "failed_at": None}
    statement = insert(push_subscriptions).values(endpoint=endpoint, **values, **now)
    tx.conn.execute(statement.on_conflict_do_update(index_elements=["endpoint"], set_={**values, **now}))


def of_staff(tx: Reading, user_id: int) -> list[Subscription]:
    """Those of sessions that are in force."""
    rows = tx.conn.execute(_of(tx, user_id).order_by(push_subscriptions.c.id))
    return [Subscription(row.id, row.endpoint, row.p256dh, row.auth) for row in rows]


def can_reach(tx: Reading, user_id: int) -> bool:
    """Whether there is a device that did not fail lately."""
    c = push_subscriptions.c
    works = or_(c.failed_at.is_(None), c.failed_at < tx.now - REST)
    return tx.conn.execute(_of(tx, user_id).where(works).limit(1)).first() is not None


def drop(tx: Writing, ids: Collection[int]) -> None:
    tx.conn.execute(delete(push_subscriptions).where(push_subscriptions.c.id.in_(ids)))


def drop_of_session(tx: Writing, session_hash: bytes) -> None:
    tx.conn.execute(delete(push_subscriptions).where(push_subscriptions.c.session_hash == session_hash))


def failed(tx: Writing, user_id: int) -> None:
    """None of their devices could be reached: for a while another way is taken."""
    c = push_subscriptions.c
    tx.conn.execute(update(push_subscriptions).where(c.user_id == user_id).values(failed_at=tx.now))


def sweep(tx: Writing) -> None:
    """Forget devices whose session has ended."""
    alive = select(user_sessions.c.token_hash)
    tx.conn.execute(delete(push_subscriptions).where(push_subscriptions.c.session_hash.not_in(alive)))


def _of(tx: Reading, user_id: int) -> "Select[tuple[int, str, str, str]]":
    c, sessions = push_subscriptions.c, user_sessions.c
    return (
        select(c.id, c.endpoint, c.p256dh, c.auth)
        .join(user_sessions, sessions.token_hash == c.session_hash)
        .where(c.user_id == user_id, sessions.user_id == user_id, sessions.expires_at > tx.now)
    )
