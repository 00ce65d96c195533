"""Jobs: taken in by the office, seen by whom they concern."""

from typing import Any

from tests.api.refusing import ABSENT, all_invalid, identical, invalid, no_questions
from tests.cast import Cast, Colleague, ok, refused


def titles(who: Colleague, **params: Any) -> list[str]:
    return [job["title"] for job in ok(who.get("/api/jobs", **params))["jobs"]]


def path_of_boiler(cast: Cast) -> str:
    return f"/api/jobs/{cast.boiler.ref.id}"


# --- taking one in --------------------------------------------------------------------------------


def test_a_job_is_taken_in_for_a_new_customer(cast: Cast) -> None:
    asked = {
        "title": " Gutter blocked ",
        "reference": "A-7",
        "customer": {"name": "Cleo", "email": "cleo@example.com", "phone": "202-555-0177"},
        "assignee_ids": [cast.tara.id, cast.tom.id, cast.tara.id],
        "scheduled_at": "2026-12-01T09:30:00+02:00",
        "external_id": "crm-55",
    }
    job = ok(cast.dora.post("/api/jobs", asked), 201)
    customer = {
        "id": job["customer"]["id"],
        "name": "Cleo",
        "email": "cleo@example.com",
        "phone": "+12025550177",
        "sms_stopped": False,
        "sms_stopped_since": None,
    }
    assert job == {
        "id": job["id"],
        "reference": "A-7",
        "title": "Gutter blocked",
        "status": "active",
        "customer_name": "Cleo",
        "customer": customer,
        "assignees": [
            {"id": cast.tom.id, "name": "Tom", "role": "technician"},
            {"id": cast.tara.id, "name": "Tara", "role": "technician"},
        ],
        "scheduled_at": "2026-12-01T07:30:00.000Z",
        "external_id": "crm-55",
        "threads": [],
    }
    assert ok(cast.dora.get(f"/api/jobs/{job['id']}")) == job


def test_a_job_is_taken_in_for_a_known_customer_and_gets_a_number(cast: Cast) -> None:
    asked = {"title": "Boiler again", "customer": {"id": cast.boiler.customer.id}}
    first, second = (ok(cast.ada.post("/api/jobs", asked), 201) for _ in range(2))
    assert first["customer"]["name"] == "Carol"
    assert first["reference"].isdigit()
    assert first["reference"] != second["reference"]
    assert (first["assignees"], first["scheduled_at"], first["external_id"]) == ([], None, None)


def test_a_reference_and_an_external_id_belong_to_one_job(cast: Cast) -> None:
    new = {"title": "Look", "customer": {"name": "Cleo"}}
    ok(cast.dora.post("/api/jobs", new | {"external_id": "crm-1"}), 201)
    refused(cast.dora.post("/api/jobs", new | {"reference": "101"}), 409, "taken")
    refused(cast.dora.post("/api/jobs", new | {"external_id": "crm-1"}), 409, "taken")
    refused(cast.dora.patch(path_of_boiler(cast), {"reference": "102"}), 409, "taken")
    refused(cast.dora.patch(path_of_boiler(cast), {"external_id": "crm-1"}), 409, "taken")
    ok(cast.dora.patch(path_of_boiler(cast), {"reference": "101"}))


def test_technicians_and_customers_take_in_no_jobs(cast: Cast) -> None:
    new = {"title": "Look", "customer": {"name": "Cleo"}}
    refused(cast.tom.post("/api/jobs", new), 403, "forbidden")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    refused(carol.http.post("/api/jobs", json=new), 401, "not_authenticated")
    refused(carol.http.get(path_of_boiler(cast)), 401, "not_authenticated")


