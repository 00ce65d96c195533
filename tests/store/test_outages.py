"""The database fails, or takes too long: what its callers hear is true, and the writer goes on."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Insert, bindparam, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from jobthread.entities import AccessEnded, AuditWritten, Happening
from jobthread.errors import Unavailable
from jobthread.store import database, writer
from jobthread.store.batches import at_once
from jobthread.store.batches import run as run_statement
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.tables import facts
from tests.serving import wait_until
from tests.store.conftest import postgres_url
from tests.store.pieces import (
    SOON_SECONDS,
    busy_writer,
    names_in,
    put,
    run,
    telling,
    together,
    until_waiting,
)

# --- the database fails ---------------------------------------------------------------------------


def test_a_commit_whose_outcome_is_unknown_is_not_tried_again(db: Database) -> None:
    calls, heard = [], list[Happening]()
    db.on_commit = heard.extend
    fail_once = _failing_commit(db)

    def counted(tx: Writing) -> None:
        calls.append(1)
        tx.tell(AccessEnded())
        fail_once(tx)

    with pytest.raises(Unavailable):
        run(db.write(counted))
    assert calls == [1]
    # It may be there all the same: whoever listens looks, rather than never hears of it.
    assert heard == [AccessEnded()]
    assert run(db.write(put("later"))) == "later"


def _failing_commit(db: Database) -> Callable[[Writing], None]:
    """A piece after which the commit itself fails."""
    if db.dialect == "sqlite":
        return _dangling

    event.listen(db.writer_engine, "commit", lambda conn: _terminate(db, conn), once=True)
    return lambda tx: None


def _dangling(tx: Writing) -> None:
    tx.conn.execute(text("PRAGMA defer_foreign_keys = ON"))
    tx.conn.execute(text("INSERT INTO job_assignees (job_id, user_id) VALUES (77, 77)"))


def _terminate(db: Database, victim: Connection) -> None:
    """Cut that connection to PostgreSQL, and wait until it is gone."""
    pid = victim.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    with db.reader_engine.connect() as conn:
        conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        wait_until(lambda: conn.execute(alive, {"pid": pid}).scalar() == 0)


def test_a_commit_that_breaks_in_an_unforeseen_way_does_not_end_the_writer(db: Database) -> None:
    def broken(conn: Any) -> None:
        raise RuntimeError("unforeseen")

    event.listen(db.writer_engine, "commit", broken, once=True)
    with pytest.raises(RuntimeError, match="unforeseen"):
        run(db.write(put("a")))
    assert run(db.write(put("b"))) == "b"
    assert names_in(db) == ["b"], "nothing of the first came along with the second"


def test_a_connection_lost_before_the_commit_costs_nothing() -> None:
    db = Database(postgres_url())
    calls = []

    def cut_once(tx: Writing) -> str:
        calls.append(1)
        if len(calls) == 1:
            _terminate(db, tx.conn)
        return put("a")(tx)

    try:
        assert together(db, db.write(cut_once), db.write(put("b"))) == ["a", "b"]
        assert (len(calls), names_in(db)) == (2, ["a", "b"])
    finally:
        db.close()


def test_a_connection_lost_among_statements_that_are_sent_together_costs_nothing() -> None:
    db = Database(postgres_url())
    calls = []

    def cut_once(tx: Writing, names: Sequence[str]) -> Sequence[str]:
        calls.append(1)
        if len(calls) == 1:
            _terminate(db, tx.conn)
        with at_once(tx):
            for name in names:
                run_statement(tx, _put, called=name)
        return names

    try:
        assert together(db, *(db.write_one_of_many(cut_once, name) for name in "ab")) == ["a", "b"]
        assert (len(calls), names_in(db)) == (2, ["a", "b"])
    finally:
        db.close()


def _put(dialect: str) -> Insert:
    return insert(facts).values(name=bindparam("called"), value="here")


def test_a_bad_piece_of_a_batch_whose_connection_was_lost_fails_alone() -> None:
    db = Database(postgres_url())
    calls = []

    def cut_once(tx: Writing) -> str:
        calls.append(1)
        if len(calls) == 1:
            _terminate(db, tx.conn)
        return put("a")(tx)

    def wrong(tx: Writing) -> None:
        tx.conn.execute(text("SELECT no_such_thing"))

    try:
        a, failed, b = together(db, db.write(cut_once), db.write(wrong), db.write(put("b")))
        assert (a, type(failed), b) == ("a", Unavailable, "b")
        assert names_in(db) == ["a", "b"]
    finally:
        db.close()


def test_nobody_is_told_that_something_is_kept_which_the_database_has_undone(db: Database) -> None:
    """PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK, SQLite's driver not at all."""

    def swallowed(tx: Writing, names: Sequence[str]) -> Sequence[str]:
        put(names[0])(tx)
        again = "INSERT OR ROLLBACK" if tx.dialect == "sqlite" else "INSERT"
        with suppress(IntegrityError):
            tx.conn.execute(text(f"{again} INTO facts (name, value) VALUES (:name, '')"), {"name": names[0]})
        return names

    one, other = together(db, db.write_one_of_many(swallowed, "a"), db.write(put("b")))
    assert (type(one), other) == (RuntimeError, "b")
    assert names_in(db) == ["b"]


