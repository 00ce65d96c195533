"""Too many tries are refused for a while, and only to whoever makes them."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from tests.cast import PASSWORD, Cast, exchange_of, ok, refused

pytestmark = pytest.mark.usefixtures("quick_hashes")

A_GUESS = "a guess"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def at(cast: Cast, address: str) -> httpx2.Client:
    """Somebody who comes from there, as the proxy says."""
    return cast.stranger(**{"X-Forwarded-For": address})


def sign_in(http: httpx2.Client, email: str = "dora@example.com", password: str = A_GUESS) -> httpx2.Response:
    return http.post("/api/auth/login", json={"email": email, "password": password})


def until_refused(send: Callable[[], httpx2.Response], about: int, slack: int = 2) -> int:
    """Goes on until it is too much, which must be about now; answers the seconds to wait."""
    for tries in range(about + slack + 1):
        answer = send()
        if answer.status_code == 429:
            assert about <= tries <= about + slack, f"refused after {tries}"
            return retry_after(answer)
    raise AssertionError(f"not refused after {about + slack}")


def retry_after(answer: httpx2.Response) -> int:
    refused(answer, 429, "rate_limited")
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["retry-after"])


# --- signing in -----------------------------------------------------------------------------------


def test_guessing_at_an_account_is_slowed_down_where_it_comes_from_and_nowhere_else(
    strict_cast: Cast,
) -> None:
    here = at(strict_cast, HERE)
    wait = until_refused(lambda: sign_in(here), 5)
    assert 1 <= wait <= 30
    retry_after(sign_in(here, password=PASSWORD))
    retry_after(sign_in(here, email=" DORA@example.com", password=PASSWORD))
    refused(sign_in(here, email="dan@example.com"), 401, "bad_credentials")
    ok(sign_in(at(strict_cast, ELSEWHERE), password=PASSWORD))
    strict_cast.serving.clock.pass_time(seconds=wait)
    ok(sign_in(here, password=PASSWORD))


def test_an_unknown_account_is_slowed_down_alike(strict_cast: Cast) -> None:
    here = at(strict_cast, HERE)
    for email in ("dora@example.com", "nobody@example.com"):
        assert 1 <= until_refused(lambda email=email: sign_in(here, email), 5) <= 30  # type: ignore[misc]


def test_who_signs_in_may_try_as_often_again(strict_cast: Cast) -> None:
    here = at(strict_cast, HERE)
    for _ in range(4):
        refused(sign_in(here), 401, "bad_credentials")
    ok(sign_in(here, password=PASSWORD))
    until_refused(lambda: sign_in(here), 5)


def test_what_is_refused_costs_no_work(strict_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    here = at(strict_cast, HERE)
    until_refused(lambda: sign_in(here), 5)

    def not_now(self: PasswordHasher, password_hash: str, password: str) -> Any:
        raise AssertionError("a password was verified")

    monkeypatch.setattr(PasswordHasher, "verify", not_now)
    retry_after(sign_in(here, password=PASSWORD))


def test_trying_one_account_after_the_other_is_slowed_down(strict_cast: Cast) -> None:
    here = at(strict_cast, HERE)
    names = iter(range(100))
    wait = until_refused(lambda: sign_in(here, f"name{next(names)}@example.com"), 30, 5)
    assert 1 <= wait <= 6
    retry_after(sign_in(here, password=PASSWORD))
    ok(sign_in(at(strict_cast, ELSEWHERE), password=PASSWORD))


def test_all_of_a_households_ipv6_addresses_count_as_one(strict_cast: Cast) -> None:
    hosts = iter(range(1, 100))
    until_refused(lambda: sign_in(at(strict_cast, f"2001:db8:1:2::{next(hosts):x}")), 5)
    retry_after(sign_in(at(strict_cast, "2001:db8:1:2:ffff::1"), password=PASSWORD))
    ok(sign_in(at(strict_cast, "2001:db8:1:3::1"), password=PASSWORD))


def test_ipv4_written_as_ipv6_is_no_household(strict_cast: Cast) -> None:
    until_refused(lambda: sign_in(at(strict_cast, f"::ffff:{HERE}")), 5)
    retry_after(sign_in(at(strict_cast, HERE), password=PASSWORD))
    ok(sign_in(at(strict_cast, f"::ffff:{ELSEWHERE}"), password=PASSWORD))


def test_an_address_of_a_caller_cannot_be_made_up_in_front_of_the_proxy(strict_cast: Cast) -> None:
    numbers = iter(range(1, 100))
    until_refused(lambda: sign_in(at(strict_cast, f"203.0.113.{next(numbers)}, {HERE}")), 5)


def test_an_account_whose_name_grows_in_small_letters_is_no_fault_of_the_server(strict_cast: Cast) -> None:
    refused(sign_in(at(strict_cast, HERE), "İ" * 254), 401, "bad_credentials")


def test_guessing_at_ones_own_password_is_slowed_down(strict_cast: Cast) -> None:
    def guess() -> httpx2.Response:
        return strict_cast.dora.post("/api/auth/password", {"current": "a guess", "new": "another wrench"})

    assert 1 <= until_refused(guess, 5) <= 30
    answer = strict_cast.dora.post("/api/auth/password", {"current": PASSWORD, "new": "another wrench"})
    retry_after(answer)


# --- links ----------------------------------------------------------------------------------------


def opening(http: httpx2.Client, link: dict[str, Any], **changed: Any) -> httpx2.Response:
    return http.post("/api/chat/customer/session", json=exchange_of(link["url"]) | changed)


def test_guessing_at_links_is_slowed_down_where_it_comes_from_and_nowhere_else(strict_cast: Cast) -> None:
    link = strict_cast.dora.sends_link(strict_cast.boiler, channels=[])
    here = at(strict_cast, HERE)
    wait = until_refused(lambda: opening(here, link, token="A" * 43), 10)
    assert 1 <= wait <= 6
    retry_after(opening(here, link))
    ok(opening(at(strict_cast, ELSEWHERE), link))
    strict_cast.serving.clock.pass_time(seconds=wait)
    ok(opening(here, link))


def test_one_link_is_not_opened_without_end(strict_cast: Cast) -> None:
    link = strict_cast.dora.sends_link(strict_cast.boiler, channels=[])
    assert 1 <= until_refused(lambda: opening(at(strict_cast, HERE), link), 20) <= 10
    other = strict_cast.dora.sends_link(strict_cast.boiler, channels=[])
    ok(opening(at(strict_cast, HERE), other))


def test_asking_for_new_links_is_slowed_down(strict_cast: Cast) -> None:
    asked = {"job_id": strict_cast.boiler.ref.id, "token": "A" * 43}
    here = at(strict_cast, HERE)
    assert 1 <= until_refused(lambda: here.post("/api/chat/customer/link", json=asked), 10) <= 6
    ok(at(strict_cast, ELSEWHERE).post("/api/chat/customer/link", json=asked), 202)


def test_links_are_not_made_and_sent_without_end(strict_cast: Cast) -> None:
    path = f"/api/chat/jobs/{strict_cast.boiler.ref.id}/customer-session"
    mail = {"channels": ["email"]}
    assert 1 <= until_refused(lambda: strict_cast.dora.post(path, mail), 6) <= 600
    retry_after(strict_cast.dan.post(path, mail))
    ok(strict_cast.dora.post(f"/api/chat/jobs/{strict_cast.roof.ref.id}/customer-session", mail), 201)
    until_refused(lambda: strict_cast.dora.post(path, {"channels": []}), 13)
    ok(strict_cast.dan.post(path, {"channels": []}), 201)


# --- messages -------------------------------------------------------------------------------------


def test_one_persons_messages_are_slowed_down_and_nobody_elses(strict_cast: Cast) -> None:
    thread = strict_cast.dora.opens_thread(strict_cast.tom)
    path = f"/api/chat/threads/{thread['id']}/messages"
    assert until_refused(lambda: strict_cast.tom.post(path, {"body": "Hello"}), 60, 60) == 1
    strict_cast.dora.writes(thread, "Slowly, Tom.")
    last = ok(strict_cast.dora.get(f"/api/chat/threads/{thread['id']}"))["last_seq"]
    assert 62 <= last <= 122, "what was refused was not written"


def test_a_customers_messages_are_slowed_down_sooner(strict_cast: Cast) -> None:
    carol = strict_cast.opens(strict_cast.dora.sends_link(strict_cast.boiler, channels=[]))
    chris = strict_cast.opens(strict_cast.dora.sends_link(strict_cast.roof, channels=[]))
    path = f"{carol.path}/messages"
    assert 1 <= until_refused(lambda: carol.http.post(path, json={"body": "Hello"}), 20, 5) <= 2
    chris.writes("Hello")
    carol.view()


# --- without limits -------------------------------------------------------------------------------


def test_where_limits_are_off_nobody_is_slowed_down(cast: Cast) -> None:
    http = cast.stranger()
    thread = cast.tom.opens_thread()
    for _ in range(35):
        refused(sign_in(http), 401, "bad_credentials")
    for _ in range(130):
        cast.tom.writes(thread, "Hello")
