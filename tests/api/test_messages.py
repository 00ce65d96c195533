"""Messages: said exactly once, numbered without a gap, read page by page."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
from sqlalchemy import insert, update

from jobthread.store.tables import chat_magic_sessions, customers, users
from tests.api.refusing import ABSENT, all_invalid, identical, no_questions
from tests.cast import Cast, Colleague, CustomerAtHome, ok, refused
from tests.serving import browser


def path_of(thread: dict[str, Any], more: str = "/messages") -> str:
    return f"/api/chat/threads/{thread['id']}{more}"


def say(who: Colleague, thread: dict[str, Any], body: str, client_msg_id: str) -> Any:
    return who.post(path_of(thread), {"body": body, "client_msg_id": client_msg_id})


def bodies(rows: list[dict[str, Any]]) -> list[str]:
    return [row["body"] for row in rows if row["kind"] == "message"]


def with_carol(cast: Cast) -> tuple[dict[str, Any], CustomerAtHome]:
    """The customer-visible thread about the boiler, and Carol in it."""
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[], expires_in_hours=24 * 60))
    [thread] = ok(cast.dora.get("/api/chat/threads", job_id=cast.boiler.ref.id))["threads"]
    return thread, carol


# --- writing --------------------------------------------------------------------------------------


def test_a_message_comes_back_as_it_was_stored(cast: Cast) -> None:
    thread = cast.tom.opens_thread(cast.dora)
    said = cast.tom.writes(thread, "  Line one\n\n\tline two: ñ 😀  ", client_msg_id="a.b_c:d-9")
    assert said == {
        "id": said["id"],
        "thread_id": thread["id"],
        "seq": 2,
        "kind": "message",
        "sender": {"kind": "staff", "id": cast.tom.id, "name": "Tom"},
        "body": "Line one\n\n\tline two: ñ 😀",
        "event": None,
        "client_msg_id": "a.b_c:d-9",
        "created_at": said["created_at"],
        "via": None,
        "attachments": [],
    }
    assert cast.dora.reads(thread)[-1] == said
    assert ok(cast.dora.get(path_of(thread, "")))["last_message"] == said


def test_where_the_client_names_no_id_the_server_makes_one(cast: Cast) -> None:
    thread = cast.tom.opens_thread()
    first, second = cast.tom.writes(thread, "Again"), cast.tom.writes(thread, "Again")
    assert len({first["client_msg_id"], second["client_msg_id"], ""}) == 3
    assert ok(say(cast.tom, thread, "Again", first["client_msg_id"])) == first


def test_what_is_no_message_is_refused(cast: Cast) -> None:
    thread = cast.tom.opens_thread()
    controls = ["\0", "\x07", "\x0b", "\r", "\x1b[31m", "\x7f", "\x85", "\x9f"]
    all_invalid(
        lambda body: cast.tom.post(path_of(thread), body),
        [
            ("body", {}),
            ("body", {"body": ""}),
            ("body", {"body": " \n\t "}),
            ("body", {"body": None}),
            ("body", {"body": "x" * 10_001}),
            *(("body", {"body": f"a{control}b"}) for control in controls),
            ("client_msg_id", {"body": "Hello", "client_msg_id": ""}),
            ("client_msg_id", {"body": "Hello", "client_msg_id": "x" * 65}),
            ("client_msg_id", {"body": "Hello", "client_msg_id": "a b"}),
            ("client_msg_id", {"body": "Hello", "client_msg_id": "é"}),
            ("client_msg_id", {"body": "Hello", "client_msg_id": "a\n"}),
            ("client_msg_id", {"body": "Hello", "client_msg_id": 7}),
            ("attachment_ids", {"body": "Hello", "attachment_ids": [ABSENT]}),
            ("text", {"body": "Hello", "text": "Hello"}),
        ],
    )
    assert bodies(cast.tom.reads(thread)) == []


def test_a_message_may_be_as_long_as_it_says(cast: Cast) -> None:
    thread = cast.tom.opens_thread()
    assert cast.tom.writes(thread, "😀" * 10_000, client_msg_id="x" * 64)["body"] == "😀" * 10_000
    assert cast.tom.writes(thread, " " * 500 + "x" * 10_000 + "\n" * 500)["body"] == "x" * 10_000


def test_who_does_not_see_a_thread_neither_reads_nor_writes_there(cast: Cast) -> None:
    toms = cast.tom.opens_thread(message={"body": "Only for me"})
    hello = {"body": "Hello"}
    for outsider in (cast.dora, cast.tara):
        identical(outsider.get(path_of(toms)), outsider.get(path_of({"id": ABSENT})))
        identical(outsider.post(path_of(toms), hello), outsider.post(path_of({"id": ABSENT}), hello))
        refused(outsider.post(path_of(toms), hello), 404, "not_found")
    assert bodies(cast.tom.reads(toms)) == ["Only for me"]
    _, carol = with_carol(cast)
    refused(carol.http.get(path_of(toms)), 401, "not_authenticated")
    refused(carol.http.post(path_of(toms), json=hello), 401, "not_authenticated")


def test_the_sequence_has_no_gap_and_events_stand_in_it(cast: Cast) -> None:
    thread, carol = with_carol(cast)
    cast.dora.writes(thread, "Good morning")
    ok(cast.dora.post(path_of(thread, "/participants"), {"user_ids": [cast.tom.id, cast.tara.id]}))
    cast.tom.writes(thread, "I come at nine")
    ok(cast.tara.delete(path_of(thread, f"/participants/{cast.tara.id}")), 204)
    cast.dora.sends_link(cast.boiler, channels=["email"])
    ok(cast.dora.post(path_of(thread, "/close")))
    carol.writes("Wait!")
    cast.ada.writes(thread, "Yes?")
    ok(cast.ada.post(path_of(thread, "/close")))
    ok(cast.dora.post(path_of(thread, "/reopen")))

    rows = cast.dora.reads(thread)
    assert [row["seq"] for row in rows] == list(range(1, 14))
    told = [
        (row["event"]["type"], row["sender"]["name"], *(person["name"] for person in row["event"]["people"]))
        if row["kind"] == "event"
        else row["body"]
        for row in rows
    ]
    assert told == [
        ("created", "Dora"),
        "Good morning",
        ("joined", "Dora", "Tom", "Tara"),
        "I come at nine",
        ("left", "Tara", "Tara"),
        ("link_sent", "Dora"),
        ("closed", "Dora"),
        ("reopened", "Carol"),
        "Wait!",
        ("joined", "Ada", "Ada"),
        "Yes?",
        ("closed", "Ada"),
        ("reopened", "Dora"),
    ]
    joined = rows[2]
    assert joined["event"]["people"] == [{"id": who.id, "name": who.name} for who in (cast.tom, cast.tara)]
    assert joined["sender"] == {"kind": "staff", "id": cast.dora.id, "name": "Dora"}
    last = ok(cast.dora.get(path_of(thread, "")))
    assert (last["last_seq"], last["last_message"]["body"]) == (13, "Yes?")


def test_many_who_write_at_once_are_numbered_without_a_gap(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.dan, cast.tom, cast.tara)
    writers = (cast.dora, cast.dan, cast.tom, cast.tara)

    def write_eight(who: Colleague) -> list[int]:
        return [who.writes(thread, f"{who.name} {number}")["seq"] for number in range(8)]

    with ThreadPoolExecutor(len(writers)) as pool:
        seqs = [seq for written in pool.map(write_eight, writers) for seq in written]
    assert sorted(seqs) == list(range(2, 34))
    rows = cast.dora.reads(thread)
    assert [row["seq"] for row in rows] == list(range(1, 34))
    for who in writers:
        assert [body for body in bodies(rows) if body.startswith(who.name)] == [
            f"{who.name} {number}" for number in range(8)
        ]


def test_rights_that_ended_elsewhere_a_moment_ago_are_looked_up_again_before_anything_is_written(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with several servers: nobody tells this one, which may remember a caller for a second."""
    monkeypatch.setattr(cast.serving.parts.callers, "forget", lambda: None)
    thread, carol = with_carol(cast)
    internal = cast.dora.opens_thread(cast.tom)
    ok(cast.tom.get("/api/auth/me"))
    carol.view()
    gone = [update(users).where(users.c.id == cast.tom.id).values(active=False)]
    gone.append(update(chat_magic_sessions).values(revoked_at=1))
    cast.serving.write(lambda tx: [tx.conn.execute(statement) for statement in gone])
    refused(cast.tom.post(path_of(internal), {"body": "Still here?"}), 401, "not_authenticated")
    refused(carol.http.post(f"{carol.path}/messages", json={"body": "Still here?"}), 401, "link_revoked")
    assert bodies(cast.dora.reads(thread)) == bodies(cast.dora.reads(internal)) == []


