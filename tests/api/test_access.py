"""Who gets what from each call: the statuses stand in the tables here, and a call without a row fails.

Each block is a call; each of its lines tells what it is asked for ("|" between things that are answered
alike), then the status for each of those who may get something from calls of that kind, then ("else") the one
status for all others. Who they all are, and what the threads and jobs are, stands in `world.py`.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from jobthread import tokens
from jobthread.api.calls import Call, Who
from jobthread.api.routes import all_calls
from jobthread.entities import Channel, DeliveryKind, DeliveryStatus, SenderKind
from jobthread.store import outbox, threads
from jobthread.store.database import Writing
from jobthread.store.tables import deliveries
from tests.api import world as w
from tests.api.world import World, settle
from tests.cast import PASSWORD, Cast
from tests.deliver.devices import Device

STAFF_CALLS = """
                                                    ada dora  dan  tom tara tess  key else
GET /api/chat/threads
    -                                               200  200  200  200  200  200  200  401
POST /api/chat/threads
    internal                                        201  201  201  201  201  201  201  401
    internal boiler                                 201  201  201  201  422  422  201  401
    internal roof                                   201  201  201  422  422  422  201  401
    internal shut                                   201  201  201  201  422  422  201  401
    internal none                                   422  422  422  422  422  422  422  401
    visible                                         422  422  422  403  403  403  422  401
    visible boiler | visible roof | visible shut    201  201  201  403  403  403  201  401
    visible none                                    422  422  422  403  403  403  422  401
GET /api/chat/threads/{thread_id}
    internal | internal-closed | by-tom             200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  200  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
GET /api/chat/threads/{thread_id}/messages
    internal | internal-closed | by-tom             200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  200  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/messages
    internal | by-tom                               201  201  404  201  404  404  404  401
    internal-closed                                 409  409  404  409  404  404  404  401
    by-tess                                         201  201  404  404  404  404  404  401
    visible                                         201  201  201  201  404  404  201  401
    visible-closed                                  409  409  409  409  404  404  409  401
    roof-visible                                    201  201  201  404  404  404  201  401
    roof-internal                                   201  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/read
    internal | internal-closed | by-tom             200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  200  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/close
    internal | internal-closed                      200  200  404  403  404  404  404  401
    by-tom                                          200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  403  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/reopen
    internal | internal-closed                      200  200  404  403  404  404  404  401
    by-tom                                          200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  403  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/claim
    internal | internal-closed | by-tom             409  409  404  409  404  404  404  401
    by-tess                                         409  409  404  404  404  404  404  401
    visible                                         200  200  200  200  404  404  200  401
    visible-closed                                  409  409  409  409  404  404  409  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   409  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
DELETE /api/chat/threads/{thread_id}/claim
    internal | internal-closed | by-tom             200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  200  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/participants
    internal | internal-closed | by-tom             200  200  404  403  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  403  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
DELETE /api/chat/threads/{thread_id}/participants/{user_id}
    theo internal | theo internal-closed            204  204  404  403  404  404  404  401
    theo by-tom                                     204  204  404  403  404  404  404  401
    theo by-tess                                    204  204  404  404  404  404  404  401
    theo visible | theo visible-closed              204  204  204  403  404  404  204  401
    theo roof-visible                               204  204  204  404  404  404  204  401
    theo roof-internal                              204  404  404  404  404  404  404  401
    theo none | oneself none                        404  404  404  404  404  404  404  401
    oneself internal | oneself internal-closed      404  204  404  204  404  404  404  401
    oneself by-tom                                  404  204  404  204  404  404  404  401
    oneself by-tess                                 404  204  404  404  404  404  404  401
    oneself visible | oneself visible-closed        404  204  404  204  404  404  404  401
    oneself roof-visible | oneself roof-internal    204  404  404  404  404  404  404  401
POST /api/chat/threads/{thread_id}/typing
    internal | internal-closed | by-tom             204  204  404  204  404  404  404  401
    by-tess                                         204  204  404  404  404  404  404  401
    visible | visible-closed                        204  204  204  204  404  404  204  401
    roof-visible                                    204  204  204  404  404  404  204  401
    roof-internal                                   204  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
