"""Read marks and unread counts: one subtraction each, at any size."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import ReadBy, Reader, SeenThread, SenderKind, Visibility
from jobthread.store import messages
from jobthread.store.batches import Rows, as_json, count_changed, fetch, run
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import chat_message_read_status as marks
from jobthread.store.tables import chat_thread_participants, chat_threads, customers, jobs, users

Mark = tuple[SenderKind, int, int, int, int]
"""Reader kind and id, thread, last seq read, messages read."""
Place = tuple[int, SenderKind, int]
"""Thread, reader kind and id."""
LAST = 2**63 - 1
"""Later than any moment."""


def move(tx: Writing, thread: SeenThread, reader: Reader, up_to_seq: int | None) -> bool:
    """Mark read up to `up_to_seq` (None: all). Whether the mark moved: it never moves back."""
    seq = thread.last_seq if up_to_seq is None else min(up_to_seq, thread.last_seq)
    count = thread.message_count if seq == thread.last_seq else messages.numbers_at(tx, thread.id, seq)
    kind, reader_id = reader
    return count_changed(tx, _put, rows=as_json([(kind, reader_id, thread.id, seq, count)]), now=tx.now) > 0


def standing(tx: Reading, thread: SeenThread, reader: Reader) -> tuple[int, int]:
    """(last_read_seq, unread_count) of one who has read."""
    row = tx.conn.execute(
        select(marks.c.last_read_seq, marks.c.read_count).where(_mark(*reader, thread.id))
    ).one()
    return row.last_read_seq, thread.message_count - row.read_count


def put(tx: Writing, new: Sequence[Mark]) -> None:
    """Move marks forward; one that stands further on already stays. One mark a reader and thread."""
    run(tx, _put, rows=as_json(new), now=tx.now)


def last_read(tx: Reading, asked: Sequence[Place]) -> dict[Place, int]:
    """How far each of these readers stands."""
    rows = fetch(tx, _asked, rows=as_json(asked))
    return {(row.thread_id, SenderKind(row.reader_kind), row.reader_id): row.last_read_seq for row in rows}


def unread_total(tx: Reading, user_id: int) -> int:
    """Over the threads that the person takes part in."""
    mine = _mark(SenderKind.STAFF, user_id, chat_threads.c.id)
    total = (
        select(func.sum(chat_threads.c.message_count - func.coalesce(marks.c.read_count, 0)))
        .select_from(
            chat_thread_participants.join(
                chat_threads, chat_threads.c.id == chat_thread_participants.c.thread_id
            ).outerjoin(marks, mine)
        )
        .where(chat_thread_participants.c.user_id == user_id)
    )
    return int(tx.conn.execute(total).scalar() or 0)


def unread_totals(tx: Reading, user_ids: Collection[int]) -> dict[int, int]:
    """The same for many people at once."""
    rows = fetch(tx, _totals, rows=as_json([[user_id] for user_id in user_ids]))
    return dict.fromkeys(user_ids, 0) | {row.user_id: int(row.unread) for row in rows}


def of_thread(tx: Reading, thread: SeenThread) -> list[ReadBy]:
    """How far each participant has read, and where the customer takes part, how far the customer has."""
    found: Select[Any] | CompoundSelect[Any] = _marks_of_staff(thread.id)
    if thread.visibility is Visibility.CUSTOMER_VISIBLE:
        found = union_all(_marks_of_staff(thread.id), _mark_of_customer(thread.id))
    rows = tx.conn.execute(found.order_by("joined_at", "reader_kind", "id"))
    return [ReadBy(SenderKind(row.reader_kind), row.id, row.name, row.last_read_seq) for row in rows]


def _marks_of_staff(thread_id: int) -> Select[Any]:
    joined = chat_thread_participants
    return (
        _read_by(SenderKind.STAFF, users, joined.c.joined_at)
        .select_from(joined.join(users, users.c.id == joined.c.user_id))
        .outerjoin(marks, _mark(SenderKind.STAFF, users.c.id, joined.c.thread_id))
        .where(joined.c.thread_id == thread_id)
    )


def _mark_of_customer(thread_id: int) -> Select[Any]:
    # Staff come first: no moment of joining is as late as this.
    return (
        _read_by(SenderKind.CUSTOMER, customers, literal(LAST, BigInteger))
        .select_from(chat_threads.join(jobs, jobs.c.id == chat_threads.c.job_id))
        .join(customers, customers.c.id == jobs.c.customer_id)
        .outerjoin(marks, _mark(SenderKind.CUSTOMER, customers.c.id, chat_threads.c.id))
        .where(chat_threads.c.id == thread_id)
    )


def _read_by(kind: SenderKind, who: Table, joined_at: ColumnElement[int]) -> Select[Any]:
    return select(
        literal(kind.value, Text).label("reader_kind"),
        who.c.id,
        who.c.name,
        func.coalesce(marks.c.last_read_seq, 0).label("last_read_seq"),
        joined_at.label("joined_at"),
    )


def _mark(
    kind: SenderKind, reader_id: ColumnElement[int] | int, thread_id: ColumnElement[int] | int
) -> ColumnElement[bool]:
    return and_(marks.c.reader_kind == kind, marks.c.reader_id == reader_id, marks.c.thread_id == thread_id)


def _totals(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"user_id": BigInteger()})
    joined = chat_thread_participants
    unread = func.sum(chat_threads.c.message_count - func.coalesce(marks.c.read_count, 0))
    return (
        # What PostgreSQL sums up from bigints is a decimal number.
        select(joined.c.user_id, cast(unread, BigInteger()).label("unread"))
        .select_from(
            joined.join(chat_threads, chat_threads.c.id == joined.c.thread_id).outerjoin(
                marks, _mark(SenderKind.STAFF, joined.c.user_id, chat_threads.c.id)
            )
        )
        .where(joined.c.user_id.in_(select(given["user_id"]).select_from(given.table)))
        .group_by(joined.c.user_id)
    )


def _asked(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "reader_kind": Text(), "reader_id": BigInteger()})
    same = [marks.c[name] == column for name, column in given.columns.items()]
    return select(marks.c.thread_id, marks.c.reader_kind, marks.c.reader_id, marks.c.last_read_seq).join(
        given.table, and_(*same)
    )


def _put(dialect: str) -> Any:
    given = Rows(
        dialect,
        {
            "reader_kind": Text(),
            "reader_id": BigInteger(),
            "thread_id": BigInteger(),
            "last_read_seq": BigInteger(),
            "read_count": BigInteger(),
        },
    )
    columns = [*given.columns, "read_at"]
    # SQLite reads ON CONFLICT after a bare SELECT … FROM as a join: the WHERE keeps the two apart.
    rows = select(*given.columns.values(), bindparam("now", type_=BigInteger())).select_from(given.table)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(marks).from_select(columns, rows.where(text("1 = 1")))
    return statement.on_conflict_do_update(
        index_elements=["reader_kind", "reader_id", "thread_id"],
        set_={
            "last_read_seq": statement.excluded.last_read_seq,
            "read_count": statement.excluded.read_count,
            "read_at": statement.excluded.read_at,
        },
        where=statement.excluded.last_read_seq > marks.c.last_read_seq,
    )
