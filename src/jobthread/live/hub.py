"""Who listens here and what just happened: one task that passes the one on to the other, in order."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import get_args

import structlog

from jobthread.entities import AccessEnded, Caller, Happening, NamesChanged, News, RowsWritten
from jobthread.errors import Unavailable
from jobthread.live import passing
from jobthread.live.audience import Audience
from jobthread.live.looking import SeenAgain, look, look_again
from jobthread.live.passing import Numbered
from jobthread.live.ring import Ring
from jobthread.live.stream import BEAT_SECONDS, Stream, retry_line
from jobthread.live.wording import RESYNC, Shapes, Wording, unread
from jobthread.policy import sight_of
from jobthread.store import grounds, reads
from jobthread.store.database import Database
from jobthread.store.grounds import Ground

log = structlog.get_logger()

NEWS = get_args(News)
TICK_SECONDS = 0.4
"""How often the clock is looked at: links expire, hearts beat, lives end."""
BADGE_SECONDS = 0.25
"""Unread counts are told at most so often."""
PAUSE_SECONDS = 0.5
AT_ONCE = 64
"""News that are looked at together: in between, those who listen get what came before."""
MOST_CAUGHT_UP = 500
"""News that somebody who comes back is told; who missed more looks for themselves."""
MOST_WAITING = 50_000
"""News that may wait while the database is away; beyond it everybody is told to look for themselves."""
MOST_OF_ONE = 30
"""Streams of one person; a further one ends the oldest."""


class Hub:
    def __init__(self, db: Database, for_staff: Shapes, for_customers: Shapes) -> None:
        self.audience = Audience()
        self.elsewhere: Callable[[list[News]], None] = lambda news: None
        """Where what happens here is told to other processes."""
        self._db = db
        self._shapes = (for_staff, for_customers)
        self._ring = Ring()
        self._news: list[News] = []
        self._openings: list[tuple[Stream, str | None]] = []
        self._badges: set[int] = set()
        self._badges_due = False
        self._last_badge: dict[int, int] = {}
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
        stream = Stream(ground, caller, self._gone)
        self._openings.append((stream, last_event_id))
        self._woken.set()
        return stream

    def close(self) -> None:
        """End all streams: their clients come back, to whoever serves them then."""
        self._closing = True
        for stream in [*self.audience.all, *(stream for stream, _ in self._openings)]:
            stream.end()

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
                await asyncio.sleep(PAUSE_SECONDS)
                self._woken.set()
            except Exception as error:
                log.error("live_failed", error=type(error).__name__, exc_info=error)
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
        self._woken.set()

    def _lost(self) -> None:
        self._all_lost = True
        self._woken.set()

    def _tick(self) -> None:
        self._tick_due = True
        self._woken.set()
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _gone(self, stream: Stream) -> None:
        self.audience.remove(stream)
        if (staff_id := stream.staff_id) is not None and not self.audience.of_staff(staff_id):
            self._last_badge.pop(staff_id, None)

    # --- one turn ---------------------------------------------------------------------------------

    async def _turn(self) -> None:
        if self._openings:
            await self._let_in()
        while self._news and not self._all_lost:
            await self._pass_on_news()
        if self._all_lost:
            await self._start_over()
        if self._tick_due:
            self._tick_due = False
            await self._look_at_the_clock()
        if self._badges_due:
            await self._tell_badges()

    async def _pass_on_news(self) -> None:
        batch = self._news[:AT_ONCE]
        if not self.audience.all:
            # Only for those who come back later.
            self._passed(batch)
            return
        ended = [one for one in batch if isinstance(one, AccessEnded)]
        if ended:
            await self._ask_again(self._concerned(ended))
        first = self._ring.position + 1
        await self._pass_on([(first + n, one) for n, one in enumerate(batch)], None)
        self._passed(batch)
        if any(isinstance(one, NamesChanged) for one in batch):
            self._resync(self.audience.all)

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
        self._move_badges(passing.badges(found))
        return set(heard)

    async def _seen_again(self, found: list[passing.Occasion]) -> SeenAgain:
        readers = passing.readers_to_show(found)
        # One process hears of every right that ends before it hears of what follows; one of several may not.
        ears = {ear for one in found for ear in one.ears} if self._db.dialect != "sqlite" else None
        if not readers and ears is None:
            return SeenAgain({}, {}, None)
        asked = None if ears is None else [ear.ground for ear in ears]
        thread_ids = {one.thread.id for one in found}
        again = await self._db.read(lambda tx: look_again(tx, readers, thread_ids, asked))
        if ears is not None and again.callers is not None:
            self._stand(ears, again.callers)
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

    # --- coming, staying and going ----------------------------------------------------------------

    async def _let_in(self) -> None:
        """Whoever comes is asked for their rights once they are listed: none can end unheard in between."""
        openings = self._openings[:]
        asked = [stream.ground for stream, _ in openings]
        callers = await self._db.read(lambda tx: grounds.standing(tx, asked))
        del self._openings[: len(openings)]
        missed: dict[int, News] = {}
        resumed: set[Stream] = set()
        for stream, last_event_id in openings:
            caller = callers.get(stream.ground)
            if caller is None or not stream.live:
                stream.end(unheard=True)
                continue
            stream.be(caller)
            self.audience.add(stream)
            self._end_oldest(stream)
            if last_event_id is None:
                stream.put(retry_line() + self._ring.id_line(self._ring.position))
                continue
            after = self._ring.after(last_event_id)
            if after is None or _too_much(after):
                stream.put(retry_line() + RESYNC + self._ring.id_line(self._ring.position))
                continue
            stream.put(retry_line() + b"\n")
            missed.update(after)
            resumed.add(stream)
        if resumed:
            await self._catch_up(sorted(missed.items()), resumed)

    async def _catch_up(self, missed: list[Numbered], resumed: set[Stream]) -> None:
        """To each all that the one who was away longest has missed: what comes twice does no harm."""
        back = {stream.staff_id for stream in resumed if stream.staff_id is not None}
        for staff_id in back:
            self._last_badge.pop(staff_id, None)
        self._move_badges(back)
        try:
            told = await self._pass_on(missed, resumed)
        except Exception:
            self._resync(resumed)
            raise
        for stream in resumed - told:
            stream.put(self._ring.id_line(self._ring.position))

    def _end_oldest(self, stream: Stream) -> None:
        if stream.staff_id is None:
            beside = list(self.audience.of_job(stream.job_id or 0))
        else:
            beside = list(self.audience.of_staff(stream.staff_id))
        if len(beside) > MOST_OF_ONE:
            min(beside, key=lambda one: one.until).end()

    def _concerned(self, ended: Iterable[AccessEnded]) -> set[Stream]:
        found: set[Stream] = set()
        for one in ended:
            if one.staff_id is None and one.job_id is None:
                return set(self.audience.all)
            if one.staff_id is not None:
                found.update(self.audience.of_staff(one.staff_id))
            if one.job_id is not None:
                found.update(self.audience.of_job(one.job_id))
        return found

    async def _ask_again(self, streams: set[Stream]) -> None:
        asked = [stream.ground for stream in streams]
        if asked:
            callers = await self._db.read(lambda tx: grounds.standing(tx, asked))
            self._stand(streams, callers)

    def _stand(self, streams: Iterable[Stream], callers: Mapping[Ground, Caller]) -> None:
        """Those who have lost their ground end; those who stand on another see by that."""
        for stream in streams:
            caller = callers.get(stream.ground)
            if caller is None:
                stream.end(unheard=True)
                self.audience.remove(stream)
            elif caller != stream.caller and stream in self.audience.all:
                other_role = sight_of(caller) != stream.sight
                self.audience.changed(stream, caller)
                if other_role:
                    self._resync([stream])

    async def _look_at_the_clock(self) -> None:
        now, moment = asyncio.get_running_loop().time(), self._db.clock()
        due = set()
        for stream in list(self.audience.all):
            if stream.expired(moment):
                stream.end(unheard=True)
            elif stream.until <= now:
                stream.end()
            elif stream.beat_at <= now:
                due.add(stream)
        await self._ask_again(due)
        beat = b": \n" + self._ring.id_line(self._ring.position)
        for stream in due:
            stream.beat_at = now + BEAT_SECONDS
            stream.put(beat)

    async def _start_over(self) -> None:
        # What ends rights may be among what is dropped here: so everybody is asked, and after that.
        self._news.clear()
        await self._ask_again(set(self.audience.all))
        self._all_lost = False
        self._ring.skip()
        self._resync(self.audience.all)

    def _resync(self, streams: Iterable[Stream]) -> None:
        chunk = RESYNC + self._ring.id_line(self._ring.position)
        for stream in list(streams):
            stream.put(chunk)

    # --- unread counts ----------------------------------------------------------------------------

    def _move_badges(self, staff_ids: Iterable[int]) -> None:
        new = {staff_id for staff_id in staff_ids if self.audience.of_staff(staff_id)}
        if new and not self._badges:
            asyncio.get_running_loop().call_later(BADGE_SECONDS, self._badges_come_due)
        self._badges |= new

    def _badges_come_due(self) -> None:
        self._badges_due = True
        self._woken.set()

    async def _tell_badges(self) -> None:
        asked = {staff_id for staff_id in self._badges if self.audience.of_staff(staff_id)}
        totals = await self._db.read(lambda tx: reads.unread_totals(tx, asked)) if asked else {}
        self._badges.clear()
        self._badges_due = False
        for staff_id, count in totals.items():
            if self._last_badge.get(staff_id) != count:
                self._last_badge[staff_id] = count
                chunk = unread(count) + self._ring.id_line(self._ring.position)
                for stream in list(self.audience.of_staff(staff_id)):
                    stream.put(chunk)


def _too_much(missed: list[Numbered]) -> bool:
    """To be told one by one."""
    return len(missed) > MOST_CAUGHT_UP or any(isinstance(news, NamesChanged) for _, news in missed)
