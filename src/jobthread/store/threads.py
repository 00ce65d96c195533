"""Threads, through sight only: request code has no other way to come by one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct, convert
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    select,
    union_all,
    update,
)

from jobthread.entities import (
    Micros,
    SeenThread,
    SenderKind,
    Thread,
    ThreadStatus,
    Visibility,
)
from jobthread.errors import NotFound
from jobthread.policy import Sight
from jobthread.store import search, visible
from jobthread.store.batches import Answer, Rows, as_json, ask, run
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.tables import (
    chat_thread_participants,
    chat_threads,
)
from jobthread.store.words import indexed

FACTS = (
    chat_threads.c.id,
    chat_threads.c.subject,
    chat_threads.c.visibility,
    chat_threads.c.status,
    chat_threads.c.job_id,
    chat_threads.c.created_by,
    chat_threads.c.last_seq,
    chat_threads.c.message_count,
    chat_threads.c.last_message_seq,
    chat_threads.c.last_sender_kind,
    chat_threads.c.waiting_since,
    chat_threads.c.away_until,
)
_Facts = tuple[
    int,
    str,
    Visibility,
    ThreadStatus,
    int | None,
    int | None,
    int,
    int,
    int | None,
    SenderKind | None,
    Micros | None,
    Micros | None,
]
"""What `FACTS` come as."""


@dataclass(frozen=True, slots=True)
class NewThread:
    subject: str
    visibility: Visibility
    job_id: int | None
    created_by: int | None


class Counters(Struct, frozen=True, array_like=True):
    """What writing moves on a thread's own row, in the order in which `move` hands it over."""

    thread_id: int
    status: ThreadStatus
    last_seq: int
    message_count: int
    last_message_seq: int | None
    last_sender_kind: SenderKind | None
    waiting_since: Micros | None
    away_until: Micros | None


# --- sight ----------------------------------------------------------------------------------------


def get_seen(tx: Reading, sight: Sight, thread_id: int) -> SeenThread:
    """Raises `NotFound` for what is not there and for what `sight` does not reach, alike.

    Inside a write the thread's row stays locked until the commit.
    """
    chosen = select(*FACTS).where(chat_threads.c.id == thread_id, visible.where(sight))
    if isinstance(tx, Writing):
        # Locked by id alone, first: a lock taken together with the look would see the rights of before it.
        tx.conn.execute(select(chat_threads.c.id).where(chat_threads.c.id == thread_id).with_for_update())
    row = tx.conn.execute(chosen).first()
    if row is None:
        raise NotFound
    return SeenThread(*_facts_of(row), _participant_ids(tx, thread_id))


def visible_ids(tx: Reading, sight: Sight) -> set[int]:
    return set(tx.conn.execute(select(chat_threads.c.id).where(visible.where(sight))).scalars())


def newest_in_job(
    tx: Reading, sight: Sight, job_id: int, statuses: Collection[ThreadStatus]
) -> SeenThread | None:
    """The customer-visible thread of a job that saw the latest activity."""
    newest = (
        select(chat_threads.c.id)
        .where(
            visible.where(sight),
            chat_threads.c.job_id == job_id,
            chat_threads.c.visibility == Visibility.CUSTOMER_VISIBLE,
            chat_threads.c.status.in_(sorted(statuses)),
        )
        .order_by(chat_threads.c.active_at.desc(), chat_threads.c.id.desc())
        .limit(1)
    )
    thread_id = tx.conn.execute(newest).scalar()
    return get_seen(tx, sight, thread_id) if thread_id else None


def as_it_stands(tx: Reading, thread_id: int) -> Thread | None:
    """For what goes on by itself. It is no `SeenThread`: whoever asks must put each reader's sight to it."""
    row = tx.conn.execute(select(*FACTS).where(chat_threads.c.id == thread_id)).first()
    return Thread(*_facts_of(row), _participant_ids(tx, thread_id)) if row else None


def made_at(tx: Reading, thread_id: int) -> Micros:
    made: Micros = tx.conn.execute(
        select(chat_threads.c.created_at).where(chat_threads.c.id == thread_id)
    ).scalar_one()
    return made


def locked_for_senders(tx: Writing, senders: Iterable[tuple[int, int]]) -> Answer[dict[int, Thread]]:
    """The threads of (thread id, sending user's id or 0), locked in id order.

    These are no `SeenThread`s: whoever asks must put each sender's sight to them. Of the participants
    only those among the senders are loaded, since sight asks about nobody else.
    """
    pairs = as_json(sorted(set(senders)))
    # Locked by a statement of its own: only what begins after it is sure to see the rights as they are.
    locked = ask(tx, _lock, _Facts, rows=pairs)
    joined = ask(tx, _joined, tuple[int, int], rows=pairs)
    return lambda: _with_participants(locked(), joined())


def as_they_are(tx: Reading, thread_ids: Collection[int]) -> dict[int, Thread]:
    """Threads by id, with all who take part. These are no `SeenThread`s either."""
    ids = as_json([[thread_id] for thread_id in thread_ids])
    return _with_participants(
        ask(tx, _facts, _Facts, rows=ids)(), ask(tx, _all_joined, tuple[int, int], rows=ids)()
    )


def of_jobs(tx: Reading, job_ids: Collection[int]) -> list[tuple[int, int]]:
    """(job id, thread id) of every thread about these jobs."""
    about = chat_threads.c.job_id.in_(sorted(job_ids))
    rows = tx.conn.execute(select(chat_threads.c.job_id, chat_threads.c.id).where(about))
    return [(row.job_id, row.id) for row in rows]


