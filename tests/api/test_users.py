"""Staff accounts: who is there, and who may change that."""

from typing import Any

import pytest

from jobthread.actions import people
from jobthread.entities import Role
from tests.api.refusing import ABSENT, all_invalid, identical
from tests.cast import NOBODY, PASSWORD, Cast, Colleague, ok, refused

pytestmark = pytest.mark.usefixtures("quick_hashes")

NELL = {"name": "Nell", "email": "nell@example.com", "role": "technician"}


def names(who: Colleague, **params: Any) -> list[str]:
    return [user["name"] for user in ok(who.get("/api/users", **params))["users"]]


def signs_in(cast: Cast, email: str, password: str = PASSWORD) -> bool:
    asked = {"email": email, "password": password}
    return cast.stranger().post("/api/auth/login", json=asked).status_code == 200


# --- the list -------------------------------------------------------------------------------------


def test_all_staff_see_who_is_active_by_name(cast: Cast) -> None:
    for colleague in cast.everyone:
        assert names(colleague) == ["Ada", "Dan", "Dora", "Tara", "Tom"]
    tom = ok(cast.tara.get("/api/users"))["users"][-1]
    assert tom == {
        "id": cast.tom.id,
        "name": "Tom",
        "email": "tom@example.com",
        "role": "technician",
        "active": True,
    }


def test_who_was_deactivated_is_listed_for_admins_who_ask_for_all(cast: Cast) -> None:
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    assert names(cast.ada) == ["Ada", "Dan", "Dora", "Tom"]
    assert names(cast.ada, all="true") == ["Ada", "Dan", "Dora", "Tara", "Tom"]
    refused(cast.dora.get("/api/users", all="true"), 403, "forbidden")


def test_a_service_account_is_nobody_to_talk_to(cast: Cast) -> None:
    cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.ADMIN))
    assert "CRM" not in names(cast.ada) + names(cast.ada, all="true")


def test_a_customer_does_not_see_who_works_here(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    refused(carol.http.get("/api/users"), 401, "not_authenticated")


# --- new accounts ---------------------------------------------------------------------------------


def test_ada_takes_on_nell_who_can_sign_in(cast: Cast) -> None:
    nell = ok(cast.ada.post("/api/users", NELL | {"password": PASSWORD, "email": "Nell@Example.com"}), 201)
    assert nell == NELL | {"id": nell["id"], "active": True}
    assert signs_in(cast, "nell@example.com")
    assert "Nell" in names(cast.tom)


def test_an_account_without_a_password_cannot_sign_in_until_it_has_one(cast: Cast) -> None:
    nell = ok(cast.ada.post("/api/users", NELL), 201)
    assert not signs_in(cast, "nell@example.com")
    ok(cast.ada.patch(f"/api/users/{nell['id']}", {"password": PASSWORD}))
    assert signs_in(cast, "nell@example.com")


def test_only_admins_make_and_change_accounts(cast: Cast) -> None:
    for colleague in (cast.dora, cast.tom):
        refused(colleague.post("/api/users", NELL), 403, "forbidden")
        mine = colleague.patch(f"/api/users/{colleague.id}", {"role": "admin"})
        refused(mine, 403, "forbidden")
        identical(mine, colleague.patch(f"/api/users/{ABSENT}", {"role": "admin"}))
    assert "Nell" not in names(cast.ada, all="true")


def test_an_email_address_belongs_to_one_account(cast: Cast) -> None:
    refused(cast.ada.post("/api/users", NELL | {"email": "TOM@example.com"}), 409, "taken")
    refused(cast.ada.patch(f"/api/users/{cast.tara.id}", {"email": "Tom@example.com"}), 409, "taken")
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"email": "TARA@example.com"}))


