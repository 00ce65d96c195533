"""Threads as one reader finds them: with people, last message, and that reader's counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, Text, and_, select

from jobthread.entities import (
    Caller,
    ConsentState,
    JobRef,
    JobStatus,
    Message,
    Person,
    Reader,
    Role,
    SeenThread,
    SenderKind,
    Staff,
    ThreadStatus,
    ThreadView,
    Visibility,
)
from jobthread.policy import Sight
from jobthread.store import messages, people, search, visible
from jobthread.store.batches import Rows, as_json, fetch
from jobthread.store.database import AnyRow, Reading
from jobthread.store.pages import Page, first_of_each, page_of, rising_page_of
from jobthread.store.tables import (
    chat_message_read_status,
    chat_messages,
    chat_thread_participants,
    chat_threads,
    customers,
    jobs,
    sms_consent,
    users,
)
from jobthread.store.threads import FACTS


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    status: ThreadStatus | None = None
    visibility: Visibility | None = None
    job_id: int | None = None
    needs_reply: bool | None = None
    waiting: bool | None = None
    joined_by: int | None = None
    query: str = ""


def reader_of(caller: Caller) -> Reader:
    if isinstance(caller, Staff):
        return SenderKind.STAFF, caller.id
    return SenderKind.CUSTOMER, caller.customer_id


def view(tx: Reading, thread: SeenThread, reader: Reader) -> ThreadView:
    row = tx.conn.execute(_views(reader).where(chat_threads.c.id == thread.id)).one()
    return _made(tx, [row])[0]


def page(
    tx: Reading, sight: Sight, wanted: ThreadFilter, reader: Reader, cursor: str | None, limit: int
) -> Page[ThreadView]:
    """Newest activity first; those that wait for an answer, where they are asked for: the longest first."""
    order = _longest_first if wanted.waiting else _newest_first
    rows = order(tx, sight, wanted, reader, cursor, limit)
    return Page(_with_hits(tx, _made(tx, rows.items), wanted.query), rows.next_cursor)


def _longest_first(
    tx: Reading, sight: Sight, wanted: ThreadFilter, reader: Reader, cursor: str | None, limit: int
) -> Page[AnyRow]:
    chosen = _views(reader).where(visible.where(sight), *_conditions(tx.dialect, wanted))
    longest = [chat_threads.c.waiting_since, chat_threads.c.id]
    return rising_page_of(tx, chosen, longest, cursor, limit, lambda row: row)


def _newest_first(
    tx: Reading, sight: Sight, wanted: ThreadFilter, reader: Reader, cursor: str | None, limit: int
) -> Page[AnyRow]:
    newest = [chat_threads.c.active_at, chat_threads.c.id]
    if not _looks_through_all(sight, wanted):
        chosen = _views(reader).where(visible.where(sight), *_conditions(tx.dialect, wanted))
        return page_of(tx, chosen, newest, cursor, limit, lambda row: row)
    of_each = [replace(wanted, status=status) for status in ThreadStatus]
    keys = [select(*newest).where(visible.where(sight), *_conditions(tx.dialect, one)) for one in of_each]
    found = first_of_each(keys, newest, cursor, limit)
    chosen = _views_of(*reader, found.join(chat_threads, chat_threads.c.id == found.c.id))
    return page_of(tx, chosen, newest, None, limit, lambda row: row)


def _looks_through_all(sight: Sight, wanted: ThreadFilter) -> bool:
    """Else they are of one status, as the index has them, or few, or sorted anyway."""
    in_one_job = wanted.job_id is not None or sight.within_job is not None
    narrowed = wanted.status is not None or wanted.query.strip() or in_one_job
    return bool(sight.every) and not narrowed


def as_found_by(
    tx: Reading, readers: Mapping[int, Collection[Reader]]
) -> dict[tuple[int, Reader], ThreadView]:
    """Threads by id as each of these readers finds them: whoever asks must put each one's sight to them."""
    given = [(thread_id, *reader) for thread_id, of_thread in readers.items() for reader in of_thread]
    if not given:
        return {}
    rows = fetch(tx, _found_by, rows=as_json(given))
    found = zip(rows, _made(tx, rows), strict=True)
    return {(view.id, (SenderKind(row.reader_kind), row.reader_id)): view for row, view in found}