def test_two_servers_that_block_each_other_both_succeed() -> None:
    """PostgreSQL ends one of the two transactions; that one is written again."""
    url = postgres_url()
    first, second = Database(url), Database(url)
    both_locked = threading.Barrier(2)
    attempts: list[str] = []

    def touch(mine: str, other: str) -> Callable[[Writing], str]:
        def written(tx: Writing) -> str:
            attempts.append(mine)
            _lock(tx, mine)
            if attempts.count(mine) == 1:
                both_locked.wait(SOON_SECONDS)
            _lock(tx, other)
            return mine

        return written

    async def story() -> tuple[str, str]:
        await first.write(put("a"))
        await first.write(put("b"))
        one, other = await asyncio.gather(first.write(touch("a", "b")), second.write(touch("b", "a")))
        return one, other

    try:
        assert run(story()) == ("a", "b")
        assert len(attempts) > 2
    finally:
        first.close()
        second.close()


def _lock(tx: Writing, name: str) -> None:
    tx.conn.execute(select(facts).where(facts.c.name == name).with_for_update())


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_race_may_be_lost_more_than_once(code: str) -> None:
    db = Database(postgres_url())
    lost: list[str] = []

    def third_time_lucky(tx: Writing) -> str:
        if len(lost) < writer.ATTEMPTS - 1:
            lost.append(code)
            tx.conn.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{code}'; END $$"))
        return put("a")(tx)

    try:
        assert run(db.write(third_time_lucky)) == "a"
        assert names_in(db) == ["a"]
    finally:
        db.close()


def test_an_unreachable_database_is_not_tried_once_for_each_who_waits(tmp_path: Path) -> None:
    db = Database(f"postgresql+psycopg://jobthread@/nowhere?host={tmp_path}&port=1")
    tried = []
    event.listen(db.writer_engine, "do_connect", lambda *_: tried.append(1))

    async def story() -> list[Any]:
        pieces = (db.write(put(str(number))) for number in range(50))
        return await asyncio.gather(*pieces, return_exceptions=True)

    try:
        assert {type(outcome) for outcome in run(story())} == {Unavailable}
        assert len(tried) <= 3 * writer.ATTEMPTS
        with pytest.raises(Unavailable):
            names_in(db)
    finally:
        db.close()


# --- who waits ------------------------------------------------------------------------------------


def test_a_caller_waits_only_so_long_and_what_had_not_begun_is_not_written(db: Database) -> None:
    async def story() -> None:
        with busy_writer(db):
            db.patience = 0.2
            with pytest.raises(Unavailable, match="too long"):
                await db.write(put("late"))
            db.patience = None
        await db.write(put("in time"))

    run(story())
    assert names_in(db) == ["in time"]


