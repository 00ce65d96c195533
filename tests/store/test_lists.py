"""How SQLite goes about long lists: by an index that has them in their order.

On SQLite alone, which decides by rules: PostgreSQL decides by what it has counted in the tables, and on
tables as small as a test's it needs no index. bench/sizes.py measures both.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from jobthread.entities import Role, SenderKind, Staff, ThreadStatus, Visibility
from jobthread.policy import sight_of
from jobthread.store import notifications, threads, views
from jobthread.store.database import Database, Reading
from tests.store.conftest import sqlite_url
from tests.store.pieces import run

DORA = Staff(2, "Dora", "dora@example.com", Role.DISPATCHER, active=True, service=False)
INDEX = "ix_chat_threads_status_active_at_id"
READ_WHOLE = "SCAN chat_threads"
SORTED = "USE TEMP B-TREE"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = Database(sqlite_url(tmp_path))
    yield db
    db.close()


def plan_of(db: Database, doing: Callable[[Reading], Any]) -> str:
    """How the statements of `doing` are carried out."""
    return "\n".join(run(db.read(lambda tx: _plans(tx, lambda: doing(tx)))))


def _plans(tx: Reading, doing: Callable[[], Any]) -> list[str]:
    sent: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, given: Any, *___: Any) -> None:
        sent.append((statement, given))

    event.listen(tx.conn, "before_cursor_execute", note)
    doing()
    event.remove(tx.conn, "before_cursor_execute", note)
    steps = [tx.conn.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, given) for statement, given in sent]
    return [row[3] for rows in steps for row in rows]


def list_of(tx: Reading, wanted: views.ThreadFilter) -> None:
    views.page(tx, sight_of(DORA), wanted, (SenderKind.STAFF, DORA.id), None, 50)


@pytest.mark.parametrize("status", list(ThreadStatus))
def test_threads_of_one_status_come_from_the_index_in_its_order(db: Database, status: ThreadStatus) -> None:
    plan = plan_of(db, lambda tx: list_of(tx, views.ThreadFilter(status=status)))
    assert INDEX in plan
    assert SORTED not in plan


def test_of_both_statuses_each_comes_from_the_index(db: Database) -> None:
    plan = plan_of(db, lambda tx: list_of(tx, views.ThreadFilter()))
    assert plan.count(INDEX) == 2
    assert READ_WHOLE not in plan


def test_what_moved_lately_comes_from_the_index(db: Database) -> None:
    plan = plan_of(db, lambda tx: threads.moved_lately(tx, 1))
    assert plan.count(INDEX) == 3
    assert READ_WHOLE not in plan


def test_readers_who_are_to_be_told_are_looked_for_in_what_moved_since(db: Database) -> None:
    new = threads.NewThread("Boiler", Visibility.INTERNAL, None, None)
    run(db.write(lambda tx: threads.add(tx, new)))
    plan = plan_of(db, notifications.seeds)
    assert plan.count(INDEX) == 3
    assert READ_WHOLE not in plan
