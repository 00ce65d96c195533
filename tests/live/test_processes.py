"""Several servers on one PostgreSQL: what happens at one is heard at the other."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests import postgres, serving
from tests.cast import Cast, gather, ok
from tests.live.listening import listening
from tests.live.test_rights import nothing_more
from tests.serving import Serving, serve

KILL_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jobthread listening'"
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Serving]]:
    url = postgres.new_database(postgres.postgres_server())
    one, other = (serve(url, tmp_path_factory.mktemp(name)) for name in ("one", "other"))
    yield one, other
    one.stop()
    other.stop()


@pytest.fixture
def cast(servers: tuple[Serving, Serving]) -> Iterator[Cast]:
    """Everybody at the first server."""
    serving.empty(servers[0])
    for server in servers:
        server.parts.callers.forget()
    yield gather(servers[0])
    servers[0].close_browsers()


@pytest.fixture
def elsewhere(servers: tuple[Serving, Serving]) -> str:
    """The other server's address."""
    return servers[1].url


def test_what_is_said_at_one_is_heard_at_the_other(cast: Cast, elsewhere: str) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom, url=elsewhere) as tom, listening(cast.dan, url=elsewhere) as dan:
        said = cast.dora.writes(thread, "Hello")
        assert tom.waits_for_body("Hello") == {"thread_id": thread["id"], "message": said}
        tom.waits_for("unread", lambda data: data["unread_count"] == 1)
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/typing"), 204)
        tom.waits_for("typing")
        ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
        tom.waits_for("read")
        tom.waits_for("unread", lambda data: data["unread_count"] == 0)
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
        tom.waits_for("thread.updated", lambda data: data["thread"]["status"] == "closed")
        assert dan.events == []


def test_it_is_heard_once(cast: Cast, elsewhere: str) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom, url=elsewhere) as there, listening(cast.tom) as here:
        for n in range(50):
            cast.dora.writes(thread, str(n))
        for ears in (there, here):
            ears.waits_for_body("49")
            assert ears.bodies() == [str(n) for n in range(50)]


def test_who_is_deactivated_at_one_hears_no_more_at_the_other(cast: Cast, elsewhere: str) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom, url=elsewhere) as tom, nothing_more(cast, tom, thread):
        ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))


def test_a_link_withdrawn_at_one_ends_the_stream_at_the_other(cast: Cast, elsewhere: str) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    link = cast.dora.sends_link(cast.boiler, channels=[])
    carol = cast.opens(link)
    with listening(carol, url=elsewhere) as ears, nothing_more(cast, ears, thread):
        ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)


def test_who_is_removed_at_one_hears_no_more_at_the_other(cast: Cast, elsewhere: str) -> None:
    thread, other = cast.dora.opens_thread(cast.tom), cast.dora.opens_thread(cast.tom)
    with listening(cast.tom, url=elsewhere) as tom:
        ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)
        cast.dora.writes(thread, "canary")
        cast.dora.writes(other, "for Tom")
        tom.waits_for_body("for Tom")
        assert "canary" not in "".join(tom.lines)


def test_a_right_whose_end_nobody_told_ends_with_the_next_event(
    cast: Cast, servers: tuple[Serving, Serving], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    one, other = servers
    with listening(cast.tom, url=other.url) as tom, listening(cast.dora, url=other.url) as dora:
        with monkeypatch.context() as cut:
            cut.setattr(one.parts.hub, "elsewhere", lambda news: None)
            ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
        cast.dora.writes(thread, "canary")
        dora.waits_for_body("canary")
        tom.waits_for_the_end()
        assert "canary" not in "".join(tom.lines)


def test_what_a_server_wrote_and_could_not_tell_is_found_within_seconds(
    cast: Cast, servers: tuple[Serving, Serving], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    one, other = servers
    with listening(cast.tom, url=other.url) as tom:
        cast.dora.writes(thread, "told")
        tom.waits_for_body("told")
        with monkeypatch.context() as cut:
            cut.setattr(one.parts.hub, "elsewhere", lambda news: None)
            cast.dora.writes(thread, "swallowed")
            cast.dora.writes(thread, "swallowed, too")
        began = time.monotonic()
        tom.waits_for_body("swallowed, too")
        assert tom.bodies() == ["told", "swallowed", "swallowed, too"]
        assert time.monotonic() - began < 8


def test_a_listener_whose_connection_is_killed_comes_back_and_lets_everybody_look(
    cast: Cast, elsewhere: str
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom, url=elsewhere) as tom:
        with postgres.postgres_server().connect() as admin:
            assert admin.execute(KILL_LISTENERS).fetchall()
        tom.waits_for("resync")
        cast.dora.writes(thread, "after")
        tom.waits_for_body("after")
        assert tom.ended_at is None


def test_notices_come_over_the_address_that_is_set_for_them(tmp_path: Path) -> None:
    """A pooler in front of the database passes none on."""
    cluster = postgres.postgres_server()
    url, direct = postgres.new_database(cluster), postgres.new_database(cluster)
    server = serve(url, tmp_path, LISTEN_URL=direct)
    try:
        asked = "SELECT datname FROM pg_stat_activity WHERE application_name = 'jobthread listening'"
        with cluster.connect() as admin:
            listening_in = {row[0] for row in admin.execute(asked).fetchall()}
        assert make_url(direct).database in listening_in
        assert make_url(url).database not in listening_in
    finally:
        server.stop()
