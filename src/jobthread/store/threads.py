"""Threads, through sight only: request code has no other way to come by one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from jobthread.entities import (
    JobRef,
    JobStatus,
    Message,
    Person,
    Role,
    SeenThread,
    SenderKind,
    Thread,
    ThreadStatus,
    ThreadView,
    Visibility,
)
from jobthread.errors import NotFound
from jobthread.policy import Sight
from jobthread.store import messages, people, search, visible
from jobthread.store.batches import Rows
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.pages import Page, page_of
from jobthread.store.tables import (
    chat_message_read_status,
    chat_messages,
    chat_thread_participants,
    chat_threads,
    customers,
    jobs,
    users,
)
from jobthread.store.words import indexed

Reader = tuple[SenderKind, int]
"""Whose read marks count: staff or customer, and the id."""

_FACTS = (
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
)


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    status: ThreadStatus | None = None
    visibility: Visibility | None = None
    job_id: int | None = None
    needs_reply: bool | None = None
    joined_by: int | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class NewThread:
    subject: str
    visibility: Visibility
    job_id: int | None
    created_by: int | None


class Counters(Struct, frozen=True):
    """What writing moves on a thread's own row."""

    thread_id: int
    status: ThreadStatus
    last_seq: int
    message_count: int
    last_message_seq: int | None
    last_sender_kind: SenderKind | None


# --- sight ----------------------------------------------------------------------------------------


def get_seen(tx: Reading, sight: Sight, thread_id: int) -> SeenThread:
    """Raises `NotFound` for what is not there and for what `sight` does not reach, alike.

    Inside a write the thread's row stays locked until the commit.
    """
    chosen = select(*_FACTS).where(chat_threads.c.id == thread_id, visible.where(sight))
    if isinstance(tx, Writing):
        # Locked by id alone, first: a lock taken together with the look would see the rights of before it.
        tx.conn.execute(select(chat_threads.c.id).where(chat_threads.c.id == thread_id).with_for_update())
    row = tx.conn.execute(chosen).first()
    if row is None:
        raise NotFound
    return SeenThread(_thread(row, _participant_ids(tx, thread_id)))


def visible_ids(tx: Reading, sight: Sight) -> set[int]:
    return set(tx.conn.execute(select(chat_threads.c.id).where(visible.where(sight))).scalars())


def view(tx: Reading, thread: SeenThread, reader: Reader) -> ThreadView:
    row = tx.conn.execute(_views(reader).where(chat_threads.c.id == thread.id)).one()
    return _made(tx, [row])[0]


def page(
    tx: Reading, sight: Sight, wanted: ThreadFilter, reader: Reader, cursor: str | None, limit: int
) -> Page[ThreadView]:
    """Newest activity first."""
    chosen = _views(reader).where(visible.where(sight), *_conditions(tx.dialect, wanted))
    rows = page_of(tx, chosen, [chat_threads.c.active_at, chat_threads.c.id], cursor, limit, lambda row: row)
    return Page(_made(tx, rows.items), rows.next_cursor)


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


def locked_for_senders(tx: Writing, senders: Iterable[tuple[int, int]]) -> dict[int, Thread]:
    """The threads of (thread id, sending user's id or 0), locked in id order.

    These are no `SeenThread`s: whoever asks must put each sender's sight to them. Of the participants
    only those among the senders are loaded, since sight asks about nobody else.
    """
    rows_json = _json(sorted(set(senders)))
    rows = tx.conn.execute(_lock(tx.dialect), {"rows": rows_json}).all()
    joined: dict[int, set[int]] = {}
    for thread_id, user_id in tx.conn.execute(_joined(tx.dialect), {"rows": rows_json}):
        joined.setdefault(thread_id, set()).add(user_id)
    return {row.id: _thread(row, frozenset(joined.get(row.id, ()))) for row in rows}


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
    rows = [
        (c.thread_id, c.status, c.last_seq, c.message_count, c.last_message_seq, c.last_sender_kind)
        for c in moved
    ]
    tx.conn.execute(_move(tx.dialect), {"rows": _json(rows), "now": tx.now})


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


def _thread(row: AnyRow, participant_ids: frozenset[int]) -> Thread:
    return Thread(
        id=row.id,
        subject=row.subject,
        visibility=Visibility(row.visibility),
        status=ThreadStatus(row.status),
        job_id=row.job_id,
        created_by=row.created_by,
        participant_ids=participant_ids,
        last_seq=row.last_seq,
        message_count=row.message_count,
        last_message_seq=row.last_message_seq,
        last_sender_kind=SenderKind(row.last_sender_kind) if row.last_sender_kind else None,
    )


def _participant_ids(tx: Reading, thread_id: int) -> frozenset[int]:
    ids = select(chat_thread_participants.c.user_id).where(chat_thread_participants.c.thread_id == thread_id)
    return frozenset(tx.conn.execute(ids).scalars())


_creators = users.alias("creators")
_job_customers = customers.alias("job_customers")


