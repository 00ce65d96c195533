"""The disk is full: writing is refused for now, reading goes on, nothing is lost, and space heals it all."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.faults import process, wholeness
from tests.faults.chance import seeded
from tests.faults.company import Writer, at_work
from tests.faults.load import Load, under_load, until_written
from tests.faults.process import ServerProcess, server_process

DISK_BYTES = 16 * 2**20
TIMES = 3
MESSAGES_BETWEEN = 100
WORKS_AGAIN_WITHIN_SECONDS = 5.0

Shortage = Callable[[ServerProcess], AbstractContextManager[None]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk; the other test limits the files instead")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_refuses_writes_and_nothing_else(disk: Path) -> None:
    tell_the_story(disk, _full_disk)


def test_files_that_may_not_grow_refuse_writes_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    tell_the_story(tmp_path / "data", _no_growth)


def tell_the_story(folder: Path, short_of_space: Shortage) -> None:
    url = f"sqlite:///{folder}/jobthread.db"
    writers, chance = at_work(url), seeded()
    with server_process(folder, url) as server:
        process.start(server)
        first = server.process
        with under_load(server, writers, chance.randrange(10**6)) as load:
            for _ in range(TIMES):
                until_written(load, MESSAGES_BETWEEN)
                with short_of_space(server):
                    until_refused(load, 2 * len(writers))
                    reading_goes_on(server, writers[0])
                assert until_written(load) < WORKS_AGAIN_WITHIN_SECONDS
        assert server.process is first
        process.stop(server)
    stored = wholeness.check(url, load.all_said())
    print(f"{stored} messages, {load.statuses()}")
    assert stored == load.count()
    assert set(load.statuses()) <= {200, 503}
    assert {answer.retry_after for answer in load.answers if answer.status == 503} == {"1"}


@contextmanager
def _full_disk(server: ServerProcess) -> Iterator[None]:
    ballast = server.data_dir / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _no_growth(server: ServerProcess) -> Iterator[None]:
    """The system refuses any write beyond where SQLite's journal ends just now."""
    assert server.process is not None
    pid, journal = server.process.pid, server.data_dir / "jobthread.db-wal"
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (journal.stat().st_size, most))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def until_refused(load: Load, times: int) -> None:
    before = load.statuses().get(503, 0)
    process.wait_until(lambda: load.statuses().get(503, 0) >= before + times)


def reading_goes_on(server: ServerProcess, writer: Writer) -> None:
    for path in ("/readyz", "/api/chat/threads", f"/api/chat/threads/{writer.thread_ids[0]}/messages"):
        assert httpx2.get(server.url + path, headers=writer.headers).status_code == 200
