"""Customers who wait for an answer: since when, who has it, and what they are told while nobody is there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from jobthread.store.database import wall_clock
from tests import serving
from tests.cast import Cast, Colleague, CustomerAtHome, gather, ok, refused
from tests.conftest import DATABASES, database_url
from tests.live.listening import listening
from tests.serving import Clock, Serving

Json = dict[str, Any]


@pytest.fixture
def thread(cast: Cast) -> Json:
    return cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")


@pytest.fixture
def carol(cast: Cast, thread: Json) -> CustomerAtHome:
    return cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))


def found(who: Colleague, thread: Json) -> Json:
    answer: Json = ok(who.get(f"/api/chat/threads/{thread['id']}"))
    return answer


def waiting(who: Colleague, **asked: Any) -> list[int]:
    return [one["id"] for one in ok(who.get("/api/chat/threads", waiting=True, **asked))["threads"]]


def claim_of(thread: Json) -> str:
    return f"/api/chat/threads/{thread['id']}/claim"


def dora_has_it(cast: Cast) -> Json:
    return {"id": cast.dora.id, "name": "Dora"}


# --- since when -----------------------------------------------------------------------------------


def test_a_customer_waits_from_their_first_message_until_staff_write(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    cast.dora.writes(thread, "Tom comes at nine.")
    assert found(cast.dora, thread)["waiting_since"] is None
    first = carol.writes("Can he come at ten?")
    carol.writes("Or at eleven?")
    assert found(cast.dora, thread)["waiting_since"] == first["created_at"]
    cast.tom.writes(thread, "At ten then.")
    assert found(cast.dora, thread)["waiting_since"] is None
    again = carol.writes("Thank you. And the radiator?")
    assert found(cast.dora, thread)["waiting_since"] == again["created_at"]


def test_reading_joining_and_renaming_are_no_answer(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    said = carol.writes("Hello?")
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/read"))
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tara.id]}))
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": "Boiler cold"}))
    assert found(cast.dora, thread)["waiting_since"] == said["created_at"]


def test_what_is_repeated_changes_nothing(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    carol.writes("Hello?", client_msg_id="one")
    cast.dora.writes(thread, "Hello!")
    ok(carol.http.post(f"{carol.path}/messages", json={"body": "Hello?", "client_msg_id": "one"}))
    assert found(cast.dora, thread)["waiting_since"] is None


def test_nobody_waits_in_a_closed_thread_until_they_write_again(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Thank you!")
    ok(cast.dora.post(claim_of(thread)))
    closed = ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    assert (closed["waiting_since"], closed["claimed_by"]) == (None, None)
    again = carol.writes("One more thing", thread_id=thread["id"])
    assert found(cast.dora, thread)["waiting_since"] == again["created_at"]
    assert found(cast.dora, thread)["status"] == "open"


def test_nobody_waits_in_an_internal_thread(cast: Cast) -> None:
    inside = cast.tom.opens_thread(cast.dora, job=cast.boiler)
    cast.tom.writes(inside, "Anybody there?")
    assert found(cast.dora, inside)["waiting_since"] is None
    refused(cast.dora.post(claim_of(inside)), 409, "nothing_waits")


def test_those_that_wait_are_listed_the_longest_first_page_by_page(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    threads = [
        cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible") for _ in range(5)
    ]
    for number in (3, 0, 4, 1):
        carol.writes("Hello?", thread_id=threads[number]["id"])
    carol.writes("Still there?", thread_id=threads[3]["id"])
    expected = [threads[number]["id"] for number in (3, 0, 4, 1)]
    assert waiting(cast.dora) == expected
    assert waiting(cast.tom, mine=True) == expected
    assert waiting(cast.tara) == []
    seen: list[int] = []
    cursor: str | None = None
    for size in (3, 1):
        asked = {"cursor": cursor} if cursor else {}
        page = ok(cast.dora.get("/api/chat/threads", waiting=True, limit=3, **asked))
        seen += [one["id"] for one in page["threads"]]
        cursor = page["next_cursor"]
        assert len(page["threads"]) == size
    assert (seen, cursor) == (expected, None)
    not_waiting = ok(cast.dora.get("/api/chat/threads", waiting=False))["threads"]
    assert {one["id"] for one in not_waiting} & set(expected) == set()
    assert threads[2]["id"] in {one["id"] for one in not_waiting}


def test_customers_read_nothing_of_it(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    carol.writes("Hello?")
    ok(cast.dora.post(claim_of(thread)))
    told = carol.http.get(carol.path).text
    assert not any(word in told for word in ("waiting_since", "claimed", "escalated"))


# --- I have it ------------------------------------------------------------------------------------


def test_who_says_i_have_it_has_it_until_they_answer(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    said = carol.writes("Hello?")
    claimed = ok(cast.dora.post(claim_of(thread)))
    assert claimed["claimed_by"] == dora_has_it(cast)
    assert claimed["waiting_since"] == said["created_at"]
    carol.writes("Hello??")
    assert found(cast.tom, thread)["claimed_by"] == dora_has_it(cast)
    cast.dora.writes(thread, "Hello!")
    assert found(cast.tom, thread)["claimed_by"] is None
    carol.writes("And now?")
    assert found(cast.tom, thread)["claimed_by"] is None


def test_claiming_twice_claims_once_and_a_colleague_may_take_over(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    for who in (cast.dora, cast.dora, cast.tom):
        ok(who.post(claim_of(thread)))
    assert found(cast.dora, thread)["claimed_by"] == {"id": cast.tom.id, "name": "Tom"}
    entries = ok(cast.ada.get("/api/audit", action="thread_claimed"))["entries"]
    assert [(one["actor"]["name"], one["thread_id"]) for one in entries] == [
        ("Tom", thread["id"]),
        ("Dora", thread["id"]),
    ]


def test_giving_it_back_is_done_once_and_the_customer_waits_on(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    said = carol.writes("Hello?")
    ok(cast.dora.post(claim_of(thread)))
    for _ in range(2):
        given = ok(cast.dora.delete(claim_of(thread)))
        assert (given["claimed_by"], given["waiting_since"]) == (None, said["created_at"])
    assert len(ok(cast.ada.get("/api/audit", action="claim_dropped"))["entries"]) == 1


def test_where_nobody_waits_there_is_nothing_to_have(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    refused(cast.dora.post(claim_of(thread)), 409, "nothing_waits")
    carol.writes("Hello?")
    cast.tom.writes(thread, "Hello!")
    refused(cast.dora.post(claim_of(thread)), 409, "nothing_waits")
    assert ok(cast.dora.delete(claim_of(thread)))["claimed_by"] is None


def test_who_does_not_see_it_cannot_have_it(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    carol.writes("Hello?")
    refused(cast.tara.post(claim_of(thread)), 404, "not_found")
    refused(cast.tara.delete(claim_of(thread)), 404, "not_found")
    refused(carol.http.post(claim_of(thread)), 401, "not_authenticated")


def test_who_is_taken_out_and_sees_it_no_more_has_it_no_more(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    ok(cast.tom.post(claim_of(thread)))
    ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)
    assert found(cast.dora, thread)["claimed_by"] is None


def test_a_dispatcher_who_leaves_still_sees_it_and_has_it(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    ok(cast.dora.post(claim_of(thread)))
    ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.dora.id}"), 204)
    assert found(cast.dora, thread)["claimed_by"] == dora_has_it(cast)


@pytest.mark.parametrize("change", [{"active": False}, {"role": "technician"}])
def test_who_is_deactivated_or_sees_less_has_it_no_more(
    cast: Cast, thread: Json, carol: CustomerAtHome, change: Json
) -> None:
    carol.writes("Hello?")
    ok(cast.dan.post(claim_of(thread)))
    ok(cast.ada.patch(f"/api/users/{cast.dan.id}", change))
    assert found(cast.dora, thread)["claimed_by"] is None
    [entry] = ok(cast.ada.get("/api/audit", action="claim_dropped"))["entries"]
    assert (entry["actor"]["name"], entry["thread_id"]) == ("Ada", thread["id"])


def test_staff_hear_who_has_it_and_customers_hear_nothing(
    cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    with listening(cast.dan) as dan, listening(cast.tara) as tara, listening(carol) as at_home:
        ok(cast.dora.post(claim_of(thread)))
        dan.waits_for("thread.updated", lambda data: data["thread"]["claimed_by"] == dora_has_it(cast))
        ok(cast.dora.delete(claim_of(thread)))
        dan.waits_for("thread.updated", lambda data: data["thread"]["claimed_by"] is None)
        cast.dora.writes(thread, "Hello!")
        assert dan.waits_for_body("Hello!")
        at_home.waits_for_body("Hello!")
        assert [event.name for event in at_home.events] == ["message.created"]
        assert tara.events == []


# --- while nobody is there ------------------------------------------------------------------------


@pytest.fixture(scope="module", params=DATABASES)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Open from eight to five in Madrid, Monday to Friday."""
    folder = tmp_path_factory.mktemp("office")
    running = serving.serve(
        database_url(request.param, folder),
        folder,
        BUSINESS_HOURS="Mon-Fri 08:00-17:00",
        TIME_ZONE="Europe/Madrid",
    )
    yield running
    running.stop()


