"""Whether a database is whole: its rows agree with each other, and hold what was acknowledged."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from jobthread.store import engines
from tests.faults.company import Said

Rows = Sequence[Any]

_MESSAGES = text(
    "SELECT thread_id, seq, number, kind, sender_kind, sender_id, client_msg_id, body"
    " FROM chat_messages ORDER BY thread_id, seq"
)
_THREADS = text("SELECT id, last_seq, message_count, last_message_seq, last_sender_kind FROM chat_threads")
_MARKS = text(
    "SELECT reader_kind, reader_id, thread_id, last_read_seq, read_count FROM chat_message_read_status"
)


def check(url: str, said: Iterable[Said]) -> int:
    """Fails on any fault of the database at that URL; answers how many messages it holds."""
    engine = engines.for_writing(url)
    try:
        with engine.connect() as conn:
            messages = conn.execute(_MESSAGES).all()
            found = faults(conn, messages) + lost(messages, said)
            assert found == [], "\n".join(found[:20])
            return sum(row.kind == "message" for row in messages)
    finally:
        engine.dispose()


def faults(conn: Connection, messages: Rows | None = None) -> list[str]:
    """What disagrees: numbering, counters, read marks, the search index, SQLite's own structures."""
    rows = conn.execute(_MESSAGES).all() if messages is None else messages
    by_thread: dict[int, list[Any]] = {row.id: [] for row in conn.execute(_THREADS)}
    for row in rows:
        by_thread[row.thread_id].append(row)
    found = [fault for of_thread in by_thread.values() for fault in _numbering(of_thread)]
    found += [fault for row in conn.execute(_THREADS) for fault in _counters(row, by_thread[row.id])]
    marks = conn.execute(_MARKS).all()
    found += [fault for mark in marks for fault in _mark(mark, by_thread[mark.thread_id])]
    wrote = {(row.sender_kind, row.sender_id, row.thread_id) for row in rows if row.kind == "message"}
    found += [f"{writer} has no mark" for writer in wrote - {tuple(mark)[:3] for mark in marks}]
    return found + (_of_sqlite(conn, rows) if conn.dialect.name == "sqlite" else [])


def lost(messages: Rows, said: Iterable[Said]) -> list[str]:
    """Which acknowledged messages are not there once, as they were acknowledged, in their writer's order."""
    there = {(row.sender_kind, row.sender_id, row.thread_id, row.client_msg_id): row for row in messages}
    found: list[str] = []
    last_seq: dict[tuple[str, int], int] = {}
    for one in said:
        row = there.get((*one.sender, one.thread_id, one.client_msg_id))
        if row is None:
            found.append(f"{one.client_msg_id} is lost")
            continue
        if (row.seq, row.body) != (one.seq, one.body):
            found.append(f"{one.client_msg_id} was changed")
        writer = (one.client_msg_id.rpartition("-")[0], one.thread_id)
        if row.seq <= last_seq.get(writer, 0):
            found.append(f"{one.client_msg_id} stands before what was said earlier")
        last_seq[writer] = row.seq
    # A message that stands there twice would do so under another id: ours are counted by their bodies.
    if len({row.body for row in messages if row.kind == "message"}) != len(there) - _events(messages):
        found.append("some message stands there twice")
    return found


def _events(messages: Rows) -> int:
    return sum(row.kind == "event" for row in messages)


def _numbering(rows: Rows) -> list[str]:
    found, number = [], 0
    for place, row in enumerate(rows, start=1):
        number += row.kind == "message"
        if (row.seq, row.number) != (place, number):
            found.append(f"thread {row.thread_id}: row {place} bears seq {row.seq}, number {row.number}")
    return found


def _counters(thread: Any, rows: Rows) -> list[str]:
    written = [row for row in rows if row.kind == "message"]
    last = (written[-1].seq, written[-1].sender_kind) if written else (None, None)
    expected = (len(rows), len(written), *last)
    counted = (thread.last_seq, thread.message_count, thread.last_message_seq, thread.last_sender_kind)
    return [] if counted == expected else [f"thread {thread.id} counts {counted}, but holds {expected}"]


def _mark(mark: Any, rows: Rows) -> list[str]:
    """Unread is message_count minus read_count: the mark must have counted what stands up to it."""
    read = sum(row.kind == "message" and row.seq <= mark.last_read_seq for row in rows)
    own = [row.seq for row in rows if (row.sender_kind, row.sender_id) == tuple(mark)[:2]]
    if mark.read_count != read or mark.last_read_seq > len(rows) or mark.last_read_seq < max(own, default=0):
        return [f"the mark {tuple(mark)} does not fit: {read} of {len(rows)} rows are read"]
    return []


def _of_sqlite(conn: Connection, messages: Rows) -> list[str]:
    found = [str(row[0]) for row in conn.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
    found += [f"dangling: {tuple(row)}" for row in conn.execute(text("PRAGMA foreign_key_check"))]
    conn.execute(text("INSERT INTO search_messages(search_messages) VALUES ('integrity-check')"))
    indexed = conn.execute(text("SELECT count(*) FROM search_messages_docsize")).scalar()
    said = len(messages) - _events(messages)
    return found if indexed == said else [*found, f"search holds {indexed} of {said} messages"]