GET /api/chat/events
    -                                               200  200  200  200  200  200  200  401
GET /api/chat/unread-count
    -                                               200  200  200  200  200  200  200  401
POST /api/chat/jobs/{job_id}/customer-thread
    boiler                                          201  201  201  403  404  404  201  401
    roof                                            201  201  201  404  404  404  201  401
    shut                                            201  201  201  403  404  404  201  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/jobs/{job_id}/customer-session
    boiler                                          201  201  201  403  404  404  201  401
    roof                                            201  201  201  404  404  404  201  401
    shut                                            409  409  409  403  404  404  409  401
    none                                            404  404  404  404  404  404  404  401
GET /api/chat/jobs/{job_id}/customer-sessions
    boiler                                          200  200  200  403  404  404  200  401
    roof                                            200  200  200  404  404  404  200  401
    shut                                            200  200  200  403  404  404  200  401
    none                                            404  404  404  404  404  404  404  401
DELETE /api/chat/customer-sessions/{session_id}
    boiler                                          204  204  204  403  404  404  204  401
    roof                                            204  204  204  404  404  404  204  401
    shut                                            204  204  204  403  404  404  204  401
    none                                            404  404  404  404  404  404  404  401
GET /api/jobs
    -                                               200  200  200  200  200  200  200  401
POST /api/jobs
    -                                               201  201  201  403  403  403  201  401
GET /api/jobs/{job_id}
    boiler | shut                                   200  200  200  200  404  404  200  401
    roof                                            200  200  200  404  404  404  200  401
    none                                            404  404  404  404  404  404  404  401
PATCH /api/jobs/{job_id}
    boiler | shut                                   200  200  200  403  404  404  200  401
    roof                                            200  200  200  404  404  404  200  401
    none                                            404  404  404  404  404  404  404  401
GET /api/customers
    -                                               200  200  200  403  403  403  200  401
PATCH /api/customers/{customer_id}
    boiler | roof | shut                            200  200  200  403  403  403  200  401
    none                                            404  404  404  403  403  403  404  401
POST /api/customers/{customer_id}/sms-stop
    boiler                                          200  200  200  403  403  403  200  401
    roof | shut                                     422  422  422  403  403  403  422  401
    none                                            404  404  404  403  403  403  404  401
GET /api/customers/{customer_id}/sms-consent
    boiler | roof | shut                            200  200  200  403  403  403  200  401
    none                                            404  404  404  403  403  403  404  401
GET /api/users
    active                                          200  200  200  200  200  200  200  401
    all                                             200  403  403  403  403  403  403  401
POST /api/users
    -                                               201  403  403  403  403  403  403  401
PATCH /api/users/{user_id}
    theo | dean                                     200  403  403  403  403  403  403  401
    service | none                                  404  403  403  403  403  403  403  401
GET /api/audit
    -                                               200  403  403  403  403  403  403  401
PUT /api/chat/threads/{thread_id}/mute
    internal | internal-closed | by-tom             204  204  404  204  404  404  404  401
    by-tess                                         204  204  404  404  404  404  404  401
    visible | visible-closed                        204  204  204  204  404  404  204  401
    roof-visible                                    204  204  204  404  404  404  204  401
    roof-internal                                   204  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
DELETE /api/chat/threads/{thread_id}/mute
    internal | internal-closed | by-tom             204  204  404  204  404  404  404  401
    by-tess                                         204  204  404  404  404  404  404  401
    visible | visible-closed                        204  204  204  204  404  404  204  401
    roof-visible                                    204  204  204  404  404  404  204  401
    roof-internal                                   204  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
GET /api/chat/threads/{thread_id}/deliveries
    internal | internal-closed | by-tom             200  200  404  200  404  404  404  401
    by-tess                                         200  200  404  404  404  404  404  401
    visible | visible-closed                        200  200  200  200  404  404  200  401
    roof-visible                                    200  200  200  404  404  404  200  401
    roof-internal                                   200  404  404  404  404  404  404  401
    none                                            404  404  404  404  404  404  404  401
POST /api/chat/presence
    -                                               204  204  204  204  204  204  204  401
