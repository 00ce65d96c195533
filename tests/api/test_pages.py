"""What browsers load: whole, packed where they can unpack it, kept as long as it may be, under the policy."""

import base64
import gzip
import re
from hashlib import sha256

import httpx2
import pytest

from jobthread.api.pages import SCREENS
from tests.serving import Serving, browser

SCREEN_PATHS = [path.replace("{on:str}", "12") for path in SCREENS]


@pytest.mark.parametrize("path", SCREEN_PATHS)
def test_every_screen_of_the_staffs_app_has_its_own_address(server: Serving, path: str) -> None:
    answer = browser(server).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.content == browser(server).get("/").content


def test_an_address_that_is_no_screen_is_not_found(server: Serving) -> None:
    for path in (
        "/nowhere",
        "/messages/1/2",
        "/people/1",
        "/messages/0",
        "/messages/first",
        "/messages/12345678901234567",
        "/jobs/abc",
        "/jobs/new",
        "/.built-from",
        "/.vite/manifest.json",
        "/staff.html",
    ):
        assert browser(server).get(path).status_code == 404, path


# What browsers ask with when somebody types an address or follows a link.
BY_HAND = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/nowhere", "/jobs/abc", "/messages/1/2", "/customer", "/.env", "/apis"])
def test_who_comes_to_an_address_that_is_nothing_gets_the_app_which_says_so(
    server: Serving, path: str
) -> None:
    answer = browser(server).get(path, headers=BY_HAND)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == browser(server).get("/").content
    head = browser(server).head(path, headers=BY_HAND)
    assert (head.status_code, head.content) == (404, b"")


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/chat/threads/1/2/3", "/nowhere", "/jobs/abc"])
def test_programs_are_told_by_a_problem_that_there_is_nothing(server: Serving, path: str) -> None:
    for_programs = browser(server).get("/api/nowhere")
    assert for_programs.headers["content-type"] == "application/problem+json"
    accepted = BY_HAND if path.startswith("/api/") else {"Accept": "*/*"}
    answer = browser(server).get(path, headers=accepted)
    assert (answer.status_code, answer.content) == (404, for_programs.content)
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_sent_to_an_address_that_is_nothing_is_answered_by_a_problem(server: Serving) -> None:
    answer = browser(server).post("/nowhere", headers=BY_HAND)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_all_that_the_app_loads_is_here_and_may_be_kept_for_ever(server: Serving) -> None:
    page = browser(server).get("/")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert any(path.endswith(".js") for path in loaded)
    for path in loaded:
        answer = browser(server).get(path)
        assert answer.status_code == 200, path
        assert ("immutable" in answer.headers["cache-control"]) == path.startswith("/assets/"), path


def test_there_is_an_icon_where_browsers_look_for_one(server: Serving) -> None:
    answer = browser(server).get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


def test_what_may_change_at_any_time_is_asked_for_each_time(server: Serving) -> None:
    for path in ("/", "/customer/chat", "/worker.js", "/manifest.webmanifest"):
        first = browser(server).get(path)
        assert first.headers["cache-control"] == "no-cache", path
        again = browser(server).get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path


def test_a_browser_gets_what_it_can_unpack(server: Serving) -> None:
    def sent(accepted: str) -> tuple[str | None, bytes]:
        with (
            httpx2.Client(base_url=server.url) as client,
            client.stream("GET", "/customer/chat", headers={"Accept-Encoding": accepted}) as answer,
        ):
            assert answer.headers["vary"] == "Accept-Encoding"
            return answer.headers.get("content-encoding"), b"".join(answer.iter_raw())

    plain_encoding, plain = sent("identity")
    gzip_encoding, packed = sent("gzip, deflate")
    assert (plain_encoding, gzip_encoding) == (None, "gzip")
    assert gzip.decompress(packed) == plain
    brotli_encoding, smallest = sent("gzip, deflate, br")
    assert brotli_encoding == "br"
    assert len(smallest) < len(packed) < len(plain)


def test_the_staffs_app_runs_no_script_but_its_own_files(server: Serving) -> None:
    answer = browser(server).get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert re.findall(r"<script[^>]*>[^<]", answer.text) == []


def test_the_customers_page_is_one_file_whose_script_and_styles_the_policy_knows_by_their_hashes(
    server: Serving,
) -> None:
    answer = browser(server).get("/customer/chat?jobId=1&token=abc")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        found = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert found
        for inside in found:
            digest = base64.b64encode(sha256(inside.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in directive(policy, f"{tag}-src")
    assert re.findall(r'src="([^"]+)"', answer.text) == []
    assert answer.headers["referrer-policy"] == "no-referrer"


def directive(policy: str, name: str) -> str:
    [found] = [part for part in policy.split("; ") if part.startswith(f"{name} ")]
    return found


def test_a_scanner_that_opens_the_link_changes_nothing(server: Serving) -> None:
    for method in ("GET", "HEAD"):
        answer = browser(server).request(method, "/customer/chat?jobId=1&token=abc")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
