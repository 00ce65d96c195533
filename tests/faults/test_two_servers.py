"""Two servers over one PostgreSQL: one is killed, or freezes in the midst of it, and the other goes on."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests import postgres
from tests.faults import process, wholeness
from tests.faults.chance import LONG, seeded
from tests.faults.company import at_work
from tests.faults.load import under_load, until_written
from tests.faults.process import ServerProcess, server_process

HELD_UP_SECONDS = 10.0
"""As long as callers wait: none of them is refused."""
KILLS = 60 if LONG else 5
_HOLDING = (
    "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE datname = %s AND state = 'idle in transaction'"
    " AND relation IS NOT NULL AND mode = 'RowShareLock'"
)


@pytest.fixture
def url() -> str:
    return postgres.new_database(postgres.postgres_server())


@pytest.mark.timeout(1200 if LONG else 120)
def test_what_is_repeated_at_the_other_server_stands_there_once(url: str, tmp_path: Path) -> None:
    writers, chance = at_work(url), seeded()
    with server_process(tmp_path / "a", url) as one, server_process(tmp_path / "b", url) as other:
        process.start(one)
        process.start(other)
        with under_load(one, writers, chance.randrange(10**6), other) as load:
            for _ in range(KILLS):
                until_written(load)
                time.sleep(chance.uniform(0.0, 0.4))
                victim = chance.choice((one, other))
                process.kill(victim)
                until_written(load, len(writers))
                process.start(victim)
        process.stop(one)
        process.stop(other)
    stored = wholeness.check(url, load.all_said())
    print(f"{KILLS} kills, {stored} messages, {load.statuses()}")
    assert stored == load.count()
    assert set(load.statuses()) <= {0, 200, 503}


@pytest.mark.timeout(300)
def test_a_server_frozen_in_a_transaction_does_not_hold_up_the_other_for_long(
    url: str, tmp_path: Path
) -> None:
    writers, chance = at_work(url), seeded()
    ours, theirs = writers[::2], writers[1::2]
    with server_process(tmp_path / "a", url) as one, server_process(tmp_path / "b", url) as other:
        process.start(one)
        process.start(other)
        with under_load(one, ours, chance.randrange(10**6)) as load:
            until_written(load)
            seed = chance.randrange(10**6)
            with frozen_with_locks(one, url), under_load(other, theirs, seed) as beside:
                # So many that each of the others comes by the conversations that the frozen one holds.
                seconds = until_written(beside, 20 * len(theirs))
            until_written(load)
        process.stop(one)
        process.stop(other)
    stored = wholeness.check(url, load.all_said() + beside.all_said())
    print(f"{stored} messages, {beside.statuses()}, held up for {seconds:.1f} s")
    assert seconds < HELD_UP_SECONDS
    assert stored == load.count() + beside.count()
    assert set(load.statuses()) <= {0, 200, 503}, "of a server that is frozen one may hear nothing"
    assert not beside.statuses()


@contextmanager
def frozen_with_locks(server: ServerProcess, url: str) -> Iterator[None]:
    """The process stands still while its connection holds the locks of a batch."""
    assert server.process is not None
    pid = server.process.pid
    with postgres.postgres_server().connect() as admin:
        process.wait_until(lambda: _froze_with_locks(pid, admin, make_url(url).database or ""))
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _froze_with_locks(pid: int, admin: psycopg.Connection, database: str) -> bool:
    os.kill(pid, signal.SIGSTOP)
    # What was under way in PostgreSQL comes to its end first.
    process.wait_until(lambda: not _count(admin, _ACTIVE, database))
    if _count(admin, _HOLDING, database):
        return True
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.01)
    return False


def _count(admin: psycopg.Connection, asked: str, database: str) -> int:
    row = admin.execute(asked, [database]).fetchone()
    return int(row[0]) if row else 0


# One that stopped in the midst of sending stays active for good: it waits for the rest of what it is sent.
_ACTIVE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state = 'active'"
    " AND wait_event IS DISTINCT FROM 'ClientRead'"
)