def test_what_is_no_job_is_refused(cast: Cast) -> None:
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    new: dict[str, Any] = {"title": "Look", "customer": {"name": "Cleo"}}
    all_invalid(
        lambda body: cast.dora.post("/api/jobs", body),
        [
            ("title", {"customer": {"name": "Cleo"}}),
            ("customer", {"title": "Look"}),
            ("title", new | {"title": " "}),
            ("title", new | {"title": "x" * 201}),
            ("title", new | {"title": "one\ntwo"}),
            ("reference", new | {"reference": ""}),
            ("reference", new | {"reference": "x" * 61}),
            ("customer.name", new | {"customer": {}}),
            ("customer.id", new | {"customer": {"id": ABSENT}}),
            ("customer.id", new | {"customer": {"id": 0}}),
            ("customer", new | {"customer": {"id": cast.boiler.customer.id, "name": "Cleo"}}),
            ("customer.phone", new | {"customer": {"name": "Cleo", "phone": "none"}}),
            ("customer.email", new | {"customer": {"name": "Cleo", "email": "none"}}),
            ("customer.mail", new | {"customer": {"name": "Cleo", "mail": "cleo@example.com"}}),
            ("assignee_ids", new | {"assignee_ids": [ABSENT]}),
            ("assignee_ids", new | {"assignee_ids": [cast.tara.id]}),
            ("assignee_ids[0]", new | {"assignee_ids": ["Tom"]}),
            ("scheduled_at", new | {"scheduled_at": "2026-12-01T09:30:00"}),
            ("scheduled_at", new | {"scheduled_at": "tomorrow"}),
            ("scheduled_at", new | {"scheduled_at": "1999-12-31T00:00:00Z"}),
            ("external_id", new | {"external_id": "x" * 101}),
            ("status", new | {"status": "closed"}),
        ],
    )
    assert titles(cast.dora) == ["Roof leaks", "Boiler off"]
    assert len(ok(cast.dora.get("/api/customers"))["customers"]) == 2


# --- who sees one ---------------------------------------------------------------------------------


def test_the_office_sees_all_jobs_and_a_technician_those_assigned_or_talked_of(cast: Cast) -> None:
    both = ["Roof leaks", "Boiler off"]
    assert titles(cast.ada) == titles(cast.dan) == both
    assert titles(cast.tom) == ["Boiler off"]
    assert titles(cast.tara) == []
    thread = cast.dora.opens_thread(cast.tara, job=cast.roof)
    assert titles(cast.tara) == ["Roof leaks"]
    ok(cast.tara.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tara.id}"), 204)
    assert titles(cast.tara) == []
    ok(cast.dora.patch(path_of_boiler(cast), {"assignee_ids": [cast.tara.id]}))
    assert (titles(cast.tara), titles(cast.tom)) == (["Boiler off"], [])


def test_a_hidden_job_is_as_one_that_is_not_there(cast: Cast) -> None:
    hidden, absent = f"/api/jobs/{cast.roof.ref.id}", f"/api/jobs/{ABSENT}"
    identical(cast.tom.get(hidden), cast.tom.get(absent))
    identical(cast.tom.patch(hidden, {"title": "Mine"}), cast.tom.patch(absent, {"title": "Mine"}))
    refused(cast.tom.get(hidden), 404, "not_found")
    refused(cast.dora.get(absent), 404, "not_found")


def test_a_job_shows_each_colleague_the_threads_that_they_see(cast: Cast) -> None:
    cast.dora.opens_thread(job=cast.boiler, subject="Among dispatchers")
    cast.tom.opens_thread(job=cast.boiler, subject="Tom alone")
    cast.dora.opens_thread(cast.tom, job=cast.boiler, subject="With Carol", visibility="customer_visible")
    shown = {
        who.name: [thread["subject"] for thread in ok(who.get(path_of_boiler(cast)))["threads"]]
        for who in (cast.ada, cast.dora, cast.dan, cast.tom)
    }
    assert shown == {
        "Ada": ["With Carol", "Tom alone", "Among dispatchers"],
        "Dora": ["With Carol", "Among dispatchers"],
        "Dan": ["With Carol"],
        "Tom": ["With Carol", "Tom alone"],
    }


# --- the list -------------------------------------------------------------------------------------


