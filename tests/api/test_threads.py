"""Threads: opened, closed and opened again; who takes part, and who sees them."""

from typing import Any

import pytest

from jobthread.actions import people
from jobthread.entities import Role
from tests.api.refusing import ABSENT, all_invalid, identical
from tests.cast import NOBODY, Cast, Colleague, ok, refused


def path_of(thread: dict[str, Any], more: str = "") -> str:
    return f"/api/chat/threads/{thread['id']}{more}"


def seen_by(who: Colleague, thread: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ok(who.get(path_of(thread)))
    return found


def participants(who: Colleague, thread: dict[str, Any]) -> list[str]:
    return [person["name"] for person in seen_by(who, thread)["participants"]]


def events(who: Colleague, thread: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """What happened to the thread: type, by whom, about whom."""
    rows = [row for row in who.reads(thread) if row["kind"] == "event"]
    assert all(row["body"] == "" for row in rows)
    return [
        (row["event"]["type"], row["sender"]["name"], [person["name"] for person in row["event"]["people"]])
        for row in rows
    ]


def with_carol(cast: Cast, *people: Colleague, **more: Any) -> dict[str, Any]:
    """A customer-visible thread about the boiler, opened by Dora."""
    asked = {"visibility": "customer_visible", "subject": "Your boiler"} | more
    return cast.dora.opens_thread(*people, job=cast.boiler, **asked)


# --- opening one ----------------------------------------------------------------------------------


def test_a_thread_is_opened_with_people_about_a_job_with_a_first_message(cast: Cast) -> None:
    asked = {
        "visibility": "internal",
        "subject": " Valve is seized ",
        "participant_ids": [cast.dora.id, cast.dora.id, cast.tom.id],
        "job_id": cast.boiler.ref.id,
        "message": {"body": " Replace it? ", "client_msg_id": "first-1"},
    }
    thread = ok(cast.tom.post("/api/chat/threads", asked), 201)
    message = thread["last_message"]
    assert thread == {
        "id": thread["id"],
        "subject": "Valve is seized",
        "visibility": "internal",
        "status": "open",
        "job": {
            "id": cast.boiler.ref.id,
            "reference": "101",
            "title": "Boiler off",
            "status": "active",
            "customer_name": "Carol",
        },
        "participants": [
            {"id": cast.dora.id, "name": "Dora", "role": "dispatcher"},
            {"id": cast.tom.id, "name": "Tom", "role": "technician"},
        ],
        "created_by": {"id": cast.tom.id, "name": "Tom"},
        "created_at": thread["created_at"],
        "last_message": message,
        "last_seq": 2,
        "last_read_seq": 2,
        "unread_count": 0,
        "needs_reply": False,
        "waiting_since": None,
        "claimed_by": None,
        "escalated": 0,
        "sms_stopped": False,
        "email_on_file": True,
        "hit": None,
    }
    assert (message["body"], message["seq"], message["client_msg_id"]) == ("Replace it?", 2, "first-1")
    assert seen_by(cast.tom, thread) == thread
    assert seen_by(cast.dora, thread) == thread | {"unread_count": 1, "last_read_seq": 0}
    assert events(cast.dora, thread) == [("created", "Tom", ["Dora"])]


def test_a_thread_may_begin_with_nobody_else_and_nothing_said(cast: Cast) -> None:
    thread = cast.tara.opens_thread()
    assert participants(cast.tara, thread) == ["Tara"]
    assert (thread["job"], thread["last_message"], thread["last_seq"]) == (None, None, 1)
    assert (thread["unread_count"], thread["last_read_seq"]) == (0, 0)


def test_everyone_opens_internal_threads_and_the_office_customer_visible_ones(cast: Cast) -> None:
    for colleague in cast.everyone:
        assert colleague.opens_thread()["created_by"]["name"] == colleague.name
    asked = {"visibility": "customer_visible", "subject": "Your boiler", "job_id": cast.boiler.ref.id}
    for colleague in (cast.ada, cast.dora):
        assert ok(colleague.post("/api/chat/threads", asked), 201)["visibility"] == "customer_visible"
    refused(cast.tom.post("/api/chat/threads", asked), 403, "forbidden")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    refused(carol.http.post("/api/chat/threads", json=asked), 401, "not_authenticated")


def test_a_job_that_is_hidden_is_as_little_there_as_one_that_is_not(cast: Cast) -> None:
    asked = {"visibility": "internal", "subject": "About the roof"}
    hidden = cast.tom.post("/api/chat/threads", asked | {"job_id": cast.roof.ref.id})
    identical(hidden, cast.tom.post("/api/chat/threads", asked | {"job_id": ABSENT}))
    assert hidden.status_code == 422
    assert hidden.json()["errors"][0]["field"] == "job_id"


def test_what_is_no_thread_is_refused(cast: Cast) -> None:
    key = cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "CRM", Role.DISPATCHER))
    crm = ok(cast.stranger(Authorization=f"Bearer {key}").get("/api/auth/me"))["user"]
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    new: dict[str, Any] = {"visibility": "internal", "subject": "Need help"}
    all_invalid(
        lambda body: cast.dora.post("/api/chat/threads", body),
        [
            ("visibility", {"subject": "Need help"}),
            ("subject", {"visibility": "internal"}),
            ("visibility", new | {"visibility": "public"}),
            ("subject", new | {"subject": "\t \n"}),
            ("subject", new | {"subject": "x" * 201}),
            ("subject", new | {"subject": "one\ntwo"}),
            ("subject", new | {"subject": "null\0"}),
            ("subject", new | {"subject": "line\u2028separator"}),
            ("job_id", new | {"visibility": "customer_visible"}),
            ("job_id", new | {"visibility": "customer_visible", "job_id": None}),
            ("job_id", new | {"job_id": ABSENT}),
            ("job_id", new | {"job_id": 0}),
            ("job_id", new | {"job_id": 2**63}),
            ("job_id", new | {"job_id": "101"}),
            ("participant_ids", new | {"participant_ids": [ABSENT]}),
            ("participant_ids", new | {"participant_ids": [cast.tom.id, cast.tara.id]}),
            ("participant_ids", new | {"participant_ids": [crm["id"]]}),
            ("participant_ids", new | {"participant_ids": [cast.tom.id] * 201}),
            ("message.body", new | {"message": {"body": " "}}),
            ("message.client_msg_id", new | {"message": {"body": "Hello", "client_msg_id": "a b"}}),
            ("message.text", new | {"message": {"body": "Hello", "text": "Hello"}}),
            ("visible", new | {"visible": True}),
        ],
    )
    assert ok(cast.ada.get("/api/chat/threads"))["threads"] == []
    ok(cast.dora.post("/api/chat/threads", new | {"subject": "x" * 200}), 201)


