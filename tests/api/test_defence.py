"""What stands between the API and the rest of the world, whatever noun is asked for."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from jobthread.actions import people as people_actions
from jobthread.entities import Role
from tests.api.refusing import ABSENT, identical
from tests.cast import NOBODY, PASSWORD, Cast, exchange_of, ok, refused
from tests.serving import Serving

LIMIT = 256 * 1024
LOGIN = "/api/auth/login"
EXCHANGE = "/api/chat/customer/session"
SIGN_IN_HEAD = f"POST {LOGIN} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"


def sign_in(http: httpx2.Client, password: str = PASSWORD, **headers: str) -> httpx2.Response:
    asked = {"email": "dora@example.com", "password": password}
    return http.post(LOGIN, json=asked, headers=headers)


# --- requests from other sites --------------------------------------------------------------------


def test_a_page_of_another_site_cannot_act_for_who_is_signed_in(cast: Cast) -> None:
    own = cast.serving.settings.base_url
    foreign = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": own},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example.com"},
        {"Origin": own.replace("http:", "https:")},
        {"Origin": f"{own}.evil.example.com"},
        {"Origin": f"{own}0"},
        {"Origin": f"{own}/"},
        {"Origin": own.rpartition(":")[0]},
    ]
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    [thread] = carol.view()["threads"]
    link = exchange_of(cast.dora.sends_link(cast.boiler, channels=[])["url"])
    last_seq = thread["last_seq"]
    unsafe: list[tuple[httpx2.Client, str, str, Any]] = [
        (cast.stranger(), "POST", LOGIN, {"email": "dora@example.com", "password": PASSWORD}),
        (cast.stranger(), "POST", EXCHANGE, link),
        (cast.stranger(), "POST", "/api/chat/customer/link", link),
        (cast.dora.http, "POST", "/api/auth/logout", None),
        (cast.dora.http, "POST", f"/api/chat/threads/{thread['id']}/messages", {"body": "Pay here"}),
        (cast.dora.http, "PATCH", f"/api/customers/{cast.boiler.customer.id}", {"name": "Mallory"}),
        (cast.dora.http, "DELETE", f"/api/chat/threads/{thread['id']}/participants/{cast.dora.id}", None),
        (carol.http, "POST", f"{carol.path}/messages", {"body": "Come tomorrow"}),
        (carol.http, "POST", f"{carol.path}/read", None),
    ]
    for http, method, path, body in unsafe:
        for headers in foreign:
            answer = http.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403, (path, headers)
            refused(answer, 403, "cross_site")
            assert "set-cookie" not in answer.headers
    assert carol.view()["thread"]["last_seq"] == last_seq
    assert ok(cast.dora.get("/api/auth/me"))["user"]["name"] == "Dora"


def test_our_own_pages_may_ask_by_either_name_and_programs_need_no_origin(cast: Cast) -> None:
    thread = cast.dora.opens_thread()
    path = f"/api/chat/threads/{thread['id']}/messages"
    for headers in (
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": cast.serving.settings.base_url, "Sec-Fetch-Site": "same-origin"},
        {"Origin": cast.serving.url},
    ):
        ok(cast.dora.http.post(path, json={"body": "Hello"}, headers=headers), 201)


def test_looking_is_allowed_from_everywhere_and_so_is_a_key_that_no_browser_adds_by_itself(
    cast: Cast,
) -> None:
    foreign = {"Origin": "https://crm.example.com", "Sec-Fetch-Site": "cross-site"}
    ok(cast.dora.http.get("/api/auth/me", headers=foreign))
    key = cast.serving.write(lambda tx: people_actions.add_api_key(tx, NOBODY, "CRM", Role.DISPATCHER))
    crm = cast.stranger(Authorization=f"Bearer {key}", **foreign)
    ok(crm.post("/api/chat/threads", json={"visibility": "internal", "subject": "From the CRM"}), 201)
    answer = cast.dora.http.get("/api/auth/me", headers=foreign)
    assert not [name for name in answer.headers if name.startswith("access-control")]


# --- bodies ---------------------------------------------------------------------------------------


def test_a_body_beyond_the_limit_is_refused_announced_or_not(cast: Cast) -> None:
    thread = cast.dora.opens_thread()
    path = f"/api/chat/threads/{thread['id']}/messages"
    as_json = {"Content-Type": "application/json"}

    def padded(size: int) -> bytes:
        return json.dumps({"body": "Hello"}).encode().rjust(size)

    def in_chunks(body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (padded(LIMIT), in_chunks(padded(LIMIT))):
        ok(cast.dora.http.post(path, content=content, headers=as_json), 201)
    for content in (padded(LIMIT + 1), in_chunks(padded(LIMIT + 1))):
        refused(cast.dora.http.post(path, content=content, headers=as_json), 413, "body_too_large")
    assert len(cast.dora.reads(thread)) == 3


def test_a_body_announced_too_large_is_refused_before_it_is_sent(cast: Cast) -> None:
    announced = f"{SIGN_IN_HEAD}Content-Length: {10**12}\r\n\r\n".encode()
    assert b" 413 " in answered_to(cast.serving, announced).split(b"\r\n")[0]


def test_a_body_without_end_is_cut_off(cast: Cast) -> None:
    head = f"{SIGN_IN_HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    assert b" 413 " in answered_to(cast.serving, head + chunks * 5).split(b"\r\n")[0]


def answered_to(server: Serving, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.settings.port), timeout=10) as connection:
        connection.sendall(sent)
        return connection.recv(65_536)


def test_only_json_is_taken_for_json(cast: Cast) -> None:
    body = json.dumps({"visibility": "internal", "subject": "Hello"}).encode()

    def send(kind: str | None, content: bytes = body) -> httpx2.Response:
        headers = {} if kind is None else {"Content-Type": kind}
        return cast.dora.http.post("/api/chat/threads", content=content, headers=headers)

    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        ok(send(kind), 201)
    refused(send(None), 415, "wrong_content_type")
    for kind in (
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/json",
        "application/json-patch+json",
    ):
        refused(send(kind), 415, "wrong_content_type")
    for content in (b"", b"{", b"{'subject': 1}", b'{"subject": "\xff"}', body + b"}", b"\xfe\xff\x00{"):
        refused(send("application/json", content), 400, "bad_json")


def test_a_stranger_learns_nothing_from_what_they_send(cast: Cast) -> None:
    http = cast.stranger()
    nobody = http.get("/api/chat/threads")
    refused(nobody, 401, "not_authenticated")
    identical(
        nobody,
        http.get("/api/chat/threads?limit=wrong"),
        http.get(f"/api/chat/threads/{ABSENT}"),
        http.post("/api/chat/threads", json={"unknown": True}),
        http.post("/api/chat/threads", content=b"{", headers={"Content-Type": "text/plain"}),
        http.get("/api/audit"),
        http.get(f"/api/chat/customer/jobs/{cast.boiler.ref.id}/thread"),
        http.get(f"/api/chat/customer/jobs/{ABSENT}/thread?limit=wrong"),
    )


# --- what is hidden -------------------------------------------------------------------------------


def test_what_is_hidden_is_to_the_last_byte_like_what_is_not_there(cast: Cast) -> None:
    toms = cast.tom.opens_thread(job=cast.boiler)["id"]
    hello = {"body": "Hello", "client_msg_id": "m1"}
    of_threads: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", "/messages", None),
        ("GET", "/messages?after_seq=0&limit=5", None),
        ("POST", "/messages", hello),
        ("POST", "/read", None),
        ("POST", "/read", {"up_to_seq": 1}),
        ("POST", "/close", None),
        ("POST", "/reopen", None),
        ("POST", "/participants", {"user_ids": [cast.tara.id]}),
        ("DELETE", f"/participants/{cast.tom.id}", None),
        ("DELETE", f"/participants/{ABSENT}", None),
    ]
    for outsider in (cast.tara, cast.dora):
        for method, more, body in of_threads:
            path = "/api/chat/threads/{}" + more
            hidden = outsider.http.request(method, path.format(toms), json=body)
            identical(hidden, outsider.http.request(method, path.format(ABSENT), json=body))
            refused(hidden, 404, "not_found")

    link = cast.dora.sends_link(cast.roof, channels=[])["session_id"]
    for method, path, known in [
        ("GET", "/api/jobs/{}", cast.roof.ref.id),
        ("PATCH", "/api/jobs/{}", cast.roof.ref.id),
        ("POST", "/api/chat/jobs/{}/customer-thread", cast.roof.ref.id),
        ("POST", "/api/chat/jobs/{}/customer-session", cast.roof.ref.id),
        ("GET", "/api/chat/jobs/{}/customer-sessions", cast.roof.ref.id),
        ("DELETE", "/api/chat/customer-sessions/{}", link),
    ]:
        body = {} if method == "PATCH" else None
        hidden = cast.tara.http.request(method, path.format(known), json=body)
        identical(hidden, cast.tara.http.request(method, path.format(ABSENT), json=body))
        refused(hidden, 404, "not_found")


def test_an_address_that_is_none_is_answered_like_anything_else_that_is_not_there(cast: Cast) -> None:
    absent = cast.ada.get(f"/api/chat/threads/{ABSENT}")
    for path in ("/api/nothing", "/api/chat/threads/x", "/api/chat/threads/0", f"/api/chat/threads/{2**63}"):
        identical(cast.ada.get(path), absent)
    identical(cast.ada.get(f"/api/chat/threads/{'9' * 5000}"), absent)


# --- headers --------------------------------------------------------------------------------------

ON_EVERY_ANSWER = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=()",
    "x-request-id": "",
}


def answers_of_every_kind(cast: Cast) -> dict[int, httpx2.Response]:
    thread = cast.dora.opens_thread()
    path = f"/api/chat/threads/{thread['id']}"
    as_text = {"Content-Type": "text/plain"}
    etag = cast.dora.get("/api/chat/unread-count").headers["etag"]
    too_large = b" " * (LIMIT + 1)
    return {
        200: cast.dora.get(path),
        201: cast.dora.post(f"{path}/messages", {"body": "Hello"}),
        202: cast.stranger().post("/api/chat/customer/link", json={"job_id": 1, "token": "x"}),
        204: cast.dan.post("/api/auth/logout"),
        304: cast.dora.http.get("/api/chat/unread-count", headers={"If-None-Match": etag}),
        400: cast.dora.http.post(
            f"{path}/messages", content=b"{", headers={"Content-Type": "application/json"}
        ),
        401: cast.stranger().get("/api/auth/me"),
        403: cast.dora.get("/api/audit"),
        404: cast.dora.get("/api/nothing"),
        405: cast.dora.http.put("/api/chat/threads"),
        409: cast.ada.patch(f"/api/users/{cast.ada.id}", {"active": False}),
        413: cast.dora.http.post(f"{path}/messages", content=too_large),
        415: cast.dora.http.post(f"{path}/messages", content=b"Hello", headers=as_text),
        422: cast.dora.post(f"{path}/messages", {}),
        500: cast.dora.get("/api/users"),
    }


def test_every_kind_of_answer_has_its_headers(cast: Cast, failing: Callable[[Exception], None]) -> None:
    failing(RuntimeError("The disk is on fire"))
    ids = set()
    for status, answer in answers_of_every_kind(cast).items():
        assert answer.status_code == status, answer.text
        for name, holds in ON_EVERY_ANSWER.items():
            [value] = answer.headers.get_list(name)
            assert holds in value, (status, name)
        [cached] = answer.headers.get_list("cache-control")
        assert cached == "no-store" or (status in (200, 304) and cached == "private, no-cache")
        assert "strict-transport-security" not in answer.headers
        ids.add(answer.headers["x-request-id"])
        if status >= 400:
            problem = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert problem["status"] == status
            assert {"type", "title", "detail", "code"} <= set(problem)
    assert len(ids) == 15


def test_a_method_that_is_none_of_an_addresss_is_refused_with_those_that_are(cast: Cast) -> None:
    answer = cast.dora.http.put("/api/chat/threads")
    refused(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


NO_IDS = ("{}%0A", "%20{}", "%2B{}", "{}_0", "{}%C2%A0", "%EF%BC%91", "%D9%A1", "{}.0", "0x{}", "{}e0")
"""Ways to write a number that are no id: some of them Python's own `int` would read."""


@pytest.mark.parametrize("written", NO_IDS)
def test_an_id_is_written_in_digits_and_in_no_other_way(cast: Cast, written: str) -> None:
    thread = cast.dora.opens_thread()
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    for http, path, one in (
        (cast.dora.http, "/api/jobs/{}", carol.job_id),
        (cast.dora.http, "/api/chat/threads/{}/messages", thread["id"]),
        (carol.http, "/api/chat/customer/jobs/{}/thread", carol.job_id),
    ):
        ok(http.get(path.format(one)))
        answer = http.get(path.format(written.format(one)))
        refused(answer, 404, "not_found")
        identical(answer, cast.stranger().get(path.format("boiler")))


def test_an_unexpected_error_tells_nothing_of_its_cause(
    cast: Cast, failing: Callable[[Exception], None]
) -> None:
    failing(RuntimeError("The disk is on fire"))
    answer = cast.dora.get("/api/users")
    refused(answer, 500, "internal")
    for hint in ("disk", "Runtime", "Traceback", "line"):
        assert hint not in answer.text