# --- once and only once ---------------------------------------------------------------------------


def test_a_repeated_id_is_answered_with_the_first_message(cast: Cast) -> None:
    thread = cast.tom.opens_thread(cast.dora)
    first = ok(say(cast.tom, thread, "Hello", "m1"), 201)
    cast.dora.writes(thread, "Hello Tom")
    assert ok(say(cast.tom, thread, "Hello", "m1"), 200) == first
    assert ok(say(cast.tom, thread, "  Hello\n", "m1"), 200) == first
    assert bodies(cast.tom.reads(thread)) == ["Hello", "Hello Tom"]


def test_a_first_message_can_be_repeated_like_any_other(cast: Cast) -> None:
    thread = cast.tom.opens_thread(message={"body": "Hello", "client_msg_id": "m1"})
    assert ok(say(cast.tom, thread, "Hello", "m1"), 200) == thread["last_message"]


def test_the_same_id_for_another_text_is_refused(cast: Cast) -> None:
    thread = cast.tom.opens_thread()
    ok(say(cast.tom, thread, "Hello", "m1"), 201)
    refused(say(cast.tom, thread, "Goodbye", "m1"), 409, "client_msg_id_reused")
    assert bodies(cast.tom.reads(thread)) == ["Hello"]


def test_an_id_is_the_senders_own_and_the_threads_own(cast: Cast) -> None:
    thread, carol = with_carol(cast)
    other = cast.dora.opens_thread(cast.tom)
    first = ok(say(cast.dora, thread, "From Dora", "m1"), 201)
    theirs = [
        ok(say(cast.dan, thread, "From Dan", "m1"), 201),
        carol.writes("From Carol", client_msg_id="m1"),
        ok(say(cast.dora, other, "Elsewhere", "m1"), 201),
        ok(say(cast.dora, thread, "In capitals", "M1"), 201),
    ]
    assert len({first["id"], *(message["id"] for message in theirs)}) == 5


