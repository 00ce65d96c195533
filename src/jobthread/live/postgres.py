"""Several processes on one PostgreSQL: each tells the others what happened, and hears what they tell."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import structlog

from jobthread.entities import AccessEnded, Micros, News, RowsWritten
from jobthread.live.hub import Hub
from jobthread.store import notices, threads
from jobthread.store.database import Database

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""How often one looks for what nobody told. Twice: at the first look it may still be on its way."""
LOOK_BACK: Micros = 60_000_000
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
MOST_WAITING = 50_000


class Wire:
    """`forget`: what is remembered of callers may be out of date."""

    def __init__(self, db: Database, hub: Hub, url: str, forget: Callable[[], None]) -> None:
        self.connected = asyncio.Event()
        self._db = db
        self._hub = hub
        self._url = url
        self._forget = forget
        self._me = secrets.token_hex(8)
        self._waiting: list[News] = []
        self._woken = asyncio.Event()
        self._heard: dict[int, int] = {}
        """Thread → the last row of it that was told of, for threads that moved lately."""
        self._noted: set[int] = set()
        """Threads told of since the last look began."""
        self._untold: dict[int, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Tell and hear, until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_forever())
            tasks.create_task(self._listen_forever())
            tasks.create_task(self._look_forever())

    # --- telling ----------------------------------------------------------------------------------

    def tell(self, news: list[News]) -> None:
        """Let the others know, soon; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._take, news)

    def _take(self, news: list[News]) -> None:
        self._note(news)
        self._waiting += news
        # The others look for themselves, and find it.
        del self._waiting[:-MOST_WAITING]
        self._woken.set()

    async def _tell_forever(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while batch := self._waiting:
                self._waiting = []
                payloads = list(self._payloads(batch))
                try:
                    await self._db.read(lambda tx, payloads=payloads: notices.send(tx, payloads))  # type: ignore[misc]
                except Exception as error:
                    log.warning("telling_failed", error=type(error).__name__)
                    # Told twice is better than not at all: some of it may have gone out.
                    self._waiting = batch + self._waiting
                    await asyncio.sleep(PAUSES[-1])

    def _payloads(self, news: Iterable[News]) -> Iterator[str]:
        room = notices.LONGEST - len(self._me)
        held: list[str] = []
        size = 0
        for one in dict.fromkeys(news):
            piece = msgspec.json.encode(one).decode()
            if size + len(piece) + 1 > room:
                yield self._payload(held)
                held, size = [], 0
            held.append(piece)
            size += len(piece) + 1
        if held:
            yield self._payload(held)

    def _payload(self, pieces: Sequence[str]) -> str:
        return f"{self._me}[{','.join(pieces)}]"

    # --- hearing ----------------------------------------------------------------------------------

    async def _listen_forever(self) -> None:
        failures = 0

        def listening() -> None:
            nonlocal failures
            failures = 0
            if self.connected.is_set():
                # What was told meanwhile was told to nobody.
                self._forget()
                self._hub.lose_track()
            self.connected.set()

        while True:
            try:
                await notices.listen(self._url, listening, self._hear)
            except Exception as error:
                log.warning("listening_failed", error=type(error).__name__)
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    def _hear(self, payload: str) -> None:
        told_by, _, told = payload.partition("[")
        if told_by == self._me:
            return
        try:
            news = _NEWS.decode("[" + told)
        except msgspec.DecodeError:
            # Of a version that knows more than this one.
            self._hub.lose_track()
            return
        self._note(news)
        if any(isinstance(one, AccessEnded) for one in news):
            self._forget()
        self._hub.hear(news)

    # --- looking ----------------------------------------------------------------------------------

    def _note(self, news: Iterable[News]) -> None:
        for one in news:
            if isinstance(one, RowsWritten):
                self._noted.add(one.thread_id)
                self._heard[one.thread_id] = max(self._heard.get(one.thread_id, 0), one.last_seq)

    async def _look_forever(self) -> None:
        first = True
        while True:
            self._noted.clear()
            try:
                moved = await self._db.read(lambda tx: threads.moved_lately(tx, LOOK_BACK))
            except Exception as error:
                log.warning("looking_failed", error=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if first:
                self._heard = moved | self._heard
                first = False
            self._compare(moved)
            await asyncio.sleep(LOOK_SECONDS)

    def _compare(self, moved: dict[int, int]) -> None:
        """What a process wrote and could not tell any more: it was killed right after its commit."""
        missed: list[News] = [
            RowsWritten(thread_id, self._heard.get(thread_id, last_seq - 1) + 1, last_seq)
            for thread_id, last_seq in self._untold.items()
            if self._heard.get(thread_id, 0) < last_seq
        ]
        if missed:
            log.warning("found_untold", threads=len(missed))
            self._note(missed)
            self._hub.hear(missed)
        self._untold = {
            thread_id: last_seq
            for thread_id, last_seq in moved.items()
            if self._heard.get(thread_id, 0) < last_seq
        }
        kept = moved.keys() | self._noted
        self._heard = {thread_id: seq for thread_id, seq in self._heard.items() if thread_id in kept}


_NEWS = msgspec.json.Decoder(list[News])