def _with_hits(tx: Reading, found: list[ThreadView], query: str) -> list[ThreadView]:
    if not found or not query.strip():
        return found
    hits = search.newest_with(tx, [view.id for view in found], query)
    return [msgspec.structs.replace(view, hit=hits.get(view.id)) for view in found]


_creators = users.alias("creators")
_claimers = users.alias("claimers")
_job_customers = customers.alias("job_customers")
_consent = (
    select(sms_consent.c.state)
    .where(sms_consent.c.number == _job_customers.c.phone)
    .order_by(sms_consent.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
"""The last word of the number on file."""


def _views(reader: Reader) -> Select[Any]:
    return _views_of(*reader)


def _found_by(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "reader_kind": Text(), "reader_id": BigInteger()})
    kind, reader_id = given["reader_kind"], given["reader_id"]
    asked = given.table.join(chat_threads, chat_threads.c.id == given["thread_id"])
    return _views_of(kind, reader_id, asked).add_columns(
        kind.label("reader_kind"), reader_id.label("reader_id")
    )


def _views_of(
    kind: ColumnElement[str] | SenderKind,
    reader_id: ColumnElement[int] | int,
    threads: FromClause = chat_threads,
) -> Select[Any]:
    marks = chat_message_read_status
    mine = and_(
        marks.c.thread_id == chat_threads.c.id, marks.c.reader_kind == kind, marks.c.reader_id == reader_id
    )
    return select(
        *FACTS,
        chat_threads.c.created_at,
        chat_threads.c.active_at,
        jobs.c.reference.label("job_reference"),
        jobs.c.title.label("job_title"),
        jobs.c.status.label("job_status"),
        _job_customers.c.name.label("job_customer_name"),
        _job_customers.c.email.label("job_customer_email"),
        _consent.label("job_customer_consent"),
        _creators.c.name.label("creator_name"),
        _creators.c.role.label("creator_role"),
        chat_threads.c.claimed_by,
        chat_threads.c.escalated,
        _claimers.c.name.label("claimer_name"),
        _claimers.c.role.label("claimer_role"),
        marks.c.last_read_seq,
        marks.c.read_count,
    ).select_from(
        threads.outerjoin(jobs, jobs.c.id == chat_threads.c.job_id)
        .outerjoin(_job_customers, _job_customers.c.id == jobs.c.customer_id)
        .outerjoin(_creators, _creators.c.id == chat_threads.c.created_by)
        .outerjoin(_claimers, _claimers.c.id == chat_threads.c.claimed_by)
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
    if wanted.waiting is not None:
        waits = chat_threads.c.waiting_since.is_not(None)
        conditions.append(waits if wanted.waiting else ~waits)
    if wanted.query.strip():
        conditions.append(search.threads_with(dialect, wanted.query))
    return conditions


def _made(tx: Reading, rows: Sequence[AnyRow]) -> list[ThreadView]:
    if not rows:
        return []
    participants = _participants(tx, list({row.id for row in rows}))
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
            waiting_since=row.waiting_since,
            claimed_by=_claimer(row),
            escalated=row.escalated,
            sms_stopped=row.job_customer_consent == ConsentState.STOPPED,
            email_on_file=row.job_customer_email is not None,
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


def _claimer(row: AnyRow) -> Person | None:
    return Person(row.claimed_by, row.claimer_name, Role(row.claimer_role)) if row.claimed_by else None


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
    at = list({(row.id, row.last_message_seq) for row in rows if row.last_message_seq})
    if not at:
        return {}
    given = as_json(at)
    return {m.thread_id: m for m in messages.made(tx, fetch(tx, _at, rows=given))}


def _at(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "seq": BigInteger()})
    at = and_(chat_messages.c.thread_id == given["thread_id"], chat_messages.c.seq == given["seq"])
    return messages.selected().join(given.table, at)
