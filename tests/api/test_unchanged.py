"""Polling is cheap: whoever holds the very same answer already is told just that, and only they."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from jobthread.api.calls import ETAG
from jobthread.api.routes import all_calls
from tests.api.refusing import ABSENT
from tests.cast import Cast, CustomerAtHome, ok, refused

POLLED = {
    "/api/chat/threads",
    "/api/chat/threads/{thread_id:int}",
    "/api/chat/threads/{thread_id:int}/messages",
    "/api/chat/unread-count",
    "/api/jobs",
    "/api/jobs/{job_id:int}",
    "/api/chat/customer/jobs/{job_id:int}/thread",
}


@dataclass
class Polled:
    """Tom and Carol look at their thread again and again."""

    cast: Cast
    carol: CustomerAtHome
    thread: dict[str, Any]

    def at(self, path: str) -> tuple[httpx2.Client, str]:
        """Who asks for it, and where it is."""
        client = self.carol.http if "/customer/" in path else self.cast.tom.http
        ids = {"{thread_id:int}": self.thread["id"], "{job_id:int}": self.carol.job_id}
        for name, value in ids.items():
            path = path.replace(name, str(value))
        return client, path

    def ask(self, path: str, etag: str | None = None) -> httpx2.Response:
        client, address = self.at(path)
        return client.get(address, headers={"If-None-Match": etag} if etag else {})


@pytest.fixture
def polled(cast: Cast) -> Polled:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    [thread] = carol.view()["threads"]
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tom.id]}))
    return Polled(cast, carol, thread)


def test_all_calls_that_are_polled_say_so() -> None:
    telling = {call.path for call in all_calls() if call.headers is ETAG and 304 in call.answers}
    assert telling == POLLED | {"/api/openapi.json"}


@pytest.mark.parametrize("path", sorted(POLLED))
def test_an_answer_that_did_not_change_is_not_sent_again(polled: Polled, path: str) -> None:
    first = polled.ask(path)
    etag = first.headers["etag"]
    assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
    for held in (etag, f"W/{etag}", f'"old", {etag}'):
        again = polled.ask(path, held)
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["cache-control"]) == (etag, "private, no-cache")
    for other in ('"old"', etag.strip('"'), etag[:-2] + '"'):
        assert polled.ask(path, other).content == first.content


CHANGES: dict[str, Callable[[Polled], Any]] = {
    "a message": lambda polled: polled.cast.dora.writes(polled.thread, "Good morning"),
    "a new title of the job": lambda polled: polled.cast.dora.patch(
        f"/api/jobs/{polled.carol.job_id}", {"title": "Boiler on"}
    ),
    "a mark": lambda polled: polled.cast.tom.post(f"/api/chat/threads/{polled.thread['id']}/read"),
}
CHANGED = {
    "a message": POLLED,
    "a new title of the job": POLLED
    - {"/api/chat/threads/{thread_id:int}/messages", "/api/chat/unread-count"},
    "a mark": {
        "/api/chat/threads",
        "/api/chat/threads/{thread_id:int}",
        "/api/chat/threads/{thread_id:int}/messages",
    },
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_that_changed_is_sent_whole(polled: Polled, change: str) -> None:
    before = {path: polled.ask(path) for path in POLLED}
    CHANGES[change](polled)
    changed = set()
    for path, held in before.items():
        now = polled.ask(path, held.headers["etag"])
        if now.status_code == 304:
            assert polled.ask(path).content == held.content
        else:
            ok(now)
            assert now.headers["etag"] != held.headers["etag"]
            changed.add(path)
    assert changed == CHANGED[change]


def test_whoever_lost_access_is_refused_whatever_they_hold(polled: Polled) -> None:
    held = {path: polled.ask(path).headers["etag"] for path in POLLED}
    cast, thread = polled.cast, f"/api/chat/threads/{polled.thread['id']}"
    ok(cast.dora.delete(f"{thread}/participants/{cast.tom.id}"), 204)
    for more in ("", "/messages"):
        etag = held["/api/chat/threads/{thread_id:int}" + more]
        refused(cast.tom.http.get(thread + more, headers={"If-None-Match": etag}), 404, "not_found")
    nowhere = cast.tom.http.get(f"/api/chat/threads/{ABSENT}", headers={"If-None-Match": "*"})
    refused(nowhere, 404, "not_found")
    [link] = ok(cast.dora.get(f"/api/chat/jobs/{polled.carol.job_id}/customer-sessions"))["sessions"]
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    path = "/api/chat/customer/jobs/{job_id:int}/thread"
    assert polled.ask(path, held[path]).status_code == 401
