"""A crowd of people who do many things at once, and how to tell that all of it went as it should."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from jobthread import tokens
from jobthread.actions import people
from jobthread.entities import Role
from jobthread.store import sessions
from jobthread.store.database import Writing
from tests import serving
from tests.cast import NOBODY, PASSWORD_HASH, YEAR, Cast, Colleague, CustomerAtHome, ok
from tests.serving import NO_CERTIFICATES, PATIENCE_SECONDS, Serving

Json = dict[str, Any]


@dataclass(frozen=True)
class Hand:
    """Somebody's browser at one of the servers, able to do many things at once."""

    http: httpx2.AsyncClient
    url: str
    cookie: str
    job_id: int | None
    """Of a customer: the job whose link they opened."""

    async def get(self, path: str) -> httpx2.Response:
        return await self.asks("GET", path)

    async def asks(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        return await self.http.request(method, self.url + path, json=body, headers={"Cookie": self.cookie})

    async def sends(self, thread: Json, body: str, sent_as: str) -> httpx2.Response:
        said = {"body": body, "client_msg_id": sent_as}
        if self.job_id is None:
            return await self.asks("POST", f"/api/chat/threads/{thread['id']}/messages", said)
        path = f"/api/chat/customer/jobs/{self.job_id}/thread/messages"
        return await self.asks("POST", path, said | {"thread_id": thread["id"]})


@asynccontextmanager
async def many_connections() -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx2.AsyncClient(
        verify=NO_CERTIFICATES, trust_env=False, timeout=PATIENCE_SECONDS, limits=limits
    ) as http:
        yield http


def hand_of(http: httpx2.AsyncClient, person: Colleague | CustomerAtHome, server: Serving) -> Hand:
    cookie = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    return Hand(http, server.url, cookie, person.job_id if isinstance(person, CustomerAtHome) else None)


# --- a crowd, and what it does --------------------------------------------------------------------


def three_threads(cast: Cast, crowd: Sequence[Colleague]) -> list[Json]:
    """Two internal ones and one with Carol, all of them with everybody in it."""
    internal = [cast.dora.opens_thread(*crowd, subject=f"Thread {n}") for n in range(2)]
    return [*internal, cast.dora.opens_thread(*crowd, visibility="customer_visible", job=cast.boiler)]


def a_crowd(cast: Cast, size: int) -> list[Colleague]:
    """Technicians, signed in."""

    def enrol(tx: Writing) -> list[Colleague]:
        return [_enrolled(tx, cast.serving, f"Person {n}", f"person{n}@example.com") for n in range(size)]

    return cast.serving.write(enrol)


def _enrolled(tx: Writing, server: Serving, name: str, email: str) -> Colleague:
    staff = people.enrol(tx, NOBODY, name, email, Role.TECHNICIAN, PASSWORD_HASH)
    token = tokens.new_token()
    sessions.add(tx, staff.id, tokens.hash_of(token), tx.now + YEAR, "127.0.0.1", "tests")
    http = serving.browser(server)
    http.cookies.set("jobthread", token)
    return Colleague(staff, http)


async def keep_talking(hands: Sequence[Hand], threads: Sequence[Json], times: int, seed: int) -> list[Json]:
    """One message after the other, now and then two tries at once; answers those that were accepted."""
    chance = random.Random(seed)
    accepted = []
    for n in range(times):
        thread, body = chance.choice(threads), f"{seed}: {n}"
        tries = [
            chance.choice(hands).sends(thread, body, f"try-{n}") for _ in range(chance.choice([1, 1, 1, 2]))
        ]
        answers = await asyncio.gather(*tries)
        taken = [answer.json() for answer in answers if answer.status_code in (200, 201)]
        assert {answer.status_code for answer in answers} <= {200, 201, 404, 409}
        assert len({(message["id"], message["seq"]) for message in taken}) <= 1
        assert [answer.status_code for answer in answers].count(201) == (1 if taken else 0)
        accepted += taken[:1]
    return accepted


async def keep_moving(
    hands: Sequence[Hand], threads: Sequence[Json], crowd: Sequence[Colleague], times: int, seed: int
) -> None:
    """Somebody of the office brings people in and takes them out, closes threads and reopens them."""
    chance = random.Random(f"moves {seed}")
    for _ in range(times):
        person, path = chance.choice(crowd), f"/api/chat/threads/{chance.choice(threads)['id']}"
        moves = [
            ("DELETE", f"{path}/participants/{person.id}", None),
            ("POST", f"{path}/participants", {"user_ids": [person.id]}),
            ("POST", f"{path}/close", None),
            ("POST", f"{path}/reopen", None),
            ("POST", f"{path}/reopen", None),
        ]
        answer = await chance.choice(hands).asks(*chance.choice(moves))
        assert answer.status_code in (200, 204, 404)


async def follow(hand: Hand, thread: Json, ended: asyncio.Event) -> list[Json]:
    """Read whatever is new, again and again, as a client does: a gap would never be filled."""
    rows: list[Json] = []
    while True:
        last = ended.is_set()
        path = f"/api/chat/threads/{thread['id']}/messages?limit=100&after_seq={len(rows)}"
        answer = ok(await hand.get(path))
        rows += answer["messages"]
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        if last and not answer["has_more"]:
            return rows


# --- how it should have gone ----------------------------------------------------------------------


def whole(threads: Sequence[Json], said: Sequence[Sequence[Json]], read: Sequence[Sequence[Json]]) -> None:
    """What was accepted is there, once and in each sender's order; and nothing else is."""
    accepted = [(m["thread_id"], m["seq"], m["sender"]["name"], m["body"]) for one in said for m in one]
    stored = [
        (m["thread_id"], m["seq"], m["sender"]["name"], m["body"])
        for rows in read
        for m in rows
        if not m["event"]
    ]
    assert sorted(stored) == sorted(accepted)
    for one in said:
        for thread in threads:
            seqs = [message["seq"] for message in one if message["thread_id"] == thread["id"]]
            assert seqs == sorted(seqs)


def unread(person: Colleague, rows: Sequence[Json]) -> int:
    """Messages after the person's own last one."""
    own = [row["seq"] for row in rows if row["sender"]["name"] == person.name]
    return sum(row["event"] is None for row in rows[own[-1] if own else 0 :])


def everybody_wrote_while_they_might(rows: Sequence[Json]) -> None:
    """Go through a thread from its beginning, as to who took part and whether it was open."""
    inside: set[str] = set()
    is_open = True
    for row in rows:
        event = row["event"]
        if event is None:
            assert is_open, row
            assert row["sender"]["kind"] == "customer" or row["sender"]["name"] in inside, row
            continue
        named = {person["name"] for person in event["people"]}
        if event["type"] == "created":
            inside = named | {row["sender"]["name"]}
        elif event["type"] == "joined":
            assert not named & inside, row
            inside |= named
        elif event["type"] == "left":
            assert named <= inside, row
            inside -= named
        else:
            assert is_open is (event["type"] == "closed"), row
            is_open = not is_open


def all_rows(reader: Colleague, thread: Json) -> list[Json]:
    rows: list[Json] = []
    while found := reader.reads(thread, after_seq=len(rows), limit=100):
        rows += found
    return rows
