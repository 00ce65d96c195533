"""Customers as the office keeps them; a contact that was wrong opens nothing any more."""

from typing import Any

import httpx2

from tests.api.refusing import ABSENT, all_invalid, no_questions
from tests.cast import Cast, Colleague, exchange_of, ok, refused


def names(who: Colleague, **params: Any) -> list[str]:
    return [customer["name"] for customer in ok(who.get("/api/customers", **params))["customers"]]


def path_of_carol(cast: Cast) -> str:
    return f"/api/customers/{cast.boiler.customer.id}"


def opening(cast: Cast, link: dict[str, Any]) -> httpx2.Response:
    return cast.stranger().post("/api/chat/customer/session", json=exchange_of(link["url"]))


# --- the list -------------------------------------------------------------------------------------


def test_the_office_lists_customers_newest_first(cast: Cast) -> None:
    answer = ok(cast.dora.get("/api/customers"))
    assert names(cast.ada) == ["Chris", "Carol"]
    assert answer["next_cursor"] is None
    assert answer["customers"][1] == {
        "id": cast.boiler.customer.id,
        "name": "Carol",
        "email": "carol@example.com",
        "phone": "+12025550101",
        "sms_stopped": False,
        "sms_stopped_since": None,
    }


def test_customers_are_found_by_the_beginnings_of_name_email_and_phone(cast: Cast) -> None:
    for query in ("car", "CAROL", "cärol", "carol@exam", "+1202555", "carol example"):
        assert names(cast.dora, q=query) == ["Carol"], query
    for query in ("arol", "carol chris", '"', "%", "_", "' OR 1=1"):
        assert names(cast.dora, q=query) == [], query
    assert names(cast.dora, q="example.com") == names(cast.dora, q=" ") == ["Chris", "Carol"]


def test_customers_come_in_pages(cast: Cast) -> None:
    for number in range(3):
        new = {"title": "Look", "customer": {"name": f"Customer {number}"}}
        ok(cast.dora.post("/api/jobs", new), 201)
    seen, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = ok(cast.dora.get("/api/customers", **asked))
        assert 1 <= len(page["customers"]) <= 2
        seen += [customer["name"] for customer in page["customers"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["Customer 2", "Customer 1", "Customer 0", "Chris", "Carol"]


def test_technicians_and_customers_do_not_see_the_customers(cast: Cast) -> None:
    refused(cast.tom.get("/api/customers"), 403, "forbidden")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    refused(carol.http.get("/api/customers"), 401, "not_authenticated")


def test_what_is_no_question_is_refused(cast: Cast) -> None:
    no_questions(
        cast.dora.get,
        "/api/customers",
        [
            ("limit", {"limit": 0}),
            ("limit", {"limit": 101}),
            ("cursor", {"cursor": "made up"}),
            ("q", {"q": "x" * 401}),
            ("name", {"name": "Carol"}),
        ],
    )


# --- changes --------------------------------------------------------------------------------------


def test_what_is_given_is_changed_and_the_rest_stays(cast: Cast) -> None:
    carol = {
        "id": cast.boiler.customer.id,
        "name": "Carol",
        "email": "carol@example.com",
        "phone": "+12025550101",
        "sms_stopped": False,
        "sms_stopped_since": None,
    }
    assert ok(cast.dora.patch(path_of_carol(cast), {})) == carol
    assert ok(cast.dora.patch(path_of_carol(cast), {"name": " Carol B. "})) == carol | {"name": "Carol B."}
    changed = ok(cast.dora.patch(path_of_carol(cast), {"phone": "(202) 555-0155", "email": None}))
    assert changed == carol | {"name": "Carol B.", "phone": "+12025550155", "email": None}
    assert names(cast.dora, q="2025550155") == []
    assert names(cast.dora, q="12025550155") == ["Carol B."]


def test_a_customer_with_a_new_name_is_found_by_it_with_all_jobs(cast: Cast) -> None:
    ok(cast.dora.patch(path_of_carol(cast), {"name": "Caroline Miller"}))
    [job] = ok(cast.dora.get("/api/jobs", q="miller"))["jobs"]
    assert (job["id"], job["customer_name"]) == (cast.boiler.ref.id, "Caroline Miller")
    assert ok(cast.dora.get("/api/jobs", q="boiler caroline"))["jobs"] == [job]


def test_only_the_office_changes_customers(cast: Cast) -> None:
    refused(cast.tom.patch(path_of_carol(cast), {"name": "Karl"}), 403, "forbidden")
    refused(cast.dora.patch(f"/api/customers/{ABSENT}", {"name": "Karl"}), 404, "not_found")
    assert names(cast.dora) == ["Chris", "Carol"]


def test_what_is_no_change_is_refused(cast: Cast) -> None:
    all_invalid(
        lambda body: cast.dora.patch(path_of_carol(cast), body),
        [
            ("name", {"name": ""}),
            ("name", {"name": None}),
            ("name", {"name": "Carol\0"}),
            ("email", {"email": "carol at example.com"}),
            ("email", {"email": "carol@example.com, chris@example.com"}),
            ("phone", {"phone": "ring me"}),
            ("phone", {"phone": "12"}),
            ("phone", {"phone": 12025550101}),
            ("id", {"id": 7}),
        ],
    )


# --- a contact that was wrong ---------------------------------------------------------------------


def test_a_changed_email_address_withdraws_the_links_that_went_to_the_old_one(cast: Cast) -> None:
    mailed = cast.dora.sends_link(cast.boiler, channels=["email"])
    texted = cast.dora.sends_link(cast.boiler, channels=["sms"])
    in_hand = cast.dora.sends_link(cast.boiler, channels=[])
    to_chris = cast.dora.sends_link(cast.roof, channels=["email"])
    whoever = cast.opens(mailed)
    whoever.view()

    ok(cast.dora.patch(path_of_carol(cast), {"email": "carol.b@example.com"}))
    refused(whoever.http.get(whoever.path), 401, "link_revoked")
    refused(opening(cast, mailed), 401, "link_revoked")
    for other in (texted, in_hand, to_chris):
        ok(opening(cast, other))


def test_a_phone_number_that_was_taken_away_withdraws_the_texted_links_alone(cast: Cast) -> None:
    mailed = cast.dora.sends_link(cast.boiler, channels=["email"])
    texted = cast.dora.sends_link(cast.boiler, channels=["sms"])
    both = cast.dora.sends_link(cast.boiler)
    ok(cast.dora.patch(path_of_carol(cast), {"phone": None}))
    refused(opening(cast, texted), 401, "link_revoked")
    refused(opening(cast, both), 401, "link_revoked")
    ok(opening(cast, mailed))


def test_a_new_name_or_the_same_contact_withdraws_nothing(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler))
    same = {"name": "Caroline", "email": "carol@example.com", "phone": "(202) 555-0101"}
    ok(cast.dora.patch(path_of_carol(cast), same))
    assert carol.view()["job"]["customer_name"] == "Caroline"
