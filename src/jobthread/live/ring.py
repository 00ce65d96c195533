"""What happened lately, by number: whoever lost the connection for a moment is told what they missed."""

import secrets
from collections import deque
from collections.abc import Iterable
from itertools import islice

from jobthread.entities import News

KEPT = 10_000


class Ring:
    """Of this process and this start: another one's ids say nothing here."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(4).encode()
        self.position = 0
        self._kept: deque[News] = deque(maxlen=KEPT)

    def add(self, news: Iterable[News]) -> None:
        for one in news:
            self.position += 1
            self._kept.append(one)

    def skip(self) -> None:
        """Something is missing here that nobody can be told any more."""
        self._kept.clear()
        self.position += 1

    def id_line(self, position: int) -> bytes:
        """Ends the event before it, too."""
        return b"id: %b-%d\n\n" % (self._start, position)

    def after(self, event_id: str) -> list[tuple[int, News]] | None:
        """What came after that event; None where it cannot be told."""
        start, _, number = event_id.partition("-")
        if start.encode() != self._start or not (number.isascii() and number.isdigit()):
            return None
        missed = self.position - int(number[:18])
        if not 0 <= missed <= len(self._kept):
            return None
        latest = islice(self._kept, len(self._kept) - missed, None)
        return list(enumerate(latest, self.position - missed + 1))