def test_who_gave_up_while_a_batch_waited_for_a_lock_does_not_keep_the_others_waiting() -> None:
    """Another server, frozen in a transaction, has the lock: each piece alone would wait for it once more."""
    db = Database(postgres_url())
    tried: list[str] = []

    def touch(name: str) -> Callable[[Writing], None]:
        def touched(tx: Writing) -> None:
            tried.append(name)
            tx.conn.execute(text("SET LOCAL lock_timeout = '500ms'"))
            _lock(tx, "a")

        return touched

    async def story() -> None:
        await db.write(put("a"))
        with db.reader_engine.connect() as other, _locked(other, "a"):
            db.patience = 0.2
            given_up = await asyncio.gather(
                *(db.write(touch(str(number))) for number in range(10)), return_exceptions=True
            )
            assert {type(outcome) for outcome in given_up} == {Unavailable}
            db.patience = SOON_SECONDS
            assert await db.write(put("b")) == "b"

    try:
        run(story())
        assert len(tried) < 10
    finally:
        db.close()


@contextmanager
def _locked(conn: Connection, name: str) -> Iterator[None]:
    conn.exec_driver_sql("BEGIN")
    conn.execute(select(facts).where(facts.c.name == name).with_for_update())
    yield
    conn.exec_driver_sql("ROLLBACK")


def test_a_reader_waits_only_so_long(db: Database) -> None:
    released = threading.Event()
    db.patience = 0.2
    try:
        with pytest.raises(Unavailable, match="too long"):
            run(db.read(lambda tx: released.wait(SOON_SECONDS)))
    finally:
        released.set()


def test_a_cancelled_waiter_disturbs_nobody(db: Database) -> None:
    heard: list[Happening] = []
    db.on_commit = heard.extend

    async def story() -> None:
        with busy_writer(db):
            a, b, c = (
                asyncio.create_task(db.write(telling(AuditWritten(), name))) for name in ("a", "b", "c")
            )
            await until_waiting(db, 3)
            b.cancel()
            await asyncio.wait([b])
        assert [await a, await c] == ["a", "c"]

    run(story())
    assert names_in(db) == ["a", "c"]
    assert heard == [AuditWritten(), AuditWritten()]


def test_one_cancelled_while_being_written_disturbs_nobody_either(db: Database) -> None:
    begun, released = threading.Event(), threading.Event()
    heard: list[Happening] = []
    db.on_commit = heard.extend

    def slow(tx: Writing) -> None:
        begun.set()
        assert released.wait(SOON_SECONDS)
        tx.tell(AuditWritten())

    async def story() -> None:
        cancelled = asyncio.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait, SOON_SECONDS)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        released.set()
        assert await db.write(put("a")) == "a"

    run(story())
    assert heard == [AuditWritten()]


def test_a_caller_whose_whole_loop_has_ended_disturbs_nobody(db: Database) -> None:
    begun, released = threading.Event(), threading.Event()

    def slow(tx: Writing) -> None:
        begun.set()
        assert released.wait(SOON_SECONDS)

    async def leaves() -> None:
        forgotten = asyncio.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait, SOON_SECONDS)
        assert not forgotten.done()

    run(leaves())
    released.set()
    assert run(db.write(put("a"))) == "a"


def test_closing_cuts_what_postgresql_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CLOSING_SECONDS", 0.2)
    db = Database(postgres_url())
    hanging = threading.Barrier(3)

    def hang(tx: Reading) -> None:
        hanging.wait(SOON_SECONDS)
        tx.conn.execute(text("SELECT pg_sleep(15)"))

    async def story() -> None:
        asked = [asyncio.create_task(one) for one in (db.read(hang), db.write(hang), db.write(put("late")))]
        await asyncio.to_thread(hanging.wait, SOON_SECONDS)
        started = time.monotonic()
        await asyncio.to_thread(db.close)
        assert time.monotonic() - started < 10
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}

    run(story())


def test_closing_finishes_what_waits(url: str) -> None:
    db = Database(url)

    async def story() -> list[Any]:
        with busy_writer(db):
            waiting = [asyncio.create_task(db.write(put(name))) for name in "abc"]
            await until_waiting(db, len(waiting))
            closing = asyncio.create_task(asyncio.to_thread(db.close))
            await until_waiting(db, len(waiting) + 1)
        await closing
        with pytest.raises(Unavailable, match="stopping"):
            await db.write(put("d"))
        return await asyncio.gather(*waiting)

    assert run(story()) == ["a", "b", "c"]
    again = Database(url)
    assert names_in(again) == ["a", "b", "c"]
    again.close()
