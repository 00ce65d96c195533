"""The line to PostgreSQL breaks around a COMMIT: nobody knows what became of it, and a repeat finds out."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests import postgres
from tests.faults import process, wholeness
from tests.faults.chance import LONG, seeded
from tests.faults.company import at_work
from tests.faults.load import under_load, until_written
from tests.faults.process import server_process

TIMES = 60 if LONG else 6
WORKS_AGAIN_WITHIN_SECONDS = 5.0


class Break(Enum):
    BEFORE = auto()
    """The COMMIT never arrives."""
    DURING = auto()
    """It arrives, and the line is gone while PostgreSQL still works on it."""
    AFTER = auto()
    """It was carried out, and the answer never arrives."""


@dataclass
class Line:
    """Carries everything between a port of ours and PostgreSQL, and breaks at a COMMIT where told to."""

    to: str
    listening: socket.socket
    next_break: Break | None = None
    broken: int = 0

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def take_calls(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self.listening.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(self.to)
                _in_thread(_Call(self, ours, theirs).ask)


@dataclass
class _Call:
    line: Line
    ours: socket.socket
    theirs: socket.socket
    muted: bool = False

    def ask(self) -> None:
        _in_thread(self.answer)
        with suppress(OSError):
            while asked := self.ours.recv(65536):
                if b"COMMIT\0" in asked and not self.carried(asked):
                    break
                self.theirs.sendall(asked)
        self.hang_up()

    def carried(self, commit: bytes) -> bool:
        """Whether this COMMIT goes its usual way."""
        how, self.line.next_break = self.line.next_break, None
        if how is None:
            return True
        self.line.broken += 1
        self.muted = how is Break.AFTER
        if how is Break.DURING:
            self.theirs.sendall(commit)
        return self.muted

    def answer(self) -> None:
        with suppress(OSError):
            while (data := self.theirs.recv(65536)) and not self.muted:
                self.ours.sendall(data)
        self.hang_up()

    def hang_up(self) -> None:
        for end in (self.ours, self.theirs):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


@contextmanager
def breaking(url: str) -> Iterator[tuple[Line, str]]:
    """A line to the database at that URL, and its URL through the line."""
    parsed = make_url(url)
    to = f"{parsed.query['host']}/.s.PGSQL.{parsed.query['port']}"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = Line(to, listening)
        _in_thread(line.take_calls)
        through = parsed.set(host="127.0.0.1", port=line.port, query={})
        yield line, through.render_as_string(hide_password=False)
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.timeout(600 if LONG else 120)
@pytest.mark.parametrize("how", Break)
def test_a_commit_that_nobody_hears_of_is_neither_lost_nor_doubled(how: Break, tmp_path: Path) -> None:
    url = postgres.new_database(postgres.postgres_server())
    writers, chance = at_work(url), seeded()
    with breaking(url) as (line, through), server_process(tmp_path / "data", through) as server:
        process.start(server)
        first = server.process
        with under_load(server, writers, chance.randrange(10**6)) as load:
            for _ in range(TIMES):
                until_written(load, chance.randint(1, 30))
                line.next_break = how
                process.wait_until(lambda: line.next_break is None)
                assert until_written(load) < WORKS_AGAIN_WITHIN_SECONDS
        assert server.process is first
        process.stop(server)
    stored = wholeness.check(url, load.all_said())
    print(f"{line.broken} broken {how.name}, {stored} messages, {load.statuses()}")
    assert stored == load.count()
    # Whoever repeats what was written is answered with it; whoever was not told so had to repeat.
    assert set(load.statuses()) == ({503} if how is Break.BEFORE else {200, 503})
