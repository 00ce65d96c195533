"""Unread counts: told once a moment has passed, to whomever they moved for."""

import asyncio
from collections.abc import Callable, Iterable

from jobthread.live.audience import Audience
from jobthread.live.ring import Ring
from jobthread.live.wording import unread
from jobthread.store import reads
from jobthread.store.database import Database

PAUSE_SECONDS = 0.25
"""Somebody's count is told at most so often."""


class Badges:
    def __init__(self, db: Database, audience: Audience, ring: Ring, wake: Callable[[], None]) -> None:
        self.due = False
        self._db = db
        self._audience = audience
        self._ring = ring
        self._wake = wake
        self._moved: set[int] = set()

    def move(self, staff_ids: Iterable[int]) -> None:
        new = {staff_id for staff_id in staff_ids if self._audience.of_staff(staff_id)}
        if new and not self._moved:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._come_due)
        self._moved |= new

    def _come_due(self) -> None:
        self.due = True
        self._wake()

    async def tell(self) -> None:
        """Also a count that is what it was: a page may have looked while it was another."""
        asked = {staff_id for staff_id in self._moved if self._audience.of_staff(staff_id)}
        totals = await self._db.read(lambda tx: reads.unread_totals(tx, asked)) if asked else {}
        self._moved.clear()
        self.due = False
        for staff_id, count in totals.items():
            chunk = unread(count) + self._ring.id_line(self._ring.position)
            for stream in list(self._audience.of_staff(staff_id)):
                stream.put(chunk)
