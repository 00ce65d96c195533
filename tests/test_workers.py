"""Several processes behind one address: what one is told another passes on, and one that dies comes back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.faults import process
from tests.faults.freezing import frozen_at_rest
from tests.faults.process import ServerProcess, environment, server_process
from tests.live.knowing import signed_in
from tests.live.listening import listening
from tests.serving import wait_until
from tests.terminal import one_line

STOPS_WITHIN_SECONDS = 5.0


@pytest.fixture
def url() -> str:
    return postgres.new_database(postgres.postgres_server())


@pytest.fixture
def two(url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    with server_process(tmp_path / "data", url) as server:
        process.start(server, "--demo", "--workers", "2")
        # It says so once all of them serve.
        wait_until(lambda: "Jobthread is at" in server.log.read_text())
        yield server


def workers_of(server: ServerProcess) -> list[int]:
    assert server.process is not None
    parent = server.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def test_on_sqlite_more_than_one_is_refused_with_one_line(tmp_path: Path) -> None:
    here = environment(tmp_path / "data")
    refused = process.run("serve", "--workers", "2", environ=here)
    assert one_line(refused) == "jobthread: workers: SQLite takes one process, not 2: that needs PostgreSQL"
    assert not (tmp_path / "data").exists()


def test_what_is_said_to_one_is_heard_at_the_other(url: str, two: ServerProcess) -> None:
    one, other = workers_of(two)
    tom, dora = signed_in(two.url, "tom"), signed_in(two.url, "dora")
    thread = dora.opens_thread(tom)
    # Whoever comes while one of them stands still is served by the other.
    with frozen_at_rest(other, url), listening(tom) as toms:
        os.kill(other, signal.SIGCONT)
        with frozen_at_rest(one, url):
            dora_again = signed_in(two.url, "dora")
            dora_again.writes(thread, "Hello")
        toms.waits_for_body("Hello")
        toms.waits_for("unread")
    for who in (tom, dora, dora_again):
        who.http.close()


def test_one_that_dies_is_started_again_and_the_other_serves_on(url: str, two: ServerProcess) -> None:
    one, other = workers_of(two)
    with frozen_at_rest(one, url):
        tom = signed_in(two.url, "tom")
        with listening(tom) as toms:
            os.kill(one, signal.SIGKILL)
            wait_until(lambda: len(set(workers_of(two)) - {one}) == 2)
            assert other in workers_of(two)
            assert tom.get("/api/auth/me").status_code == 200
            assert toms.ended_at is None
    tom.http.close()
    assert '"worker_ended"' in two.log.read_text()


def test_told_to_stop_all_of_them_stop_with_streams_open(two: ServerProcess) -> None:
    tom = signed_in(two.url, "tom")
    workers = workers_of(two)
    with listening(tom) as toms:
        status, seconds = process.stop(two)
        toms.waits_for_the_end()
        assert toms.broken is None
    tom.http.close()
    assert status == 0
    assert seconds < STOPS_WITHIN_SECONDS
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_they_end_with_their_parent_however_that_ended(two: ServerProcess) -> None:
    workers = workers_of(two)
    assert two.process is not None
    os.kill(two.process.pid, signal.SIGKILL)
    wait_until(lambda: not any(is_running(pid) for pid in workers))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
