"""Signing in and out: who gets a session, and when it ends."""

import asyncio
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import update

from jobthread.actions import passwords, people
from jobthread.entities import Role
from jobthread.store.tables import users
from tests.api.at_rest import at_rest
from tests.api.refusing import all_invalid, identical, invalid
from tests.cast import NOBODY, PASSWORD, PASSWORD_HASH, Cast, ok, refused

NEW_PASSWORD = "a new wrench in the works"


def sign_in(
    http: httpx2.Client, email: str = "dora@example.com", password: str = PASSWORD
) -> httpx2.Response:
    return http.post("/api/auth/login", json={"email": email, "password": password})


def signed_in(cast: Cast, email: str = "dora@example.com", password: str = PASSWORD) -> httpx2.Client:
    http = cast.stranger()
    ok(sign_in(http, email, password))
    return http


def me(http: httpx2.Client) -> Any:
    return ok(http.get("/api/auth/me"))["user"]


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hash of every Argon2 verification, as they happen."""
    hashes: list[str] = []
    verify = PasswordHasher.verify

    def noted(self: PasswordHasher, password_hash: str, password: str) -> Any:
        hashes.append(password_hash)
        return verify(self, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    return hashes


# --- signing in -----------------------------------------------------------------------------------


def test_dora_signs_in_and_is_dora(cast: Cast) -> None:
    http = cast.stranger()
    dora = {
        "id": cast.dora.id,
        "name": "Dora",
        "email": "dora@example.com",
        "role": "dispatcher",
        "active": True,
    }
    assert ok(sign_in(http)) == {"user": dora}
    assert ok(http.get("/api/auth/me")) == {"user": dora}


def test_an_email_address_is_known_in_capitals_and_between_spaces(cast: Cast) -> None:
    assert me(signed_in(cast, "  Dora@EXAMPLE.com ")) == me(cast.dora.http)


def test_an_unknown_account_and_a_wrong_password_get_the_same_answer_for_the_same_work(
    cast: Cast, verified: list[str]
) -> None:
    ok(cast.ada.post("/api/users", {"name": "Nell", "email": "nell@example.com", "role": "technician"}), 201)
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    http = cast.stranger()
    wrong_password = sign_in(http, password="not the wrench")
    refused(wrong_password, 401, "bad_credentials")
    assert len(verified) == 1
    real = extract_parameters(asyncio.run(passwords.hashed("what a real one costs")))
    for email in ("nobody@example.com", "nell@example.com", "tara@example.com"):
        verified.clear()
        identical(sign_in(http, email), wrong_password)
        assert [extract_parameters(password_hash) for password_hash in verified] == [real], email


def test_the_sessions_cookie_is_out_of_reach_of_scripts_and_other_sites(cast: Cast) -> None:
    [cookie] = sign_in(cast.stranger()).headers.get_list("set-cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith("jobthread=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(attributes)
    assert not [word for word in attributes if word.startswith(("Domain", "Secure"))]


def test_only_the_hash_of_a_session_rests_in_the_database(cast: Cast) -> None:
    token = signed_in(cast).cookies["jobthread"]
    assert len(token) == 43
    kept = at_rest(cast.serving)
    assert b"dora@example.com" in kept
    assert token.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_every_session_has_a_token_of_its_own(cast: Cast) -> None:
    assert signed_in(cast).cookies["jobthread"] != signed_in(cast).cookies["jobthread"]


def test_an_account_that_ends_while_its_password_is_checked_gets_no_session(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def matches_too_late(password_hash: str | None, password: str) -> bool:
        gone = update(users).where(users.c.id == cast.dora.id).values(active=False)
        await asyncio.to_thread(cast.serving.write, lambda tx: tx.conn.execute(gone))
        return True

    monkeypatch.setattr(passwords, "matches", matches_too_late)
    refused(sign_in(cast.stranger()), 401, "bad_credentials")


def test_what_is_no_sign_in_is_refused(cast: Cast) -> None:
    http = cast.stranger()
    good = {"email": "dora@example.com", "password": PASSWORD}
    all_invalid(
        lambda body: http.post("/api/auth/login", json=body),
        [
            ("password", {"email": "dora@example.com"}),
            ("email", {"password": PASSWORD}),
            ("password", good | {"password": ""}),
            ("password", good | {"password": 7}),
            ("password", good | {"password": "x" * 1025}),
            ("email", good | {"email": ""}),
            ("email", good | {"email": "   "}),
            ("email", good | {"email": "dora\0@example.com"}),
            ("email", good | {"email": "x" * 255}),
            ("remember", good | {"remember": True}),
            ("", [good]),
        ],
    )


# --- without a session ----------------------------------------------------------------------------


def test_without_a_session_one_is_nobody(cast: Cast) -> None:
    answer = cast.stranger().get("/api/auth/me")
    refused(answer, 401, "not_authenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    identical(
        answer,
        cast.stranger(Cookie="jobthread=" + "A" * 43).get("/api/auth/me"),
        cast.stranger(Cookie="jobthread=").get("/api/auth/me"),
        cast.stranger(Authorization="Bearer jt_" + "A" * 43).get("/api/auth/me"),
        cast.stranger(Authorization="Basic ZG9yYTpkb3Jh").get("/api/auth/me"),
    )


def test_a_customer_is_no_colleague_and_a_colleague_no_customer(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    carol = cast.opens(link)
    token = httpx2.URL(link["url"]).params["token"]
    refused(carol.http.get("/api/auth/me"), 401, "not_authenticated")
    refused(cast.stranger(Authorization=f"Bearer {token}").get("/api/auth/me"), 401, "not_authenticated")
    refused(cast.ada.get(carol.path), 401, "not_authenticated")


# --- how a session ends ---------------------------------------------------------------------------


def test_signing_out_ends_this_session_at_once_and_no_other(cast: Cast) -> None:
    here, there = signed_in(cast), signed_in(cast)
    copied = cast.stranger(Cookie=f"jobthread={here.cookies['jobthread']}")
    assert me(copied) == me(there)
    answer = here.post("/api/auth/logout")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert "jobthread" not in here.cookies
    refused(copied.get("/api/auth/me"), 401, "not_authenticated")
    refused(copied.post("/api/auth/logout"), 401, "not_authenticated")
    assert me(there)["name"] == "Dora"


def test_a_session_ends_where_it_was_not_used_for_thirty_days(cast: Cast) -> None:
    def days_pass(days: int) -> None:
        cast.serving.clock.pass_time(days=days)
        cast.serving.parts.callers.forget()  # who was here a second ago is known without a look at the clock

    idle, in_use = signed_in(cast), signed_in(cast)
    for _ in range(2):
        days_pass(20)
        assert me(in_use)["name"] == "Dora"
    refused(idle.get("/api/auth/me"), 401, "not_authenticated")
    days_pass(31)
    refused(in_use.get("/api/auth/me"), 401, "not_authenticated")


def test_a_deactivated_colleague_is_out_at_once_and_reactivating_brings_no_session_back(cast: Cast) -> None:
    assert me(cast.tom.http)["name"] == "Tom"
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
    refused(cast.tom.get("/api/auth/me"), 401, "not_authenticated")
    refused(cast.tom.get("/api/chat/threads"), 401, "not_authenticated")
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": True}))
    refused(cast.tom.get("/api/auth/me"), 401, "not_authenticated")
    assert me(signed_in(cast, "tom@example.com"))["name"] == "Tom"


def test_a_new_role_counts_from_the_very_next_request(cast: Cast) -> None:
    refused(cast.tara.get("/api/audit"), 403, "forbidden")
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"role": "admin"}))
    ok(cast.tara.get("/api/audit"))
    ok(cast.tara.patch(f"/api/users/{cast.ada.id}", {"role": "technician"}))
    refused(cast.ada.get("/api/audit"), 403, "forbidden")


# --- passwords ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_hashes")
def test_a_new_password_ends_every_other_session_and_keeps_this_one(cast: Cast) -> None:
    here, there = signed_in(cast), signed_in(cast)
    assert me(there) == me(here)
    changed = here.post("/api/auth/password", json={"current": PASSWORD, "new": NEW_PASSWORD})
    assert changed.status_code == 204
    assert me(here)["name"] == "Dora"
    refused(there.get("/api/auth/me"), 401, "not_authenticated")
    refused(cast.dora.get("/api/auth/me"), 401, "not_authenticated")
    assert me(cast.dan.http)["name"] == "Dan"
    refused(sign_in(cast.stranger()), 401, "bad_credentials")
    ok(sign_in(cast.stranger(), password=NEW_PASSWORD))


def test_a_password_is_changed_only_by_who_knows_it_and_for_one_that_is_long_enough(cast: Cast) -> None:
    good = {"current": PASSWORD, "new": NEW_PASSWORD}
    all_invalid(
        lambda body: cast.dora.post("/api/auth/password", body),
        [
            ("current", good | {"current": "not the wrench"}),
            ("new", good | {"new": "seven77"}),
            ("new", good | {"new": "x" * 257}),
            ("new", {"current": PASSWORD}),
            ("hint", good | {"hint": "wrench"}),
        ],
    )
    refused(cast.stranger().post("/api/auth/password", json=good), 401, "not_authenticated")
    ok(sign_in(cast.stranger()))


# --- API keys -------------------------------------------------------------------------------------


def test_an_api_key_acts_as_its_service_user_until_it_is_revoked(cast: Cast) -> None:
    key = cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.DISPATCHER))
    crm = cast.stranger(Authorization=f"Bearer {key}")
    assert me(crm) == {
        "id": me(crm)["id"],
        "name": "CRM",
        "email": None,
        "role": "dispatcher",
        "active": True,
    }
    thread = ok(crm.post(f"/api/chat/jobs/{cast.roof.ref.id}/customer-thread", json={}), 201)
    assert thread["created_by"]["name"] == "CRM"
    refused(crm.get("/api/audit"), 403, "forbidden")
    refused(crm.post("/api/auth/password", json={"current": "x", "new": NEW_PASSWORD}), 403, "forbidden")
    assert key.encode() not in at_rest(cast.serving)
    cast.serving.write(lambda tx: people.revoke_api_key(tx, NOBODY, "CRM"))
    refused(crm.get("/api/auth/me"), 401, "not_authenticated")


def test_a_key_in_the_header_counts_before_a_cookie(cast: Cast) -> None:
    key = cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.TECHNICIAN))
    both = cast.ada.http.get("/api/auth/me", headers={"Authorization": f"bearer {key}"})
    assert ok(both)["user"]["name"] == "CRM"
    wrong = cast.ada.http.get("/api/auth/me", headers={"Authorization": f"Bearer {key}x"})
    refused(wrong, 401, "not_authenticated")


def test_a_session_is_no_api_key_and_an_api_key_no_session(cast: Cast) -> None:
    key = cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.TECHNICIAN))
    token = cast.ada.http.cookies["jobthread"]
    for known in (cast.ada.http, cast.stranger(Authorization=f"Bearer {key}")):
        me(known)
    refused(cast.stranger(Cookie=f"jobthread={key}").get("/api/auth/me"), 401, "not_authenticated")
    refused(cast.stranger(Authorization=f"Bearer {token}").get("/api/auth/me"), 401, "not_authenticated")


def test_the_casts_own_password_hash_is_that_of_its_password(cast: Cast) -> None:
    """The other tests sign in by it."""
    assert asyncio.run(passwords.matches(PASSWORD_HASH, PASSWORD))
    assert not asyncio.run(passwords.matches(None, PASSWORD))
    invalid(sign_in(cast.stranger(), "", PASSWORD), "email")
