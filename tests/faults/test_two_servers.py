"""Two servers over one PostgreSQL: one is killed, or freezes in the midst of it, and the other goes on."""

import time
from pathlib import Path

import pytest

from tests import postgres
from tests.faults import process, wholeness
from tests.faults.chance import LONG, seeded
from tests.faults.company import at_work
from tests.faults.freezing import frozen_with_locks
from tests.faults.load import under_load, until_written
from tests.faults.process import ServerProcess, server_process

HELD_UP_SECONDS = 10.0
"""As long as callers wait: none of them is refused."""
KILLS = 60 if LONG else 5


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
            with frozen_with_locks(pid_of(one), url), under_load(other, theirs, seed) as beside:
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


def pid_of(server: ServerProcess) -> int:
    assert server.process is not None
    return server.process.pid
