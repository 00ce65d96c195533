"""The audit trail: rows written with what they tell of, and sealed into a hash chain a moment later."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from jobthread.entities import Actor, AuditAction, AuditEntry, AuditWritten, Staff
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.pages import Page, page_of
from jobthread.store.tables import audit_head, audit_log

BATCH = 500
FIRST = bytes(32)
"""What the first row of the chain is chained to."""


@dataclass(frozen=True, slots=True)
class About:
    """What an audit row is about."""

    kind: str | None = None
    id: int | None = None
    job_id: int | None = None
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    actor_kind: str | None = None
    actor_id: int | None = None
    action: AuditAction | None = None
    job_id: int | None = None
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`position` and `hash` of the last good row; `fault` names the first row that is not as sealed."""

    position: int
    hash: bytes
    unsealed: int
    fault: str | None


# --- writing --------------------------------------------------------------------------------------


def add(tx: Writing, actor: Actor, action: AuditAction, about: About, **details: Any) -> None:
    kind, actor_id, name = _who(actor)
    tx.conn.execute(
        insert(audit_log).values(
            at=tx.now,
            actor_kind=kind,
            actor_id=actor_id,
            actor_name=name,
            action=action,
            subject_kind=about.kind,
            subject_id=about.id,
            job_id=about.job_id,
            thread_id=about.thread_id,
            ip=actor.ip,
            user_agent=actor.user_agent,
            details=msgspec.json.encode(details, order="sorted").decode(),
        )
    )
    tx.tell(AuditWritten())


def _who(actor: Actor) -> tuple[str, int | None, str]:
    caller = actor.caller
    if caller is None:
        return "nobody", None, ""
    if isinstance(caller, Staff):
        return "staff", caller.id, caller.name
    return "customer", caller.customer_id, caller.name


# --- reading --------------------------------------------------------------------------------------


def page(tx: Reading, wanted: AuditFilter, cursor: str | None, limit: int) -> Page[AuditEntry]:
    """Newest first."""
    chosen = select(audit_log)
    for name in ("actor_kind", "actor_id", "action", "job_id", "thread_id"):
        if (value := getattr(wanted, name)) is not None:
            chosen = chosen.where(audit_log.c[name] == value)
    return page_of(tx, chosen, [audit_log.c.id], cursor, limit, _entry)


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=AuditAction(row.action),
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        job_id=row.job_id,
        thread_id=row.thread_id,
        ip=row.ip,
        user_agent=row.user_agent,
        details=msgspec.json.decode(row.details),
    )


# --- the chain ------------------------------------------------------------------------------------


def seal(tx: Writing, key: bytes) -> int:
    """Chain up to `BATCH` rows that are not chained yet; answers how many. `key` signs the new head."""
    position, last = _head(tx)
    unsealed = select(audit_log).where(audit_log.c.position.is_(None)).order_by(audit_log.c.id).limit(BATCH)
    rows = tx.conn.execute(unsealed).all()
    for row in rows:
        position, last = position + 1, _chained(last, position + 1, row)
        tx.conn.execute(
            update(audit_log).where(audit_log.c.id == row.id).values(position=position, hash=last)
        )
    if rows:
        mac = _mac(key, position, last)
        tx.conn.execute(update(audit_head).values(position=position, hash=last, mac=mac))
    return len(rows)


def verify(tx: Reading, key: bytes, expected: str | None = None) -> Verdict:
    """Walk the chain from its first row; `expected` is a head noted down earlier, as POSITION:HASH."""
    head = _signed_head(tx)
    position, last = 0, FIRST
    noted = None if expected is None else expected.strip().lower()
    for row in _sealed_rows(tx, head.position):
        if fault := _fault(row, position + 1, last):
            return Verdict(position, last, _unsealed(tx), fault)
        position, last = row.position, row.hash
        if noted == f"{position}:{last.hex()}":
            noted = None
    fault = _fault_of_head(tx, head, key, position, last)
    if fault is None and noted is not None:
        fault = "the head that was noted down is not in the chain"
    return Verdict(position, last, _unsealed(tx), fault)


def _fault(row: AnyRow, expected: int, last: bytes) -> str | None:
    if row.position != expected:
        return f"row at position {expected} was removed (the next one there is has id {row.id})"
    if _chained(last, expected, row) != row.hash:
        return f"row id {row.id} at position {expected} was changed or inserted"
    return None


def _fault_of_head(tx: Reading, head: AnyRow, key: bytes, position: int, last: bytes) -> str | None:
    if head.position > 0 and not hmac.compare_digest(head.mac, _mac(key, head.position, head.hash)):
        return "the head of the chain was not signed with this secret key"
    if head.position > position:
        return f"row at position {position + 1} was removed (the chain was sealed up to {head.position})"
    if head.hash != last:
        return f"row at position {position} was changed"
    beyond = select(audit_log.c.id, audit_log.c.position).where(audit_log.c.position > head.position)
    row = tx.conn.execute(beyond.order_by(audit_log.c.position).limit(1)).first()
    # Rows sealed while we walked are no fault: then the head has moved on as well.
    if row is not None and _signed_head(tx).position == head.position:
        return f"row id {row.id} at position {row.position} was inserted (sealed up to {head.position})"
    return None


def _signed_head(tx: Reading) -> AnyRow:
    return tx.conn.execute(select(audit_head)).one()


def _sealed_rows(tx: Reading, up_to: int) -> Iterator[AnyRow]:
    after = 0
    while rows := _rows_between(tx, after, up_to):
        yield from rows
        after = rows[-1].position


def _rows_between(tx: Reading, after: int, up_to: int) -> list[AnyRow]:
    chosen = select(audit_log).where(audit_log.c.position > after, audit_log.c.position <= up_to)
    return list(tx.conn.execute(chosen.order_by(audit_log.c.position).limit(BATCH)).all())


def _unsealed(tx: Reading) -> int:
    return len(tx.conn.execute(select(audit_log.c.id).where(audit_log.c.position.is_(None))).all())


def _head(tx: Writing) -> tuple[int, bytes]:
    """The last link of the chain, locked: of several processes one seals at a time."""
    row = tx.conn.execute(select(audit_head).with_for_update()).one()
    return row.position, row.hash


def _chained(last: bytes, position: int, row: AnyRow) -> bytes:
    return hashlib.sha256(last + _canonical(position, row)).digest()


_TOLD = [
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "subject_kind",
    "subject_id",
    "job_id",
    "thread_id",
    "ip",
    "user_agent",
    "details",
]


def _canonical(position: int, row: AnyRow) -> bytes:
    return msgspec.json.encode([position, *(getattr(row, name) for name in _TOLD)])


def _mac(key: bytes, position: int, last: bytes) -> bytes:
    return hmac.digest(key, b"%d:" % position + last, "sha256")
