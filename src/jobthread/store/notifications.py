"""Who may have to be told of what, and when to look: found after the fact, so that sending pays nothing.

A row of `notices` stands for one reader and one thread. Rows are sown for threads that were active since the
last look, wherever somebody who takes part has something unread; the database remembers up to where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import (
    JobStatus,
    Message,
    MessageKind,
    Micros,
    Reader,
    SenderKind,
    Visibility,
)
from jobthread.store import messages, threads
from jobthread.store.batches import Rows, as_json, run
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import (
    chat_message_read_status as marks,
)
from jobthread.store.tables import (
    chat_messages,
    chat_thread_participants,
    chat_threads,
    jobs,
    notices,
    notices_sown,
    presence,
)

OVERLAP: Micros = 60_000_000
"""A moment is written some seconds before its commit, and by another server's clock: look back so far."""
SOWN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Seed:
    """A reader with something unread in a thread that was active at that moment."""

    reader: Reader
    thread_id: int
    active_at: Micros
    told_at: Micros | None


@dataclass(frozen=True, slots=True)
class Notice:
    reader: Reader
    thread_id: int
    told_seq: int
    told_at: Micros | None


@dataclass(frozen=True, slots=True)
class Oldest:
    seq: int
    created_at: Micros


# --- finding readers with something unread --------------------------------------------------------


def seeds(tx: Reading) -> tuple[list[Seed], Micros | None]:
    """Readers to look at, and the moment up to which threads are looked through with them.

    That moment is None while there are more of them, or where it has hardly moved.
    """
    # A clock that was put back must not leave anybody unaware until it has caught up.
    sown_up_to = min(tx.conn.execute(select(notices_sown.c.up_to)).scalar() or 0, tx.now - OVERLAP)
    newest = tx.conn.execute(
        select(func.max(chat_threads.c.active_at)).where(threads.active_after(sown_up_to))
    ).scalar()
    if newest is None:
        return [], None
    wanted = union_all(_staff(sown_up_to), _customers(sown_up_to)).limit(SOWN_AT_ONCE)
    found = [
        Seed((SenderKind(row.reader_kind), row.reader_id), row.thread_id, row.active_at, row.told_at)
        for row in tx.conn.execute(wanted)
    ]
    up_to = newest - OVERLAP
    moved = len(found) < SOWN_AT_ONCE and up_to > sown_up_to + OVERLAP
    return found, up_to if moved else None


def _staff(sown_up_to: Micros) -> Select[Any]:
    joined = chat_thread_participants
    here = and_(chat_threads.c.id == joined.c.thread_id, threads.active_after(sown_up_to))
    return _untold_readers(
        chat_threads.join(joined, here), SenderKind.STAFF, joined.c.user_id, literal(0, BigInteger)
    )


def _customers(sown_up_to: Micros) -> Select[Any]:
    theirs = and_(jobs.c.id == chat_threads.c.job_id, jobs.c.status == JobStatus.ACTIVE)
    return _untold_readers(
        chat_threads.join(jobs, theirs), SenderKind.CUSTOMER, jobs.c.customer_id, jobs.c.id
    ).where(
        chat_threads.c.visibility == Visibility.CUSTOMER_VISIBLE,
        threads.active_after(sown_up_to),
    )


def _untold_readers(
    source: Any, kind: SenderKind, reader_id: ColumnElement[int], job_id: ColumnElement[int]
) -> Select[Any]:
    """Told once, nobody is told again until they have read, or have come back."""
    of_reader = [
        and_(table.c.reader_kind == kind, table.c.reader_id == reader_id)
        for table in (marks, notices, presence)
    ]
    came_back = exists().where(
        of_reader[2], presence.c.job_id == job_id, presence.c.seen_at > notices.c.told_at
    )
    again = and_(
        notices.c.look_at.is_(None),
        chat_threads.c.last_message_seq > notices.c.told_seq,
        or_(notices.c.told_at.is_(None), marks.c.read_at > notices.c.told_at, came_back),
    )
    return (
        select(
            literal(kind.value, Text).label("reader_kind"),
            reader_id.label("reader_id"),
            chat_threads.c.id.label("thread_id"),
            chat_threads.c.active_at,
            notices.c.told_at,
        )
        .select_from(
            source.outerjoin(marks, and_(of_reader[0], marks.c.thread_id == chat_threads.c.id)).outerjoin(
                notices, and_(of_reader[1], notices.c.thread_id == chat_threads.c.id)
            )
        )
        .where(
            chat_threads.c.message_count > func.coalesce(marks.c.read_count, 0),
            or_(notices.c.thread_id.is_(None), again),
        )
    )


def sow(tx: Writing, found: Sequence[Seed], after: Micros) -> None:
    """Look at them `after` their thread was active; whoever was told meanwhile stays told."""
    rows = [(*s.reader, s.thread_id, s.told_at, s.active_at + after) for s in found]
    if rows:
        run(tx, _sow, rows=as_json(rows))


def _sow(dialect: str) -> Any:
    given = Rows(
        dialect,
        {
            "reader_kind": Text(),
            "reader_id": BigInteger(),
            "thread_id": BigInteger(),
            "told_at": BigInteger(),
            "look_at": BigInteger(),
        },
    )
    # SQLite reads ON CONFLICT after a bare SELECT … FROM as a join: the WHERE keeps the two apart.
    rows = select(*given.columns.values(), literal(0, BigInteger)).select_from(given.table)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(notices).from_select([*given.columns, "told_seq"], rows.where(text("1 = 1")))
    return statement.on_conflict_do_update(
        index_elements=["reader_kind", "reader_id", "thread_id"],
        set_={"look_at": statement.excluded.look_at},
        where=and_(
            notices.c.look_at.is_(None), notices.c.told_at.is_not_distinct_from(statement.excluded.told_at)
        ),
    )


