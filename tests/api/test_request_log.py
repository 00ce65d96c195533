"""What the server logs of requests: who asked for what and how it went, and never what was said or shown."""

import io
import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy.exc import IntegrityError

from jobthread.actions import people as people_actions
from jobthread.entities import Role
from jobthread.logs import set_up_logs
from jobthread.store import messages
from tests import log_lines
from tests.api.refusing import ABSENT
from tests.cast import NOBODY, PASSWORD, Cast, CustomerAtHome, exchange_of, ok, refused
from tests.serving import wait_until

LOGIN = "/api/auth/login"
EXCHANGE = "/api/chat/customer/session"


def sign_in(http: httpx2.Client, password: str = PASSWORD, **headers: str) -> httpx2.Response:
    asked = {"email": "dora@example.com", "password": password}
    return http.post(LOGIN, json=asked, headers=headers)


# --- logs -----------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the servers in this process log, as they would really write it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("json", "debug", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    log_lines.as_in_tests()


def test_no_line_of_the_log_holds_a_secret_or_what_anybody_wrote(
    cast: Cast, log: io.StringIO, failing: Callable[[Exception], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "password": PASSWORD,
        "guess": "guessed-wrench",
        "typed": "Xyzzy",
        "searched": "plugh",
        "subject": "Plover",
    }
    dora = cast.stranger()
    ok(sign_in(dora))
    refused(sign_in(cast.stranger(), secrets["guess"]), 401, "bad_credentials")
    secrets["session"] = dora.cookies["jobthread"]
    secrets["key"] = cast.serving.write(lambda tx: people_actions.add_api_key(tx, NOBODY, "CRM", Role.ADMIN))
    ok(cast.stranger(Authorization=f"Bearer {secrets['key']}").get("/api/audit"))

    link = cast.dora.sends_link(cast.boiler)
    asked = exchange_of(link["url"])
    secrets["token"] = asked["token"]
    carol = cast.opens(link)
    secrets["customer's cookie"] = carol.http.cookies[f"jobthread_job_{carol.job_id}"]
    cast.stranger().get(httpx2.URL(link["url"]).path, params=httpx2.URL(link["url"]).params)
    CustomerAtHome(carol.job_id, cast.stranger(Authorization=f"Bearer {asked['token']}")).view()
    ok(dora.get("/api/chat/threads", params={"q": secrets["searched"]}))
    carol.writes(secrets["typed"])
    refused(carol.http.post(f"{carol.path}/messages", json={"text": secrets["typed"]}), 422, "invalid")
    ok(cast.stranger().post("/api/chat/customer/link", json=asked), 202)
    thread = cast.dora.opens_thread(subject=secrets["subject"])
    refused(dora.get("/api/nothing", params={"token": secrets["token"]}), 404, "not_found")

    failing(RuntimeError(f"cannot open {link['url']} for {secrets['session']}"))
    refused(dora.get("/api/users"), 500, "internal")

    def full(tx: Any, rows: Any) -> Any:
        values = {"body": secrets["typed"]}
        raise IntegrityError(f"INSERT {secrets['typed']}", values, ValueError(f"DETAIL: {secrets['typed']}"))

    monkeypatch.setattr(messages, "add", full)
    path = f"/api/chat/threads/{thread['id']}/messages"
    assert dora.post(path, json={"body": secrets["typed"]}).status_code >= 500
    ok(dora.post("/api/auth/logout"), 204)
    wait_until(lambda: '"route": "/api/auth/logout"' in log.getvalue())

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    lines = [line for line in lines if not line.get("logger", "").startswith("http")]  # the browsers' own
    written = "\n".join(map(str, lines))
    requests = [(line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert {(LOGIN, 200), (LOGIN, 401), ("/api/chat/threads", 200), ("/api/users", 500), ("-", 404)} <= set(
        requests
    )
    assert {"unexpected_error", "write_failed"} <= {line["event"] for line in lines}
    for what, secret in secrets.items():
        assert secret not in written, f"the {what} was logged"
    for personal in ("@example.com", "Carol", "+1202", "?"):
        assert personal not in written


def test_a_line_of_the_log_tells_who_asked_for_what_and_how_it_went(cast: Cast, log: io.StringIO) -> None:
    answer = cast.dora.get(f"/api/chat/threads/{ABSENT}")
    request_id = answer.headers["x-request-id"]
    wait_until(lambda: request_id in log.getvalue())
    [line] = [json.loads(line) for line in log.getvalue().splitlines() if request_id in line]
    assert (line["logger"], line["event"], line["level"]) == ("jobthread.access", "request", "info")
    assert (line["method"], line["status"], line["caller"]) == ("GET", 404, f"staff:{cast.dora.id}")
    assert line["route"] == "/api/chat/threads/{thread_id}"
    assert str(ABSENT) not in str(line)


def test_a_client_that_hangs_up_within_its_body_is_no_error_of_ours(cast: Cast, log: io.StringIO) -> None:
    at = urlsplit(cast.serving.url)
    with socket.create_connection((at.hostname or "", at.port or 0)) as line:
        head = f"POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    wait_until(lambda: f'"route": "{LOGIN}"' in log.getvalue())
    assert "error" not in {json.loads(one)["level"] for one in log.getvalue().splitlines()}