def test_a_customer_and_a_colleague_with_the_same_number_are_two_senders(cast: Cast) -> None:
    known = {cast.boiler.customer.id, cast.roof.customer.id}
    colleague = next(who for who in (cast.ada, cast.dora, cast.dan) if who.id not in known)
    namesake = {"id": colleague.id, "name": "Cleo", "search": "cleo", "created_at": 0}
    cast.serving.write(lambda tx: tx.conn.execute(insert(customers).values(namesake)))
    job = ok(cast.dora.post("/api/jobs", {"title": "Gutter", "customer": {"id": colleague.id}}), 201)
    link = ok(cast.dora.post(f"/api/chat/jobs/{job['id']}/customer-session", {"channels": []}), 201)
    cleo = cast.opens(link)
    thread = cleo.view()["thread"]
    cleos = cleo.writes("Hello", client_msg_id="m1")
    theirs = ok(say(colleague, thread, "Hello", "m1"), 201)
    assert (cleos["sender"]["name"], theirs["sender"]["name"]) == ("Cleo", colleague.name)
    assert cleos["sender"]["id"] == theirs["sender"]["id"]
    assert cleo.view()["threads"][0]["unread_count"] == 1


def test_a_retry_after_thirty_days_meets_the_first_message(cast: Cast) -> None:
    thread, carol = with_carol(cast)
    doras = ok(say(cast.dora, thread, "Hello", "m1"), 201)
    carols = carol.writes("Good morning", client_msg_id="m2")
    cast.serving.clock.pass_time(days=30)
    assert ok(say(cast.dora, thread, "Hello", "m1"), 200) == doras
    again = {"body": "Good morning", "client_msg_id": "m2"}
    assert ok(carol.http.post(f"{carol.path}/messages", json=again), 200) == carols
    refused(say(cast.dora, thread, "Hello?", "m1"), 409, "client_msg_id_reused")


