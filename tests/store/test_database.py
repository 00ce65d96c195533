"""The group commit: each piece has its own outcome, and what is told of it is true."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from jobthread.entities import AccessEnded, AuditWritten, Happening
from jobthread.errors import JobthreadError, NotFound, Taken, Unavailable
from jobthread.store import database
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.tables import facts
from tests.serving import wait_until
from tests.store.conftest import postgres_url, sqlite_url

SOON_SECONDS = 20.0


def put(name: str) -> Callable[[Writing], str]:
    def written(tx: Writing) -> str:
        tx.conn.execute(insert(facts).values(name=name, value="here"))
        return name

    return written


def put_and_fail(name: str, error: Exception) -> Callable[[Writing], str]:
    def failed(tx: Writing) -> str:
        put(name)(tx)
        raise error

    return failed


def put_all(tx: Writing, names: Sequence[str]) -> list[str | JobthreadError]:
    """As many in one go; what is called `nothing` is refused, `poison` spoils the whole batch."""
    if "poison" in names:
        raise ValueError("poison")
    good = [name for name in names if name != "nothing"]
    if good:
        tx.conn.execute(insert(facts), [{"name": name, "value": "here"} for name in good])
    return [NotFound() if name == "nothing" else name for name in names]


def names_in(db: Database) -> list[str]:
    return run(db.read(_names))


def _names(tx: Reading) -> list[str]:
    return list(tx.conn.execute(select(facts.c.name).order_by(facts.c.name)).scalars())


def run(story: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(story)


@contextmanager
def busy_writer(db: Database) -> Iterator[None]:
    """The writer is kept at something else; what is asked for meanwhile becomes one batch."""
    begun, released = threading.Event(), threading.Event()

    def hold(tx: Writing) -> None:
        begun.set()
        assert released.wait(SOON_SECONDS)

    other = threading.Thread(target=run, args=(db.write(hold),))
    other.start()
    try:
        assert begun.wait(SOON_SECONDS)
        yield
    finally:
        released.set()
        other.join(SOON_SECONDS)


def together(db: Database, *asked: Coroutine[Any, Any, Any]) -> list[Any]:
    """The outcomes of what one batch holds; errors stand in their places."""

    async def story() -> list[Any]:
        with busy_writer(db):
            tasks = [asyncio.create_task(one) for one in asked]
            while db.waiting_writes < len(tasks):
                await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes: list[Any] = run(story())
    return outcomes


@pytest.fixture
def commits(db: Database) -> list[int]:
    """Grows by one with each commit."""
    counted: list[int] = []
    event.listen(db.writer_engine, "commit", lambda conn: counted.append(1))
    return counted


# --- a batch --------------------------------------------------------------------------------------


def test_what_arrives_together_is_committed_at_once(db: Database, commits: list[int]) -> None:
    assert together(db, *(db.write(put(name)) for name in "abc")) == ["a", "b", "c"]
    assert names_in(db) == ["a", "b", "c"]
    assert len(commits) == 2, "one of the busy writer, one of the three"


def test_a_piece_that_raises_undoes_only_itself(db: Database) -> None:
    refusal, bug = NotFound(), ValueError("a bug")
    outcomes = together(
        db,
        db.write(put("before")),
        db.write(put_and_fail("refused", refusal)),
        db.write(put_and_fail("failed", bug)),
        db.write(put("after")),
    )
    assert outcomes == ["before", refusal, bug, "after"]
    assert names_in(db) == ["after", "before"]


def test_a_name_that_was_taken_meanwhile_is_refused(db: Database) -> None:
    first, second, other = together(db, *(db.write(put(name)) for name in ("a", "a", "b")))
    assert (first, type(second), other) == ("a", Taken, "b")
    assert names_in(db) == ["a", "b"]


def test_pieces_of_the_hot_kind_share_their_statements(db: Database) -> None:
    calls = []

    def counted(tx: Writing, names: Sequence[str]) -> list[str | JobthreadError]:
        calls.append(list(names))
        return put_all(tx, names)

    a, nothing, b = together(db, *(db.write_one_of_many(counted, name) for name in ("a", "nothing", "b")))
    assert (a, type(nothing), b) == ("a", NotFound, "b")
    assert calls == [["a", "nothing", "b"]]
    assert names_in(db) == ["a", "b"]


def test_a_batch_that_fails_as_a_whole_is_written_piece_by_piece(db: Database) -> None:
    a, poison, b, single = together(
        db,
        *(db.write_one_of_many(put_all, name) for name in ("a", "poison", "b")),
        db.write(put("single")),
    )
    assert (a, type(poison), b, single) == ("a", ValueError, "b", "single")
    assert names_in(db) == ["a", "b", "single"]


def test_a_piece_that_the_database_refuses_does_not_fail_the_others(db: Database) -> None:
    def wrong(tx: Writing) -> None:
        tx.conn.execute(text("SELECT no_such_thing"))

    a, failed, b = together(db, db.write(put("a")), db.write(wrong), db.write(put("b")))
    assert (a, type(failed), b) == ("a", Unavailable, "b")
    assert names_in(db) == ["a", "b"]


def test_the_queue_is_bounded(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "QUEUE", 3)

    async def story() -> None:
        with busy_writer(db):
            waiting = [asyncio.create_task(db.write(put(name))) for name in "abc"]
            while db.waiting_writes < len(waiting):
                await asyncio.sleep(0)
            with pytest.raises(Unavailable, match="Too many"):
                await db.write(put("d"))
        assert await asyncio.gather(*waiting) == ["a", "b", "c"]

    run(story())
    assert names_in(db) == ["a", "b", "c"]


# --- what is told ---------------------------------------------------------------------------------


def telling(happening: Happening, name: str, error: Exception | None = None) -> Callable[[Writing], str]:
    def told(tx: Writing) -> str:
        tx.tell(happening)
        put(name)(tx)
        if error is not None:
            raise error
        return name

    return told


def test_what_happened_is_told_when_it_is_there_to_be_read(db: Database) -> None:
    found: list[tuple[list[Happening], list[str]]] = []

    def on_commit(happenings: list[Happening]) -> None:
        with db.reader_engine.connect() as conn:
            found.append((happenings, _names(Reading(conn, 0))))

    db.on_commit = on_commit
    run(db.write(telling(AuditWritten(), "a")))
    assert found == [([AuditWritten()], ["a"])]


def test_it_is_told_before_the_writer_hears_of_it(db: Database) -> None:
    """Whoever is answered that a right has ended can rely on it."""
    heard: list[object] = []
    db.on_commit = heard.extend

    async def story() -> None:
        await db.write(telling(AccessEnded(), "a"))
        heard.append("answered")

    run(story())
    assert heard == [AccessEnded(), "answered"]


def test_what_was_undone_is_not_told(db: Database) -> None:
    heard: list[Happening] = []
    db.on_commit = heard.extend

    def told_and_spoilt(tx: Writing, names: Sequence[str]) -> list[str | JobthreadError]:
        tx.tell(AccessEnded())
        return put_all(tx, names)

    together(
        db,
        db.write(telling(AccessEnded(), "refused", NotFound())),
        db.write(telling(AuditWritten(), "kept")),
        db.write_one_of_many(told_and_spoilt, "poison"),
    )
    assert heard == [AuditWritten()]
    assert names_in(db) == ["kept"]


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
    assert (calls, heard) == ([1], [])
    assert run(db.write(put("later"))) == "later"


def _failing_commit(db: Database) -> Callable[[Writing], None]:
    """A piece after which the commit itself fails."""
    if db.dialect == "sqlite":
        return _dangling

    def cut(conn: Any) -> None:
        pid = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        _terminate(db, pid)

    event.listen(db.writer_engine, "commit", cut, once=True)
    return lambda tx: None


def _dangling(tx: Writing) -> None:
    tx.conn.execute(text("PRAGMA defer_foreign_keys = ON"))
    tx.conn.execute(text("INSERT INTO job_assignees (job_id, user_id) VALUES (77, 77)"))


def _terminate(db: Database, pid: int) -> None:
    """Cut that connection of PostgreSQL's, and wait until it is gone."""
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


