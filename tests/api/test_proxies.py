"""Behind a proxy: cookies that stay on https, and whose word on a caller's address is taken."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from jobthread.actions import people as people_actions
from jobthread.entities import Role
from tests import serving
from tests.cast import NOBODY, PASSWORD, Cast, exchange_of, gather, ok, refused
from tests.serving import Serving

LOGIN = "/api/auth/login"
EXCHANGE = "/api/chat/customer/session"


def sign_in(http: httpx2.Client, password: str = PASSWORD, **headers: str) -> httpx2.Response:
    asked = {"email": "dora@example.com", "password": password}
    return http.post(LOGIN, json=asked, headers=headers)


def ip_of_last_sign_in(cast: Cast) -> str:
    address: str = ok(cast.ada.get("/api/audit", action="sign_in_failed", limit=1))["entries"][0]["ip"]
    return address


# --- https ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def https_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that people reach by https; a proxy in front of it ends the encryption."""
    folder = tmp_path_factory.mktemp("https")
    running = serving.serve(
        f"sqlite:///{folder}/jobthread.db",
        folder,
        BASE_URL="https://chat.example.com",
        COMPANY="Example Heating",
        LINK_DAYS="3",
        TRUSTED_PROXIES="127.0.0.0/8, ::1",
    )
    yield running
    running.stop()


def test_on_https_cookies_are_secure_and_browsers_are_told_to_stay_there(https_server: Serving) -> None:
    serving.empty(https_server)
    cast = gather(https_server)
    signed_in = sign_in(cast.stranger(Origin="https://chat.example.com"))
    ok(signed_in)
    session = signed_in.headers["set-cookie"].split("; ")[0]
    dora = cast.stranger(Cookie=session)
    link = ok(dora.post(f"/api/chat/jobs/{cast.boiler.ref.id}/customer-session", json={"channels": []}), 201)
    assert link["url"].startswith("https://chat.example.com/customer/chat?jobId=")
    opened = cast.stranger().post(EXCHANGE, json=exchange_of(link["url"]))
    assert ok(opened)["company"] == "Example Heating"
    lasts = datetime.fromisoformat(link["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=3, minutes=-1) < lasts <= timedelta(days=3)
    for answer, name in (
        (signed_in, "__Host-jobthread"),
        (opened, f"__Host-jobthread_job_{cast.boiler.ref.id}"),
    ):
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.split("=")[0] == name
        assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"} < set(cookie.split("; "))
        assert "Domain" not in cookie
        assert "max-age=" in answer.headers["strict-transport-security"]
    plain = cast.stranger(Cookie=session.removeprefix("__Host-"))
    refused(plain.get("/api/auth/me"), 401, "not_authenticated")
    refused(sign_in(cast.stranger(Origin="http://chat.example.com")), 403, "cross_site")
    out = cast.stranger(Cookie=session).post("/api/auth/logout")
    assert out.headers["set-cookie"].startswith(
        "__Host-jobthread=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"
    )
    https_server.close_browsers()


# --- where somebody comes from --------------------------------------------------------------------


def test_a_proxy_that_is_named_is_believed_where_a_caller_comes_from(strict_cast: Cast) -> None:
    for said, address in [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.9:4711", "203.0.113.9"),
    ]:
        refused(
            sign_in(strict_cast.stranger(), "a guess", **{"X-Forwarded-For": said}), 401, "bad_credentials"
        )
        assert ip_of_last_sign_in(strict_cast) == address
    refused(sign_in(strict_cast.stranger(), "a guess"), 401, "bad_credentials")
    assert ip_of_last_sign_in(strict_cast) == "127.0.0.1"


def test_nobody_else_is_believed(cast: Cast) -> None:
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"):
        refused(sign_in(cast.stranger(), "a guess", **{name: "203.0.113.9"}), 401, "bad_credentials")
        assert ip_of_last_sign_in(cast) == "127.0.0.1"


def test_a_range_of_proxies_is_believed_and_nobody_beyond_it(https_server: Serving, tmp_path: Path) -> None:
    elsewhere = serving.serve(f"sqlite:///{tmp_path}/jobthread.db", tmp_path, TRUSTED_PROXIES="10.0.0.0/8")
    try:
        for server, address in ((https_server, "203.0.113.9"), (elsewhere, "127.0.0.1")):
            serving.empty(server)
            cast = gather(server)
            http = cast.stranger(**{"X-Forwarded-For": "203.0.113.9"})
            refused(sign_in(http, "a guess"), 401, "bad_credentials")
            key = server.write(lambda tx: people_actions.add_api_key(tx, NOBODY, "Auditor", Role.ADMIN))
            trail = cast.stranger(Authorization=f"Bearer {key}").get("/api/audit?action=sign_in_failed")
            assert [entry["ip"] for entry in ok(trail)["entries"]] == [address]
    finally:
        elsewhere.stop()
        https_server.close_browsers()