def test_a_retry_is_answered_though_the_thread_was_closed_or_reopened_since(cast: Cast) -> None:
    thread, carol = with_carol(cast)
    doras = ok(say(cast.dora, thread, "Hello", "m1"), 201)
    carols = carol.writes("Good morning", client_msg_id="m2")
    ok(cast.dora.post(path_of(thread, "/close")))
    assert ok(say(cast.dora, thread, "Hello", "m1"), 200) == doras
    again = {"body": "Good morning", "client_msg_id": "m2"}
    assert ok(carol.http.post(f"{carol.path}/messages", json=again), 200) == carols
    assert ok(cast.dora.get(path_of(thread, "")))["status"] == "closed", "a retry reopens nothing"
    refused(say(cast.dora, thread, "Hello", "m3"), 409, "thread_closed")
    ok(cast.dora.post(path_of(thread, "/reopen")))
    assert ok(say(cast.dora, thread, "Hello", "m1"), 200) == doras
    assert ok(say(cast.dora, thread, "Hello", "m3"), 201)["seq"] == 6, "what was refused left nothing behind"


def test_a_retry_does_not_bring_back_who_left_since(cast: Cast) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    first = ok(say(cast.dora, thread, "Hello", "m1"), 201)
    ok(cast.dora.delete(path_of(thread, f"/participants/{cast.dora.id}")), 204)
    before = cast.ada.reads(thread)
    assert ok(say(cast.dora, thread, "Hello", "m1"), 200) == first
    assert cast.ada.reads(thread) == before
    assert ok(cast.ada.get(path_of(thread, "")))["participants"] == []


def test_who_lost_the_thread_gets_no_answer_to_a_retry(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    ok(say(cast.tom, thread, "Hello", "m1"), 201)
    ok(cast.dora.delete(path_of(thread, f"/participants/{cast.tom.id}")), 204)
    refused(say(cast.tom, thread, "Hello", "m1"), 404, "not_found")


def test_retries_that_arrive_at_once_make_one_message(cast: Cast) -> None:
    thread = cast.tom.opens_thread()
    browsers = [browser(cast.serving) for _ in range(4)]
    for http in browsers:
        http.cookies.set("jobthread", cast.tom.http.cookies["jobthread"])

    def send(number: int) -> Any:
        said = {"body": f"Message {number // 4}", "client_msg_id": f"m{number // 4}"}
        return browsers[number % 4].post(path_of(thread), json=said)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(24)))
    assert sorted(answer.status_code for answer in answers) == [200] * 18 + [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 6
    assert sorted(bodies(cast.tom.reads(thread))) == [f"Message {number}" for number in range(6)]


# --- reading --------------------------------------------------------------------------------------


@pytest.fixture
def long_thread(cast: Cast) -> dict[str, Any]:
    """Twelve rows, the first of them an event."""
    thread = cast.tom.opens_thread()
    for number in range(2, 13):
        cast.tom.writes(thread, f"Message {number}")
    return thread


def test_pages_before_and_after_a_message_have_what_they_should(
    cast: Cast, long_thread: dict[str, Any]
) -> None:
    rows = cast.tom.reads(long_thread)
    assert [row["seq"] for row in rows] == list(range(1, 13))
    bounds = (None, 0, 1, 4, 12, 13, 99)
    for before, after, limit in product(bounds, bounds, (1, 3, 100)):
        asked = {"before_seq": before, "after_seq": after, "limit": limit}
        between = [
            row
            for row in rows
            if (before is None or row["seq"] < before) and (after is None or row["seq"] > after)
        ]
        # After a message come the oldest of those that follow; else the newest there are.
        shown = between[:limit] if after is not None else between[-limit:]
        answer = ok(cast.tom.get(path_of(long_thread), **{k: v for k, v in asked.items() if v is not None}))
        assert (answer["messages"], answer["has_more"]) == (shown, len(between) > limit), asked


def test_without_a_limit_a_page_has_fifty(cast: Cast) -> None:
    thread = cast.tom.opens_thread()
    for number in range(50):
        cast.tom.writes(thread, f"Message {number}")
    newest = ok(cast.tom.get(path_of(thread)))
    assert ([row["seq"] for row in newest["messages"]], newest["has_more"]) == (list(range(2, 52)), True)
    first = ok(cast.tom.get(path_of(thread), before_seq=2))
    assert (len(first["messages"]), first["has_more"]) == (1, False)


def test_what_is_no_page_is_refused(cast: Cast, long_thread: dict[str, Any]) -> None:
    no_questions(
        cast.tom.get,
        path_of(long_thread),
        [
            ("limit", {"limit": 0}),
            ("limit", {"limit": 101}),
            ("before_seq", {"before_seq": -1}),
            ("after_seq", {"after_seq": "last"}),
            ("after_seq", {"after_seq": ""}),
            ("cursor", {"cursor": "x"}),
        ],
    )
