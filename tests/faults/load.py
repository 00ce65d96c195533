"""Many writers at once, each of whom repeats what has an unknown outcome until it is acknowledged."""

import http.client
import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.company import Said, Writer
from tests.faults.process import ServerProcess, runs, tail

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
ANSWER_SECONDS = 40.0
"""Longer than any answer may take, so that a late one is seen and not cut off."""


@dataclass(frozen=True)
class Answer:
    """One attempt: `status` is 0 where the connection broke. Seconds are those of the monotonic clock."""

    status: int
    retry_after: str | None
    asked_at: float
    answered_at: float
    text: str = ""

    @property
    def seconds(self) -> float:
        return self.answered_at - self.asked_at


@dataclass
class Load:
    """What the writers were told so far. A writer's messages stand in the order of writing."""

    server: ServerProcess
    said: dict[str, list[Said]]
    answers: list[Answer] = field(default_factory=list)
    """All but the plain 201s: refusals, repeats, broken connections."""
    failures: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    """Set: each writer brings its last message to an end, and no new one begins."""

    def all_said(self) -> list[Said]:
        return [one for of_writer in self.said.values() for one in list(of_writer)]

    def count(self) -> int:
        return sum(map(len, self.said.values()))

    def statuses(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for answer in list(self.answers):
            found[answer.status] = found.get(answer.status, 0) + 1
        return found


@contextmanager
def under_load(
    server: ServerProcess, writers: Sequence[Writer], seed: int, *others: ServerProcess
) -> Iterator[Load]:
    """Let all writers write; whoever gets no good answer repeats at the next of the servers.

    At the end each still insists on its last message: some server must be up.
    """
    load = Load(server, {writer.name: [] for writer in writers})
    crowd = [
        threading.Thread(
            target=_write, args=(load, writer, f"{seed}-{writer.name}", (server, *others)), daemon=True
        )
        for writer in writers
    ]
    for one in crowd:
        one.start()
    try:
        yield load
    finally:
        load.ending.set()
        deadline = time.monotonic() + ANSWER_SECONDS
        for one in crowd:
            one.join(max(0.0, deadline - time.monotonic()))
    assert not any(one.is_alive() for one in crowd), "some message was never acknowledged"
    assert load.failures == []


def until_written(load: Load, more: int = 1) -> float:
    """Wait for that many acknowledgements; answers how many seconds they took."""
    asked, enough = time.monotonic(), load.count() + more
    while load.count() < enough:
        assert load.failures == []
        assert time.monotonic() < asked + PATIENCE_SECONDS, _account(load)
        time.sleep(0.005)
    return time.monotonic() - asked


def _account(load: Load) -> str:
    """Why there is nothing more to be heard, as far as can be told."""
    state = "runs" if runs(load.server) else "has ended"
    return f"{load.statuses()}, last {load.answers[-3:]}; the server {state}:\n{tail(load.server)}"


def _write(load: Load, writer: Writer, seed: str, servers: Sequence[ServerProcess]) -> None:
    chance = random.Random(seed)
    connections = deque(
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS) for server in servers
    )
    connections.rotate(chance.randrange(len(servers)))
    try:
        while not load.ending.is_set():
            thread_id = chance.choice(writer.thread_ids)
            client_msg_id = f"{writer.name}-{len(load.said[writer.name])}"
            load.said[writer.name].append(_insist(load, connections, writer, thread_id, client_msg_id))
    except Exception as error:
        load.failures.append(f"{writer.name}: {error!r}")
    finally:
        for connection in connections:
            connection.close()


def _insist(
    load: Load,
    connections: deque[http.client.HTTPConnection],
    writer: Writer,
    thread_id: int,
    client_msg_id: str,
) -> Said:
    path, body = writer.request_to(thread_id, client_msg_id)
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        answer = _post(connections[0], path, body, writer.headers)
        if answer.status != 201:
            load.answers.append(answer)
        if answer.status in (200, 201):
            message = json.loads(answer.text)
            assert (message["body"], message["client_msg_id"]) == (body["body"], client_msg_id)
            return Said(writer.sender, thread_id, message["seq"], client_msg_id)
        assert answer.status in (0, 503), f"{answer.status}: {answer.text[:400]}"
        connections.rotate()
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"{client_msg_id} was not acknowledged in {ANSWER_SECONDS} s")


def _post(
    connection: http.client.HTTPConnection, path: str, body: dict[str, object], headers: dict[str, str]
) -> Answer:
    asked_at = time.monotonic()
    try:
        encoded = json.dumps(body).encode()
        connection.request("POST", path, encoded, headers | {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        retry_after = response.getheader("Retry-After")
        return Answer(response.status, retry_after, asked_at, time.monotonic(), text)
    except (OSError, http.client.HTTPException):
        connection.close()
        return Answer(0, None, asked_at, time.monotonic())
