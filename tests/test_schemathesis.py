"""What the API's description allows and forbids, tried on real servers as every kind of caller.

HYPOTHESIS_PROFILE=nightly tries far more (an hour of it): other inputs each time, each as every caller.
"""

import copy
import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.failures import FailureGroup

from jobthread.api import health, openapi
from jobthread.api.calls import answer
from jobthread.api.customer_shapes import TokenExchange
from jobthread.api.examples import EXAMPLES
from jobthread.api.routes import all_calls
from jobthread.store import jobs
from tests.cast import PASSWORD, Cast, exchange_of, ok
from tests.serving import Serving, browser

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STREAMS = "text/event-stream"
FAR_OUT = 10**6
"""Ids up to it stand for some row; those beyond are meant to be out of reach."""

SCHEMA = schemathesis.openapi.from_dict(
    # A copy: the examples in it are the very ones that the server shows, and are made real below.
    copy.deepcopy(openapi.document([call for call in all_calls() if call.media_type != STREAMS])),
    config=schemathesis.Config.from_dict(
        {
            **({} if NIGHTLY else {"seed": 1}),
            "generation": {
                "max-examples": 150 if NIGHTLY else 10,
                "deterministic": not NIGHTLY,
                # Who calls is decided here, not drawn.
                "with-security-parameters": False,
            },
            # Some rules stand in words only: what an e-mail address is, that a job must be there.
            "checks": {"positive_data_acceptance": {"enabled": False}},
        }
    ),
)


@dataclass
class World:
    """The cast with something to talk about; each caller's credentials; ids of rows that are there."""

    serving: Serving
    callers: dict[str, dict[str, Any]]
    in_paths: dict[str, int]
    in_bodies: dict[str, Any]
    token: str
    answered: Counter[int] = field(default_factory=Counter)
    """How often, by the first digit of the status."""
    turns: Iterator[str] = field(init=False)
    only_signed: bool = False
    """The call is a provider's, who alone can sign for it: all that is heard here are refusals."""

    def __post_init__(self) -> None:
        self.turns = itertools.cycle(self.callers)

    def callers_of(self, case: schemathesis.Case[Any]) -> Sequence[str]:
        """The examples come from everybody; the many that are drawn from one after the other."""
        example = case.meta is None or case.meta.phase.name == "examples"
        return list(self.callers) if example or NIGHTLY else [next(self.turns)]


@pytest.fixture
def world(cast: Cast, quick_hashes: None) -> World:
    thread = cast.dora.opens_thread(cast.tom, cast.tara, job=cast.boiler, visibility="customer_visible")
    cast.dora.writes(thread, "Tom will come tomorrow.")
    links = [cast.dora.sends_link(cast.boiler, channels=[]) for _ in range(2)]
    token = exchange_of(links[0]["url"])["token"]
    return World(
        cast.serving,
        callers={
            "anonymous": {},
            "technician": {"cookies": dict(cast.tom.http.cookies)},
            "dispatcher": {"cookies": dict(cast.dora.http.cookies)},
            "admin": {"cookies": dict(cast.ada.http.cookies)},
            "customer": {"headers": {"Authorization": f"Bearer {token}"}},
        },
        # What is withdrawn or deactivated on the way belongs to nobody who calls.
        in_paths={
            "thread_id": thread["id"],
            "job_id": cast.boiler.ref.id,
            "customer_id": cast.roof.customer.id,
            "session_id": links[1]["session_id"],
            "user_id": cast.tara.id,
        },
        in_bodies={
            "job_id": cast.boiler.ref.id,
            "participant_ids": [cast.dan.id],
            "assignee_ids": [cast.tara.id],
            "user_ids": [cast.dan.id],
        },
        token=token,
    )


@pytest.fixture
def lively_world(world: World) -> Iterator[World]:
    """Where nothing but refusals is ever heard, nothing was tried."""
    yield world
    assert world.answered[2] + world.answered[3] > 0 or world.only_signed


@pytest.mark.timeout(600 if NIGHTLY else 120)
@SCHEMA.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_is_documented(case: schemathesis.Case[Any], lively_world: World) -> None:
    make_real(case, lively_world)
    lively_world.only_signed = case.operation.path.startswith("/api/sms/")
    for caller in lively_world.callers_of(case):
        attempt(case.derive(), lively_world, caller)


def make_real(case: schemathesis.Case[Any], world: World) -> None:
    """Ids that nobody has become ids of rows that are there, or every answer would be a 404."""
    for name, real in world.in_paths.items():
        if is_some_row(case.path_parameters.get(name)):
            case.path_parameters[name] = real
    if not isinstance(case.body, dict):
        return
    body = dict(case.body)
    for name, real in world.in_bodies.items():
        sent = body.get(name)
        if is_some_row(sent) or (isinstance(sent, list) and sent and all(map(is_some_row, sent))):
            body[name] = real
    if body.get("token") == EXAMPLES[TokenExchange]["token"]:
        body["token"] = world.token
    case.body = body


def is_some_row(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= FAR_OUT


def attempt(case: schemathesis.Case[Any], world: World, caller: str) -> None:
    credentials = world.callers[caller]
    if case.operation.definition.raw["operationId"] == "sign_out" and "cookies" in credentials:
        credentials = {"cookies": session_to_end(world)}
    response = case.call_and_validate(base_url=world.serving.url, **credentials)
    world.answered[response.status_code // 100] += 1


def session_to_end(world: World) -> dict[str, str]:
    known = {"email": "dan@example.com", "password": PASSWORD}
    client = browser(world.serving)
    ok(client.post("/api/auth/login", json=known))
    return dict(client.cookies)


# --- controls: what it must find ------------------------------------------------------------------


def search(operation: Any, world: World) -> None:
    """As the test above does, in one operation and as the admin."""

    @settings(
        max_examples=50,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def searched(case: schemathesis.Case[Any]) -> None:
        attempt(case, world, "admin")

    searched()


def test_a_fault_on_one_path_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = jobs.page

    def broken(tx: Any, sight: Any, query: str, *more: Any) -> Any:
        if len(query) > 3:
            raise RuntimeError("planted")
        return page(tx, sight, query, *more)

    operation = SCHEMA["/api/jobs"]["GET"]
    search(operation, world)
    monkeypatch.setattr(jobs, "page", broken)
    with pytest.raises(FailureGroup, match="Server error"):
        search(operation, world)


def test_a_status_that_is_not_documented_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "answer", lambda value: answer(value, 203))
    with pytest.raises(FailureGroup, match="Undocumented status code"):
        search(SCHEMA["/healthz"]["GET"], world)


def test_an_answer_of_another_shape_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "answer", lambda value: answer({"state": "ok"}))
    with pytest.raises(FailureGroup, match="Response violates schema"):
        search(SCHEMA["/healthz"]["GET"], world)
