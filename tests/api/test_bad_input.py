"""Poison for every call: never a 5xx, what is refused changes nothing, and both databases say the same."""

import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any

import pytest

from jobthread.api.calls import Call, Who
from jobthread.api.examples import EXAMPLES
from jobthread.api.problems import MEDIA_TYPE
from jobthread.api.refusals import Refusal, refusals
from jobthread.api.routes import all_calls
from jobthread.errors import MethodNotAllowed, NotFound
from tests import serving
from tests.api import poison
from tests.api.at_rest import rows_at_rest
from tests.cast import Cast, CustomerAtHome, gather, ok
from tests.conftest import DATABASES, database_url
from tests.serving import PATIENCE_SECONDS, Serving

Json = dict[str, Any]

# In a fresh database: Carol's boiler is job 1 and has thread 1 and link 1; Tara is the fifth to be enrolled.
IDS = {"thread_id": b"1", "job_id": b"1", "customer_id": b"1", "session_id": b"1", "user_id": b"5"}
BODIES: dict[str, Json] = {
    "create_thread": {"job_id": 1},
    "open_link": {"job_id": 1},
    "renew_link": {"job_id": 1},
    "create_job": {"external_id": None},
    "create_link": {"channels": []},
    "create_user": {"email": "new@example.com"},
    "send_message": {"client_msg_id": None},
    "customer_send": {"client_msg_id": None},
}
CHANGES: dict[str, Json] = {
    "change_user": {"name": "Tara"},
    "change_job": {"title": "Boiler off"},
    "change_customer": {"name": "Carol"},
    "change_password": {"current": "not Ada's password", "new": "a spanner in the works"},
}
JUDGED_LAST = "current"
"""A field that may be at fault beside the one that is poisoned: the wrong password of `change_password`."""


@dataclass(frozen=True)
class Poison:
    """One request. `at_fault`: the field that a 422 must name, where there is one."""

    name: str
    method: str
    target: bytes
    body: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    at_fault: str | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    media_type: str
    body: bytes

    def told(self) -> tuple[int, str, Any]:
        """What must be the same on both databases."""
        if not self.media_type.endswith("json"):
            return self.status, self.media_type, len(self.body)
        return self.status, self.media_type, masked(json.loads(self.body or b"null"))


@dataclass(frozen=True)
class Place:
    """A server with its cast, and who calls."""

    cast: Cast
    carol: CustomerAtHome

    def cookie_of(self, who: Who) -> bytes:
        jars = {Who.STAFF: self.cast.ada.http, Who.VISITOR: self.carol.http}
        cookies = jars[who].cookies.items() if who in jars else ()
        return "; ".join(f"{name}={value}" for name, value in cookies).encode()

    def sends(self, poison: Poison, who: Who) -> Answer:
        cookie = {b"Cookie": self.cookie_of(who)}
        return sent(self.cast.serving, poison, cookie | poison.headers)


@pytest.fixture(scope="module")
def casts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Cast]]:
    """The same little world on both databases."""
    servers = [started(kind, tmp_path_factory) for kind in DATABASES]
    yield [settled(server) for server in servers]
    for server in servers:
        server.stop()


@pytest.fixture
def places(casts: list[Cast]) -> list[Place]:
    """Some poison that is taken withdraws Carol's link: for each call she gets a new one."""
    return [Place(cast, cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))) for cast in casts]