# --- who sees one ---------------------------------------------------------------------------------


def test_an_internal_thread_is_seen_by_admins_and_who_takes_part(cast: Cast) -> None:
    among_dispatchers = cast.dora.opens_thread(job=cast.boiler)
    toms = cast.tom.opens_thread(cast.dora, job=cast.boiler)
    seeing = {who.name: (who.sees(among_dispatchers), who.sees(toms)) for who in cast.everyone}
    assert seeing == {
        "Ada": (True, True),
        "Dora": (True, True),
        "Dan": (False, False),
        "Tom": (False, True),
        "Tara": (False, False),
    }


def test_a_customer_visible_thread_is_seen_by_the_office_and_technicians_who_take_part(cast: Cast) -> None:
    thread = with_carol(cast, cast.tara)
    assert [who.name for who in cast.everyone if who.sees(thread)] == ["Ada", "Dora", "Dan", "Tara"]


# --- closing and reopening ------------------------------------------------------------------------


def test_closing_and_reopening_twice_does_each_once(cast: Cast) -> None:
    thread = cast.tom.opens_thread(cast.dora)
    closed = ok(cast.dora.post(path_of(thread, "/close")))
    assert (closed["status"], closed["last_seq"]) == ("closed", 2)
    assert ok(cast.tom.post(path_of(thread, "/close")))["last_seq"] == 2
    refused(cast.dora.post(path_of(thread, "/messages"), {"body": "Too late"}), 409, "thread_closed")
    assert ok(cast.tom.post(path_of(thread, "/reopen")))["status"] == "open"
    assert ok(cast.tom.post(path_of(thread, "/reopen")))["last_seq"] == 3
    cast.dora.writes(thread, "In time")
    assert events(cast.tom, thread) == [
        ("created", "Tom", ["Dora"]),
        ("closed", "Dora", []),
        ("reopened", "Tom", []),
    ]
    audited = [entry["action"] for entry in ok(cast.ada.get("/api/audit", thread_id=thread["id"]))["entries"]]
    assert audited == ["thread_reopened", "thread_closed", "thread_created"]


