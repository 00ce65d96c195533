"""What just happened, and who listens here: one task that passes the one on to the other, in order."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import get_args

import structlog

from jobthread.entities import AccessEnded, Caller, Happening, NamesChanged, News, RowsWritten
from jobthread.errors import Unavailable
from jobthread.live import passing
from jobthread.live.audience import Audience
from jobthread.live.badges import Badges
from jobthread.live.door import Door
from jobthread.live.looking import SeenAgain, look, look_again
from jobthread.live.passing import Numbered
from jobthread.live.ring import Ring
from jobthread.live.stream import Stream
from jobthread.live.wording import Shapes, Wording
from jobthread.store.database import Database
from jobthread.store.grounds import Ground

log = structlog.get_logger()

NEWS = get_args(News)
TICK_SECONDS = 0.4
"""How often the clock is looked at: links expire, hearts beat, lives end."""
PAUSE_SECONDS = 0.5
AT_ONCE = 64
"""News that are looked at together: in between, those who listen get what came before."""
MOST_WAITING = 50_000
"""News that may wait while the database is away; beyond it everybody is told to look for themselves."""


class Hub:
    def __init__(self, db: Database, for_staff: Shapes, for_customers: Shapes) -> None:
        self.audience = Audience()
        self.elsewhere: Callable[[list[News]], None] = lambda news: None
        """Where what happens here is told to other processes."""
        self._db = db
        self._shapes = (for_staff, for_customers)
        self._ring = Ring()
        self.door = Door(db, self.audience, self._ring)
        self._badges = Badges(db, self.audience, self._ring, self._wake)
        self._news: list[News] = []
        self._tick_due = False
        self._all_lost = False
        self._closing = False
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- what others call -------------------------------------------------------------------------

    def tell(self, happenings: Iterable[Happening]) -> None:
        """What a commit brought about here, or somebody did; from any thread."""
        news: list[News] = [one for one in happenings if isinstance(one, NEWS)]
        if len(news) > 1:
            # Threads written in one commit are of one age: lists then have the later id above.
            news.sort(key=lambda one: one.thread_id if isinstance(one, RowsWritten) else 0)
        if news:
            self.hear(news)
            self.elsewhere(news)

    def hear(self, news: list[News]) -> None:
        """What another process tells; from any thread."""
        self._do_here(self._hear, news)

    def lose_track(self) -> None:
        """Something may have happened of which nothing was heard: everybody looks for themselves."""
        self._do_here(self._lost)

    def open(self, ground: Ground, caller: Caller, last_event_id: str | None) -> Stream:
        """A stream for this caller. Raises `Unavailable` while the server stops."""
        if self._closing or self._loop is None:
            raise Unavailable("The server is stopping")
        stream = self.door.wait(ground, caller, last_event_id)
        self._wake()
        return stream

    def close(self) -> None:
        """End all streams: their clients come back, to whoever serves them then."""
        self._closing = True
        self.door.end_all()

    async def run(self) -> None:
        """Pass on whatever happens, until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._tick()
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._turn()
            except Unavailable:
                # What was not passed on waits for as long as the database does not answer.
                self.door.beat_unasked()
                await asyncio.sleep(PAUSE_SECONDS)
                self._wake()
            except Exception as error:
                log.error("live_failed", error=type(error).__name__, exc_info=error)
                await asyncio.sleep(PAUSE_SECONDS)
                self._lost()

    # --- what wakes it ----------------------------------------------------------------------------

    def _do_here(self, do: Callable[..., None], *given: object) -> None:
        loop = self._loop
        if loop is None:
            return
        try:
            here = asyncio.get_running_loop() is loop
        except RuntimeError:
            here = False
        if here:
            do(*given)
        else:
            # The loop may have ended, and with it all who listened.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(do, *given)

    def _hear(self, news: list[News]) -> None:
        self._news += news
        if len(self._news) > MOST_WAITING:
            self._lost()
        self._wake()

    def _lost(self) -> None:
        self._all_lost = True
        self._wake()

    def _wake(self) -> None:
        self._woken.set()

    def _tick(self) -> None:
        self.door.end_what_ran_out()
        self._tick_due = True
        self._wake()
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    # --- one turn ---------------------------------------------------------------------------------

    async def _turn(self) -> None:
        if self.door.besieged:
            await self._let_in()
        while self._news and not self._all_lost:
            await self._pass_on_news()
        if self._all_lost:
            await self._start_over()
        if self._tick_due:
            self._tick_due = False
            await self.door.beat()
        if self._badges.due:
            await self._badges.tell()

    async def _let_in(self) -> None:
        missed, back = await self.door.let_in()
        if back:
            await self._catch_up(sorted(missed.items()), back)

    async def _catch_up(self, missed: list[Numbered], back: set[Stream]) -> None:
        """To each all that the one who was away longest has missed: what comes twice does no harm."""
        self._badges.move({stream.staff_id for stream in back if stream.staff_id is not None})
        try:
            told = await self._pass_on(missed, back)
        except Exception:
            self.door.resync(back)
            raise
        for stream in back - told:
            stream.put(self._ring.id_line(self._ring.position))

    async def _pass_on_news(self) -> None:
        batch = self._news[:AT_ONCE]
        if not self.audience.all:
            # Only for those who come back later.
            self._passed(batch)
            return
        ended = [one for one in batch if isinstance(one, AccessEnded)]
        if ended:
            await self.door.ask_again(self.door.concerned(ended))
        first = self._ring.position + 1
        await self._pass_on([(first + n, one) for n, one in enumerate(batch)], None)
        self._passed(batch)
        if any(isinstance(one, NamesChanged) for one in batch):
            self.door.resync(self.audience.all)

    def _passed(self, batch: Sequence[News]) -> None:
        self._ring.add(batch)
        del self._news[: len(batch)]

    async def _pass_on(self, numbered: Iterable[Numbered], only: set[Stream] | None) -> set[Stream]:
        """Those who were told something."""
        numbered = passing.without_repeats(numbered)
        seen = await self._db.read(lambda tx: look(tx, [news for _, news in numbered]))
        found = passing.occasions(numbered, seen, self.audience, only)
        if not found:
            return set()
        again = await self._seen_again(found)
        wording = Wording(*self._shapes)
        now = self._db.clock()
        heard = passing.told(found, seen, again, wording, lambda ear: ear.live and not ear.expired(now))
        self._put(heard)
        self._badges.move(passing.badges(found))
        return set(heard)

    async def _seen_again(self, found: list[passing.Occasion]) -> SeenAgain:
        readers = passing.readers_to_show(found)
        ears = self.door.not_told_of(ear for one in found for ear in one.ears)
        if not readers and not ears:
            return SeenAgain({}, {}, {})
        asked: list[Ground] = [ear.ground for ear in ears]
        thread_ids = {one.thread.id for one in found}
        again = await self._db.read(lambda tx: look_again(tx, readers, thread_ids, asked))
        self.door.stand(ears, again.held)
        return again

    def _put(self, heard: passing.Told) -> None:
        chunks: dict[tuple[tuple[int, int], ...], bytes] = {}
        for stream, pieces in heard.items():
            alike = tuple((position, id(body)) for position, body in pieces)
            chunk = chunks.get(alike)
            if chunk is None:
                chunk = chunks[alike] = self._chunk(pieces)
            stream.put(chunk)

    def _chunk(self, pieces: list[tuple[int, bytes]]) -> bytes:
        """Who breaks off in the midst of one piece of news is told all of it once more."""
        following = [position for position, _ in pieces[1:]] + [0]
        return b"".join(
            body + self._ring.id_line(position - 1 if position == next_one else position)
            for (position, body), next_one in zip(pieces, following, strict=True)
        )

    async def _start_over(self) -> None:
        # What ends rights may be among what is dropped here: so everybody is asked, and after that.
        self._news.clear()
        await self.door.ask_again(set(self.audience.all))
        self._all_lost = False
        self._ring.skip()
        self.door.resync(self.audience.all)