def test_what_is_no_account_is_refused(cast: Cast) -> None:
    all_invalid(
        lambda body: cast.ada.post("/api/users", body),
        [
            ("name", {"email": "nell@example.com", "role": "technician"}),
            ("role", {"name": "Nell", "email": "nell@example.com"}),
            ("name", NELL | {"name": "  "}),
            ("name", NELL | {"name": "x" * 201}),
            ("name", NELL | {"name": "Nell\nBcc"}),
            ("email", NELL | {"email": "nell"}),
            ("email", NELL | {"email": "nell@example"}),
            ("email", NELL | {"email": "nell@example.com\nBcc: all@example.com"}),
            ("email", NELL | {"email": "nell..b@example.com"}),
            ("role", NELL | {"role": "boss"}),
            ("password", NELL | {"password": "seven77"}),
            ("password", NELL | {"password": "x" * 257}),
            ("active", NELL | {"active": False}),
        ],
    )
    all_invalid(
        lambda body: cast.ada.patch(f"/api/users/{cast.tom.id}", body),
        [
            ("name", {"name": ""}),
            ("email", {"email": None}),
            ("role", {"role": "boss"}),
            ("active", {"active": "no"}),
            ("password", {"password": "seven77"}),
            ("id", {"id": 7}),
        ],
    )


# --- changes --------------------------------------------------------------------------------------


def test_what_is_given_is_changed_and_the_rest_stays(cast: Cast) -> None:
    path = f"/api/users/{cast.tara.id}"
    before = ok(cast.ada.patch(path, {}))
    assert ok(cast.ada.patch(path, {"name": " Tara B. "})) == before | {"name": "Tara B."}
    after = before | {"name": "Tara B.", "email": "tb@example.com", "role": "dispatcher"}
    assert ok(cast.ada.patch(path, {"email": "TB@example.com", "role": "dispatcher"})) == after
    assert signs_in(cast, "tb@example.com")
    assert not signs_in(cast, "tara@example.com")


def test_nobody_changes_who_is_not_there_or_a_service_account(cast: Cast) -> None:
    key = cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.ADMIN))
    crm = ok(cast.stranger(Authorization=f"Bearer {key}").get("/api/auth/me"))["user"]
    absent = cast.ada.patch(f"/api/users/{ABSENT}", {"active": False})
    refused(absent, 404, "not_found")
    identical(cast.ada.patch(f"/api/users/{crm['id']}", {"active": False}), absent)


def test_a_password_that_an_admin_sets_ends_all_sessions_of_that_person(cast: Cast) -> None:
    ok(cast.tom.get("/api/auth/me"))
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"password": "another wrench"}))
    refused(cast.tom.get("/api/auth/me"), 401, "not_authenticated")
    assert signs_in(cast, "tom@example.com", "another wrench")


def test_a_deactivated_colleague_is_out_of_everything_at_once(cast: Cast) -> None:
    thread = cast.tom.opens_thread(cast.tara)
    assert cast.tara.sees(thread)
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    write = {"body": "Am I still here?"}
    refused(cast.tara.post(f"/api/chat/threads/{thread['id']}/messages", write), 401, "not_authenticated")
    refused(cast.tara.get("/api/chat/unread-count"), 401, "not_authenticated")
    assert not signs_in(cast, "tara@example.com")
    new = {"visibility": "internal", "subject": "For Tara", "participant_ids": [cast.tara.id]}
    all_invalid(lambda body: cast.tom.post("/api/chat/threads", body), [("participant_ids", new)])


# --- the last admin -------------------------------------------------------------------------------


def test_the_last_active_admin_is_neither_deactivated_nor_demoted(cast: Cast) -> None:
    cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.ADMIN))
    ada = f"/api/users/{cast.ada.id}"
    refused(cast.ada.patch(ada, {"active": False}), 409, "last_admin")
    refused(cast.ada.patch(ada, {"role": "dispatcher"}), 409, "last_admin")
    ok(cast.ada.patch(ada, {"name": "Ada L.", "role": "admin", "active": True}))

    ok(cast.ada.patch(f"/api/users/{cast.dora.id}", {"role": "admin", "active": False}))
    refused(cast.ada.patch(ada, {"role": "technician"}), 409, "last_admin")


def test_with_a_second_admin_the_first_may_go_and_then_the_second_is_the_last(cast: Cast) -> None:
    ok(cast.ada.patch(f"/api/users/{cast.dora.id}", {"role": "admin"}))
    ok(cast.dora.patch(f"/api/users/{cast.ada.id}", {"active": False}))
    refused(cast.dora.patch(f"/api/users/{cast.dora.id}", {"role": "dispatcher"}), 409, "last_admin")
    refused(cast.ada.get("/api/auth/me"), 401, "not_authenticated")
