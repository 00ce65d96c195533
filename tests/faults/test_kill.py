"""kill -9 at random moments under load: what was acknowledged is there, once, in order."""

import signal
import time
from pathlib import Path

import pytest

from tests.faults import process, wholeness
from tests.faults.chance import LONG, seeded
from tests.faults.company import at_work
from tests.faults.load import under_load, until_written
from tests.faults.process import server_process

KILLS = 200 if LONG else 5
STOPS = 50 if LONG else 4
ENDS_WITHIN_SECONDS = 10.0
READY_WITHIN_SECONDS = 10.0
KILLED_AGAIN = 0.25
"""The share of starts that are killed as well, at any moment of theirs."""


@pytest.mark.timeout(3600 if LONG else 120)
def test_what_was_acknowledged_survives_kill_9(fresh_url: str, tmp_path: Path) -> None:
    writers, chance, starts = at_work(fresh_url), seeded(), []
    with server_process(tmp_path / "data", fresh_url) as server:
        process.start(server)
        with under_load(server, writers, chance.randrange(10**6)) as load:
            for _ in range(KILLS):
                until_written(load)
                time.sleep(chance.uniform(0.0, 0.8))
                process.kill(server)
                if chance.random() < KILLED_AGAIN:
                    process.spawn(server)
                    time.sleep(chance.uniform(0.0, 1.0))
                    process.kill(server)
                starts.append(process.start(server))
        process.kill(server)
    stored = wholeness.check(fresh_url, load.all_said())
    print(f"{KILLS} kills, {stored} messages, {load.statuses()}, ready after {max(starts):.2f} s at most")
    assert stored == load.count()
    assert max(starts) < READY_WITHIN_SECONDS


@pytest.mark.timeout(1200 if LONG else 120)
def test_what_was_acknowledged_survives_being_told_to_stop(fresh_url: str, tmp_path: Path) -> None:
    writers, chance, ends = at_work(fresh_url), seeded(), []
    with server_process(tmp_path / "data", fresh_url) as server:
        process.start(server)
        with under_load(server, writers, chance.randrange(10**6)) as load:
            for _ in range(STOPS):
                until_written(load)
                time.sleep(chance.uniform(0.0, 0.4))
                status, seconds = process.stop(server)
                assert status in (0, -signal.SIGTERM), process.tail(server)
                ends.append(seconds)
                process.start(server)
        process.stop(server)
    stored = wholeness.check(fresh_url, load.all_said())
    print(f"{STOPS} stops, {stored} messages, {load.statuses()}, ended after {max(ends):.2f} s at most")
    assert stored == load.count()
    assert set(load.statuses()) <= {0, 200, 503}
    assert max(ends) < ENDS_WITHIN_SECONDS
