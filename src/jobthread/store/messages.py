"""Messages: read by page, written by batch. A message never leaves and never changes."""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Insert, Select, Text, and_, bindparam, func, insert, select

from jobthread.entities import (
    EventType,
    Message,
    MessageKind,
    Micros,
    Person,
    Role,
    SeenThread,
    Sender,
    SenderKind,
)
from jobthread.store import people, search
from jobthread.store.batches import Answer, Rows, as_json, ask, ask_named, fetch, run
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.tables import chat_messages, customers, users
from jobthread.store.words import indexed

SYSTEM_ID = 0
_MESSAGE = (
    chat_messages.c.id,
    chat_messages.c.thread_id,
    chat_messages.c.seq,
    chat_messages.c.kind,
    chat_messages.c.sender_kind,
    chat_messages.c.sender_id,
    chat_messages.c.body,
    chat_messages.c.event_type,
    chat_messages.c.event_people,
    chat_messages.c.client_msg_id,
    chat_messages.c.created_at,
    chat_messages.c.via,
    users.c.name.label("staff_name"),
    users.c.role.label("staff_role"),
    customers.c.name.label("customer_name"),
)


class NewRow(Struct):
    """A row about to be written, numbered by its thread's draft."""

    thread_id: int
    seq: int
    number: int
    kind: MessageKind
    sender: Sender
    body: str
    client_msg_id: str
    event_type: EventType | None = None
    event_people: tuple[Person, ...] = ()
    ip: str | None = None
    user_agent: str | None = None
    via: str | None = None


class Once(Struct, frozen=True):
    """What makes a message the same message: its thread, its sender and the sender's own id for it."""

    thread_id: int
    sender_kind: SenderKind
    sender_id: int
    client_msg_id: str


# --- reading --------------------------------------------------------------------------------------


@cache
def selected() -> Select[Any]:
    """Messages with the names of their senders, to be narrowed down."""
    return select(*_MESSAGE).select_from(
        chat_messages.outerjoin(
            users,
            and_(chat_messages.c.sender_kind == SenderKind.STAFF, users.c.id == chat_messages.c.sender_id),
        ).outerjoin(
            customers,
            and_(
                chat_messages.c.sender_kind == SenderKind.CUSTOMER,
                customers.c.id == chat_messages.c.sender_id,
            ),
        )
    )


def page(
    tx: Reading, thread: SeenThread, before_seq: int | None, after_seq: int | None, limit: int
) -> tuple[list[Message], bool]:
    """Up to `limit` messages in rising seq, and whether there are more in the direction asked for.

    With `after_seq` the oldest ones above it, else the newest ones (below `before_seq`).
    """
    chosen = selected().where(chat_messages.c.thread_id == thread.id).limit(limit + 1)
    if before_seq is not None:
        chosen = chosen.where(chat_messages.c.seq < before_seq)
    if after_seq is not None:
        rising = chosen.where(chat_messages.c.seq > after_seq).order_by(chat_messages.c.seq)
        rows = tx.conn.execute(rising).all()
        return made(tx, rows[:limit]), len(rows) > limit
    rows = tx.conn.execute(chosen.order_by(chat_messages.c.seq.desc())).all()
    return made(tx, rows[:limit][::-1]), len(rows) > limit


def between(tx: Reading, spans: Collection[tuple[int, int, int]]) -> list[Message]:
    """Those of each (thread, first seq, last seq), in no order. Whoever asks must put a sight to each."""
    return made(tx, fetch(tx, _between, rows=as_json(list(spans))))


def made(tx: Reading, rows: Sequence[AnyRow]) -> list[Message]:
    named = _people_of_events(tx, rows)
    return [_message(row, named) for row in rows]


def _people_of_events(tx: Reading, rows: Sequence[AnyRow]) -> dict[int, Person]:
    ids = [user_id for row in rows if row.event_people for user_id in msgspec.json.decode(row.event_people)]
    return {user_id: people.person(staff) for user_id, staff in people.staff_by_id(tx, ids).items()}


def _message(row: AnyRow, named: dict[int, Person]) -> Message:
    about = msgspec.json.decode(row.event_people) if row.event_people else ()
    return Message(
        id=row.id,
        thread_id=row.thread_id,
        seq=row.seq,
        kind=MessageKind(row.kind),
        sender=_sender(row),
        body=row.body,
        event_type=EventType(row.event_type) if row.event_type else None,
        event_people=tuple(named[user_id] for user_id in about if user_id in named),
        client_msg_id=row.client_msg_id,
        created_at=row.created_at,
        via=row.via,
    )


def _sender(row: AnyRow) -> Sender:
    if row.sender_kind == SenderKind.STAFF:
        return Sender(SenderKind.STAFF, row.sender_id, row.staff_name, Role(row.staff_role))
    if row.sender_kind == SenderKind.CUSTOMER:
        return Sender(SenderKind.CUSTOMER, row.sender_id, row.customer_name, None)
    return Sender(SenderKind.SYSTEM, None, "Jobthread", None)


def numbers_at(tx: Reading, thread_id: int, seq: int) -> int:
    """How many messages people had written in the thread up to `seq`."""
    return (
        tx.conn.execute(
            select(chat_messages.c.number).where(
                chat_messages.c.thread_id == thread_id, chat_messages.c.seq == seq
            )
        ).scalar()
        or 0
    )


