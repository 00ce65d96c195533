"""Processes that are killed and a database that goes away, with streams open: nobody misses anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests import postgres
from tests.cast import Cast, Colleague, gather
from tests.faults import process
from tests.faults.process import server_process
from tests.live.knowing import Knowing, signed_in, writing_on
from tests.live.listening import listening
from tests.serving import browser, serve, wait_until

MODES: tuple[Literal["fast", "immediate"], ...] = ("fast", "immediate")


@pytest.fixture
def own() -> Iterator[postgres.Server]:
    """A PostgreSQL that nobody else uses."""
    server = postgres.start_server()
    yield server
    postgres.remove(server)


@pytest.mark.timeout(180)
def test_nothing_is_missed_while_postgresql_is_stopped_and_started_under_load(
    own: postgres.Server, tmp_path: Path
) -> None:
    url = postgres.new_database(own)
    one, other = serve(url, tmp_path), serve(url, tmp_path)
    try:
        cast = gather(one)
        thread = cast.dora.opens_thread(cast.tom, cast.tara)
        with listening(cast.tom, url=other.url) as tom, listening(cast.tara) as tara:
            pages = [Knowing(cast.tom, tom, thread), Knowing(cast.tara, tara, thread)]
            with writing_on(cast.dora, thread) as said:
                for mode in MODES:
                    go_on_for(20, said)
                    postgres.restart(own, mode)
                go_on_for(20, said)
            for page in pages:
                wait_until(lambda page=page: page.knows(*said))  # type: ignore[misc]
            assert pages[0].known == pages[1].known
            assert [body for _, body in sorted(pages[0].known.items()) if body] == said
            assert (tom.ended_at, tara.ended_at) == (None, None)
    finally:
        one.stop()
        other.stop()


def go_on_for(messages: int, said: list[str]) -> None:
    goal = len(said) + messages
    wait_until(lambda: len(said) >= goal)


@pytest.mark.timeout(180)
def test_what_a_process_wrote_before_it_was_killed_is_heard_at_the_other(tmp_path: Path) -> None:
    url = postgres.new_database(postgres.postgres_server())
    stays = serve(url, tmp_path)
    try:
        cast = gather(stays)
        thread = cast.dora.opens_thread(cast.tom)
        with server_process(tmp_path / "killed", url) as killed, listening(cast.tom) as tom:
            page = Knowing(cast.tom, tom, thread)
            for _ in range(2):
                process.start(killed)
                dora = at(killed.url, cast.dora, cast)
                with writing_on(dora, thread, lambda: process.runs(killed)) as said:
                    go_on_for(20, said)
                    process.kill(killed)
                wait_until(lambda said=said: page.knows(*said), 8.0)  # type: ignore[misc]
            # Also what was written and could not be acknowledged any more.
            wait_until(lambda: len(page.known) == len(read_all(cast.tom, thread)), 8.0)
            assert not tom.heard("resync")
            assert tom.ended_at is None
    finally:
        stays.stop()


def at(url: str, who: Colleague, cast: Cast) -> Colleague:
    http = browser(cast.serving)
    http.base_url = url
    http.cookies.update(who.http.cookies)
    return Colleague(who.staff, http)


def read_all(who: Colleague, thread: dict[str, object]) -> dict[int, str]:
    asked = Knowing(who, None, thread)  # type: ignore[arg-type]
    asked.look()
    return asked.known


@pytest.mark.timeout(180)
def test_who_listened_to_a_killed_server_comes_back_and_has_missed_nothing(
    fresh_url: str, tmp_path: Path
) -> None:
    with server_process(tmp_path / "data", fresh_url) as server:
        process.start(server, "--demo")
        tom, dora = (signed_in(server.url, name) for name in ("tom", "dora"))
        thread = dora.opens_thread(tom)
        with listening(tom) as before, writing_on(dora, thread) as said:
            page = Knowing(tom, before, thread)
            go_on_for(20, said)
            page.listen()
            process.kill(server)
            before.waits_for_the_end()
            process.start(server)
            with listening(tom, last_event_id=before.last_id) as after:
                after.waits_for("resync")
                page.ears, page.taken = after, 0
                go_on_for(20, said)
                wait_until(lambda: page.knows(*said))
        for who in (tom, dora):
            who.http.close()
