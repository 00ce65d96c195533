"""Statements sent to the database together: each sees what came before it, and errors keep their meaning."""

import select as selectors
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Insert, Select, bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError, InternalError

from jobthread.entities import Role, SenderKind, Visibility
from jobthread.errors import Taken
from jobthread.store import engines, messages, people, threads
from jobthread.store.batches import ask, at_once, count_changed, fetch
from jobthread.store.batches import run as run_statement
from jobthread.store.database import Database, Writing
from jobthread.store.messages import Once
from jobthread.store.tables import facts
from tests.store.conftest import postgres_url
from tests.store.pieces import names_in, put, run

PATIENCE_SECONDS = 30.0


def _add(dialect: str) -> Insert:
    return insert(facts).values(name=bindparam("called"), value="here")


def _names(dialect: str) -> Select[Any]:
    return select(facts.c.name).order_by(facts.c.name)


def _rename(dialect: str) -> Any:
    return facts.update().where(facts.c.name == bindparam("called")).values(value="there")


def test_each_statement_sees_what_those_before_it_wrote(db: Database) -> None:
    def story(tx: Writing) -> tuple[list[Any], list[Any]]:
        with at_once(tx):
            run_statement(tx, _add, called="a")
            after_one = ask(tx, _names, tuple[str])
            run_statement(tx, _add, called="b")
            after_two = ask(tx, _names, tuple[str])
        return after_one(), after_two()

    assert run(db.write(story)) == ([("a",)], [("a",), ("b",)])
    assert names_in(db) == ["a", "b"]


def test_what_the_database_refuses_among_them_undoes_all_and_is_called_what_it_is(db: Database) -> None:
    def twice(tx: Writing) -> None:
        with at_once(tx):
            run_statement(tx, _add, called="a")
            run_statement(tx, _add, called="a")
            run_statement(tx, _add, called="b")

    with pytest.raises(Taken):
        run(db.write(twice))
    assert run(db.write(put("later"))) == "later"
    assert names_in(db) == ["later"]


def test_what_the_database_refuses_last_is_called_what_it_is(db: Database) -> None:
    """Nothing is asked after it: it is heard of when all answers are waited for."""

    def again(tx: Writing) -> None:
        with at_once(tx):
            run_statement(tx, _add, called="a")

    run(db.write(put("a")))
    with pytest.raises(Taken):
        run(db.write(again))
    assert names_in(db) == ["a"]


def test_what_the_database_refuses_of_a_single_statement_is_called_what_it_is(db: Database) -> None:
    run(db.write(put("a")))
    with pytest.raises(Taken):
        run(db.write(lambda tx: run_statement(tx, _add, called="a")))
    assert names_in(db) == ["a"]


def test_whoever_changes_rows_hears_how_many(db: Database) -> None:
    run(db.write(put("a")))
    assert run(db.write(lambda tx: count_changed(tx, _rename, called="a"))) == 1
    assert run(db.write(lambda tx: count_changed(tx, _rename, called="nobody"))) == 0


def test_readers_get_rows_with_names_and_on_sqlite_all_of_one_moment(db: Database) -> None:
    """A reader's first statement decides what all of them see there, whichever way it is sent."""
    run(db.write(put("a")))

    def looks_twice(tx: Any) -> list[list[str]]:
        before = [row.name for row in fetch(tx, _names)]
        run(db.write(put("b")))
        return [before, [row.name for row in fetch(tx, _names)]]

    later = ["a"] if db.dialect == "sqlite" else ["a", "b"]
    assert run(db.read(looks_twice)) == [["a"], later]


@pytest.mark.parametrize("refused", [False, True])
def test_who_stands_still_after_them_does_not_keep_its_locks(refused: bool) -> None:
    engine = engines.for_writing(postgres_url())
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
        tx = Writing(connection, 0)
        with suppress(IntegrityError), at_once(tx):
            run_statement(tx, _add, called="a")
            if refused:
                run_statement(tx, _add, called="a")
            ask(tx, _names, tuple[str])
        driver: Any = connection.connection.dbapi_connection
        # PostgreSQL says goodbye by itself.
        assert any(selectors.select([driver.fileno()], [], [], PATIENCE_SECONDS))
        with pytest.raises(InternalError, match="idle-in-transaction"):
            connection.execute(text("SELECT 1"))
        transaction.close()
    engine.dispose()


def test_the_writer_looks_messages_up_by_key_however_its_thread_grew(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's plan from when the table was empty would read the whole thread for each message sent."""
    monkeypatch.setattr(engines, "_PLANS_SECONDS", 0.0)
    db = Database(postgres_url())
    try:
        thread_id = run(db.write(_thread))
        run(db.write(lambda tx: _look_up(tx, thread_id)))
        run(db.write(lambda tx: _fill(tx, thread_id)))
        assert run(db.write(lambda tx: _look_up(tx, thread_id))) < 10
    finally:
        db.close()


def _thread(tx: Writing) -> int:
    people.add_staff(tx, "Dora", "dora@example.com", Role.DISPATCHER, None)
    return threads.add(tx, threads.NewThread("Boiler", Visibility.INTERNAL, None, 1))


def _fill(tx: Writing, thread_id: int) -> None:
    tx.conn.execute(
        text(
            "INSERT INTO chat_messages"
            " (thread_id, seq, number, kind, sender_kind, sender_id, body, client_msg_id, created_at)"
            " SELECT :thread_id, n, n, 'message', 'staff', 1, 'Done.', 'm-' || n, 1"
            " FROM generate_series(1, 10000) AS n"
        ),
        {"thread_id": thread_id},
    )


def _look_up(tx: Writing, thread_id: int) -> int:
    """How many rows of messages were read to find that none is there already."""
    read = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = :name")
    asked = [Once(thread_id, SenderKind.STAFF, 1, "new")]
    before = tx.conn.execute(read, {"name": "chat_messages"}).scalar_one()
    # As often as it takes for the driver to have it prepared.
    for _ in range(8):
        assert messages.repeats(tx, asked)() == {}
    after: int = tx.conn.execute(read, {"name": "chat_messages"}).scalar_one()
    return after - int(before)