def moved_lately(tx: Reading, micros: Micros) -> dict[int, int]:
    """The last seq of each thread in which something was written so shortly before the latest of all."""
    of_each = [
        select(func.max(chat_threads.c.active_at).label("at")).where(chat_threads.c.status == status)
        for status in ThreadStatus
    ]
    latest = select(func.max(union_all(*of_each).subquery().c.at)).scalar_subquery()
    rows = tx.conn.execute(
        select(chat_threads.c.id, chat_threads.c.last_seq).where(active_after(latest - micros))
    )
    return {row.id: row.last_seq for row in rows}


def active_after(moment: ColumnElement[int] | Micros) -> ColumnElement[bool]:
    """A condition on chat_threads. It names both statuses because the index begins with them."""
    return and_(chat_threads.c.status.in_(list(ThreadStatus)), chat_threads.c.active_at > moment)


# --- writing --------------------------------------------------------------------------------------


def add(tx: Writing, new: NewThread) -> int:
    values: dict[str, Any] = {
        "subject": new.subject,
        "visibility": new.visibility,
        "status": ThreadStatus.OPEN,
        "job_id": new.job_id,
        "created_by": new.created_by,
        "created_at": tx.now,
        "active_at": tx.now,
        "last_seq": 0,
        "message_count": 0,
    }
    words = indexed(new.subject)
    if tx.dialect != "sqlite":
        values["words"] = func.array_to_tsvector(words.split())
    added: int = tx.conn.execute(
        insert(chat_threads).values(values).returning(chat_threads.c.id)
    ).scalar_one()
    search.index_subject(tx, added, words)
    return added


def move(tx: Writing, moved: Sequence[Counters]) -> None:
    """Bring the threads' own rows up to what was written in them; activity never goes back in time."""
    run(tx, _move, rows=as_json(moved), now=tx.now)


def add_participants(tx: Writing, pairs: Collection[tuple[int, int]]) -> None:
    """(thread id, user id) pairs, none of them there already."""
    rows = [{"thread_id": t, "user_id": u, "joined_at": tx.now} for t, u in pairs]
    tx.conn.execute(insert(chat_thread_participants), rows)


def remove_participant(tx: Writing, thread_id: int, user_id: int) -> None:
    participants = chat_thread_participants
    tx.conn.execute(
        delete(participants).where(participants.c.thread_id == thread_id, participants.c.user_id == user_id)
    )


# --- rows to entities -----------------------------------------------------------------------------


def _with_participants(facts: Iterable[_Facts], joined: Iterable[tuple[int, int]]) -> dict[int, Thread]:
    ids: dict[int, set[int]] = {}
    for thread_id, user_id in joined:
        ids.setdefault(thread_id, set()).add(user_id)
    return {one[0]: Thread(*one, frozenset(ids.get(one[0], ()))) for one in facts}


def _facts_of(row: AnyRow) -> _Facts:
    facts: _Facts = convert(tuple(row), _Facts)
    return facts


def _participant_ids(tx: Reading, thread_id: int) -> frozenset[int]:
    ids = select(chat_thread_participants.c.user_id).where(chat_thread_participants.c.thread_id == thread_id)
    return frozenset(tx.conn.execute(ids).scalars())


# --- statements -----------------------------------------------------------------------------------


def _lock(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger()})
    return (
        select(*FACTS)
        .where(chat_threads.c.id.in_(select(given["thread_id"]).select_from(given.table)))
        .order_by(chat_threads.c.id)
        .with_for_update()
    )


def _facts(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger()})
    return select(*FACTS).where(chat_threads.c.id.in_(select(given["thread_id"]).select_from(given.table)))


def _all_joined(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger()})
    participants = chat_thread_participants
    return select(participants.c.thread_id, participants.c.user_id).where(
        participants.c.thread_id.in_(select(given["thread_id"]).select_from(given.table))
    )


def _joined(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "user_id": BigInteger()})
    participants = chat_thread_participants
    same = and_(participants.c.thread_id == given["thread_id"], participants.c.user_id == given["user_id"])
    return select(participants.c.thread_id, participants.c.user_id).join(given.table, same)


def _move(dialect: str) -> Update:
    given = Rows(
        dialect,
        {
            "thread_id": BigInteger(),
            "status": Text(),
            "last_seq": BigInteger(),
            "message_count": BigInteger(),
            "last_message_seq": BigInteger(),
            "last_sender_kind": Text(),
            "waiting_since": BigInteger(),
            "away_until": BigInteger(),
        },
    )
    answered = given["waiting_since"].is_(None)
    now = bindparam("now", type_=BigInteger())
    return (
        update(chat_threads)
        .where(chat_threads.c.id == given["thread_id"])
        .values(
            status=given["status"],
            last_seq=given["last_seq"],
            message_count=given["message_count"],
            last_message_seq=given["last_message_seq"],
            last_sender_kind=given["last_sender_kind"],
            waiting_since=given["waiting_since"],
            away_until=given["away_until"],
            claimed_by=case((answered, null()), else_=chat_threads.c.claimed_by),
            claimed_at=case((answered, null()), else_=chat_threads.c.claimed_at),
            escalated=case((answered, 0), else_=chat_threads.c.escalated),
            active_at=case((now > chat_threads.c.active_at, now), else_=chat_threads.c.active_at),
        )
    )