def sown(tx: Writing, up_to: Micros) -> None:
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = insert(notices_sown).values(id=1, up_to=up_to)
    tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"up_to": up_to}, where=notices_sown.c.up_to < up_to
        )
    )


# --- looking at them ------------------------------------------------------------------------------


def next_look(tx: Reading) -> Micros | None:
    return tx.conn.execute(select(func.min(notices.c.look_at))).scalar()


def due(tx: Writing, limit: int) -> list[Notice]:
    """Locked until the commit: another process takes others."""
    chosen = (
        select(notices)
        .where(notices.c.look_at <= tx.now)
        .order_by(notices.c.look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        Notice((SenderKind(row.reader_kind), row.reader_id), row.thread_id, row.told_seq, row.told_at)
        for row in tx.conn.execute(chosen)
    ]


def look_again(tx: Writing, notice: Notice, at: Micros) -> None:
    _change(tx, notice.reader, notice.thread_id, look_at=at)


def told(tx: Writing, notice: Notice, up_to_seq: int) -> None:
    _change(tx, notice.reader, notice.thread_id, told_seq=up_to_seq, told_at=tx.now, look_at=None)


def nothing_to_tell(tx: Writing, notice: Notice, up_to_seq: int) -> None:
    """Whoever was told before stays so: dismissing the rest begins no new burst."""
    _change(tx, notice.reader, notice.thread_id, told_seq=up_to_seq, look_at=None)


def tell_anew(tx: Writing, reader: Reader, thread_id: int, after_seq: int) -> None:
    """They were not reached after all: decide once more, from where they were told of last."""
    _change(tx, reader, thread_id, told_seq=after_seq, told_at=None, look_at=tx.now)


def forget(tx: Writing, notice: Notice) -> None:
    tx.conn.execute(delete(notices).where(_is(notice.reader, notice.thread_id)))


def forget_all(tx: Writing) -> None:
    """Nobody is told of what is unread by now."""
    tx.conn.execute(delete(notices))
    sown(tx, tx.now)


def hurry(tx: Writing, reader: Reader) -> None:
    """Something about the reader has changed: look at once, and decide anew."""
    kind, reader_id = reader
    tx.conn.execute(
        update(notices)
        .where(notices.c.reader_kind == kind, notices.c.reader_id == reader_id, notices.c.look_at > tx.now)
        .values(look_at=tx.now)
    )


def read_a_part(tx: Writing, reader: Reader, thread_id: int) -> None:
    """The rest is a burst of its own, though nothing new was written."""
    tx.conn.execute(
        update(notices)
        .where(_is(reader, thread_id), notices.c.look_at.is_(None))
        .values(look_at=tx.now, told_at=None)
    )


def _change(tx: Writing, reader: Reader, thread_id: int, **values: Any) -> None:
    tx.conn.execute(update(notices).where(_is(reader, thread_id)).values(values))


def _is(reader: Reader, thread_id: int) -> ColumnElement[bool]:
    kind, reader_id = reader
    return and_(
        notices.c.reader_kind == kind, notices.c.reader_id == reader_id, notices.c.thread_id == thread_id
    )


# --- what is unread -------------------------------------------------------------------------------


def last_read(tx: Reading, thread_id: int, reader: Reader) -> int:
    kind, reader_id = reader
    mark = select(marks.c.last_read_seq).where(
        marks.c.reader_kind == kind, marks.c.reader_id == reader_id, marks.c.thread_id == thread_id
    )
    return tx.conn.execute(mark).scalar() or 0


def oldest_since(tx: Reading, thread_id: int, reader: Reader, after_seq: int, since: Micros) -> Oldest | None:
    """The first message that the reader might be told of."""
    chosen = (
        select(chat_messages.c.seq, chat_messages.c.created_at)
        .where(*_of_others(thread_id, reader, after_seq), chat_messages.c.created_at >= since)
        .order_by(chat_messages.c.seq)
        .limit(1)
    )
    row = tx.conn.execute(chosen).first()
    return Oldest(row.seq, row.created_at) if row else None


def untold(tx: Reading, thread_id: int, reader: Reader, after_seq: int, up_to_seq: int) -> list[int]:
    """The messages of others between the two."""
    chosen = select(chat_messages.c.seq).where(
        *_of_others(thread_id, reader, after_seq), chat_messages.c.seq <= up_to_seq
    )
    return list(tx.conn.execute(chosen.order_by(chat_messages.c.seq)).scalars())


def messages_at(tx: Reading, thread_id: int, seqs: Sequence[int]) -> list[Message]:
    chosen = messages.selected().where(
        chat_messages.c.thread_id == thread_id, chat_messages.c.seq.in_(sorted(seqs))
    )
    return messages.made(tx, tx.conn.execute(chosen.order_by(chat_messages.c.seq)).all())


def _of_others(thread_id: int, reader: Reader, after_seq: int) -> list[ColumnElement[bool]]:
    """What the company's own machine says is news to customers alone."""
    kind, reader_id = reader
    own = and_(chat_messages.c.sender_kind == kind, chat_messages.c.sender_id == reader_id)
    conditions = [
        chat_messages.c.thread_id == thread_id,
        chat_messages.c.seq > after_seq,
        chat_messages.c.kind == MessageKind.MESSAGE,
        ~own,
    ]
    if kind is SenderKind.STAFF:
        conditions.append(chat_messages.c.sender_kind != SenderKind.SYSTEM)
    return conditions
