"""A client that does what clients have to: it looks for itself when told to, and where a seq is missing."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2

from jobthread.actions.demo import PASSWORD as DEMO_PASSWORD
from jobthread.entities import Staff
from tests.cast import Colleague, ok
from tests.live.listening import Ears
from tests.serving import NO_CERTIFICATES, PATIENCE_SECONDS

Json = dict[str, Any]


@dataclass
class Knowing:
    """What somebody knows of one thread, by seq."""

    who: Colleague
    ears: Ears
    thread: Json
    known: dict[int, str] = field(default_factory=dict)
    must_look: bool = True
    taken: int = 0

    def knows(self, *bodies: str) -> bool:
        self.listen()
        return set(bodies) <= set(self.known.values())

    def listen(self) -> None:
        for event in list(self.ears.events)[self.taken :]:
            self.taken += 1
            if event.name == "message.created" and event.data["thread_id"] == self.thread["id"]:
                self.take(event.data["message"])
            self.must_look |= event.name == "resync"
        if self.must_look or self.complete_to < max(self.known, default=0):
            self.look()

    def take(self, message: Json) -> None:
        assert self.known.setdefault(message["seq"], message["body"]) == message["body"]

    @property
    def complete_to(self) -> int:
        return next(seq for seq in count(1) if seq not in self.known) - 1

    def look(self) -> None:
        path, more = f"/api/chat/threads/{self.thread['id']}/messages", True
        while more:
            answer = self.who.http.get(path, params={"after_seq": self.complete_to, "limit": 100})
            if answer.status_code == 503:
                return
            page = answer.json()
            for message in page["messages"]:
                self.take(message)
            more = page["has_more"]
        self.must_look = False


@contextmanager
def writing_on(who: Colleague, thread: Json, go_on: Callable[[], bool] = lambda: True) -> Iterator[list[str]]:
    """Message after message, each repeated until it is acknowledged, in a thread of its own."""
    said: list[str] = []
    done = threading.Event()

    def write() -> None:
        for number in count(1):
            while not _is_taken(who, thread, f"number {number}"):
                if done.is_set() or not go_on():
                    return
                done.wait(0.02)
            said.append(f"number {number}")
            if done.is_set():
                return

    with ThreadPoolExecutor(1) as apart:
        writing = apart.submit(write)
        try:
            yield said
        finally:
            done.set()
            writing.result(60)


def signed_in(url: str, name: str) -> Colleague:
    """One of the demo's, at the server of that address; their browser is the caller's to close."""
    http = httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS, verify=NO_CERTIFICATES, trust_env=False)
    asked = {"email": f"{name}@example.com", "password": DEMO_PASSWORD}
    user = ok(http.post("/api/auth/login", json=asked))["user"]
    return Colleague(Staff(**user, service=False), http)


def _is_taken(who: Colleague, thread: Json, body: str) -> bool:
    asked = {"body": body, "client_msg_id": body.replace(" ", "-")}
    try:
        answer = who.http.post(f"/api/chat/threads/{thread['id']}/messages", json=asked)
    except httpx2.TransportError:
        return False
    assert answer.status_code in (200, 201, 503), answer.text
    return answer.status_code != 503
