"""The two ways into the database: `read` on a small pool, `write` on one thread with group commit."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from jobthread.entities import Happening, Micros
from jobthread.errors import Unavailable
from jobthread.store import engines
from jobthread.store.transactions import AnyRow, ManyAtOnce, Reading, Writing, wall_clock
from jobthread.store.writer import Writer

__all__ = ["AnyRow", "Database", "ManyAtOnce", "Reading", "Writing", "wall_clock"]

T = TypeVar("T")
ItemT = TypeVar("ItemT")

log = structlog.get_logger()

READERS = 4
CLOSING_SECONDS = 5.0
"""How long a database may take to answer what was asked of it before the end."""


class Database:
    """One SQLite file or one PostgreSQL database."""

    def __init__(self, url: str, clock: Callable[[], Micros] = wall_clock) -> None:
        self.clock = clock
        self.writer_engine = engines.for_writing(url)
        self.reader_engine = engines.for_reading(url, READERS)
        self.on_commit: Callable[[list[Happening]], None] = lambda happenings: None
        self.patience: float | None = None
        """Seconds after which a caller is told `Unavailable`; None waits for as long as it takes."""
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._writer = Writer(self.writer_engine, clock, lambda happenings: self.on_commit(happenings))

    @property
    def dialect(self) -> str:
        return self.writer_engine.dialect.name

    @property
    def waiting_writes(self) -> int:
        return self._writer.waiting

    async def read(self, fn: Callable[[Reading], T]) -> T:
        """Run `fn` on a connection of its own; on SQLite everything it reads is of one moment.

        Raises `Unavailable` where the database does not answer.
        """
        reading = asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)
        try:
            async with asyncio.timeout(self.patience):
                return await reading
        except TimeoutError:
            raise Unavailable("The database takes too long") from None

    async def write(self, fn: Callable[[Writing], T]) -> T:
        """Run `fn` inside the next group commit; the answer comes when it is on disk.

        What `fn` raises undoes what `fn` did, and nothing else. Raises `Unavailable` where the queue
        is full or the database does not answer: then everything or nothing of it was written.
        """
        written: T = await self._writer.put(None, fn, self.patience)
        return written

    async def write_one_of_many(self, many: ManyAtOnce[ItemT, T], item: ItemT) -> T:
        """Like `write`, for the hot path: all items that wait for the same `many` share its statements."""
        written: T = await self._writer.put(many, item, self.patience)
        return written

    def close(self) -> None:
        """Finish what waits, then let go of all connections; cut those on which no answer comes."""
        cutting = threading.Timer(CLOSING_SECONDS, self._hang_up)
        cutting.start()
        self._writer.close(2 * CLOSING_SECONDS)
        self._readers.shutdown(wait=True, cancel_futures=True)
        cutting.cancel()
        self.writer_engine.dispose()
        self.reader_engine.dispose()

    def _hang_up(self) -> None:
        for engine in (self.writer_engine, self.reader_engine):
            engines.hang_up(engine)

    def _read(self, fn: Callable[[Reading], T]) -> T:
        with _database_errors(), self.reader_engine.connect() as conn:
            conn.begin()
            return fn(Reading(conn, self.clock()))


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        log.error("read_failed", error=type(error.orig).__name__)
        raise Unavailable from error
