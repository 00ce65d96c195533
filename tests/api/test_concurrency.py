"""Many at once: nothing is lost, doubled or out of order, on one server and on two over one database."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import httpx2
import pytest

from jobthread.actions import messages
from jobthread.policy import sight_of
from jobthread.store import threads
from jobthread.store.database import Writing
from tests import serving
from tests.api.crowd import (
    Hand,
    Json,
    a_crowd,
    all_rows,
    everybody_wrote_while_they_might,
    follow,
    hand_of,
    keep_moving,
    keep_talking,
    many_connections,
    three_threads,
    unread,
    whole,
)
from tests.cast import Cast, Colleague, CustomerAtHome, gather, ok
from tests.conftest import database_url
from tests.serving import PATIENCE_SECONDS, Serving

# --- one message, tried many times at once --------------------------------------------------------


def test_fifty_tries_at_once_to_send_one_message_make_one(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)

    async def try_it() -> list[httpx2.Response]:
        async with many_connections() as http:
            tom = hand_of(http, cast.tom, cast.serving)
            return await asyncio.gather(*(tom.sends(thread, "On my way", "once") for _ in range(50)))

    made_one_message(asyncio.run(try_it()))
    assert [row["body"] for row in cast.dora.reads(thread)] == ["", "On my way"]


def test_fifty_tries_at_once_from_a_customers_two_phones_make_one(cast: Cast) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    phones = [cast.opens(cast.dora.sends_link(cast.boiler, channels=[])) for _ in range(2)]
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))

    async def try_it() -> list[httpx2.Response]:
        async with many_connections() as http:
            hands = [hand_of(http, phone, cast.serving) for phone in phones] * 25
            return await asyncio.gather(*(hand.sends(thread, "Still cold", "once") for hand in hands))

    made_one_message(asyncio.run(try_it()))
    rows = cast.dora.reads(thread)
    assert [row["event"]["type"] if row["event"] else row["body"] for row in rows] == [
        *("created", "closed", "reopened", "Still cold")
    ]


def test_of_two_texts_under_one_id_one_wins_and_the_other_is_refused_however_they_race(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)

    async def try_it() -> list[httpx2.Response]:
        async with many_connections() as http:
            tom = hand_of(http, cast.tom, cast.serving)
            return await asyncio.gather(*(tom.sends(thread, f"Text {n % 2}", "once") for n in range(40)))

    answers = asyncio.run(try_it())
    [winner] = [row["body"] for row in cast.dora.reads(thread) if row["event"] is None]
    loser = {"Text 0": 1, "Text 1": 0}[winner]
    assert {answer.status_code for answer in answers[loser::2]} == {409}
    made_one_message(answers[1 - loser :: 2])


def test_the_same_id_from_different_people_makes_a_message_of_each(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, cast.tara, cast.dan)
    writers = [cast.dora, cast.tom, cast.tara, cast.dan]

    async def try_it() -> list[httpx2.Response]:
        async with many_connections() as http:
            hands = [hand_of(http, writer, cast.serving) for writer in writers]
            sends = [hand.sends(thread, "Here", "once") for hand in hands for _ in range(10)]
            return await asyncio.gather(*sends)

    answers = asyncio.run(try_it())
    for first in range(0, 40, 10):
        made_one_message(answers[first : first + 10])
    assert sorted(row["sender"]["name"] for row in cast.dora.reads(thread)[1:]) == [
        "Dan",
        "Dora",
        "Tara",
        "Tom",
    ]


def made_one_message(answers: Sequence[httpx2.Response]) -> None:
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * (len(answers) - 1) + [201]
    assert len({(answer.json()["id"], answer.json()["seq"]) for answer in answers}) == 1


# --- many people, many messages -------------------------------------------------------------------


def test_sixteen_people_write_fifty_messages_each_into_three_threads(cast: Cast) -> None:
    crowd = a_crowd(cast, 15)
    places = three_threads(cast, crowd)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))

    async def try_it() -> tuple[list[list[Json]], list[list[Json]]]:
        async with many_connections() as http:
            dora, ended = hand_of(http, cast.dora, cast.serving), asyncio.Event()
            reading = [asyncio.create_task(follow(dora, thread, ended)) for thread in places]
            talking = [
                keep_talking([hand_of(http, person, cast.serving)], places, 50, n)
                for n, person in enumerate(crowd)
            ]
            hers = keep_talking([hand_of(http, carol, cast.serving)], places[2:], 50, 15)
            said = await asyncio.gather(*talking, hers)
            ended.set()
            return said, await asyncio.gather(*reading)

    said, read = asyncio.run(try_it())
    assert sum(len(messages) for messages in said) == 800
    whole(places, said, read)
    for person in crowd:
        assert ok(person.get("/api/chat/unread-count"))["unread_count"] == sum(
            unread(person, rows) for rows in read
        )


# --- two servers over one PostgreSQL --------------------------------------------------------------


@dataclass
class Two:
    first: Serving
    second: Serving
    cast: Cast
    """Signed in at the first; the second knows their cookies as well."""

    def hands_of(self, http: httpx2.AsyncClient, person: Colleague | CustomerAtHome) -> list[Hand]:
        return [hand_of(http, person, server) for server in (self.first, self.second)]


@pytest.fixture(scope="module")
def two_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Serving]]:
    folders = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    url = database_url("postgresql", folders[0])
    first, second = (serving.serve(url, folder, SECRET_KEY="k" * 48) for folder in folders)
    yield first, second
    first.stop()
    second.stop()


@pytest.fixture
def two(two_servers: tuple[Serving, Serving]) -> Iterator[Two]:
    first, second = two_servers
    serving.empty(first)
    second.parts.callers.forget()
    yield Two(first, second, gather(first))
    first.close_browsers()


def test_tries_at_two_servers_make_one_message(two: Two) -> None:
    thread = two.cast.dora.opens_thread(two.cast.tom)

    async def try_it() -> list[list[httpx2.Response]]:
        async with many_connections() as http:
            hands = two.hands_of(http, two.cast.tom) * 5
            return [
                await asyncio.gather(*(hand.sends(thread, f"Message {n}", f"once-{n}") for hand in hands))
                for n in range(20)
            ]

    for answers in asyncio.run(try_it()):
        made_one_message(answers)
    assert [row["body"] for row in two.cast.dora.reads(thread)[1:]] == [f"Message {n}" for n in range(20)]


def test_two_servers_keep_every_thread_whole_while_people_come_and_go(two: Two) -> None:
    """Nothing lost to a deadlock, and nobody writes where they are not, nor where it is closed."""
    crowd = a_crowd(two.cast, 8)
    places = three_threads(two.cast, [two.cast.dan, *crowd])
    carol = two.cast.opens(two.cast.dora.sends_link(two.cast.boiler, channels=[]))

    async def try_it() -> tuple[list[list[Json]], list[list[Json]]]:
        async with many_connections() as http:
            dora, ended = hand_of(http, two.cast.dora, two.second), asyncio.Event()
            reading = [asyncio.create_task(follow(dora, thread, ended)) for thread in places]
            moving = [
                asyncio.create_task(keep_moving(two.hands_of(http, mover), places, crowd, 60, seed))
                for seed, mover in enumerate([two.cast.dora, two.cast.dan])
            ]
            talking = [keep_talking(two.hands_of(http, one), places, 40, n) for n, one in enumerate(crowd)]
            hers = keep_talking(two.hands_of(http, carol), places[2:], 40, 8)
            said = await asyncio.gather(*talking, hers)
            await asyncio.gather(*moving)
            ended.set()
            return said, await asyncio.gather(*reading)

    said, read = asyncio.run(try_it())
    whole(places, said, read)
    for rows in read:
        everybody_wrote_while_they_might(rows)
    staff_said = sum(len(messages) for messages in said[:-1])
    assert 0 < staff_said < 320, "some were accepted, and some refused"
    assert len(said[-1]) == 40, "a customer's message reopens what was closed"


def test_two_servers_that_wait_for_each_others_threads_both_get_their_way(two: Two) -> None:
    """A deadlock: PostgreSQL ends one of the two transactions, which is then made once more."""
    [one, other] = [two.cast.dora.opens_thread(two.cast.tom, subject=f"Thread {n}")["id"] for n in range(2)]
    both_hold_one = threading.Barrier(2)
    tried = []

    def says_in_both(first: int, second: int) -> Callable[[Writing], None]:
        def say(tx: Writing) -> None:
            threads.get_seen(tx, sight_of(two.cast.dora.staff), first)
            tried.append(first)
            if tried.count(first) == 1:
                both_hold_one.wait(PATIENCE_SECONDS)
            for thread_id in (second, first):
                sends = [messages.Send(two.cast.dora.by, thread_id, f"Thread {first} first", None)]
                [sent] = messages.send_all(tx, sends)
                assert isinstance(sent, messages.Sent)

        return say

    async def try_it() -> None:
        await asyncio.gather(
            two.first.db.write(says_in_both(one, other)), two.second.db.write(says_in_both(other, one))
        )

    asyncio.run(try_it())
    assert len(tried) == 3
    for thread_id in (one, other):
        rows = all_rows(two.cast.dora, {"id": thread_id})
        assert [row["seq"] for row in rows] == [1, 2, 3]
        assert {row["body"] for row in rows[1:]} == {f"Thread {one} first", f"Thread {other} first"}


# --- the end of a right, in the middle of it all --------------------------------------------------


async def sends_after(
    hands: Sequence[Hand], thread: Json, end: Callable[[], Awaitable[httpx2.Response]]
) -> set[int]:
    """Somebody writes and writes; then the right ends. How sends fared that began once that was answered."""
    ended, accepted = asyncio.Event(), asyncio.Event()

    async def keep_sending(hand: Hand, which: int) -> list[int]:
        after: list[int] = []
        for n in itertools.count():
            began_after = ended.is_set()
            answer = await hand.sends(thread, f"Still here {n}", f"{which}-{n}-{id(ended)}")
            if began_after:
                after.append(answer.status_code)
            if answer.status_code == 201:
                accepted.set()
            if len(after) == 5:
                break
        return after

    writing = [asyncio.create_task(keep_sending(hand, which)) for which, hand in enumerate(hands)]
    await accepted.wait()
    assert (await end()).status_code in (200, 204)
    ended.set()
    return set().union(*await asyncio.gather(*writing))


def test_once_a_removal_is_answered_nothing_more_is_accepted(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)

    async def try_it() -> list[set[int]]:
        async with many_connections() as http:
            toms, dora = [hand_of(http, cast.tom, cast.serving)] * 4, hand_of(http, cast.dora, cast.serving)
            return [await removed_and_added_again(toms, dora, thread, cast.tom.id) for _ in range(5)]

    assert asyncio.run(try_it()) == [{404}] * 5
    everybody_wrote_while_they_might(all_rows(cast.dora, thread))


def test_once_a_removal_is_answered_nothing_more_is_accepted_at_the_other_server_either(two: Two) -> None:
    thread = two.cast.dora.opens_thread(two.cast.tom)

    async def try_it() -> list[set[int]]:
        async with many_connections() as http:
            toms, [dora, _] = two.hands_of(http, two.cast.tom) * 2, two.hands_of(http, two.cast.dora)
            return [await removed_and_added_again(toms, dora, thread, two.cast.tom.id) for _ in range(5)]

    assert asyncio.run(try_it()) == [{404}] * 5
    everybody_wrote_while_they_might(all_rows(two.cast.dora, thread))


async def removed_and_added_again(toms: Sequence[Hand], dora: Hand, thread: Json, tom: int) -> set[int]:
    path = f"/api/chat/threads/{thread['id']}/participants"
    after = await sends_after(toms, thread, lambda: dora.asks("DELETE", f"{path}/{tom}"))
    ok(await dora.asks("POST", path, {"user_ids": [tom]}))
    return after


def test_once_somebody_is_deactivated_neither_server_accepts_anything_of_theirs(two: Two) -> None:
    thread = two.cast.dora.opens_thread(two.cast.tom)

    async def try_it() -> set[int]:
        async with many_connections() as http:
            toms, [ada, _] = two.hands_of(http, two.cast.tom) * 2, two.hands_of(http, two.cast.ada)
            path = f"/api/users/{two.cast.tom.id}"
            return await sends_after(toms, thread, lambda: ada.asks("PATCH", path, {"active": False}))

    assert asyncio.run(try_it()) == {401}


def test_once_a_dispatcher_is_demoted_neither_server_takes_them_for_one(two: Two) -> None:
    """Dan sees the customer's thread as a dispatcher; as a technician he would have to take part."""
    thread = two.cast.dora.opens_thread(visibility="customer_visible", job=two.cast.boiler)

    async def try_it() -> set[int]:
        async with many_connections() as http:
            [dan, dan_elsewhere], [ada, _] = (
                two.hands_of(http, two.cast.dan),
                two.hands_of(http, two.cast.ada),
            )
            for hand in (dan, dan_elsewhere):
                ok(await hand.get(f"/api/chat/threads/{thread['id']}"))
            ok(await ada.asks("PATCH", f"/api/users/{two.cast.dan.id}", {"role": "technician"}))
            answers = [await hand.sends(thread, "Hello", "late") for hand in (dan, dan_elsewhere)]
            return {answer.status_code for answer in answers}

    assert asyncio.run(try_it()) == {404}