# --- writing --------------------------------------------------------------------------------------


def repeats(tx: Writing, asked: Sequence[Once]) -> Answer[dict[Once, Message]]:
    """Those that are there already, from whenever. Look only after the threads are locked."""
    keys = as_json([(o.thread_id, o.sender_kind, o.sender_id, o.client_msg_id) for o in asked])
    rows = ask_named(tx, _repeats, rows=keys)
    return lambda: {
        Once(m.thread_id, m.sender.kind, m.sender.id or SYSTEM_ID, m.client_msg_id): m
        for m in made(tx, rows())
    }


def add(tx: Writing, rows: Sequence[NewRow]) -> Answer[list[Message]]:
    """Write the rows, in one statement; the numbers must come from their locked threads."""
    # By thread: what is close together in an index is written together.
    return _ADD[tx.dialect](tx, sorted(rows, key=lambda row: row.thread_id))


def _add_sqlite(tx: Writing, rows: Sequence[NewRow]) -> Answer[list[Message]]:
    # Safe: this transaction holds SQLite's only write lock, and messages are never deleted.
    [(last,)] = ask(tx, _last_id, tuple[int])()
    ids = range(last + 1, last + 1 + len(rows))
    words = [_words(row) for row in rows]
    values = [(*_values(row), new_id) for row, new_id in zip(rows, ids, strict=True)]
    run(tx, _insert, rows=as_json(values), now=tx.now)
    if found_by := [one for one in zip(ids, words, strict=True) if one[1]]:
        search.index_messages(tx, as_json(found_by))
    return lambda: [_written(new_id, row, tx.now) for new_id, row in zip(ids, rows, strict=True)]


def _add_postgres(tx: Writing, rows: Sequence[NewRow]) -> Answer[list[Message]]:
    values = [(*_values(row), _words(row)) for row in rows]
    added = ask(tx, _insert, tuple[int, int, int], rows=as_json(values), now=tx.now)

    def written() -> list[Message]:
        ids = {(thread_id, seq): new_id for new_id, thread_id, seq in added()}
        return [_written(ids[row.thread_id, row.seq], row, tx.now) for row in rows]

    return written


_ADD: dict[str, Callable[[Writing, Sequence[NewRow]], Answer[list[Message]]]] = {
    "sqlite": _add_sqlite,
    "postgresql": _add_postgres,
}


def _words(row: NewRow) -> str:
    return indexed(row.body) if row.kind is MessageKind.MESSAGE else ""


def _values(row: NewRow) -> tuple[Any, ...]:
    """In the order of `_COLUMNS`."""
    return (
        row.thread_id,
        row.seq,
        row.number,
        row.kind,
        row.sender.kind,
        row.sender.id or SYSTEM_ID,
        row.body,
        row.event_type,
        as_json([person.id for person in row.event_people]) if row.event_people else None,
        row.client_msg_id,
        row.ip,
        row.user_agent,
        row.via,
    )


def _written(new_id: int, row: NewRow, now: Micros) -> Message:
    return Message(
        id=new_id,
        thread_id=row.thread_id,
        seq=row.seq,
        kind=row.kind,
        sender=row.sender,
        body=row.body,
        event_type=row.event_type,
        event_people=row.event_people,
        client_msg_id=row.client_msg_id,
        created_at=now,
        via=row.via,
    )


def _between(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"thread_id": BigInteger(), "first_seq": BigInteger(), "last_seq": BigInteger()})
    within = and_(
        chat_messages.c.thread_id == given["thread_id"],
        chat_messages.c.seq.between(given["first_seq"], given["last_seq"]),
    )
    return selected().join(given.table, within)


def _repeats(dialect: str) -> Select[Any]:
    given = Rows(
        dialect,
        {
            "thread_id": BigInteger(),
            "sender_kind": Text(),
            "sender_id": BigInteger(),
            "client_msg_id": Text(),
        },
    )
    same = [chat_messages.c[name] == column for name, column in given.columns.items()]
    return selected().join(given.table, and_(*same))


_COLUMNS: dict[str, Any] = {
    "thread_id": BigInteger(),
    "seq": BigInteger(),
    "number": BigInteger(),
    "kind": Text(),
    "sender_kind": Text(),
    "sender_id": BigInteger(),
    "body": Text(),
    "event_type": Text(),
    "event_people": Text(),
    "client_msg_id": Text(),
    "ip": Text(),
    "user_agent": Text(),
    "via": Text(),
}


def _insert(dialect: str) -> Insert:
    """On PostgreSQL the rows bring their words and get their ids; on SQLite the words go elsewhere."""
    sqlite = dialect == "sqlite"
    given = Rows(dialect, _COLUMNS | ({"id": BigInteger()} if sqlite else {"words": Text()}))
    chosen = dict(given.columns) | {"created_at": bindparam("now", type_=BigInteger())}
    if not sqlite:
        chosen["words"] = func.array_to_tsvector(func.string_to_array(given["words"], " "))
    filled = insert(chat_messages).from_select(
        list(chosen), select(*chosen.values()).select_from(given.table)
    )
    return filled if sqlite else filled.returning(*_PLACE)


_PLACE = (chat_messages.c.id, chat_messages.c.thread_id, chat_messages.c.seq)


def _last_id(dialect: str) -> Select[Any]:
    return select(func.coalesce(func.max(chat_messages.c.id), 0).label("last"))