def _views(reader: Reader) -> Select[Any]:
    kind, reader_id = reader
    marks = chat_message_read_status
    mine = and_(
        marks.c.thread_id == chat_threads.c.id, marks.c.reader_kind == kind, marks.c.reader_id == reader_id
    )
    return select(
        *_FACTS,
        chat_threads.c.created_at,
        chat_threads.c.active_at,
        jobs.c.reference.label("job_reference"),
        jobs.c.title.label("job_title"),
        jobs.c.status.label("job_status"),
        _job_customers.c.name.label("job_customer_name"),
        _creators.c.name.label("creator_name"),
        _creators.c.role.label("creator_role"),
        marks.c.last_read_seq,
        marks.c.read_count,
    ).select_from(
        chat_threads.outerjoin(jobs, jobs.c.id == chat_threads.c.job_id)
        .outerjoin(_job_customers, _job_customers.c.id == jobs.c.customer_id)
        .outerjoin(_creators, _creators.c.id == chat_threads.c.created_by)
        .outerjoin(marks, mine)
    )


def _conditions(dialect: str, wanted: ThreadFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.status is not None:
        conditions.append(chat_threads.c.status == wanted.status)
    if wanted.visibility is not None:
        conditions.append(chat_threads.c.visibility == wanted.visibility)
    if wanted.job_id is not None:
        conditions.append(chat_threads.c.job_id == wanted.job_id)
    if wanted.joined_by is not None:
        conditions.append(chat_threads.c.id.in_(visible.joined_by(wanted.joined_by)))
    if wanted.needs_reply is not None:
        needs = and_(
            chat_threads.c.status == ThreadStatus.OPEN,
            chat_threads.c.visibility == Visibility.CUSTOMER_VISIBLE,
            chat_threads.c.last_sender_kind.is_not_distinct_from(SenderKind.CUSTOMER),
        )
        conditions.append(needs if wanted.needs_reply else ~needs)
    if wanted.query.strip():
        conditions.append(search.threads_with(dialect, wanted.query))
    return conditions


def _made(tx: Reading, rows: Sequence[AnyRow]) -> list[ThreadView]:
    if not rows:
        return []
    participants = _participants(tx, [row.id for row in rows])
    last = _last_messages(tx, rows)
    return [
        ThreadView(
            id=row.id,
            subject=row.subject,
            visibility=Visibility(row.visibility),
            status=ThreadStatus(row.status),
            job=_job(row),
            participants=tuple(participants.get(row.id, ())),
            created_by=_creator(row),
            created_at=row.created_at,
            active_at=row.active_at,
            last_message=last.get(row.id),
            last_seq=row.last_seq,
            last_read_seq=row.last_read_seq or 0,
            unread_count=row.message_count - (row.read_count or 0),
            needs_reply=_needs_reply(row),
        )
        for row in rows
    ]


def _job(row: AnyRow) -> JobRef | None:
    if row.job_id is None:
        return None
    status = JobStatus(row.job_status)
    return JobRef(row.job_id, row.job_reference, row.job_title, status, row.job_customer_name)


def _creator(row: AnyRow) -> Person | None:
    return Person(row.created_by, row.creator_name, Role(row.creator_role)) if row.created_by else None


def _needs_reply(row: AnyRow) -> bool:
    asked = (row.status, row.visibility, row.last_sender_kind)
    return asked == (ThreadStatus.OPEN, Visibility.CUSTOMER_VISIBLE, SenderKind.CUSTOMER)


def _participants(tx: Reading, thread_ids: Sequence[int]) -> dict[int, list[Person]]:
    rows = tx.conn.execute(
        select(chat_thread_participants.c.thread_id, users)
        .join(users, users.c.id == chat_thread_participants.c.user_id)
        .where(chat_thread_participants.c.thread_id.in_(thread_ids))
        .order_by(chat_thread_participants.c.joined_at, users.c.id)
    )
    found: dict[int, list[Person]] = {}
    for row in rows:
        found.setdefault(row.thread_id, []).append(people.person(people.staff(row)))
    return found


def _last_messages(tx: Reading, rows: Sequence[AnyRow]) -> dict[int, Message]:
    at = [(row.id, row.last_message_seq) for row in rows if row.last_message_seq]
    if not at:
        return {}
    given = _json(at)
    return {
        m.thread_id: m for m in messages.made(tx, tx.conn.execute(_at(tx.dialect), {"rows": given}).all())
    }


# --- statements -----------------------------------------------------------------------------------


@cache
def _at(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "seq": BigInteger()})
    at = and_(chat_messages.c.thread_id == given["thread_id"], chat_messages.c.seq == given["seq"])
    return messages.selected().join(given.table, at)


@cache
def _lock(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger()})
    return (
        select(*_FACTS)
        .where(chat_threads.c.id.in_(select(given["thread_id"]).select_from(given.table)))
        .order_by(chat_threads.c.id)
        .with_for_update()
    )


@cache
def _joined(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "user_id": BigInteger()})
    participants = chat_thread_participants
    same = and_(participants.c.thread_id == given["thread_id"], participants.c.user_id == given["user_id"])
    return select(participants.c.thread_id, participants.c.user_id).join(given.table, same)


@cache
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
        },
    )
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
            active_at=case((now > chat_threads.c.active_at, now), else_=chat_threads.c.active_at),
        )
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