GET /api/push/key
    -                                               200  200  200  200  200  200  200  401
PUT /api/push/subscription
    -                                               204  204  204  204  204  204  403  401
DELETE /api/push/subscription
    -                                               204  204  204  204  204  204  403  401
GET /api/auth/preferences
    -                                               200  200  200  200  200  200  200  401
PATCH /api/auth/preferences
    -                                               200  200  200  200  200  200  200  401
GET /api/deliveries
    -                                               200  403  403  403  403  403  403  401
POST /api/deliveries/{delivery_id}/retry
    failed                                          202  403  403  403  403  403  403  401
    waiting                                         409  403  403  403  403  403  403  401
    none                                            404  403  403  403  403  403  403  401
POST /api/deliveries/test
    email                                           202  403  403  403  403  403  403  401
    sms                                             422  403  403  403  403  403  403  401
GET /api/incoming-mails
    -                                               200  403  403  403  403  403  403  401
GET /api/incoming-mails/{mail_id}/raw
    kept                                            200  403  403  403  403  403  403  401
    none                                            404  403  403  403  403  403  403  401
GET /api/auth/me
    -                                               200  200  200  200  200  200  200  401
POST /api/auth/logout
    -                                               204  204  204  204  204  204  204  401
POST /api/auth/password
    -                                               204  204  204  204  204  204  403  401
"""

CUSTOMERS_CALLS = """
                                                          carol  carols-token   chris  else
GET /api/chat/customer/jobs/{job_id}/thread
    boiler | boiler visible | boiler visible-closed        200       200         403   401
    boiler internal | boiler internal-closed               404       404         403   401
    boiler by-tom | boiler by-tess                         404       404         403   401
    boiler roof-visible | boiler roof-internal             404       404         403   401
    boiler none                                            404       404         403   401
    roof | roof roof-visible                               403       403         200   401
    roof visible | roof roof-internal | roof none          403       403         404   401
    shut | shut visible | shut none | none | none none     403       403         403   401
POST /api/chat/customer/jobs/{job_id}/thread/messages
    boiler | boiler visible | boiler visible-closed        201       201         403   401
    boiler internal | boiler internal-closed               404       404         403   401
    boiler by-tom | boiler by-tess                         404       404         403   401
    boiler roof-visible | boiler roof-internal             404       404         403   401
    boiler none                                            404       404         403   401
    roof | roof roof-visible                               403       403         201   401
    roof visible | roof roof-internal | roof none          403       403         404   401
    shut | shut visible | shut none | none | none none     403       403         403   401
POST /api/chat/customer/jobs/{job_id}/thread/read
    boiler | boiler visible | boiler visible-closed        200       200         403   401
    boiler internal | boiler internal-closed               404       404         403   401
    boiler by-tom | boiler by-tess                         404       404         403   401
    boiler roof-visible | boiler roof-internal             404       404         403   401
    boiler none                                            404       404         403   401
    roof | roof roof-visible                               403       403         200   401
    roof visible | roof roof-internal | roof none          403       403         404   401
    shut | shut visible | shut none | none | none none     403       403         403   401
POST /api/chat/customer/jobs/{job_id}/thread/typing
    boiler | boiler visible | boiler visible-closed        204       204         403   401
    boiler internal | boiler internal-closed               404       404         403   401
    boiler by-tom | boiler by-tess                         404       404         403   401
    boiler roof-visible | boiler roof-internal             404       404         403   401
    boiler none                                            404       404         403   401
    roof | roof roof-visible                               403       403         204   401
    roof visible | roof roof-internal | roof none          403       403         404   401
    shut | shut visible | shut none | none | none none     403       403         403   401
GET /api/chat/customer/jobs/{job_id}/events
    boiler                                                 200       200         403   401
    roof                                                   403       403         200   401
    shut | none                                            403       403         403   401
POST /api/chat/customer/jobs/{job_id}/presence
    boiler                                                 204       204         403   401
    roof                                                   403       403         204   401
    shut | none                                            403       403         403   401
"""

# Whoever asks, the answer is the same: what they bring along is not looked at.
ANYONES_CALLS = """
                                                      else
POST /api/auth/login
    dora                                               200
    dora-with-another-password | dean | nobody         401
