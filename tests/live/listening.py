"""Somebody who listens to a stream: what they hear, and when it ends."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.cast import Colleague, CustomerAtHome
from tests.serving import PATIENCE_SECONDS, wait_until

Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    name: str
    data: Json
    id: str


@dataclass
class Ears:
    """What came in so far."""

    events: list[Event] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    status: int = 0
    last_id: str = ""
    ended_at: float | None = None
    broken: Exception | None = None
    _line: socket.socket | None = None

    @property
    def opened(self) -> bool:
        """The first line with an id says that nothing from now on is missed."""
        return bool(self.last_id) or self.ended_at is not None

    def heard(self, name: str) -> list[Json]:
        return [event.data for event in list(self.events) if event.name == name]

    def bodies(self) -> list[str]:
        """Of what people said: that the thread was made may be told late, to who came meanwhile."""
        said = [data["message"] for data in self.heard("message.created")]
        return [message["body"] for message in said if message["kind"] == "message"]

    def waits_for(self, name: str, fits: Callable[[Json], bool] = lambda data: True) -> Json:
        wait_until(lambda: any(fits(data) for data in self.heard(name)))
        return next(data for data in self.heard(name) if fits(data))

    def waits_for_body(self, body: str) -> Json:
        return self.waits_for("message.created", lambda data: data["message"]["body"] == body)

    def waits_for_the_end(self, seconds: float = PATIENCE_SECONDS) -> None:
        wait_until(lambda: self.ended_at is not None, seconds)

    def hang_up(self) -> None:
        if self._line is not None:
            # It may be gone already.
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


@contextmanager
def listening(
    who: Colleague | CustomerAtHome, last_event_id: str | None = None, url: str | None = None
) -> Iterator[Ears]:
    """From when the server says that it listens for us, until the end of the block."""
    ears = Ears()
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in who.http.cookies.items())}
    if "authorization" in who.http.headers:
        headers["Authorization"] = who.http.headers["authorization"]
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    at = urlsplit(url or str(who.http.base_url))
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=PATIENCE_SECONDS)
    path = "/api/chat/events" if isinstance(who, Colleague) else f"{who.path.removesuffix('/thread')}/events"
    thread = threading.Thread(target=_listen, args=(ears, connection, path, headers), daemon=True)
    thread.start()
    wait_until(lambda: ears.opened)
    try:
        yield ears
    finally:
        ears.hang_up()
        thread.join(PATIENCE_SECONDS)
        connection.close()


def _listen(ears: Ears, connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    try:
        connection.request("GET", path, headers=headers)
        ears._line = connection.sock
        response = connection.getresponse()
        ears.status = response.status
        name, data = "message", ""
        while line := response.readline():
            text = line.decode().rstrip("\n")
            ears.lines.append(text)
            key, _, value = text.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                data = value
            elif key == "id":
                ears.last_id = value
            elif not text and data:
                ears.events.append(Event(name, json.loads(data), ears.last_id))
                name, data = "message", ""
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as broken:
        ears.broken = broken
    finally:
        ears.ended_at = time.monotonic()
