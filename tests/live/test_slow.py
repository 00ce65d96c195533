"""Readers that stall, and the end of a server: neither holds anything up."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from jobthread.live.stream import WRITE_BUFFER
from tests.cast import Cast, Colleague, gather
from tests.live.listening import listening
from tests.serving import serve, wait_until

STOPS_WITHIN_SECONDS = 3.0


@contextmanager
def stalled(who: Colleague) -> Iterator[socket.socket]:
    """Asks for the stream, and never reads a byte of it."""
    at = who.http.base_url
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((at.host, at.port))
        cookie = "; ".join(f"{name}={value}" for name, value in who.http.cookies.items())
        line.sendall(f"GET /api/chat/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
        yield line


def test_a_reader_that_stalls_is_cut_and_the_others_do_not_notice(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, cast.tara)
    audience = cast.serving.parts.hub.audience
    wait_until(lambda: not audience.all)
    with stalled(cast.tara), listening(cast.tom) as tom:
        wait_until(lambda: len(audience.all) == 2)
        for n in range(60):
            cast.dora.writes(thread, f"{n}: " + "x" * 9_000)
        tom.waits_for("message.created", lambda data: data["message"]["body"].startswith("59: "))
        wait_until(lambda: len(audience.all) == 1)
        assert len(tom.bodies()) == 60
        assert not tom.heard("resync")


def test_a_stalled_reader_who_comes_back_gets_what_was_missed(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tara)
    with listening(cast.tara) as tara:
        last = tara.last_id
    audience = cast.serving.parts.hub.audience
    wait_until(lambda: not audience.all)
    with stalled(cast.tara):
        wait_until(lambda: audience.all)
        for n in range(60):
            cast.dora.writes(thread, f"{n}: " + "x" * 9_000)
        wait_until(lambda: not audience.all)
    with listening(cast.tara, last_event_id=last) as again:
        wait_until(lambda: again.ended_at is not None or again.heard("resync") or len(again.bodies()) == 60)
        assert again.bodies() == [f"{n}: " + "x" * 9_000 for n in range(60)]


def test_a_bounded_life_ends_and_is_resumed(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as tom:
        for stream in list(cast.serving.parts.hub.audience.all):
            stream.until = 0.0
        tom.waits_for_the_end()
        assert tom.broken is None
    cast.dora.writes(thread, "meanwhile")
    with listening(cast.tom, last_event_id=tom.last_id) as again:
        again.waits_for_body("meanwhile")


def test_a_heartbeat_keeps_the_connection_and_the_last_id_fresh(cast: Cast) -> None:
    others = cast.dora.opens_thread(cast.dan)
    with listening(cast.tom) as tom:
        first = tom.last_id
        cast.dora.writes(others, "not for Tom")
        for stream in list(cast.serving.parts.hub.audience.all):
            stream.beat_at = 0.0
        wait_until(lambda: ":" in [line.strip() for line in tom.lines])
        wait_until(lambda: tom.last_id != first)
        assert tom.events == []


@pytest.mark.parametrize("readers", ["reading", "stalled"])
def test_open_streams_do_not_delay_the_stop(fresh_url: str, tmp_path: Path, readers: str) -> None:
    server = serve(fresh_url, tmp_path)
    cast = gather(server)
    audience = server.parts.hub.audience
    if readers == "reading":
        with listening(cast.tom) as tom, listening(cast.dora):
            began = time.monotonic()
            server._server.should_exit = True
            tom.waits_for_the_end()
            assert tom.broken is None
            server._thread.join(20)
            assert time.monotonic() - began < STOPS_WITHIN_SECONDS
    else:
        thread = cast.dora.opens_thread(cast.tom)
        with stalled(cast.tom):
            wait_until(lambda: audience.all)
            for n in range(8):
                cast.dora.writes(thread, f"{n}: " + "x" * 9_000)
            began = time.monotonic()
            server._server.should_exit = True
            server._thread.join(20)
            assert time.monotonic() - began < STOPS_WITHIN_SECONDS
    server.stop()


def test_what_a_reader_has_left_in_the_buffer_does_not_delay_the_stop(fresh_url: str, tmp_path: Path) -> None:
    """Too little for the answer's end to wait behind it; so the answer is complete, and never read."""
    server = serve(fresh_url, tmp_path)
    cast = gather(server)
    audience = server.parts.hub.audience
    thread = cast.dora.opens_thread(cast.tom)
    with stalled(cast.tom), listening(cast.dora) as dora:
        wait_until(lambda: len(audience.all) == 2)
        [stream] = audience.of_staff(cast.tom.id)
        for n in count():
            if stream.transport.get_write_buffer_size():
                break
            cast.dora.writes(thread, f"{n}: " + "x" * 4_000)
            dora.waits_for_body(f"{n}: " + "x" * 4_000)
        assert stream.transport.get_write_buffer_size() < WRITE_BUFFER
        began = time.monotonic()
        server._server.should_exit = True
        server._thread.join(20)
        assert time.monotonic() - began < STOPS_WITHIN_SECONDS
    server.stop()