@pytest.fixture
def madrid(office: Serving) -> Iterator[Cast]:
    """Friday, half past five in the afternoon: the cast has gone home."""
    serving.empty(office)
    it_is(office.clock, "2026-11-27T16:30:00")
    yield gather(office)
    office.close_browsers()


def it_is(clock: Clock, text: str) -> None:
    """In UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    clock.ahead = int(moment * 1_000_000) - wall_clock()


def lines_of(carol: CustomerAtHome) -> list[str]:
    """What was said, and the automatic lines as they are told."""
    told = [row for row in carol.view()["messages"] if not row["event"] or row["event"]["type"] == "away"]
    return [f"away {row['body']}" if row["event"] else row["body"] for row in told]


def in_madrid(cast: Cast) -> tuple[Json, CustomerAtHome]:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    return thread, cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))


MONDAY, TUESDAY = "away 2026-11-30T07:00:00.000Z", "away 2026-12-01T07:00:00.000Z"


def test_out_of_hours_a_customer_is_told_once_when_the_office_opens(madrid: Cast) -> None:
    _, carol = in_madrid(madrid)
    carol.writes("Hello?")
    carol.writes("Anybody?")
    it_is(madrid.serving.clock, "2026-11-29T12:00:00")
    carol.writes("On a Sunday, of course")
    assert lines_of(carol) == ["Hello?", MONDAY, "Anybody?", "On a Sunday, of course"]
    it_is(madrid.serving.clock, "2026-11-30T07:00:00")
    carol.writes("Good morning!")
    it_is(madrid.serving.clock, "2026-11-30T16:00:00")
    carol.writes("Good evening.")
    assert lines_of(carol)[4:] == ["Good morning!", "Good evening.", TUESDAY]


def test_the_line_is_no_message_and_no_answer(madrid: Cast) -> None:
    thread, carol = in_madrid(madrid)
    said = carol.writes("Hello?")
    seen = found(madrid.dora, thread)
    assert (seen["waiting_since"], seen["needs_reply"]) == (said["created_at"], True)
    assert (seen["last_message"]["body"], seen["unread_count"], seen["last_seq"]) == ("Hello?", 1, 3)
    [shown] = carol.view()["threads"]
    assert (shown["unread_count"], shown["last_message"]["body"]) == (0, "Hello?")
    row = carol.view()["messages"][-1]
    assert (row["kind"], row["sender"]["kind"], row["event"]) == (
        "event",
        "system",
        {"type": "away", "people": []},
    )
    assert ok(madrid.dora.get("/api/chat/threads", q="2026"))["threads"] == []


def test_each_thread_has_its_own_line_and_staff_get_none(madrid: Cast) -> None:
    one, carol = in_madrid(madrid)
    other = madrid.dora.opens_thread(madrid.tom, job=madrid.boiler, visibility="customer_visible")
    madrid.dora.writes(one, "Good night")
    for thread in (one, other):
        carol.writes("Hello?", thread_id=thread["id"])
        rows = madrid.dora.reads(thread)
        assert [row["event"]["type"] for row in rows if row["event"]][-1] == "away"
    assert [row["body"] for row in madrid.dora.reads(one) if not row["event"]] == ["Good night", "Hello?"]


def test_a_repeated_message_brings_no_second_line(madrid: Cast) -> None:
    thread, carol = in_madrid(madrid)
    asked = {"body": "Hello?", "client_msg_id": "one"}
    ok(carol.http.post(f"{carol.path}/messages", json=asked), 201)
    ok(carol.http.post(f"{carol.path}/messages", json=asked), 200)
    assert lines_of(carol) == ["Hello?", MONDAY]
    assert found(madrid.dora, thread)["last_seq"] == 3


def test_both_sides_hear_of_the_line_at_once(madrid: Cast) -> None:
    _, carol = in_madrid(madrid)
    with listening(madrid.dora) as dora, listening(carol) as at_home:
        carol.writes("Hello?")
        for ears in (dora, at_home):
            told = ears.waits_for("message.created", lambda data: data["message"]["kind"] == "event")
            assert told["message"]["body"] == MONDAY.removeprefix("away ")


def test_an_office_that_never_closes_says_nothing(cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    carol.writes("Hello?")
    assert lines_of(carol) == ["Hello?"]