def started(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Serving:
    folder = tmp_path_factory.mktemp(kind)
    return serving.serve(database_url(kind, folder), folder)


def settled(server: Serving) -> Cast:
    cast = gather(server)
    thread = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    assert (thread["id"], cast.boiler.ref.id, cast.tara.id) == (1, 1, 5)
    return cast


# --- the wire -------------------------------------------------------------------------------------


def sent(server: Serving, poison: Poison, headers: dict[bytes, bytes]) -> Answer:
    """Sent byte by byte as it stands: no client library puts anything right on the way."""
    given = {b"Host": b"localhost", b"Connection": b"close", b"Content-Length": b"%d" % len(poison.body)}
    lines = [b"%s %s HTTP/1.1" % (poison.method.encode(), poison.target)]
    lines += [b"%s: %s" % header for header in (given | headers).items()]
    with socket.create_connection(("127.0.0.1", server.settings.port), PATIENCE_SECONDS) as connection:
        # Refused before all was sent? The answer is there to read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"\r\n".join([*lines, b"", b""]) + poison.body)
        response = HTTPResponse(connection, method=poison.method)
        response.begin()
        return Answer(response.status, response.headers.get_content_type(), response.read())


def masked(value: Any) -> Any:
    """Without ids, times, tokens and cursors, which differ from run to run."""
    if isinstance(value, list):
        return [masked(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: "…" if key == "at" or key.endswith(("id", "_at", "url", "cursor")) else masked(inner)
        for key, inner in value.items()
    }


# --- what is sent ---------------------------------------------------------------------------------


def all_poison(call: Call) -> list[Poison]:
    return [*in_paths(call), *in_queries(call), *in_bodies(call), *in_fields(call), *in_headers(call)]


def target(call: Call, **replaced: bytes) -> bytes:
    path = call.path.encode()
    for name, value in (IDS | replaced).items():
        path = path.replace(b"{%s:int}" % name.encode(), value)
    return path


def in_paths(call: Call) -> Iterator[Poison]:
    body = whole(body_of(call)) if call.body else b""
    for name in IDS:
        if f"{{{name}:int}}" in call.path:
            for kind, value in poison.IN_PATHS.items():
                yield Poison(
                    f"path {name}: {kind}", call.method, target(call, **{name: value}), body, json_type(body)
                )
    taken = {other.method for other in all_calls() if other.path == call.path}
    for method in poison.METHODS:
        if method not in taken:
            yield Poison(f"method {method}", method, target(call), body, json_type(body))


def in_queries(call: Call) -> Iterator[Poison]:
    for name in call.query.__struct_fields__:
        kinds = poison.IN_QUERIES | (poison.CURSORS if name == "cursor" else {})
        for kind, value in kinds.items():
            yield asked_with(call, f"query {name}: {kind}", name.encode() + b"=" + value, name)
        yield asked_with(call, f"query {name}: twice", b"%s=1&%s=1" % (name.encode(), name.encode()), name)
    yield asked_with(call, "query: a key that is not known", b"limti=1", "limti")
    yield asked_with(call, "query: a key with NUL", b"%00=1", "\x00")
    yield asked_with(call, "query: many keys", b"&".join(b"k%d=1" % number for number in range(2_000)), None)
    yield asked_with(call, "query: a key alone", b"limti", "limti")
    yield asked_with(call, "query: no UTF-8 in a key", b"%ff=1", None)


def asked_with(call: Call, name: str, query: bytes, at_fault: str | None) -> Poison:
    return Poison(name, call.method, target(call) + b"?" + query, at_fault=at_fault)


def in_bodies(call: Call) -> Iterator[Poison]:
    if call.body is None:
        return
    for kind, body in poison.BODIES.items():
        yield Poison(f"body: {kind}", call.method, target(call), body, json_type(b"x"))
    good = whole(body_of(call))
    for kind, headers in poison.CONTENT_TYPES.items():
        yield Poison(f"content type: {kind}", call.method, target(call), good, headers)
    unknown = good[:-1] + b', "subjct": 1}'
    yield Poison(
        "body: one key too many", call.method, target(call), unknown, json_type(unknown), at_fault="subjct"
    )
    for name, value in body_of(call).items():
        doubled = good[:-1] + b', "%s": %s}' % (name.encode(), json.dumps(value).encode())
        yield Poison(f"body: {name} twice", call.method, target(call), doubled, json_type(doubled))


def in_fields(call: Call) -> Iterator[Poison]:
    if call.body is None:
        return
    good = body_of(call)
    for name in call.body.__struct_fields__:
        for kind, value in poison.VALUES.items():
            body = whole(good, **{name: value})
            yield Poison(f"{name}: {kind}", call.method, target(call), body, json_type(body), at_fault=name)
        inner = good.get(name)
        if not isinstance(inner, dict):
            continue
        for inner_name in inner:
            for kind, value in poison.VALUES.items():
                body = whole(good, **{name: whole(inner, **{inner_name: value})})
                path = f"{name}.{inner_name}"
                yield Poison(
                    f"{path}: {kind}", call.method, target(call), body, json_type(body), at_fault=path
                )


def in_headers(call: Call) -> Iterator[Poison]:
    body = whole(body_of(call)) if call.body else b""
    if call.name in ("sign_in", "send_message", "customer_send", "list_threads", "unread_count", "describe"):
        for kind, headers in poison.HEADERS.items():
            yield Poison(f"header: {kind}", call.method, target(call), body, json_type(body) | headers)


def body_of(call: Call) -> Json:
    """One that the server takes."""
    known = CHANGES.get(call.name) or EXAMPLES[call.body] | BODIES.get(call.name, {})
    return {name: value for name, value in known.items() if value is not None}


def whole(keys: Json, /, **raw: bytes) -> bytes:
    """An object with these keys, of which some have their value written as it stands."""
    written = {name: json.dumps(value).encode() for name, value in keys.items()} | raw
    return b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in written.items()) + b"}"


def json_type(body: bytes) -> dict[bytes, bytes]:
    return {b"Content-Type": b"application/json"} if body else {}


# --- what comes back ------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_hashes")
@pytest.mark.parametrize("call", all_calls(), ids=lambda call: call.name)
def test_no_poison_hurts(call: Call, places: Sequence[Place]) -> None:
    faults, refused = [], []
    for one in all_poison(call):
        answers = [place.sends(one, call.who) for place in places]
        faults += [f"{one.name}: {fault}" for fault in faults_of(call, one, answers)]
        if answers[0].status >= 400:
            refused.append(one)
    assert not faults, "\n".join(faults)
    for place in places:
        before = rows(place, call)
        for one in refused:
            place.sends(one, call.who)
        assert rows(place, call) == before
        ok(place.cast.ada.get("/api/auth/me"))
        place.carol.view()


def test_there_is_poison_for_every_call() -> None:
    amounts = {call.name: len(all_poison(call)) for call in all_calls()}
    assert min(amounts.values()) >= 10
    assert sum(amounts.values()) >= 300


@pytest.mark.parametrize("start", poison.NO_HTTP.values(), ids=poison.NO_HTTP)
def test_what_is_not_even_http_is_refused_at_the_door(start: bytes, casts: Sequence[Cast]) -> None:
    for cast in casts:
        with socket.create_connection(("127.0.0.1", cast.serving.settings.port), PATIENCE_SECONDS) as caller:
            caller.sendall(start + b"\r\n\r\n")
            assert caller.recv(65_536).startswith(b"HTTP/1.1 400 ")
        ok(cast.ada.get("/api/auth/me"))


def rows(place: Place, call: Call) -> dict[str, list[str]]:
    # What an earlier call had sent out would still change while the next ones are looked at.
    serving.rests(place.cast.serving)
    found = rows_at_rest(place.cast.serving)
    if call.who is Who.ANYONE:
        del found["audit_log"]  # that somebody failed to come in is kept
    return found


def faults_of(call: Call, one: Poison, answers: Sequence[Answer]) -> Iterator[str]:
    first = answers[0]
    if any(answer.told() != first.told() for answer in answers):
        yield f"SQLite says {first.told()}, PostgreSQL {answers[1].told()}"
    if first.status >= 500:
        yield f"{first.status} {first.body!r}"
    elif first.status >= 400 and one.method != "HEAD":
        yield from faults_of_problem(call, one, first)


def faults_of_problem(call: Call, one: Poison, answer: Answer) -> Iterator[str]:
    if answer.media_type != MEDIA_TYPE:
        yield f"{answer.status} as {answer.media_type}"
        return
    problem = json.loads(answer.body)
    known: list[Refusal] = [*refusals(call), NotFound, MethodNotAllowed]
    allowed = {error.code: error.status for error in known}
    if allowed.get(problem["code"]) != answer.status == problem["status"]:
        yield f"{answer.status} {problem['code']} is not documented"
    if answer.status == 422:
        yield from faults_of_fields(one, [error["field"] for error in problem["errors"]])


def faults_of_fields(one: Poison, fields: list[str]) -> Iterator[str]:
    if not fields:
        yield "422 without a field"
    at_fault = one.at_fault
    if at_fault is not None and not all(within(name, at_fault) or name == JUDGED_LAST for name in fields):
        yield f"blames {fields}"


def within(name: str, at_fault: str) -> bool:
    return name == at_fault or name.startswith((f"{at_fault}.", f"{at_fault}["))
