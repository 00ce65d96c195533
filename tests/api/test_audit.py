"""The audit trail: every deed that it knows is really written, with who, when and from where."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from jobthread.actions import people
from jobthread.api.wire import moment
from jobthread.entities import AuditAction, Role
from jobthread.store.tables import chat_messages
from tests.api.deeds import DEEDS, exchange, login
from tests.api.refusing import no_questions
from tests.cast import NOBODY, PASSWORD, Cast, Colleague, ok, refused

pytestmark = pytest.mark.usefixtures("quick_hashes")


def auditor(cast: Cast) -> httpx2.Client:
    """An integration that reads the trail, and outlives every session."""
    key = cast.serving.write(lambda tx: people.add_api_key(tx, NOBODY, "Auditor", Role.ADMIN))
    return cast.stranger(Authorization=f"Bearer {key}")


def entries(http: httpx2.Client | Colleague, **filters: Any) -> list[dict[str, Any]]:
    http = http.http if isinstance(http, Colleague) else http
    found: list[dict[str, Any]] = ok(http.get("/api/audit", params=filters))["entries"]
    return found


def test_there_is_a_deed_for_every_action() -> None:
    assert set(DEEDS) == set(AuditAction)


@pytest.mark.parametrize("action", AuditAction)
def test_every_deed_is_written_once_with_who_and_when_and_from_where(cast: Cast, action: AuditAction) -> None:
    for colleague in cast.everyone:
        colleague.http.headers["User-Agent"] = f"{colleague.name}'s browser"
    reader = auditor(cast)
    known = {entry["id"] for entry in entries(reader)}
    earliest = moment(cast.serving.clock())
    told = DEEDS[action](cast)
    latest = moment(cast.serving.clock())

    [entry] = [entry for entry in entries(reader, action=action) if entry["id"] not in known]
    assert entry["action"] == action
    assert tuple(entry["actor"].values()) == told.by
    assert entry["subject"] == (
        {"kind": told.about[0], "id": told.about[1]} if told.about and told.about[0] else None
    )
    assert (entry["ip"], entry["user_agent"]) == (told.ip, told.agent)
    assert (entry["job_id"], entry["thread_id"]) == (told.job, told.thread)
    assert earliest <= entry["at"] <= latest
    assert {name: entry["details"].get(name) for name in told.details} == told.details
    assert PASSWORD not in str(entry)


# --- what else is kept ----------------------------------------------------------------------------


def test_who_joins_by_writing_is_written_down(cast: Cast) -> None:
    thread = cast.dora.opens_thread(job=cast.boiler, visibility="customer_visible")
    cast.dan.writes(thread, "Let me help.")
    [entry] = entries(cast.ada, action="participant_added")
    assert entry["actor"] == {"kind": "staff", "id": cast.dan.id, "name": "Dan"}
    assert (entry["thread_id"], entry["details"]["user_id"]) == (thread["id"], cast.dan.id)


def test_a_customer_who_reopens_a_thread_is_written_down(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    [thread] = carol.view()["threads"]
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    carol.writes("Wait!")
    [entry] = entries(cast.ada, action="thread_reopened")
    assert entry["actor"] == {"kind": "customer", "id": cast.boiler.customer.id, "name": "Carol"}
    assert entry["user_agent"] == "Phone"


def test_every_refused_link_is_kept_with_its_reason(cast: Cast) -> None:
    link, other = (cast.dora.sends_link(cast.boiler, channels=[]) for _ in range(2))
    unknown = {"url": link["url"][:-43] + "A" * 43}
    refused(exchange(cast, unknown), 401, "link_invalid")
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    refused(exchange(cast, link), 401, "link_revoked")
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"status": "closed"}))
    refused(exchange(cast, other), 401, "job_inactive")
    kept = entries(cast.ada, action="link_refused")
    assert [(entry["subject"]["id"], entry["details"]["code"]) for entry in kept] == [
        (other["session_id"], "job_inactive"),
        (link["session_id"], "link_revoked"),
        (None, "link_invalid"),
    ]
    assert {(entry["ip"], entry["user_agent"]) for entry in kept} == {("127.0.0.1", "Carol's phone")}


def test_a_customers_messages_keep_address_and_browser_and_those_of_staff_do_not(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    agent = b"Carol's phone\x85\t" + b"x" * 500
    said = carol.http.post(f"{carol.path}/messages", json={"body": "Hello"}, headers={b"User-Agent": agent})
    carols = ok(said, 201)
    doras = cast.dora.writes({"id": carols["thread_id"]}, "Hello Carol")
    kept = select(chat_messages.c.id, chat_messages.c.ip, chat_messages.c.user_agent)
    rows = {
        row.id: (row.ip, row.user_agent) for row in cast.serving.read(lambda tx: tx.conn.execute(kept).all())
    }
    assert rows[carols["id"]] == ("127.0.0.1", ("Carol's phone  " + "x" * 500)[:400])
    assert rows[doras["id"]] == (None, None)


def test_what_was_refused_is_no_deed(cast: Cast) -> None:
    before = entries(cast.ada)
    refused(cast.ada.patch(f"/api/users/{cast.ada.id}", {"role": "technician"}), 409, "last_admin")
    refused(cast.tom.post("/api/jobs", {"title": "Mine", "customer": {"name": "Cleo"}}), 403, "forbidden")
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"name": "Tom", "role": "technician", "active": True}))
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": "Boiler off", "status": "active"}))
    ok(cast.dora.patch(f"/api/customers/{cast.boiler.customer.id}", {"name": "Carol"}))
    assert entries(cast.ada) == before


# --- reading it -----------------------------------------------------------------------------------


def test_only_admins_read_the_trail(cast: Cast) -> None:
    for colleague in (cast.dora, cast.tom):
        refused(colleague.get("/api/audit"), 403, "forbidden")
    refused(cast.stranger().get("/api/audit"), 401, "not_authenticated")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    refused(carol.http.get("/api/audit"), 401, "not_authenticated")


def test_the_trail_is_filtered_by_who_what_which_job_and_which_thread(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    carol.view()
    refused(login(cast, "a guess", "Somebody"), 401, "bad_credentials")
    boiler = cast.dora.opens_thread(job=cast.boiler)
    roof = cast.dora.opens_thread(job=cast.roof)
    ok(cast.ada.post(f"/api/chat/threads/{boiler['id']}/close"))

    all_entries = entries(cast.ada)
    assert [entry["id"] for entry in all_entries] == sorted((e["id"] for e in all_entries), reverse=True)
    doras, carols, nobodys = (
        [entry for entry in all_entries if entry["actor"] == actor]
        for actor in (
            {"kind": "staff", "id": cast.dora.id, "name": "Dora"},
            {"kind": "customer", "id": cast.boiler.customer.id, "name": "Carol"},
            {"kind": "nobody", "id": None, "name": ""},
        )
    )
    assert min(map(len, (doras, carols, nobodys))) > 0
    assert entries(cast.ada, actor=f"staff:{cast.dora.id}") == entries(cast.ada, actor=cast.dora.id) == doras
    assert entries(cast.ada, actor=f"customer:{cast.boiler.customer.id}") == carols
    assert entries(cast.ada, actor="nobody") == nobodys
    created = entries(cast.ada, action="thread_created")
    assert [entry["thread_id"] for entry in created][:2] == [roof["id"], boiler["id"]]
    about_boiler = entries(cast.ada, job_id=cast.boiler.ref.id)
    assert about_boiler == [entry for entry in all_entries if entry["job_id"] == cast.boiler.ref.id]
    assert {entry["action"] for entry in about_boiler} == {
        "job_created",
        "thread_created",
        "link_created",
        "link_opened",
        "thread_closed",
    }
    assert [e["action"] for e in entries(cast.ada, thread_id=boiler["id"])] == [
        "thread_closed",
        "thread_created",
    ]
    both = entries(cast.ada, thread_id=boiler["id"], actor=cast.ada.id, action="thread_closed")
    assert [entry["actor"]["name"] for entry in both] == ["Ada"]
    assert entries(cast.ada, thread_id=roof["id"], actor=cast.ada.id) == []


def test_the_trail_comes_in_pages(cast: Cast) -> None:
    for number in range(5):
        cast.tom.opens_thread(subject=f"Thread {number}")
    expected = entries(cast.ada, actor=cast.tom.id)
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = ok(cast.ada.get("/api/audit", actor=cast.tom.id, limit=2, **cursor))
        seen += page["entries"]
        cast.tom.opens_thread(subject="Meanwhile")
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == expected
    assert len(seen) == 5


def test_what_is_no_question_is_refused(cast: Cast) -> None:
    no_questions(
        cast.ada.get,
        "/api/audit",
        [
            ("actor", {"actor": "dora"}),
            ("actor", {"actor": "staff:"}),
            ("actor", {"actor": "system:1"}),
            ("actor", {"actor": "staff:1 OR 1=1"}),
            ("actor", {"actor": "9" * 19}),
            ("action", {"action": "deleted"}),
            ("job_id", {"job_id": "0"}),
            ("thread_id", {"thread_id": "x"}),
            ("limit", {"limit": "101"}),
            ("cursor", {"cursor": "made up"}),
            ("subject", {"subject": "1"}),
        ],
    )
