"""Does size matter? Pages of small and huge threads, and unread counts over ten million messages."""

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Iterator

import uvloop
from sqlalchemy import text

from jobthread import app, load
from jobthread.actions import people
from jobthread.bench import child_on_first_core, free_port, pin, session
from jobthread.entities import Actor, Role
from jobthread.load import Figures, Request
from jobthread.settings import load_settings
from jobthread.store import reads
from jobthread.store.database import Database, Writing

MILLION = 1_000_000
THREADS = 20_000
MINE = 5_000
SECONDS = 4.0
BENCH = Actor(None, "127.0.0.1", "bench")
BODY = "'The boiler is off again and the cellar is wet, bring the long ladder please ' || i"
COLUMNS = "thread_id, seq, number, kind, sender_kind, sender_id, body, client_msg_id, created_at"

SERIES = {
    "sqlite": (
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT i FROM n)"
    ),
    "postgresql": "(SELECT generate_series(1, :count) AS i)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="an empty PostgreSQL database")
    parser.add_argument("--messages", type=int, default=10 * MILLION)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jobthread-sizes-") as folder:
        environ = {
            "JOBTHREAD_DATA_DIR": folder,
            "JOBTHREAD_LOG_LEVEL": "warning",
            "JOBTHREAD_PORT": str(free_port()),
        }
        if asked.database:
            environ["JOBTHREAD_DATABASE_URL"] = asked.database
        measure(environ, asked.messages)


def measure(environ: dict[str, str], messages: int) -> None:
    token, user_id, office = asyncio.run(grow(environ, messages))
    asyncio.run(count_in_process(environ, user_id))
    pin(1)
    port = int(environ["JOBTHREAD_PORT"])
    with child_on_first_core(["server"], environ, port):
        headers = {"cookie": f"jobthread={token}"}
        pages = {1: "a hundred", 2: "a million"}
        # In turn, twice each: so that a machine that grows slower does not look like a size that matters.
        for thread_id in (1, 2, 1, 2):
            row(f"50 of {pages[thread_id]}", 1, port, f"/api/chat/threads/{thread_id}/messages", headers)
        for thread_id in (1, 2):
            row(f"50 of {pages[thread_id]}", 16, port, f"/api/chat/threads/{thread_id}/messages", headers)
        row(
            "50 in the middle of a million",
            1,
            port,
            "/api/chat/threads/2/messages?before_seq=500000",
            headers,
        )
        row("unread count, over HTTP", 1, port, "/api/chat/unread-count", headers)
        row("first page of the thread list", 1, port, "/api/chat/threads", headers)
        row("search for a common word", 1, port, "/api/chat/threads?q=hello", headers)
        asyncio.run(close_nearly_all(environ))
        row("the office's few open threads", 1, port, "/api/chat/threads", {"cookie": f"jobthread={office}"})


def row(name: str, clients: int, port: int, path: str, headers: dict[str, str]) -> Figures:
    def requests(_: int) -> Iterator[Request]:
        return itertools.repeat(load.request("GET", path, headers))

    uvloop.run(load.load("127.0.0.1", port, clients, 0.5, requests))
    figures = uvloop.run(load.load("127.0.0.1", port, clients, SECONDS, requests))
    print(
        f"{name:<34}{clients:>4} clients {figures.per_second:>8,.0f}/s"
        f"  p50 {figures.p50_ms:6.2f} ms  p99 {figures.p99_ms:6.2f} ms  refused {figures.refused}",
        flush=True,
    )
    return figures


async def count_in_process(environ: dict[str, str], user_id: int) -> None:
    db = app.open_database(load_settings(environ))
    try:
        waits = []
        for _ in range(50):
            started = time.perf_counter()
            unread = await db.read(lambda tx: reads.unread_total(tx, user_id))
            waits.append((time.perf_counter() - started) * 1000)
        waits.sort()
        print(f"unread count at the server: {unread:,}: p50 {waits[25]:.2f} ms, p98 {waits[-2]:.2f} ms")
    finally:
        db.close()


# --- growing --------------------------------------------------------------------------------------