def test_a_deactivated_dispatcher_can_do_nothing_more_at_the_other_server_either(two: Two) -> None:
    """Though that server has just let Dan in, and may remember for a moment that it did."""
    thread = two.cast.dora.opens_thread(two.cast.dan)
    job = two.cast.boiler.ref.id
    deeds: list[tuple[str, str, Json | None]] = [
        ("POST", "/api/chat/threads", {"visibility": "internal", "subject": "Late"}),
        ("POST", f"/api/chat/threads/{thread['id']}/close", None),
        ("POST", f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [two.cast.tom.id]}),
        ("DELETE", f"/api/chat/threads/{thread['id']}/participants/{two.cast.dan.id}", None),
        ("POST", f"/api/chat/jobs/{job}/customer-thread", None),
        ("POST", f"/api/chat/jobs/{job}/customer-session", {"channels": []}),
        ("PATCH", f"/api/jobs/{job}", {"title": "Late"}),
        ("POST", "/api/jobs", {"title": "Late", "customer": {"name": "Clara"}}),
        ("PATCH", f"/api/customers/{two.cast.boiler.customer.id}", {"name": "Late"}),
    ]

    async def try_it() -> set[int]:
        async with many_connections() as http:
            [_, dan], [ada, _] = two.hands_of(http, two.cast.dan), two.hands_of(http, two.cast.ada)
            ok(await dan.get("/api/auth/me"))
            ok(await ada.asks("PATCH", f"/api/users/{two.cast.dan.id}", {"active": False}))
            return {(await dan.asks(*deed)).status_code for deed in deeds}

    assert asyncio.run(try_it()) == {401}


def test_once_a_link_is_revoked_neither_server_accepts_anything_of_the_customers(two: Two) -> None:
    thread = two.cast.dora.opens_thread(visibility="customer_visible", job=two.cast.boiler)
    link = two.cast.dora.sends_link(two.cast.boiler, channels=[])
    carol = two.cast.opens(link)

    async def try_it() -> set[int]:
        async with many_connections() as http:
            carols, [dora, _] = two.hands_of(http, carol) * 2, two.hands_of(http, two.cast.dora)
            path = f"/api/chat/customer-sessions/{link['session_id']}"
            return await sends_after(carols, thread, lambda: dora.asks("DELETE", path))

    assert asyncio.run(try_it()) == {401}