POST /api/chat/customer/session
    carol boiler | chris roof                          200
    carol roof | carol shut | carol none               401
    expired boiler | revoked boiler                    401
    closed-job shut | closed-job boiler                401
    made-up boiler | made-up none                      401
POST /api/chat/customer/link
    carol boiler | carol roof | carol none             202
    expired boiler | revoked boiler | closed-job shut  202
    made-up boiler | made-up none                      202
POST /api/chat/unsubscribe/{token}
    signed                                             200
    made-up                                            404
GET /healthz
    -                                                  200
GET /readyz
    -                                                  200
GET /api/openapi.json
    -                                                  200
GET /api/about
    -                                                  200
"""

# No session, key or token opens them: only the provider's signature does (see test_sms_webhooks.py). On this
# server no provider is set up, so that there is nothing to sign for.
PROVIDERS_CALLS = """
                                                      else
POST /api/sms/twilio/incoming
    -                                                  404
POST /api/sms/twilio/status
    -                                                  404
POST /api/sms/vonage/incoming
    -                                                  404
POST /api/sms/vonage/status
    -                                                  404
POST /api/sms/generic/incoming
    -                                                  404
POST /api/sms/generic/status
    -                                                  404
"""

REMOVING = "DELETE /api/chat/threads/{thread_id}/participants/{user_id}"
NOT_LET_IN = {
    "expired": "link_expired",
    "expired-token": "link_expired",
    "revoked": "link_revoked",
    "revoked-token": "link_revoked",
    "closed-job": "job_inactive",
    "closed-jobs-token": "job_inactive",
    # A bearer token is taken for a magic one where customers call.
    "key": "link_invalid",
    "revoked-key": "link_invalid",
    "deans-key": "link_invalid",
}
"""Why a customers' call refuses them; everybody else, and everybody at staff's calls: `not_authenticated`."""


def named(call: Call) -> str:
    return re.sub(r":\w+}", "}", f"{call.method} {call.path}")


@dataclass(frozen=True)
class Line:
    call: str
    asked: str
    statuses: dict[str, int]

    def status(self, principal: str) -> int:
        return self.statuses.get(principal, self.statuses["else"])

    @property
    def absent(self) -> str:
        """What is asked for where the last thing asked for is not there."""
        return " ".join([*self.asked.split()[:-1], "none"])


def lines_of(table: str) -> list[Line]:
    head, *rows = table.strip("\n").split("\n")
    columns = head.split()
    found: list[Line] = []
    call = ""
    for row in rows:
        if not row.startswith(" "):
            call = row
            continue
        *asked, statuses = re.split(r" {2,}(?=\d)|\|", row, maxsplit=row.count("|") + 1)
        given = dict(zip(columns, map(int, statuses.split()), strict=True))
        found += [Line(call, words.strip(), given) for words in asked]
    return found


STREAM = "text/event-stream"
TABLES = {
    Who.STAFF: STAFF_CALLS,
    Who.VISITOR: CUSTOMERS_CALLS,
    Who.ANYONE: ANYONES_CALLS,
    Who.PROVIDER: PROVIDERS_CALLS,
}
LINES = {who: lines_of(table) for who, table in TABLES.items()}
CALLS = {named(call): call for call in all_calls()}


# --- the tables themselves ------------------------------------------------------------------------


def test_every_call_has_its_rows_and_every_row_its_call() -> None:
    for who, lines in LINES.items():
        assert {line.call for line in lines} == {name for name, call in CALLS.items() if call.who is who}


def test_each_call_is_tried_on_everything_there_is() -> None:
    things = {"thread_id": w.THREADS, "job_id": w.JOBS, "session_id": w.JOBS, "customer_id": w.JOBS}
    for line in LINES[Who.STAFF]:
        asked = {
            words for other in LINES[Who.STAFF] if other.call == line.call for words in other.asked.split()
        }
        for name in re.findall(r"\{(\w+)\}", line.call):
            assert set(things.get(name, ())) <= asked, line.call


def test_the_tables_let_neither_staff_nor_customers_into_the_others_calls() -> None:
    for who, insiders in {Who.STAFF: w.STAFF, Who.VISITOR: w.CUSTOMERS}.items():
        for line in LINES[who]:
            assert {name for name in w.PRINCIPALS if line.status(name) != 401} <= set(insiders)


# --- the calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(CALLS))
@pytest.mark.usefixtures("quick_hashes")
def test_everybody_gets_what_the_table_says(cast: Cast, name: str) -> None:
    world = settle(cast)
    lines = [line for line in LINES[CALLS[name].who] if line.call == name]
    answers = {
        (line.asked, principal): ask(world, principal, line) for line in lines for principal in w.PRINCIPALS
    }
    wrong = []
    for line in lines:
        for principal in w.PRINCIPALS:
            answer = answers[line.asked, principal]
            if (status := answer.status_code) != line.status(principal):
                wrong.append(f"{principal} on {line.asked}: {status}, not {line.status(principal)}")
            absent = answers.get((line.absent, principal))
            if absent is not None and absent.status_code == status >= 400 and told(answer) != told(absent):
                wrong.append(f"{principal} on {line.asked}: told apart from what is not there")
            if status == 401 and CALLS[name].who is not Who.ANYONE and code(answer) != why(name, principal):
                wrong.append(f"{principal} on {line.asked}: {code(answer)}")
    assert wrong == []


def why(name: str, principal: str) -> str:
    return (
        NOT_LET_IN.get(principal, "not_authenticated")
        if CALLS[name].who is Who.VISITOR
        else "not_authenticated"
    )


def code(answer: httpx2.Response) -> str:
    return str(answer.json()["code"])


def told(answer: httpx2.Response) -> tuple[bytes, list[tuple[str, str]]]:
    """All that an answer tells, down to the byte."""
    own = {"date", "x-request-id"}
    return answer.content, [(name, value) for name, value in answer.headers.items() if name not in own]


# --- asking ---------------------------------------------------------------------------------------


def ask(world: World, principal: str, line: Line) -> httpx2.Response:
    words = line.asked.split()
    method, template = line.call.split()
    path = re.sub(r"\{(\w+)\}", lambda match: str(ID_OF[match[1]](world, principal, words)), template)
    body = BODIES[line.call](world, words) if line.call in BODIES else None
    query = QUERIES[line.call](world, words) if line.call in QUERIES else {}
    http = world.at[principal]
    if CALLS[line.call].media_type == STREAM:
        return _opened(http, path)
    answer = http.request(method, path, json=body, params=query)
    if line.call == REMOVING and answer.status_code == 204:
        _put_back(world, principal, words)
    return answer


def _opened(http: httpx2.Client, path: str) -> httpx2.Response:
    """A stream has no end: that it begins is answer enough."""
    with http.stream("GET", path) as answer:
        if answer.status_code != 200:
            answer.read()
    return answer


def _delivery(world: World, _principal: str, words: list[str]) -> int:
    """One that waits for a year to come, or was given up just now."""
    if words[0] == "none":
        return w.ABSENT

    def queued(tx: Writing) -> int:
        reader = (SenderKind.STAFF, world.people["ada"].id)
        new = outbox.NewDelivery(DeliveryKind.TEST, Channel.EMAIL, "ada@example.com", reader)
        added = outbox.add(tx, new)
        status = DeliveryStatus.FAILED if words[0] == "failed" else DeliveryStatus.QUEUED
        values = {"status": status, "due_at": tx.now + 10**15}
        tx.conn.execute(update(deliveries).where(deliveries.c.id == added.id).values(values))
        return added.id

    return world.serving.write(queued)


def _unsubscribing(world: World, _principal: str, words: list[str]) -> str:
    key = world.serving.parts.unsubscribe_key
    return tokens.signed(key if words[0] == "signed" else b"", [world.people["tess"].id, 0])


ID_OF: dict[str, Callable[[World, str, list[str]], int | str]] = {
    "delivery_id": _delivery,
    "token": _unsubscribing,
    "thread_id": lambda world, _, words: world.threads[words[-1]],
    # Customers name a job first, and then perhaps a thread.
    "job_id": lambda world, _, words: world.jobs[words[0]],
    "session_id": lambda world, _, words: world.links[words[-1]],
    "customer_id": lambda world, _, words: world.customers[words[-1]],
    "mail_id": lambda world, _, words: world.mails[words[-1]],
    "user_id": lambda world, principal, words: world.user_id(
        principal if words[0] == "oneself" else words[0]
    ),
}


def _new_thread(world: World, words: list[str]) -> dict[str, Any]:
    job = {"job_id": world.jobs[words[1]]} if len(words) > 1 else {}
    kind = {"internal": w.INTERNAL, "visible": w.VISIBLE}[words[0]]
    return {"visibility": kind, "subject": "Need help", "message": {"body": "Hello"}} | job


def _thread_named(world: World, words: list[str]) -> dict[str, Any]:
    return {"thread_id": world.threads[words[1]]} if len(words) > 1 else {}


def _new_user(_world: World, _words: list[str]) -> dict[str, Any]:
    return {"name": "Nora", "email": f"{secrets.token_hex(8)}@example.com", "role": "technician"}


def _login(_world: World, words: list[str]) -> dict[str, Any]:
    name, *otherwise = words[0].split("-")
    return {"email": f"{name}@example.com", "password": "something else" if otherwise else PASSWORD}


def _token(world: World, words: list[str]) -> dict[str, Any]:
    return {"job_id": world.jobs[words[1]], "token": world.tokens.get(words[0], "made-up")}


BODIES: dict[str, Callable[[World, list[str]], Any]] = {
    "POST /api/chat/threads": _new_thread,
    "POST /api/chat/threads/{thread_id}/messages": lambda *_: {"body": "Hello"},
    "POST /api/chat/threads/{thread_id}/read": lambda *_: {"up_to_seq": 1},
    "POST /api/chat/threads/{thread_id}/participants": lambda world, _: {"user_ids": [world.user_id("thea")]},
    "POST /api/chat/jobs/{job_id}/customer-thread": lambda *_: {"subject": "Your job"},
    "POST /api/chat/jobs/{job_id}/customer-session": lambda *_: {"channels": []},
    "POST /api/jobs": lambda *_: {"title": "New", "customer": {"name": "Clara"}},
    "PATCH /api/jobs/{job_id}": lambda *_: {"title": "Renamed"},
    "PATCH /api/customers/{customer_id}": lambda *_: {"name": "Renamed"},
    "POST /api/customers/{customer_id}/sms-stop": lambda *_: {"note": "Asked on the phone"},
    "POST /api/users": _new_user,
    "PATCH /api/users/{user_id}": lambda *_: {"name": "Renamed"},
    "POST /api/chat/presence": lambda *_: {"visible": True},
    "POST /api/chat/customer/jobs/{job_id}/presence": lambda *_: {"visible": True},
    "PUT /api/push/subscription": lambda *_: Device().subscription("https://push.example.com/abc"),
    "PATCH /api/auth/preferences": lambda *_: {"language": "es"},
    "POST /api/deliveries/test": lambda _, words: {"channel": words[0]},
    "POST /api/auth/login": _login,
    "POST /api/auth/password": lambda *_: {"current": PASSWORD, "new": "a hammer on the shelf"},
    "POST /api/chat/customer/jobs/{job_id}/thread/messages": lambda *of: (
        {"body": "Hello"} | _thread_named(*of)
    ),
    "POST /api/chat/customer/jobs/{job_id}/thread/read": _thread_named,
    "POST /api/chat/customer/jobs/{job_id}/thread/typing": _thread_named,
    "POST /api/chat/customer/session": _token,
    "POST /api/chat/customer/link": _token,
}
QUERIES: dict[str, Callable[[World, list[str]], Any]] = {
    "GET /api/users": lambda _, words: {"all": words == ["all"]},
    "GET /api/chat/customer/jobs/{job_id}/thread": _thread_named,
}


def _put_back(world: World, principal: str, words: list[str]) -> None:
    """Whoever was removed takes part again, so that the next one has somebody to remove."""
    removed = world.user_id(principal if words[0] == "oneself" else words[0])
    world.serving.write(lambda tx: threads.add_participants(tx, [(world.threads[words[1]], removed)]))
