"""Customers who wait for an answer: who has said that they give it, and who was told that nobody did.

Since when they wait travels with what is written, in `threads.move`; an answer ends all that stands here.
"""

from sqlalchemy import Select, select, update

from jobthread.entities import Micros, Role, Staff
from jobthread.policy import sight_of
from jobthread.store import visible
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import chat_threads, users

AT_ONCE = 50
_WAITS = chat_threads.c.waiting_since.is_not(None)


def claim(tx: Writing, thread_id: int, staff_id: int) -> bool:
    """Whether it was not theirs before. Only for a thread that is locked."""
    theirs = chat_threads.c.claimed_by.is_not_distinct_from(staff_id)
    changed = (
        update(chat_threads)
        .where(chat_threads.c.id == thread_id, _WAITS, ~theirs)
        .values(claimed_by=staff_id, claimed_at=tx.now)
    )
    return tx.conn.execute(changed).rowcount > 0


def drop_claim(tx: Writing, thread_id: int) -> bool:
    """Whether there was one. Only for a thread that is locked."""
    changed = (
        update(chat_threads)
        .where(chat_threads.c.id == thread_id, chat_threads.c.claimed_by.is_not(None))
        .values(claimed_by=None, claimed_at=None)
    )
    return tx.conn.execute(changed).rowcount > 0


def drop_claims_out_of_sight(tx: Writing, staff: Staff) -> list[tuple[int, int | None]]:
    """(thread id, job id) of those that they had, and do not see any more."""
    out_of_sight = (
        select(chat_threads.c.id, chat_threads.c.job_id)
        .where(_WAITS, chat_threads.c.claimed_by == staff.id, ~visible.where(sight_of(staff)))
        .order_by(chat_threads.c.id)
        .with_for_update()
    )
    found = [(row.id, row.job_id) for row in tx.conn.execute(out_of_sight)]
    if found:
        ids = [thread_id for thread_id, _ in found]
        dropped = update(chat_threads).where(chat_threads.c.id.in_(ids))
        tx.conn.execute(dropped.values(claimed_by=None, claimed_at=None))
    return found


def is_claimed(tx: Reading, thread_id: int) -> bool:
    """By somebody who has said that they answer."""
    claimed = select(chat_threads.c.claimed_by).where(chat_threads.c.id == thread_id)
    return tx.conn.execute(claimed).scalar() is not None


# --- telling others -------------------------------------------------------------------------------


def any_overdue(tx: Reading, level: int, waiting_since: Micros) -> bool:
    return tx.conn.execute(_overdue(level, waiting_since).limit(1)).first() is not None


def raise_overdue(tx: Writing, level: int, waiting_since: Micros) -> list[int]:
    """Ids of threads that nobody has claimed, that wait since then or before, and that were one level lower.

    By now they are not: whoever asks the same next, in this process or another, gets others.
    """
    found = _overdue(level, waiting_since).order_by(chat_threads.c.id).limit(AT_ONCE)
    ids = list(tx.conn.execute(found.with_for_update(skip_locked=True)).scalars())
    if ids:
        tx.conn.execute(update(chat_threads).where(chat_threads.c.id.in_(ids)).values(escalated=level))
    return ids


def to_be_told(tx: Reading, role: Role) -> list[int]:
    """People of that role by id; no service accounts."""
    chosen = select(users.c.id).where(users.c.role == role, users.c.active, ~users.c.service)
    return list(tx.conn.execute(chosen.order_by(users.c.id)).scalars())


def _overdue(level: int, waiting_since: Micros) -> Select[int]:
    return select(chat_threads.c.id).where(
        _WAITS,
        chat_threads.c.waiting_since <= waiting_since,
        chat_threads.c.claimed_by.is_(None),
        chat_threads.c.escalated == level - 1,
    )