def test_jobs_are_found_by_words_and_status(cast: Cast) -> None:
    ok(cast.dora.patch(path_of_boiler(cast), {"status": "closed", "external_id": "crm-9"}))
    for query in ("boil", "BOILER off", "carol", "101", "crm"):
        assert titles(cast.dora, q=query) == ["Boiler off"], query
    assert titles(cast.dora, q="oiler") == titles(cast.dora, q="boiler roof") == []
    assert titles(cast.dora, status="active") == ["Roof leaks"]
    assert titles(cast.dora, status="closed") == ["Boiler off"]
    assert titles(cast.dora, status="closed", q="roof") == []
    assert titles(cast.dora, status="all") == titles(cast.dora)


def test_a_technician_searches_among_their_own_jobs(cast: Cast) -> None:
    assert titles(cast.tom, q="roof") == titles(cast.tom, q="chris") == []


def test_jobs_come_in_pages(cast: Cast) -> None:
    for number in range(3):
        ok(cast.dora.post("/api/jobs", {"title": f"Job {number}", "customer": {"name": "Cleo"}}), 201)
    first = ok(cast.dora.get("/api/jobs", limit=3))
    last = ok(cast.dora.get("/api/jobs", limit=3, cursor=first["next_cursor"]))
    shown = [job["title"] for job in [*first["jobs"], *last["jobs"]]]
    assert shown == ["Job 2", "Job 1", "Job 0", "Roof leaks", "Boiler off"]
    assert last["next_cursor"] is None


def test_what_is_no_question_is_refused(cast: Cast) -> None:
    no_questions(
        cast.dora.get,
        "/api/jobs",
        [
            ("limit", {"limit": 0}),
            ("limit", {"limit": "ten"}),
            ("status", {"status": "open"}),
            ("cursor", {"cursor": "?"}),
            ("state", {"state": "active"}),
        ],
    )
    invalid(cast.dora.http.get("/api/jobs?limit=1&limit=2"), "limit")


# --- changes --------------------------------------------------------------------------------------


def test_what_is_given_is_changed_and_the_rest_stays(cast: Cast) -> None:
    before = ok(cast.dora.get(path_of_boiler(cast)))
    assert ok(cast.dora.patch(path_of_boiler(cast), {})) == before
    asked = {"title": "Boiler is cold", "status": "closed", "scheduled_at": "2026-12-24T08:00:00.250Z"}
    assert ok(cast.ada.patch(path_of_boiler(cast), asked)) == before | asked
    undone: dict[str, Any] = {
        "scheduled_at": None,
        "assignee_ids": [],
        "status": "active",
        "external_id": "crm-1",
    }
    after = (
        before | asked | {"scheduled_at": None, "assignees": [], "status": "active", "external_id": "crm-1"}
    )
    assert ok(cast.dora.patch(path_of_boiler(cast), undone)) == after


def test_a_colleague_who_left_may_stay_on_a_job_but_come_to_no_new_one(cast: Cast) -> None:
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
    kept = ok(cast.dora.patch(path_of_boiler(cast), {"assignee_ids": [cast.tom.id, cast.tara.id]}))
    assert [person["name"] for person in kept["assignees"]] == ["Tom", "Tara"]
    invalid(cast.dora.patch(f"/api/jobs/{cast.roof.ref.id}", {"assignee_ids": [cast.tom.id]}), "assignee_ids")


def test_a_technician_sees_but_does_not_change_a_job(cast: Cast) -> None:
    refused(cast.tom.patch(path_of_boiler(cast), {"title": "Mine"}), 403, "forbidden")
    refused(cast.dora.patch(f"/api/jobs/{ABSENT}", {"title": "Mine"}), 404, "not_found")
    assert titles(cast.tom) == ["Boiler off"]


def test_what_is_no_change_is_refused(cast: Cast) -> None:
    all_invalid(
        lambda body: cast.dora.patch(path_of_boiler(cast), body),
        [
            ("title", {"title": ""}),
            ("title", {"title": None}),
            ("status", {"status": "done"}),
            ("assignee_ids", {"assignee_ids": [ABSENT]}),
            ("scheduled_at", {"scheduled_at": "2026-12-24"}),
            ("customer", {"customer": {"name": "Karl"}}),
        ],
    )