def test_a_technician_closes_and_reopens_only_what_they_created(cast: Cast) -> None:
    mine, doras, carols = (
        cast.tom.opens_thread(),
        cast.dora.opens_thread(cast.tom),
        with_carol(cast, cast.tom),
    )
    for step in ("/close", "/reopen"):
        ok(cast.tom.post(path_of(mine, step)))
        for thread in (doras, carols):
            refused(cast.tom.post(path_of(thread, step)), 403, "forbidden")
    assert seen_by(cast.tom, doras)["status"] == "open"


def test_the_office_closes_and_reopens_where_they_see(cast: Cast) -> None:
    toms, carols = cast.tom.opens_thread(), with_carol(cast)
    for thread, colleague in ((toms, cast.ada), (carols, cast.ada), (carols, cast.dan)):
        ok(colleague.post(path_of(thread, "/close")))
        ok(colleague.post(path_of(thread, "/reopen")))
    refused(cast.dora.post(path_of(toms, "/close")), 404, "not_found")
    assert participants(cast.ada, toms) == ["Tom"], "whoever closes a thread does not join it"


# --- taking part ----------------------------------------------------------------------------------


def test_colleagues_are_brought_in_once_each(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    asked = {"user_ids": [cast.tara.id, cast.tom.id, cast.dan.id, cast.tara.id]}
    answer = ok(cast.dora.post(path_of(thread, "/participants"), asked))
    assert answer == seen_by(cast.dora, thread)
    assert participants(cast.dora, thread) == ["Dora", "Tom", "Dan", "Tara"]
    assert ok(cast.tara.post(path_of(thread, "/read")))["last_read_seq"] == 2
    assert ok(cast.dora.post(path_of(thread, "/participants"), asked))["last_seq"] == 2
    assert events(cast.tara, thread)[1:] == [("joined", "Dora", ["Tara", "Dan"])]


def test_only_the_office_changes_who_takes_part_and_only_where_they_see(cast: Cast) -> None:
    toms = cast.tom.opens_thread(cast.tara)
    add = {"user_ids": [cast.dora.id]}
    refused(cast.tom.post(path_of(toms, "/participants"), add), 403, "forbidden")
    refused(cast.tom.delete(path_of(toms, f"/participants/{cast.tara.id}")), 403, "forbidden")
    refused(cast.dora.post(path_of(toms, "/participants"), add), 404, "not_found")
    refused(cast.dora.delete(path_of(toms, f"/participants/{cast.tara.id}")), 404, "not_found")
    ok(cast.ada.post(path_of(toms, "/participants"), add))
    ok(cast.dora.delete(path_of(toms, f"/participants/{cast.tara.id}")), 204)
    assert participants(cast.tom, toms) == ["Dora", "Tom"] or participants(cast.tom, toms) == ["Tom", "Dora"]


def test_only_active_colleagues_can_be_brought_in(cast: Cast) -> None:
    thread = cast.dora.opens_thread()
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    all_invalid(
        lambda body: cast.dora.post(path_of(thread, "/participants"), body),
        [
            ("user_ids", {}),
            ("user_ids", {"user_ids": []}),
            ("user_ids", {"user_ids": [ABSENT]}),
            ("user_ids", {"user_ids": [cast.tom.id, cast.tara.id]}),
            ("user_ids", {"user_ids": cast.tom.id}),
            ("users", {"user_ids": [cast.tom.id], "users": []}),
        ],
    )
    assert participants(cast.dora, thread) == ["Dora"]


def test_a_removed_technician_no_longer_sees_the_thread(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, message={"body": "The key is under the mat."})
    assert ok(cast.tom.get("/api/chat/unread-count"))["unread_count"] == 1
    ok(cast.dora.delete(path_of(thread, f"/participants/{cast.tom.id}")), 204)
    for answer in (
        cast.tom.get(path_of(thread)),
        cast.tom.get(path_of(thread, "/messages")),
        cast.tom.post(path_of(thread, "/messages"), {"body": "Which mat?"}),
        cast.tom.post(path_of(thread, "/read")),
        cast.tom.delete(path_of(thread, f"/participants/{cast.tom.id}")),
    ):
        refused(answer, 404, "not_found")
    assert ok(cast.tom.get("/api/chat/threads", status="all"))["threads"] == []
    assert ok(cast.tom.get("/api/chat/threads", status="all", q="mat"))["threads"] == []
    assert ok(cast.tom.get("/api/chat/unread-count"))["unread_count"] == 0
    assert events(cast.dora, thread)[-1] == ("left", "Dora", ["Tom"])


def test_everyone_may_leave_and_be_brought_back(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    ok(cast.tom.delete(path_of(thread, f"/participants/{cast.tom.id}")), 204)
    assert not cast.tom.sees(thread)
    refused(cast.dora.delete(path_of(thread, f"/participants/{cast.tom.id}")), 404, "not_found")
    refused(cast.dora.delete(path_of(thread, f"/participants/{ABSENT}")), 404, "not_found")
    ok(cast.dora.post(path_of(thread, "/participants"), {"user_ids": [cast.tom.id]}))
    told = events(cast.tom, thread)[1:]
    assert told == [("left", "Tom", ["Tom"]), ("joined", "Dora", ["Tom"])]


def test_a_dispatcher_taken_out_of_a_customer_visible_thread_still_sees_it(cast: Cast) -> None:
    thread = with_carol(cast, cast.dan)
    ok(cast.dora.delete(path_of(thread, f"/participants/{cast.dan.id}")), 204)
    assert cast.dan.sees(thread)
    assert participants(cast.dan, thread) == ["Dora"]


@pytest.mark.parametrize("name", ["ada", "dan"])
def test_whoever_writes_without_taking_part_joins(cast: Cast, name: str) -> None:
    colleague: Colleague = getattr(cast, name)
    thread = with_carol(cast) if name == "dan" else cast.dora.opens_thread(cast.tom)
    said = colleague.writes(thread, "Let me help.")
    assert colleague.name in participants(cast.dora, thread)
    assert events(cast.dora, thread)[-1] == ("joined", colleague.name, [colleague.name])
    assert said["seq"] == 3, "the event comes first"
    colleague.writes(thread, "And again.")
    assert len(events(cast.dora, thread)) == 2
    assert ok(colleague.get("/api/chat/unread-count"))["unread_count"] == 0
    cast.dora.writes(thread, "Thank you.")
    assert ok(colleague.get("/api/chat/unread-count"))["unread_count"] == 1


# --- whose turn it is -----------------------------------------------------------------------------


def test_a_thread_needs_a_reply_while_the_customer_had_the_last_word(cast: Cast) -> None:
    thread = with_carol(cast, message={"body": "Tom comes on Friday."})
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=["email"]))

    def needs_reply() -> bool:
        waiting = ok(cast.dan.get("/api/chat/threads", needs_reply="true"))["threads"]
        not_waiting = ok(cast.dan.get("/api/chat/threads", needs_reply="false"))["threads"]
        told: bool = seen_by(cast.dan, thread)["needs_reply"]
        assert ([t["id"] for t in waiting] == [thread["id"]]) is told
        assert (thread["id"] in [t["id"] for t in not_waiting]) is (
            not told and seen_by(cast.dan, thread)["status"] == "open"
        )
        return told

    assert not needs_reply()
    carol.writes("At what time?")
    assert needs_reply()
    ok(cast.dora.post(path_of(thread, "/participants"), {"user_ids": [cast.tara.id]}))
    assert needs_reply(), "an event is no reply"
    cast.dora.writes(thread, "At nine.")
    assert not needs_reply()
    carol.writes("Thank you!")
    ok(cast.dora.post(path_of(thread, "/close")))
    assert not needs_reply()
    ok(cast.dora.post(path_of(thread, "/reopen")))
    assert needs_reply()