def test_a_connection_lost_before_the_commit_costs_nothing() -> None:
    db = Database(postgres_url())
    calls = []

    def cut_once(tx: Writing) -> str:
        calls.append(1)
        if len(calls) == 1:
            _terminate(db, tx.conn.exec_driver_sql("SELECT pg_backend_pid()").scalar())
        return put("a")(tx)

    try:
        assert together(db, db.write(cut_once), db.write(put("b"))) == ["a", "b"]
        assert (len(calls), names_in(db)) == (2, ["a", "b"])
    finally:
        db.close()


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

    async def story() -> list[str]:
        await first.write(put("a"))
        await first.write(put("b"))
        return await asyncio.gather(first.write(touch("a", "b")), second.write(touch("b", "a")))

    try:
        assert run(story()) == ["a", "b"]
        assert len(attempts) == 3
    finally:
        first.close()
        second.close()


def _lock(tx: Writing, name: str) -> None:
    tx.conn.execute(select(facts).where(facts.c.name == name).with_for_update())


def test_an_unreachable_database_is_not_tried_once_for_each_who_waits(tmp_path: Path) -> None:
    db = Database(f"postgresql+psycopg://jobthread@/nowhere?host={tmp_path}&port=1")
    tried = []
    event.listen(db.writer_engine, "do_connect", lambda *_: tried.append(1))

    async def story() -> list[Any]:
        pieces = (db.write(put(str(number))) for number in range(50))
        return await asyncio.gather(*pieces, return_exceptions=True)

    try:
        assert {type(outcome) for outcome in run(story())} == {Unavailable}
        assert len(tried) <= 3 * database.ATTEMPTS
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
            while db.waiting_writes < 3:
                await asyncio.sleep(0)
            b.cancel()
            await asyncio.wait([b])
        assert await asyncio.gather(a, c) == ["a", "c"]

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
        asyncio.ensure_future(db.write(slow))
        await asyncio.to_thread(begun.wait, SOON_SECONDS)

    run(leaves())
    released.set()
    assert run(db.write(put("a"))) == "a"


def test_closing_finishes_what_waits(url: str) -> None:
    db = Database(url)

    async def story() -> list[Any]:
        with busy_writer(db):
            waiting = [asyncio.create_task(db.write(put(name))) for name in "abc"]
            while db.waiting_writes < len(waiting):
                await asyncio.sleep(0)
            closing = asyncio.create_task(asyncio.to_thread(db.close))
            while db.waiting_writes == len(waiting):
                await asyncio.sleep(0)
        await closing
        with pytest.raises(Unavailable, match="stopping"):
            await db.write(put("d"))
        return await asyncio.gather(*waiting)

    assert run(story()) == ["a", "b", "c"]
    again = Database(url)
    assert names_in(again) == ["a", "b", "c"]
    again.close()


def test_on_sqlite_everything_a_read_finds_is_of_one_moment(tmp_path: Path) -> None:
    db = Database(sqlite_url(tmp_path))

    def look_twice(tx: Reading) -> tuple[list[str], list[str]]:
        before = _names(tx)
        run(db.write(put("b")))
        return before, _names(tx)

    try:
        run(db.write(put("a")))
        assert run(db.read(look_twice)) == (["a"], ["a"])
        assert names_in(db) == ["a", "b"]
    finally:
        db.close()

