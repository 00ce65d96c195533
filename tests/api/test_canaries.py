"""Nothing of a thread or job reaches anybody who may not see it: everything that can be asked is searched.

Threads and jobs hold canaries (see `world.py`). Everybody asks every GET call for every thing there is, with
every query that the call knows, and makes those other calls that answer with a thread. What comes back must
hold the canaries of what they may see: no other ones, and all of those, or the search would prove nothing.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import httpx2
import msgspec
import pytest

from jobthread.api.calls import Call, Who
from jobthread.api.routes import all_calls
from jobthread.entities import Visibility
from tests.api import world as w
from tests.api.world import World, canary, settle
from tests.cast import Cast

EVERYTHING = set(w.THREADS) - {"none"}
ABOUT_BOILER = {"visible", "visible-closed"}
SEEN_THREADS = {
    "ada": EVERYTHING,
    "dora": EVERYTHING - {"roof-internal"},
    "dan": ABOUT_BOILER | {"roof-visible"},
    "key": ABOUT_BOILER | {"roof-visible"},
    "tom": ABOUT_BOILER | {"internal", "internal-closed", "by-tom"},
    "carol": ABOUT_BOILER,
    "carols-token": ABOUT_BOILER,
    "chris": {"roof-visible"},
}
OFFICE = ("ada", "dora", "dan", "key")
SEEN_JOBS = {name: {"boiler", "roof", "shut"} for name in OFFICE} | {"tom": {"boiler", "shut"}}
CUSTOMERS_JOB = {"carol": "boiler", "carols-token": "boiler", "chris": "roof"}

GETS = [call for call in all_calls() if call.method == "GET" and call.media_type != "text/event-stream"]
"""Streams have no end: the tests of live updates search those."""


@pytest.mark.parametrize("principal", [*w.STAFF, *w.CUSTOMERS])
def test_everybody_finds_what_they_may_see_and_nothing_else(cast: Cast, principal: str) -> None:
    world = settle(cast)
    assert found_by(world, principal) == may_find(world, principal)


def test_those_who_are_not_let_in_find_nothing(cast: Cast) -> None:
    world = settle(cast)
    for principal in w.OUT:
        assert found_by(world, principal) == set(), principal


def found_by(world: World, principal: str) -> set[str]:
    """All canaries in all answers; fails at the first answer that holds a foreign one."""
    found: set[str] = set()
    for answer in everything(world, principal):
        foreign = canaries_in(answer) - may_find(world, principal)
        assert not foreign, f"{answer.request.method} {answer.request.url}: {answer.text[:400]}"
        assert not secrets_in(world, answer), f"{answer.request.method} {answer.request.url}"
        found |= canaries_in(answer)
    return found


@pytest.mark.parametrize("principal", w.STAFF)
def test_a_search_for_a_word_in_something_hidden_is_answered_as_one_for_no_word_at_all(
    cast: Cast, principal: str
) -> None:
    world = settle(cast)
    for path in ("/api/chat/threads", "/api/jobs", "/api/customers"):
        nothing = world.at[principal].get(path, params={"q": canary(), "status": "all"}).content
        for hidden in all_canaries(world) - may_find(world, principal):
            answer = world.at[principal].get(path, params={"q": hidden, "status": "all"})
            assert answer.content == nothing, path


def test_what_was_said_stands_neither_in_the_audit_trail_nor_in_the_log(
    cast: Cast, capfd: pytest.CaptureFixture[str]
) -> None:
    world = settle(cast)
    said = set().union(*world.in_threads.values())
    for principal in ("ada", "carol"):
        for answer in everything(world, principal):
            assert answer.request.url.path != "/api/audit" or not canaries_in(answer) & said
    world.at["ada"].get("/api/chat/threads", params={"q": canary()})
    for token in world.tokens.values():
        asked: dict[str, str | int] = {"job_id": world.jobs["boiler"], "token": token}
        world.at["nobody"].get("/customer/chat", params=asked)
        world.at["nobody"].post("/api/chat/customer/session", json=asked)
    logged = capfd.readouterr().out
    assert "route=/api/chat/threads/{thread_id}/messages" in logged
    assert not re.findall(r"canary\w+", logged)
    assert not [secret for secret in world.secrets if secret in logged]


# --- canaries -------------------------------------------------------------------------------------


def all_canaries(world: World) -> set[str]:
    in_jobs = (facts.values() for facts in world.in_jobs.values())
    return world.in_staff.union(world.in_mails, *world.in_threads.values(), *in_jobs)


def may_find(world: World, principal: str) -> set[str]:
    threads = (world.in_threads[name] for name in SEEN_THREADS.get(principal, ()))
    jobs = (world.in_jobs[name].values() for name in SEEN_JOBS.get(principal, ()))
    staff = world.in_staff if principal in w.STAFF else set()
    found = staff.union(*threads, *jobs)
    if principal == "ada":
        found |= world.in_mails
    if principal in CUSTOMERS_JOB:
        own = world.in_jobs[CUSTOMERS_JOB[principal]]
        found |= {own["title"], own["name"]}
    return found


def canaries_in(answer: httpx2.Response) -> set[str]:
    return set(re.findall(r"canary[0-9a-f]+", f"{answer.headers} {answer.text}"))


def secrets_in(world: World, answer: httpx2.Response) -> list[str]:
    return [secret for secret in world.secrets if secret in f"{answer.headers} {answer.text}"]


# --- asking for everything ------------------------------------------------------------------------


def everything(world: World, principal: str) -> Iterator[httpx2.Response]:
    http = world.at[principal]
    for call in GETS:
        # Whoever is not let in at all is not let in by asking otherwise.
        asked = [{}] if principal in w.OUT else list(queries(world, call))
        for path, query in product(paths(world, call), asked):
            yield from pages(http, path, query)
    for call in all_calls():
        if (call.method, call.path) in ANSWERED_WITH_CONTENT:
            for path, body in product(paths(world, call), bodies(world, call)):
                yield http.post(path, json=body)


def pages(http: httpx2.Client, path: str, query: dict[str, Any]) -> Iterator[httpx2.Response]:
    answer = http.get(path, params=query)
    yield answer
    while answer.status_code == 200 and "next_cursor" in answer.text and answer.json().get("next_cursor"):
        answer = http.get(path, params=query | {"cursor": answer.json()["next_cursor"]})
        yield answer


def paths(world: World, call: Call) -> list[str]:
    """The path for each thing there is; one that asks for something new fails here."""
    found = [call.path]
    things_of = {
        "thread_id": world.threads,
        "job_id": world.jobs,
        "customer_id": world.customers,
        "mail_id": world.mails,
    }
    for name, things in things_of.items():
        found = [path.replace(f"{{{name}:int}}", str(one)) for path in found for one in things.values()]
    assert not [path for path in found if "{" in path]
    return sorted(set(found))


def queries(world: World, call: Call) -> Iterator[dict[str, Any]]:
    """The call as it is, and with each value of each key that it knows; one that we do not know fails."""
    keys = [field.name for field in msgspec.structs.fields(call.query)]
    wide = {"status": "all"} if "status" in keys else {}
    yield {}
    for key in keys:
        yield from ({**wide, key: value} for value in values(world)[key])


def values(world: World) -> dict[str, Iterable[Any]]:
    return {
        # The start of every canary.
        "q": ["canary"],
        "status": ["open", "active", "closed", "all"],
        "visibility": list(Visibility),
        "job_id": world.jobs.values(),
        "thread_id": world.threads.values(),
        "needs_reply": [True, False],
        "waiting": [True, False],
        "mine": [True],
        "all": [True],
        "limit": [1, 100],
        "cursor": ["made-up"],
        "after_seq": [0, 2],
        "before_seq": [3, 10_000],
        "actor": ["nobody", *(f"staff:{person.id}" for person in world.people.values())],
        "action": ["thread_created"],
    }


ANSWERED_WITH_CONTENT = {
    ("POST", "/api/chat/threads/{thread_id:int}/messages"),
    ("POST", "/api/chat/threads/{thread_id:int}/read"),
    ("POST", "/api/chat/threads/{thread_id:int}/close"),
    ("POST", "/api/chat/threads/{thread_id:int}/reopen"),
    ("POST", "/api/chat/jobs/{job_id:int}/customer-thread"),
    ("POST", "/api/chat/customer/jobs/{job_id:int}/thread/messages"),
    ("POST", "/api/chat/customer/jobs/{job_id:int}/thread/read"),
}


def bodies(world: World, call: Call) -> Iterator[Any]:
    """Messages come under an id that somebody else's were sent with: that must not bring back theirs."""
    threads = world.threads.values() if call.who is Who.VISITOR else [None]
    for thread_id in threads:
        named = {} if thread_id is None else {"thread_id": thread_id}
        said = {"body": "Hello", "client_msg_id": w.SENT_AS} if call.path.endswith("/messages") else {}
        yield named | said
