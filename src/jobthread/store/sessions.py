"""Staff sessions: only the SHA-256 of a session's token is kept."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Select, bindparam, delete, insert, select, update

from jobthread.entities import Micros, Staff
from jobthread.store import people
from jobthread.store.batches import fetch
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import user_sessions, users


@dataclass(frozen=True, slots=True)
class Session:
    staff: Staff
    last_seen_at: Micros
    expires_at: Micros


def add(tx: Writing, user_id: int, token_hash: bytes, expires_at: Micros, ip: str, user_agent: str) -> None:
    tx.conn.execute(
        insert(user_sessions).values(
            token_hash=token_hash,
            user_id=user_id,
            created_at=tx.now,
            last_seen_at=tx.now,
            expires_at=expires_at,
            ip=ip,
            user_agent=user_agent,
        )
    )


def find(tx: Reading, token_hash: bytes) -> Session | None:
    """A session in force, of an active person."""
    rows = fetch(tx, _find, token_hash=token_hash, now=tx.now)
    return Session(people.staff(rows[0]), rows[0].last_seen_at, rows[0].expires_at) if rows else None


def find_many(tx: Reading, hashes: Collection[bytes]) -> dict[bytes, Session]:
    """Those in force, of active people, by their hashes."""
    rows = tx.conn.execute(
        select(users, user_sessions.c.token_hash, user_sessions.c.last_seen_at, user_sessions.c.expires_at)
        .join(user_sessions, user_sessions.c.user_id == users.c.id)
        .where(user_sessions.c.token_hash.in_(hashes), user_sessions.c.expires_at > tx.now, users.c.active)
    )
    return {
        bytes(row.token_hash): Session(people.staff(row), row.last_seen_at, row.expires_at) for row in rows
    }


def extend(tx: Writing, token_hash: bytes, expires_at: Micros) -> None:
    tx.conn.execute(
        update(user_sessions)
        .where(user_sessions.c.token_hash == token_hash)
        .values(last_seen_at=tx.now, expires_at=expires_at)
    )


def end(tx: Writing, token_hash: bytes) -> None:
    tx.conn.execute(delete(user_sessions).where(user_sessions.c.token_hash == token_hash))


def end_all_of(tx: Writing, user_id: int, but: bytes | None = None) -> None:
    ended = delete(user_sessions).where(user_sessions.c.user_id == user_id)
    tx.conn.execute(ended if but is None else ended.where(user_sessions.c.token_hash != but))


def end_everything(tx: Writing) -> None:
    tx.conn.execute(delete(user_sessions))


def sweep(tx: Writing) -> None:
    """Forget sessions that have run out."""
    tx.conn.execute(delete(user_sessions).where(user_sessions.c.expires_at <= tx.now))


def _find(dialect: str) -> Select[Any]:
    return (
        select(users, user_sessions.c.last_seen_at, user_sessions.c.expires_at)
        .join(user_sessions, user_sessions.c.user_id == users.c.id)
        .where(
            user_sessions.c.token_hash == bindparam("token_hash", type_=LargeBinary()),
            user_sessions.c.expires_at > bindparam("now", type_=BigInteger()),
            users.c.active,
        )
    )
