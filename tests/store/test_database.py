"""The group commit: each piece has its own outcome, and what is told of it is true."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import event, text

from jobthread.entities import AccessEnded, AuditWritten, Happening
from jobthread.errors import JobthreadError, NotFound, Taken, Unavailable
from jobthread.store import writer
from jobthread.store.database import Database, Reading, Writing
from tests.store.conftest import sqlite_url
from tests.store.pieces import (
    busy_writer,
    names,
    names_in,
    put,
    put_all,
    put_and_fail,
    run,
    telling,
    together,
    until_waiting,
)


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
    monkeypatch.setattr(writer, "QUEUE", 3)

    async def story() -> None:
        with busy_writer(db):
            waiting = [asyncio.create_task(db.write(put(name))) for name in "abc"]
            await until_waiting(db, len(waiting))
            with pytest.raises(Unavailable, match="Too many"):
                await db.write(put("d"))
        assert await asyncio.gather(*waiting) == ["a", "b", "c"]

    run(story())
    assert names_in(db) == ["a", "b", "c"]


# --- what is told ---------------------------------------------------------------------------------


def test_what_happened_is_told_when_it_is_there_to_be_read(db: Database) -> None:
    found: list[tuple[list[Happening], list[str]]] = []

    def on_commit(happenings: list[Happening]) -> None:
        with db.reader_engine.connect() as conn:
            found.append((happenings, names(Reading(conn, 0))))

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


# --- reading ---------------------------------------------------------------------------------------


def test_on_sqlite_everything_a_read_finds_is_of_one_moment(tmp_path: Path) -> None:
    db = Database(sqlite_url(tmp_path))

    def look_twice(tx: Reading) -> tuple[list[str], list[str]]:
        before = names(tx)
        run(db.write(put("b")))
        return before, names(tx)

    try:
        run(db.write(put("a")))
        assert run(db.read(look_twice)) == (["a"], ["a"])
        assert names_in(db) == ["a", "b"]
    finally:
        db.close()