async def grow(environ: dict[str, str], messages: int) -> tuple[str, int, str]:
    """Thread 1 holds a hundred messages, thread 2 a million, the others share the rest."""
    db = app.open_database(load_settings(environ))
    started = time.perf_counter()
    try:
        token, user_id = await db.write(lambda tx: somebody(tx, "Tom", Role.TECHNICIAN))
        office, _ = await db.write(lambda tx: somebody(tx, "Dora", Role.DISPATCHER))
        await db.write(lambda tx: some_threads(tx, user_id))
        await fill(db, 1, 100, user_id)
        await fill(db, 2, min(MILLION, messages // 2), user_id)
        await spread(db, messages - min(MILLION, messages // 2), user_id)
        await db.write(count_up)
        await db.write(lambda tx: reads_all_but_the_last(tx, user_id))
        if db.dialect == "postgresql":
            # As autovacuum would have done by now, where it runs.
            await db.write(lambda tx: tx.conn.execute(text("ANALYZE")))
        print(f"{messages:,} messages in {THREADS:,} threads, made in {time.perf_counter() - started:.0f} s")
    finally:
        db.close()
    return token, user_id, office


def somebody(tx: Writing, name: str, role: Role) -> tuple[str, int]:
    staff = people.enrol(tx, BENCH, name, f"{name.lower()}@example.com", role, None)
    return session(tx, staff), staff.id


def some_threads(tx: Writing, user_id: int) -> None:
    series = SERIES[tx.dialect]
    tx.conn.execute(
        text(
            "INSERT INTO chat_threads "
            "(subject, visibility, status, created_by, created_at, active_at, last_seq, message_count) "
            "SELECT 'Thread ' || i, 'internal', 'open', CAST(:user_id AS BIGINT), 1, 1 + i, 0, 0 "
            f"FROM {series} AS s"
        ),
        {"count": THREADS, "user_id": user_id},
    )
    tx.conn.execute(
        text(
            "INSERT INTO chat_thread_participants (user_id, thread_id, joined_at) "
            f"SELECT CAST(:user_id AS BIGINT), i, 1 FROM {series} AS s"
        ),
        {"count": MINE, "user_id": user_id},
    )


async def fill(db: Database, thread_id: int, count: int, user_id: int) -> None:
    insert = (
        f"INSERT INTO chat_messages ({COLUMNS}) SELECT CAST(:thread_id AS BIGINT), i, i, "
        "'message', 'staff', CAST(:user_id AS BIGINT), "
        f"{BODY}, 'm' || i, 1 FROM {SERIES[db.dialect]} AS s"
    )
    given = {"count": count, "thread_id": thread_id, "user_id": user_id}
    await long_write(db, insert, given)


async def spread(db: Database, count: int, user_id: int) -> None:
    """The same number of messages in each of the other threads."""
    each = count // (THREADS - 2)
    insert = (
        f"INSERT INTO chat_messages ({COLUMNS}) SELECT t.id, i, i, "
        f"'message', 'staff', CAST(:user_id AS BIGINT), {BODY}, 'm' || i, 1 "
        f"FROM chat_threads t CROSS JOIN {SERIES[db.dialect]} AS s WHERE t.id > :low AND t.id <= :high"
    )
    step = 2_000
    for low in range(2, THREADS, step):
        high = min(low + step, THREADS)
        await long_write(db, insert, {"count": each, "user_id": user_id, "low": low, "high": high})


async def long_write(db: Database, statement: str, given: dict[str, int]) -> None:
    def write(tx: Writing) -> None:
        if tx.dialect != "sqlite":
            tx.conn.execute(text("SET LOCAL statement_timeout = 0"))
        tx.conn.execute(text(statement), given)

    await db.write(write)


def count_up(tx: Writing) -> None:
    if tx.dialect != "sqlite":
        tx.conn.execute(text("SET LOCAL statement_timeout = 0"))
    tx.conn.execute(
        text(
            "UPDATE chat_threads SET last_seq = s.n, message_count = s.n, last_message_seq = s.n, "
            "last_sender_kind = 'staff' FROM (SELECT thread_id, count(*) AS n FROM chat_messages "
            "GROUP BY thread_id) AS s WHERE s.thread_id = chat_threads.id"
        )
    )


def reads_all_but_the_last(tx: Writing, user_id: int) -> None:
    tx.conn.execute(
        text(
            "INSERT INTO chat_message_read_status "
            "(reader_kind, reader_id, thread_id, last_read_seq, read_count, read_at) "
            "SELECT 'staff', p.user_id, t.id, t.last_seq - 1, t.message_count - 1, 1 FROM chat_threads t "
            "JOIN chat_thread_participants p ON p.thread_id = t.id WHERE p.user_id = :user_id"
        ),
        {"user_id": user_id},
    )
    tx.conn.execute(text("ANALYZE"))


async def close_nearly_all(environ: dict[str, str]) -> None:
    """Forty stay open, and Dora takes part in them."""
    db = app.open_database(load_settings(environ))
    try:
        await db.write(close)
    finally:
        db.close()


def close(tx: Writing) -> None:
    tx.conn.execute(text("UPDATE chat_threads SET status = 'closed' WHERE id % 500 <> 0"))
    tx.conn.execute(
        text(
            "INSERT INTO chat_thread_participants (user_id, thread_id, joined_at) SELECT u.id, t.id, 1 "
            "FROM users u JOIN chat_threads t ON t.status = 'open' WHERE u.name = 'Dora'"
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("JOBTHREAD_RATE_LIMITS", "off")
    main()
