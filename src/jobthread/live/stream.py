"""One open stream: a small ASGI response that sends what it is given, and is cut where nobody reads it."""

import asyncio
import random
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from jobthread.entities import Caller, Micros, Reader, Staff, Visitor
from jobthread.policy import Sight, sight_of
from jobthread.store.grounds import Ground
from jobthread.store.views import reader_of

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_CHUNKS = 256
MOST_BYTES = 64 * 1024
"""What may wait for a slow reader when more comes, beside what the system's own buffers hold.

The bytes themselves are one object for all who are told the same.
"""
PIECE = 32 * 1024
"""Bytes handed to the server at once, which copies them for each reader."""
SYSTEM_BUFFER = 32 * 1024
WRITE_BUFFER = 16 * 1024
BEAT_SECONDS = 15.0
LIFE_SECONDS = 3600.0
PARTING_SECONDS = 0.7
"""How long an ended stream may take to be read to its end."""
RETRY_MS = (1_000, 5_000)
"""When a client comes back: spread, so that a restart is no stampede."""

HEAD: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream"),
        # Some proxies keep an answer back until it is whole, unless told not to.
        (b"x-accel-buffering", b"no"),
        # Nothing else comes over this connection: it may be cut after the answer has ended, too.
        (b"connection", b"close"),
    ],
}


class Stream:
    """Made by the hub, called by the server."""

    __slots__ = (
        "_buffer",
        "_ended",
        "_pump",
        "_send",
        "_sent_of_first",
        "_size",
        "beat_at",
        "caller",
        "closed",
        "ground",
        "held_until",
        "on_close",
        "on_stall",
        "reader",
        "sight",
        "transport",
        "until",
    )

    def __init__(
        self,
        ground: Ground,
        caller: Caller,
        on_close: Callable[["Stream"], None],
        on_stall: Callable[[], None],
    ) -> None:
        self.ground = ground
        self.on_close = on_close
        self.on_stall = on_stall
        self.transport: Any = None
        """Where the server lends it: to hang up on those who do not read."""
        self.closed = False
        """Nobody is there any more, or the answer is complete."""
        self.be(caller)
        self.held_until: Micros | None = None
        """What it stands on runs out then, where it is not made longer meanwhile."""
        now = asyncio.get_running_loop().time()
        self.beat_at = now + random.uniform(0, BEAT_SECONDS)  # noqa: S311
        self.until = now + LIFE_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311
        self._buffer: deque[bytes] = deque()
        self._sent_of_first = 0
        self._size = 0
        self._send: Send | None = None
        self._pump: asyncio.Task[None] | None = None
        self._ended = False

    def be(self, caller: Caller) -> None:
        """Who listens, as they are by now."""
        self.caller = caller
        self.sight: Sight = sight_of(caller)
        self.reader: Reader = reader_of(caller)

    @property
    def staff_id(self) -> int | None:
        return self.caller.id if isinstance(self.caller, Staff) else None

    @property
    def job_id(self) -> int | None:
        return self.caller.job_id if isinstance(self.caller, Visitor) else None

    @property
    def live(self) -> bool:
        return not self._ended and not self.closed

    def expired(self, now: Micros) -> bool:
        """For certain: a link's end stands in the link, while a session lasts longer with each call."""
        return isinstance(self.caller, Visitor) and self.caller.expires_at <= now

    def may_have_run_out(self, now: Micros) -> bool:
        return self.held_until is not None and self.held_until <= now

    # --- what the hub does ------------------------------------------------------------------------

    def put(self, chunk: bytes) -> None:
        """Send it, in its turn. A reader that has fallen too far behind is cut, and comes back."""
        if not self.live:
            return
        if self._size > MOST_BYTES or len(self._buffer) >= MOST_CHUNKS:
            self.on_stall()
            self.cut()
            return
        self._size += len(chunk)
        self._buffer.append(chunk)
        self._go_on()

    def end(self, *, unheard: bool = False) -> None:
        """Send what waits, then end; `unheard`: what waits is not for these ears any more."""
        if not self.live:
            return
        self._ended = True
        if unheard:
            self._drop()
        asyncio.get_running_loop().call_later(PARTING_SECONDS, self.cut)
        self._go_on()

    def cut(self) -> None:
        """Hang up, whatever was not read by then.

        Also where the answer is complete: its end may lie in a buffer that nobody reads.
        """
        self._ended = True
        self._drop()
        if self.transport is not None:
            self.transport.abort()

    def _drop(self) -> None:
        self._buffer.clear()
        self._sent_of_first = 0

    # --- what the server does ---------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.transport = scope.get("transport")
        self._keep_buffers_small()
        try:
            # The layers around it add headers of their own to what they are handed.
            await send(dict(HEAD))
            self._send = send
            self._go_on()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.closed = True
            if self._pump is not None:
                self._pump.cancel()
            self.on_close(self)

    def _go_on(self) -> None:
        if self._send is not None and self._pump is None and (self._buffer or self._ended):
            self._pump = asyncio.get_running_loop().create_task(self._pumping(self._send))

    async def _pumping(self, send: Send) -> None:
        try:
            while self._buffer:
                piece = self._piece()
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if self._ended:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._pump = None

    def _piece(self) -> bytes:
        first = self._buffer[0]
        if len(first) > PIECE:
            if not self._sent_of_first:
                # Much at once is no sign of a stalled reader: only what gathers behind it is.
                self._size -= len(first)
            end = self._sent_of_first + PIECE
            piece = first[self._sent_of_first : end]
            self._sent_of_first = end
            if end >= len(first):
                self._sent_of_first = 0
                self._buffer.popleft()
            return piece
        taken: list[bytes] = []
        size = 0
        while self._buffer and size + len(self._buffer[0]) <= PIECE:
            taken.append(self._buffer.popleft())
            size += len(taken[-1])
        self._size -= size
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _keep_buffers_small(self) -> None:
        """A reader that stalls must cost little, and be noticed before much has gone its way."""
        if self.transport is None:
            return
        with suppress(Exception):
            self.transport.set_write_buffer_limits(high=WRITE_BUFFER)
            _cap(self.transport.get_extra_info("socket"))


def _cap(found: Any) -> None:
    found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_BUFFER)


def retry_line() -> bytes:
    return b"retry: %d\n" % random.randint(*RETRY_MS)  # noqa: S311
