"""Coming, staying and going: who may listen is asked at the door, and again for as long as they stay."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from jobthread.entities import AccessEnded, Caller, NamesChanged, News
from jobthread.live.audience import Audience
from jobthread.live.passing import Numbered
from jobthread.live.ring import Ring
from jobthread.live.stream import BEAT_SECONDS, Stream, retry_line
from jobthread.live.wording import RESYNC
from jobthread.policy import sight_of
from jobthread.store import grounds
from jobthread.store.database import Database
from jobthread.store.grounds import Ground, GroundKind, Held

MOST_CAUGHT_UP = 500
"""News that somebody who comes back is told; who missed more looks for themselves."""
MOST_OF_ONE = 30
"""Streams of one person; a further one ends the oldest."""


class Door:
    def __init__(self, db: Database, audience: Audience, ring: Ring) -> None:
        self.observe_cut: Callable[[], None] = lambda: None
        """Called for each reader that is cut because it has stalled."""
        self._db = db
        self._audience = audience
        self._ring = ring
        self._waiting: list[tuple[Stream, str | None]] = []

    @property
    def besieged(self) -> bool:
        """Somebody waits to be let in."""
        return bool(self._waiting)

    def wait(self, ground: Ground, caller: Caller, last_event_id: str | None) -> Stream:
        stream = Stream(ground, caller, self._audience.remove, lambda: self.observe_cut())
        self._waiting.append((stream, last_event_id))
        return stream

    def end_all(self) -> None:
        for stream in [*self._audience.all, *(stream for stream, _ in self._waiting)]:
            stream.end()

    # --- coming -----------------------------------------------------------------------------------

    async def let_in(self) -> tuple[dict[int, News], set[Stream]]:
        """Those who come back and can be told what they missed, and all that the longest away has missed.

        Whoever comes is asked for their rights: what ends one while that is read is still to be passed on.
        """
        waiting = self._waiting[:]
        asked = [stream.ground for stream, _ in waiting]
        held = await self._db.read(lambda tx: grounds.standing(tx, asked))
        del self._waiting[: len(waiting)]
        missed: dict[int, News] = {}
        back: set[Stream] = set()
        for stream, last_event_id in waiting:
            holds = held.get(stream.ground)
            if holds is None or not stream.live:
                stream.end(unheard=True)
                continue
            stream.be(holds.caller)
            stream.held_until = holds.until
            self._audience.add(stream)
            self._end_oldest(stream)
            after = self._greet(stream, last_event_id)
            if after is not None:
                missed.update(after)
                back.add(stream)
        return missed, back

    def _greet(self, stream: Stream, last_event_id: str | None) -> list[Numbered] | None:
        """What they missed, where they are to be told that now."""
        here = self._ring.id_line(self._ring.position)
        if last_event_id is None:
            stream.put(retry_line() + here)
            return None
        after = self._ring.after(last_event_id)
        if after is None or _too_much(after):
            stream.put(retry_line() + RESYNC + here)
            return None
        stream.put(retry_line() + b"\n")
        return after

    def _end_oldest(self, stream: Stream) -> None:
        if stream.staff_id is None:
            beside = list(self._audience.of_job(stream.job_id or 0))
        else:
            beside = list(self._audience.of_staff(stream.staff_id))
        if len(beside) > MOST_OF_ONE:
            min(beside, key=lambda one: one.until).end()

    # --- staying ----------------------------------------------------------------------------------

    def concerned(self, ended: Iterable[AccessEnded]) -> set[Stream]:
        found: set[Stream] = set()
        for one in ended:
            if one.staff_id is None and one.job_id is None:
                return set(self._audience.all)
            if one.staff_id is not None:
                found.update(self._audience.of_staff(one.staff_id))
            if one.job_id is not None:
                found.update(self._audience.of_job(one.job_id))
        return found

    async def ask_again(self, streams: set[Stream]) -> None:
        asked = [stream.ground for stream in streams]
        if asked:
            held = await self._db.read(lambda tx: grounds.standing(tx, asked))
            self.stand(streams, held)

    def stand(self, streams: Iterable[Stream], held: Mapping[Ground, Held]) -> None:
        """Those who have lost their ground end; those who stand on another see by that."""
        for stream in streams:
            holds = held.get(stream.ground)
            if holds is None:
                stream.end(unheard=True)
                self._audience.remove(stream)
                continue
            stream.held_until = holds.until
            if holds.caller != stream.caller and stream in self._audience.all:
                self._stands_as(stream, holds.caller)

    def _stands_as(self, stream: Stream, caller: Caller) -> None:
        other_role = sight_of(caller) != stream.sight
        self._audience.changed(stream, caller)
        if other_role:
            self.resync([stream])

    def not_told_of(self, streams: Iterable[Stream]) -> set[Stream]:
        """Whose rights may have ended without a word to this process: they are asked at every event."""
        if self._db.dialect != "sqlite":
            return set(streams)
        return self._ending_untold(streams)

    def _ending_untold(self, streams: Iterable[Stream]) -> set[Stream]:
        """Keys are revoked at the command line, by another process; and a session runs out by itself."""
        now = self._db.clock()
        return {stream for stream in streams if _by_key(stream) or stream.may_have_run_out(now)}

    def resync(self, streams: Iterable[Stream]) -> None:
        chunk = RESYNC + self._ring.id_line(self._ring.position)
        for stream in list(streams):
            stream.put(chunk)

    # --- the clock --------------------------------------------------------------------------------

    def end_what_ran_out(self) -> None:
        """Needs no database: a link ends on time while that is away, too."""
        now, moment = asyncio.get_running_loop().time(), self._db.clock()
        for stream in list(self._audience.all):
            if not stream.live:
                self._audience.remove(stream)
            elif stream.expired(moment):
                stream.end(unheard=True)
            elif stream.until <= now:
                stream.end()

    async def beat(self) -> None:
        """Each heartbeat asks whether the one who listens still may."""
        due = self._due()
        await self.ask_again(due | self._ending_untold(self._audience.all))
        self._beat(due, b": \n" + self._ring.id_line(self._ring.position))

    def beat_unasked(self) -> None:
        """While the database does not answer nobody is told anything: this keeps the connections."""
        self._beat(self._due(), b": \n\n")

    def _due(self) -> set[Stream]:
        now = asyncio.get_running_loop().time()
        return {stream for stream in self._audience.all if stream.beat_at <= now}

    def _beat(self, due: set[Stream], chunk: bytes) -> None:
        next_at = asyncio.get_running_loop().time() + BEAT_SECONDS
        for stream in due:
            stream.beat_at = next_at
            stream.put(chunk)


def _by_key(stream: Stream) -> bool:
    return stream.ground.kind is GroundKind.API_KEY


def _too_much(missed: list[Numbered]) -> bool:
    """To be told one by one."""
    return len(missed) > MOST_CAUGHT_UP or any(isinstance(news, NamesChanged) for _, news in missed)
