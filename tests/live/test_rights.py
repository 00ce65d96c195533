"""Each way of losing access, with a stream open: nothing more is heard, and ground that is lost ends it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jobthread.actions import people as people_actions
from jobthread.entities import Role
from jobthread.store import sessions
from jobthread.store.database import Database, wall_clock
from jobthread.tokens import hash_of
from tests.cast import NOBODY, PASSWORD, SESSION_COOKIE, Cast, Colleague, CustomerAtHome, exchange_of, ok
from tests.live.listening import Ears, listening

AT_ONCE_SECONDS = 1.0
HOUR = 3_600_000_000


@contextmanager
def nothing_more(cast: Cast, ears: Ears, thread: dict[str, Any]) -> Iterator[None]:
    """What is done in here costs the listener their ground: the stream ends at once, and says no more."""
    cast.ada.writes(thread, "before")
    ears.waits_for_body("before")
    with listening(cast.ada) as witness:
        yield
        lost_at = time.monotonic()
        cast.ada.writes(thread, "after")
        witness.waits_for_body("after")
    ears.waits_for_the_end()
    assert ears.ended_at is not None
    assert ears.ended_at - lost_at < AT_ONCE_SECONDS
    assert "after" not in ears.bodies()


def is_refused(who: Colleague | CustomerAtHome, ears: Ears) -> bool:
    """Also to who names the last event they heard."""
    with listening(who, last_event_id=ears.last_id) as again:
        return again.status == 401 and not again.events


def test_a_deactivated_technician(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as ears:
        with nothing_more(cast, ears, thread):
            ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
        assert is_refused(cast.tom, ears)


def test_who_signs_out(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as ears:
        token = cast.tom.http.cookies[SESSION_COOKIE]
        with nothing_more(cast, ears, thread):
            ok(cast.tom.post("/api/auth/logout"), 204)
        cast.tom.http.cookies.set(SESSION_COOKIE, token)
        assert is_refused(cast.tom, ears)


def test_whose_session_runs_out_unused(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    token_hash = hash_of(cast.tom.http.cookies[SESSION_COOKIE])
    ends_at = wall_clock() + HOUR
    cast.serving.write(lambda tx: sessions.extend(tx, token_hash, ends_at))
    with listening(cast.tom) as ears:
        with nothing_more(cast, ears, thread):
            cast.serving.clock.pass_time(hours=1, seconds=1)
        assert is_refused(cast.tom, ears)


def test_whose_session_was_used_meanwhile_listens_on(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    token_hash = hash_of(cast.tom.http.cookies[SESSION_COOKIE])
    ends_at = wall_clock() + HOUR
    cast.serving.write(lambda tx: sessions.extend(tx, token_hash, ends_at))
    with listening(cast.tom) as ears:
        cast.serving.write(lambda tx: sessions.extend(tx, token_hash, ends_at + HOUR))
        cast.serving.clock.pass_time(hours=1, seconds=1)
        cast.dora.writes(thread, "after")
        ears.waits_for_body("after")
        assert ears.ended_at is None


@pytest.mark.usefixtures("quick_hashes")
def test_a_thief_whose_victim_changes_the_password(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    thief = Colleague(cast.tom.staff, cast.stranger())
    ok(thief.post("/api/auth/login", {"email": "tom@example.com", "password": PASSWORD}))
    with listening(thief) as ears, listening(cast.tom) as own:
        with nothing_more(cast, ears, thread):
            ok(
                cast.tom.post("/api/auth/password", {"current": PASSWORD, "new": "a spanner in the works"}),
                204,
            )
        own.waits_for_body("after")
        assert is_refused(thief, ears)


def test_a_service_whose_key_is_revoked(cast: Cast) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    key = cast.serving.write(lambda tx: people_actions.add_api_key(tx, NOBODY, "CRM", Role.DISPATCHER))
    service = Colleague(cast.dora.staff, cast.stranger(Authorization=f"Bearer {key}"))
    with listening(service) as ears:
        with nothing_more(cast, ears, thread):
            cast.serving.write(lambda tx: people_actions.revoke_api_key(tx, NOBODY, "CRM"))
        assert is_refused(service, ears)


def test_a_key_that_another_process_revokes_is_noticed_at_once(cast: Cast) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    key = cast.serving.write(lambda tx: people_actions.add_api_key(tx, NOBODY, "CRM", Role.DISPATCHER))
    service = Colleague(cast.dora.staff, cast.stranger(Authorization=f"Bearer {key}"))
    elsewhere = Database(cast.serving.settings.database_url)
    with listening(service) as ears, nothing_more(cast, ears, thread):
        asyncio.run(elsewhere.write(lambda tx: people_actions.revoke_api_key(tx, NOBODY, "CRM")))
    elsewhere.close()


def withdrawn(cast: Cast, link: dict[str, Any]) -> None:
    ok(cast.dan.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)


def expired(cast: Cast, link: dict[str, Any]) -> None:
    cast.serving.clock.pass_time(days=8)


def job_closed(cast: Cast, link: dict[str, Any]) -> None:
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"status": "closed"}))


def other_contact(cast: Cast, link: dict[str, Any]) -> None:
    ok(cast.dora.patch(f"/api/customers/{cast.boiler.customer.id}", {"email": "new@example.com"}))


@pytest.mark.parametrize("lost", [withdrawn, expired, job_closed, other_contact])
@pytest.mark.parametrize("by", ["cookie", "token"])
def test_a_customer_whose_link_ends(
    cast: Cast, lost: Callable[[Cast, dict[str, Any]], None], by: str
) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    link = cast.dora.sends_link(cast.boiler, channels=["email"])
    carol = cast.opens(link)
    if by == "token":
        token = exchange_of(link["url"])["token"]
        carol = CustomerAtHome(carol.job_id, cast.stranger(Authorization=f"Bearer {token}"))
    with listening(carol) as ears:
        with nothing_more(cast, ears, thread):
            lost(cast, link)
        assert is_refused(carol, ears)


def test_a_removed_technician_hears_that_and_nothing_more(cast: Cast) -> None:
    thread, other = cast.dora.opens_thread(cast.tom), cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as tom:
        for n in range(10):
            ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tom.id]}))
            cast.dora.writes(thread, f"inside {n}")
            ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)
            cast.dora.writes(thread, f"outside {n}")
        cast.dora.writes(other, "the end")
        tom.waits_for_body("the end")
        assert tom.heard("thread.removed")[-1] == {"thread_id": thread["id"]}
        assert tom.ended_at is None
        assert [body for body in tom.bodies() if "outside 9" in body] == []


def test_a_technician_removed_before_a_word_is_said_never_hears_it(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as tom, listening(cast.dora) as dora:
        ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)
        cast.dora.writes(thread, "canary")
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
        dora.waits_for("thread.updated", lambda data: data["thread"]["status"] == "closed")
        tom.waits_for("thread.removed")
        assert "canary" not in "".join(tom.lines)


def test_an_admin_made_technician_hears_no_more_of_what_others_say(cast: Cast) -> None:
    ok(cast.ada.patch(f"/api/users/{cast.dan.id}", {"role": "admin"}))
    thread, own = cast.dora.opens_thread(cast.tom), cast.dora.opens_thread(cast.dan)
    with listening(cast.dan) as dan:
        cast.dora.writes(thread, "before")
        dan.waits_for_body("before")
        ok(cast.ada.patch(f"/api/users/{cast.dan.id}", {"role": "technician"}))
        cast.dora.writes(thread, "canary")
        cast.dora.writes(own, "still for Dan")
        dan.waits_for_body("still for Dan")
        dan.waits_for("resync")
        assert "canary" not in "".join(dan.lines)


def test_a_session_that_ends_without_anybody_being_told_ends_with_the_next_heartbeat(cast: Cast) -> None:
    with listening(cast.tom) as tom:
        token = hash_of(cast.tom.http.cookies[SESSION_COOKIE])
        cast.serving.write(lambda tx: sessions.end(tx, token))
        for stream in list(cast.serving.parts.hub.audience.all):
            stream.beat_at = 0.0
        tom.waits_for_the_end()


def test_a_customers_stream_carries_nothing_internal(cast: Cast) -> None:
    shown = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    inner = cast.dora.opens_thread(cast.tom, job=cast.boiler, subject="canary subject")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    with listening(carol) as ears:
        for n in range(5):
            cast.tom.writes(inner, f"canary {n}")
            cast.tom.writes(shown, f"shown {n}")
            for deed in ("read", "close", "reopen"):
                ok(cast.dora.post(f"/api/chat/threads/{inner['id']}/{deed}"))
                ok(cast.dora.post(f"/api/chat/threads/{shown['id']}/{deed}"))
            ok(cast.tom.post(f"/api/chat/threads/{inner['id']}/typing"), 204)
        ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": "Boiler cold"}))
        ears.waits_for_body("shown 4")
        ears.waits_for("thread.updated", lambda data: data["thread"]["last_seq"] >= 15)
        heard = "".join(ears.lines)
        for foreign in ("canary", "@example.com", "participants", "visibility", '"needs_reply"', "internal"):
            assert foreign not in heard
