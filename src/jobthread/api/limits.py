"""How fast one person may write: counted in this process only, since a message is cheap to count wrong."""

import time
from dataclasses import dataclass, field

from jobthread.entities import Caller, Staff
from jobthread.store.limits import SECOND, Rate, next_full_at

STAFF = Rate(burst=60, every=SECOND // 2)
CUSTOMERS = Rate(burst=20, every=2 * SECOND)
REMEMBERED = 10_000


@dataclass
class MessageLimits:
    """None of the rates: no limit, where a setting turns all limits off."""

    staff: Rate | None = STAFF
    customers: Rate | None = CUSTOMERS
    _full_at: dict[tuple[bool, int], int] = field(default_factory=dict)

    def spend(self, caller: Caller) -> None:
        """Raises `RateLimited` where the caller writes too fast."""
        is_staff = isinstance(caller, Staff)
        rate = self.staff if is_staff else self.customers
        if rate is None:
            return
        now = time.monotonic_ns() // 1000
        key = (is_staff, caller.id if isinstance(caller, Staff) else caller.link_id)
        self._full_at[key] = next_full_at(self._full_at.get(key, 0), now, rate)
        if len(self._full_at) > REMEMBERED:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}


TYPING_SECONDS = 1.0
"""Others hear at most so often that somebody types."""


@dataclass
class TypingLimits:
    _told_at: dict[tuple[bool, int, int], float] = field(default_factory=dict)

    def spend(self, caller: Caller, thread_id: int) -> bool:
        """Whether it is time to tell the others again."""
        now = time.monotonic()
        is_staff = isinstance(caller, Staff)
        key = (is_staff, caller.id if isinstance(caller, Staff) else caller.link_id, thread_id)
        if now - self._told_at.get(key, -TYPING_SECONDS) < TYPING_SECONDS:
            return False
        self._told_at[key] = now
        if len(self._told_at) > REMEMBERED:
            self._told_at = {key: at for key, at in self._told_at.items() if at > now - TYPING_SECONDS}
        return True
