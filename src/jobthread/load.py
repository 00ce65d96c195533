"""A closed-loop load over HTTP/1.1 keep-alive connections: as little work per request as Python allows."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Request = bytes


@dataclass(frozen=True)
class Figures:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    """Answers that were not 2xx."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Request:
    lines = [f"{method} {path} HTTP/1.1", "host: bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def load(
    host: str, port: int, clients: int, seconds: float, requests_of: Callable[[int], Iterator[Request]]
) -> Figures:
    """Each of `clients` sends its next request when its last one is answered, for `seconds`."""
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    connections = [
        (await loop.create_connection(lambda n=n: _Client(requests_of(n), until), host, port))[1]  # type: ignore[misc]
        for n in range(clients)
    ]
    started = time.perf_counter()
    await asyncio.gather(*(connection.done for connection in connections))
    took = time.perf_counter() - started
    waits = sorted(wait for connection in connections for wait in connection.waits)
    return Figures(
        requests=len(waits),
        seconds=took,
        p50_ms=_at(waits, 0.5) * 1000,
        p99_ms=_at(waits, 0.99) * 1000,
        refused=sum(connection.refused for connection in connections),
    )


class _Client(asyncio.Protocol):
    def __init__(self, requests: Iterator[Request], until: float) -> None:
        self.requests = requests
        self.until = until
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waits: list[float] = []
        self.refused = 0
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.ask()

    def ask(self) -> None:
        self.asked = time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.got += data
        if not _complete(self.got):
            return
        now = time.perf_counter()
        self.waits.append(now - self.asked)
        if self.got[9:10] != b"2":
            self.refused += 1
        self.got = b""
        if now < self.until:
            self.ask()
        else:
            self.transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))


def _complete(answer: bytes) -> bool:
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = answer.find(b"content-length: ")
    if length < 0 or length > head:
        return True
    return len(answer) >= head + 4 + int(answer[length + 16 : answer.find(b"\r", length)])


def _at(rising: list[float], share: float) -> float:
    return rising[min(len(rising) - 1, int(len(rising) * share))] if rising else 0.0
