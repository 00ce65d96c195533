"""How the databases go about long lists: by an index that has them in their order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from jobthread.entities import Role, SenderKind, Staff, ThreadStatus, Visibility
from jobthread.policy import sight_of
from jobthread.store import notifications, threads, views
from jobthread.store.database import Database, Reading
from tests.store.conftest import sqlite_url
from tests.store.pieces import run

DORA = Staff(2, "Dora", "dora@example.com", Role.DISPATCHER, active=True, service=False)
INDEX = "ix_chat_threads_status_active_at_id"


def plan_of(db: Database, doing: Callable[[Reading], Any]) -> str:
    """How the statements of `doing` are carried out, where the tables are large."""
    return "\n".join(run(db.read(lambda tx: _plans(tx, lambda: doing(tx)))))


def _plans(tx: Reading, doing: Callable[[], Any]) -> list[str]:
    sent: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, given: Any, *___: Any) -> None:
        sent.append((statement, given))

    event.listen(tx.conn, "before_cursor_execute", note)
    doing()
    event.remove(tx.conn, "before_cursor_execute", note)
    if tx.dialect == "sqlite":
        return ["\n".join(row[3] for row in _explain(tx, "EXPLAIN QUERY PLAN ", *one)) for one in sent]
    tx.conn.execute(text("SET LOCAL enable_seqscan = off"))
    tx.conn.execute(text("SET LOCAL enable_bitmapscan = off"))
    tx.conn.execute(text("SET LOCAL enable_sort = off"))
    return ["\n".join(row[0] for row in _explain(tx, "EXPLAIN ", *one)) for one in sent]


def _explain(tx: Reading, how: str, statement: str, given: Any) -> Any:
    return tx.conn.exec_driver_sql(how + statement, given).all()


def list_of(tx: Reading, wanted: views.ThreadFilter) -> None:
    views.page(tx, sight_of(DORA), wanted, (SenderKind.STAFF, DORA.id), None, 50)


@pytest.mark.parametrize("status", list(ThreadStatus))
def test_threads_of_one_status_come_from_the_index_in_its_order(db: Database, status: ThreadStatus) -> None:
    plan = plan_of(db, lambda tx: list_of(tx, views.ThreadFilter(status=status)))
    assert INDEX in plan
    assert "USE TEMP B-TREE" not in plan
    assert "Sort " not in plan


def test_of_both_statuses_each_comes_from_the_index(db: Database) -> None:
    plan = plan_of(db, lambda tx: list_of(tx, views.ThreadFilter()))
    assert plan.count(INDEX) == 2
    assert not_read_whole(plan)


def test_what_moved_lately_comes_from_the_index(db: Database) -> None:
    plan = plan_of(db, lambda tx: threads.moved_lately(tx, 1))
    assert plan.count(INDEX) == 3
    assert not_read_whole(plan)


def test_readers_who_are_to_be_told_are_looked_for_in_what_moved_since(tmp_path: Path) -> None:
    """On SQLite alone: for a table of one row, as here, PostgreSQL does not need this index."""
    db = Database(sqlite_url(tmp_path))
    new = threads.NewThread("Boiler", Visibility.INTERNAL, None, None)
    run(db.write(lambda tx: threads.add(tx, new)))
    plan = plan_of(db, notifications.seeds)
    db.close()
    assert plan.count(INDEX) == 3
    assert not_read_whole(plan)


def not_read_whole(plan: str) -> bool:
    return "SCAN chat_threads" not in plan and "Seq Scan on chat_threads" not in plan
