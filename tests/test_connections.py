"""What goes out on a connection: an answer in one piece, and nothing kept back that nobody follows up."""

import asyncio
import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from jobthread.connections import Connection
from tests.serving import Serving

GET = b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n"
Sent = list[bytes]


class Wire(asyncio.Transport):
    """Remembers each write as the system would be asked for it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: Sent = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def written(headers: list[tuple[bytes, bytes]], pieces: list[bytes], request: bytes = GET) -> list[Sent]:
    """The writes there had been after the head, and after each piece of the body."""
    found: list[Sent] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        found.append(list(wire.writes))
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})
            found.append(list(wire.writes))

    async def story() -> None:
        connection = Connection(Config(app, ws="none", log_config=None), ServerState(), {})
        connection.connection_made(wire)
        connection.data_received(request)
        await asyncio.gather(*connection.tasks)
        connection.connection_lost(None)

    wire = Wire()
    asyncio.run(story())
    return found


def test_a_head_leaves_with_its_body() -> None:
    before, after = written([(b"content-length", b"5")], [b"hello"])
    assert before == []
    assert len(after) == 1
    assert after[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert after[0].endswith(b"\r\n\r\nhello")


def test_a_long_answer_in_pieces_arrives_in_order() -> None:
    *_, after = written([(b"content-length", b"10")], [b"hello", b"HTTP/", b""])
    assert b"".join(after).endswith(b"\r\n\r\nhelloHTTP/")


def test_the_head_of_a_stream_waits_for_nothing() -> None:
    before, first, _ = written([(b"content-type", b"text/event-stream")], [b"data: 1\n\n", b""])
    assert [len(before), len(first)] == [1, 2]


@pytest.mark.parametrize("length", [b"0", b"5"])
def test_an_answer_without_a_body_is_sent_all_the_same(length: bytes) -> None:
    body = b"hello"[: int(length)]
    _, after = written([(b"content-length", length)], [body], GET.replace(b"GET", b"HEAD"))
    assert len(after) == 1
    assert after[0].endswith(b"content-length: " + length + b"\r\n\r\n")


def test_what_is_closed_at_once_is_sent_before() -> None:
    _, after = written(
        [(b"content-length", b"5")], [b"hello"], GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    )
    assert after[0].endswith(b"hello")


def test_a_connection_goes_on_after_an_answer_to_head(server: Serving) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, "/healthz")
        answer = connection.getresponse()
        assert bool(answer.read()) == (method == "GET")
    connection.close()
