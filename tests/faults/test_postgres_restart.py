"""PostgreSQL crashes, or cuts connections, under load: 503s meanwhile, nothing lost, no restart of ours."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests import postgres
from tests.faults import process, wholeness
from tests.faults.chance import LONG, seeded
from tests.faults.company import at_work
from tests.faults.load import Load, under_load, until_written
from tests.faults.process import server_process

CRASHES = 50 if LONG else 3
CUTS = 200 if LONG else 8
NO_LATER_SECONDS = 12.0
WORKS_AGAIN_WITHIN_SECONDS = 5.0
FROZEN_SECONDS = 15.0
ENDS_WITHIN_SECONDS = 25.0
_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Server]:
    """Not the shared one: these tests crash it."""
    cluster = postgres.start_server()
    yield cluster
    postgres.remove(cluster)


@pytest.fixture
def url(cluster: postgres.Server) -> str:
    return postgres.new_database(cluster)


@pytest.mark.timeout(1800 if LONG else 120)
def test_a_crash_of_postgresql_loses_nothing(cluster: postgres.Server, url: str, tmp_path: Path) -> None:
    writers, chance = at_work(url), seeded()
    slowest = 0.0
    with server_process(tmp_path / "data", url) as server:
        process.start(server)
        first = server.process
        with under_load(server, writers, chance.randrange(10**6)) as load:
            for _ in range(CRASHES):
                until_written(load)
                time.sleep(chance.uniform(0.0, 0.4))
                postgres.stop(cluster, "immediate")
                process.wait_until(lambda: not process.is_ready(server))
                time.sleep(chance.uniform(0.0, 0.4))
                postgres.start(cluster)
                slowest = max(slowest, until_written(load))
        assert server.process is first
        process.stop(server)
    stored = wholeness.check(url, load.all_said())
    print(f"{CRASHES} crashes, {stored} messages, {load.statuses()}, again after {slowest:.2f} s")
    assert slowest < WORKS_AGAIN_WITHIN_SECONDS
    assert stored == load.count()
    only_refused_for_now(load)


def only_refused_for_now(load: Load) -> None:
    """No broken connection, no 500, nothing late, and each refusal says when to come back."""
    assert set(load.statuses()) <= {200, 503}
    refused = [answer for answer in load.answers if answer.status == 503]
    assert refused != []
    assert {answer.retry_after for answer in refused} == {"1"}
    assert max(answer.seconds for answer in load.answers) < NO_LATER_SECONDS


@pytest.mark.timeout(1800 if LONG else 120)
def test_cut_connections_lose_nothing(cluster: postgres.Server, url: str, tmp_path: Path) -> None:
    writers, chance = at_work(url), seeded()
    cut = 0
    with server_process(tmp_path / "data", url) as server, cluster.connect() as admin:
        process.start(server)
        with under_load(server, writers, chance.randrange(10**6)) as load:
            for _ in range(CUTS):
                until_written(load)
                time.sleep(chance.uniform(0.0, 0.2))
                cut += len(admin.execute(_TERMINATE, [make_url(url).database]).fetchall())
        process.stop(server)
    stored = wholeness.check(url, load.all_said())
    print(f"{cut} connections cut, {stored} messages, {load.statuses()}")
    assert cut >= CUTS
    assert stored == load.count()
    assert set(load.statuses()) <= {200, 503}


@pytest.mark.skipif(not LONG, reason="takes as long as it freezes")
@pytest.mark.timeout(300)
def test_a_frozen_postgresql_keeps_nobody_waiting(cluster: postgres.Server, url: str, tmp_path: Path) -> None:
    writers, chance = at_work(url), seeded()
    with server_process(tmp_path / "data", url) as server:
        process.start(server)
        with under_load(server, writers, chance.randrange(10**6)) as load:
            until_written(load)
            with frozen(cluster):
                time.sleep(FROZEN_SECONDS)
            assert until_written(load) < WORKS_AGAIN_WITHIN_SECONDS
        process.stop(server)
    assert wholeness.check(url, load.all_said()) == load.count()
    only_refused_for_now(load)


@pytest.mark.skipif(not LONG, reason="takes as long as the server's patience")
@pytest.mark.timeout(120)
def test_a_server_ends_when_told_to_though_postgresql_is_frozen(
    cluster: postgres.Server, url: str, tmp_path: Path
) -> None:
    at_work(url)
    with server_process(tmp_path / "data", url) as server:
        process.start(server)
        with frozen(cluster):
            # As many as there are readers, and more: none of them may hold up the end.
            asked = [threading.Thread(target=process.is_ready, args=(server,)) for _ in range(8)]
            for one in asked:
                one.start()
            status, seconds = process.stop(server)
            for one in asked:
                one.join()
    print(f"ended with {status} after {seconds:.2f} s")
    assert status in (0, -signal.SIGTERM)
    assert seconds < ENDS_WITHIN_SECONDS


@contextmanager
def frozen(cluster: postgres.Server) -> Iterator[None]:
    """PostgreSQL neither answers nor hangs up."""
    assert cluster.process is not None
    main = cluster.process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    pids = [main, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
