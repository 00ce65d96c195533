"""What a customer sees and does by a link: one job, its customer-visible threads, and nothing else."""

from typing import Any

import httpx2
import pytest

from tests.api.refusing import ABSENT, all_invalid, identical, invalid
from tests.cast import Cast, Colleague, CustomerAtHome, exchange_of, ok, refused

MESSAGE = {
    "id", "thread_id", "seq", "kind", "sender", "sender.kind", "sender.id", "sender.name", "sender.role",
    "body", "event", "event.type", "event.people", "event.people.name", "client_msg_id", "created_at",
    "attachments",
}  # fmt: skip
OF_EVENTS = {"event.type", "event.people", "event.people.name"}
THREAD = {
    "id",
    "subject",
    "status",
    "created_at",
    "last_message",
    "last_seq",
    "last_read_seq",
    "unread_count",
}
JOB = {"id", "reference", "title", "status", "customer_name"}


def under(name: str, keys: set[str]) -> set[str]:
    return {name} | {f"{name}.{key}" for key in keys}


VIEW = (
    under("job", JOB)
    | under("threads", THREAD | under("last_message", MESSAGE - OF_EVENTS))
    | under("thread", THREAD | under("last_message", MESSAGE - OF_EVENTS))
    | under("messages", MESSAGE)
    | {"has_more"}
)


def keys_of(value: Any, inside: str = "") -> set[str]:
    """Every key anywhere in an answer, with those that it stands in."""
    if isinstance(value, list):
        return set().union(*(keys_of(one, inside) for one in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        found |= {inside + key} | keys_of(inner, f"{inside}{key}.")
    return found


@pytest.fixture
def carol(cast: Cast) -> CustomerAtHome:
    return cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))


def threads_of(who: CustomerAtHome) -> list[str]:
    return [thread["subject"] for thread in who.view()["threads"]]


def opened(cast: Cast, subject: str, *people: Colleague, **more: Any) -> dict[str, Any]:
    """One more customer-visible thread about the boiler."""
    asked = {"visibility": "customer_visible", "subject": subject} | more
    return cast.dora.opens_thread(*people, **({"job": cast.boiler} | asked))


# --- opening the link -----------------------------------------------------------------------------


def test_the_answer_to_the_link_holds_all_that_the_first_screen_needs(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    http = cast.stranger()
    answer = ok(http.post("/api/chat/customer/session", json=exchange_of(link["url"])))
    view = answer.pop("view")
    assert answer == {
        "job": {
            "id": cast.boiler.ref.id,
            "reference": "101",
            "title": "Boiler off",
            "status": "active",
            "customer_name": "Carol",
        },
        "customer": {"name": "Carol"},
        "company": "Jobthread",
        "expires_at": link["expires_at"],
    }
    assert view == ok(http.get(f"/api/chat/customer/jobs/{cast.boiler.ref.id}/thread"))


def test_the_cookie_ends_with_the_link_and_is_out_of_reach_of_scripts_and_other_sites(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler, channels=[], expires_in_hours=2)
    answer = cast.stranger().post("/api/chat/customer/session", json=exchange_of(link["url"]))
    [cookie] = answer.headers.get_list("set-cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith(f"jobthread_job_{cast.boiler.ref.id}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(attributes)
    [seconds] = [int(word.removeprefix("Max-Age=")) for word in attributes if word.startswith("Max-Age=")]
    assert 7_100 < seconds <= 7_200
    assert not [word for word in attributes if word.startswith(("Domain", "Secure"))]


def test_the_token_alone_is_as_good_as_the_cookie(cast: Cast, carol: CustomerAtHome) -> None:
    token = exchange_of(cast.dora.sends_link(cast.boiler, channels=[])["url"])["token"]
    bearer = CustomerAtHome(carol.job_id, cast.stranger(Authorization=f"Bearer {token}"))
    assert bearer.view() == carol.view()
    assert bearer.writes("Hello")["sender"]["name"] == "Carol"
    ok(bearer.http.post(f"{bearer.path}/read"))
    wrong = cast.stranger(Authorization=f"Bearer {token}x")
    refused(wrong.get(carol.path), 401, "link_invalid")
    refused(cast.stranger().get(carol.path), 401, "not_authenticated")
    refused(
        cast.stranger(Cookie=f"jobthread_job_{carol.job_id}={token}").get(carol.path),
        401,
        "not_authenticated",
    )


# --- seeing ---------------------------------------------------------------------------------------


def test_a_customer_sees_what_is_meant_for_customers_and_not_a_key_more(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler)
    carol = cast.opens(link)
    thread = opened(cast, "Your boiler", cast.tom, message={"body": "Tom comes on Friday."})
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tara.id]}))
    said = carol.http.post(f"{carol.path}/messages", json={"body": "Fine"})
    for answer in (
        carol.http.get(carol.path),
        said,
        carol.http.get(carol.path, params={"thread_id": thread["id"]}),
    ):
        for contact in ("@example.com", "+1202"):
            assert contact not in answer.text
    assert keys_of(carol.view()) == VIEW
    assert keys_of(said.json()) <= MESSAGE
    answer = cast.stranger().post("/api/chat/customer/session", json=exchange_of(link["url"])).json()
    top = {"customer", "customer.name", "company", "expires_at", "view"}
    assert keys_of(answer) == top | under("job", JOB) | {f"view.{key}" for key in VIEW}


def test_staff_are_known_to_a_customer_by_name_and_role(cast: Cast, carol: CustomerAtHome) -> None:
    thread = opened(cast, "Your boiler", cast.tom)
    cast.tom.writes(thread, "I come on Friday.")
    carol.writes("Fine")
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tara.id]}))
    created, toms, carols, joined = carol.view()["messages"]
    assert created["event"] == {"type": "created", "people": [{"name": "Tom"}]}
    assert toms["sender"] == {"kind": "staff", "id": cast.tom.id, "name": "Tom", "role": "technician"}
    carols_id = cast.boiler.customer.id
    assert carols["sender"] == {"kind": "customer", "id": carols_id, "name": "Carol", "role": None}
    assert joined["event"] == {"type": "joined", "people": [{"name": "Tara"}]}
    assert [row["seq"] for row in carol.view()["messages"]] == [1, 2, 3, 4]


def test_an_internal_thread_is_to_a_customer_as_if_it_were_not_there(
    cast: Cast, carol: CustomerAtHome
) -> None:
    before = carol.view()
    internal = cast.dora.opens_thread(
        cast.tom, job=cast.boiler, subject="Pays late", message={"body": "Careful."}
    )
    assert carol.view() == before
    for method, more, body in (
        ("GET", "?thread_id={}", {}),
        ("POST", "/messages", {"body": "Hm"}),
        ("POST", "/read", {}),
    ):
        hidden, absent = (
            carol.http.request(
                method, carol.path + more.format(thread_id), json=body | {"thread_id": thread_id}
            )
            for thread_id in (internal["id"], ABSENT)
        )
        identical(hidden, absent)
        refused(hidden, 404, "not_found")
    assert [row["body"] for row in cast.dora.reads(internal)] == ["", "Careful."]


def test_a_customer_sees_the_threads_of_the_links_job_alone(cast: Cast, carol: CustomerAtHome) -> None:
    again = {"title": "Boiler again", "customer": {"id": cast.boiler.customer.id}}
    other_job = ok(cast.dora.post("/api/jobs", again), 201)
    other = ok(cast.dora.post(f"/api/chat/jobs/{other_job['id']}/customer-thread", {}), 201)
    assert threads_of(carol) == ["Boiler off"]
    refused(carol.http.get(carol.path, params={"thread_id": other["id"]}), 404, "not_found")
    foreign = CustomerAtHome(other_job["id"], carol.http)
    for answer in (
        foreign.http.get(foreign.path),
        foreign.http.post(f"{foreign.path}/messages", json={"body": "Hello"}),
        foreign.http.post(f"{foreign.path}/read"),
        carol.http.get(f"/api/chat/customer/jobs/{ABSENT}/thread"),
    ):
        refused(answer, 403, "wrong_job")


def test_one_browser_may_hold_the_links_of_two_jobs(cast: Cast, carol: CustomerAtHome) -> None:
    to_roof = cast.dora.sends_link(cast.roof, channels=[])
    ok(carol.http.post("/api/chat/customer/session", json=exchange_of(to_roof["url"])))
    roof = CustomerAtHome(cast.roof.ref.id, carol.http)
    assert (threads_of(carol), threads_of(roof)) == (["Boiler off"], ["Roof leaks"])
    assert carol.writes("Cold")["sender"]["name"] == "Carol"
    assert roof.writes("Wet")["sender"]["name"] == "Chris"
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{to_roof['session_id']}"), 204)
    refused(roof.http.get(roof.path), 401, "link_revoked")
    carol.view()


def test_the_view_shows_the_newest_open_thread_or_the_one_that_is_asked_for(
    cast: Cast, carol: CustomerAtHome
) -> None:
    bill = opened(cast, "The bill", message={"body": "It is enclosed."})
    assert threads_of(carol) == ["The bill", "Boiler off"]
    assert carol.view()["thread"]["subject"] == "The bill"
    [_, boiler] = carol.view()["threads"]
    asked = carol.view(thread_id=boiler["id"])
    assert (asked["thread"], [row["seq"] for row in asked["messages"]]) == (boiler, [1])
    ok(cast.dora.post(f"/api/chat/threads/{bill['id']}/close"))
    assert carol.view()["thread"]["id"] == boiler["id"]
    ok(cast.dora.post(f"/api/chat/threads/{boiler['id']}/close"))
    nothing = carol.view()
    assert (nothing["thread"], nothing["messages"], nothing["has_more"]) == (None, [], False)
    assert [thread["status"] for thread in nothing["threads"]] == ["closed", "closed"]
    assert carol.view(thread_id=bill["id"])["messages"][1]["body"] == "It is enclosed."


def test_messages_come_page_by_page(cast: Cast, carol: CustomerAtHome) -> None:
    for number in range(2, 7):
        carol.writes(f"Message {number}")

    def shown(**params: Any) -> tuple[list[int], bool]:
        view = carol.view(**params)
        return [row["seq"] for row in view["messages"]], view["has_more"]

    assert shown() == ([1, 2, 3, 4, 5, 6], False)
    assert shown(after_seq=4) == ([5, 6], False)
    assert shown(after_seq=2, limit=2) == ([3, 4], True)
    assert shown(limit=2) == ([5, 6], True)
    assert shown(before_seq=3, limit=2) == ([1, 2], False)
    assert shown(after_seq=6) == ([], False)
    for field, params in [
        ("limit", {"limit": 101}),
        ("after_seq", {"after_seq": -1}),
        ("thread_id", {"thread_id": 0}),
        ("seq", {"seq": 3}),
    ]:
        invalid(carol.http.get(carol.path, params=params), field)


# --- writing --------------------------------------------------------------------------------------


def test_a_customer_answers_in_the_newest_open_thread_or_in_the_one_named(
    cast: Cast, carol: CustomerAtHome
) -> None:
    [boiler] = carol.view()["threads"]
    bill = opened(cast, "The bill")
    said = carol.writes(" How much? ", client_msg_id="c-1")
    assert said == {
        "id": said["id"],
        "thread_id": bill["id"],
        "seq": 2,
        "kind": "message",
        "sender": {"kind": "customer", "id": cast.boiler.customer.id, "name": "Carol", "role": None},
        "body": "How much?",
        "event": None,
        "client_msg_id": "c-1",
        "created_at": said["created_at"],
        "attachments": [],
    }
    assert carol.writes("And when?", thread_id=boiler["id"])["thread_id"] == boiler["id"]
    assert carol.writes("As soon as you can.", thread_id=bill["id"])["thread_id"] == bill["id"]
    ok(cast.dora.post(f"/api/chat/threads/{bill['id']}/close"))
    assert carol.writes("Thanks")["thread_id"] == boiler["id"], "an open one before a newer closed one"
    assert cast.dan.reads(boiler)[-1]["sender"] == {
        "kind": "customer",
        "id": cast.boiler.customer.id,
        "name": "Carol",
    }


def test_a_customers_message_reopens_a_closed_thread(cast: Cast, carol: CustomerAtHome) -> None:
    [boiler] = carol.view()["threads"]
    bill = opened(cast, "The bill")
    for thread in (bill, boiler):
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    assert carol.writes("It is cold again")["thread_id"] == boiler["id"], "of the closed ones the newest"
    assert carol.writes("And the bill?", thread_id=bill["id"])["thread_id"] == bill["id"]
    for thread in (bill, boiler):
        now = ok(cast.dora.get(f"/api/chat/threads/{thread['id']}"))
        assert (now["status"], now["needs_reply"]) == ("open", True)
        reopened = cast.dora.reads(thread)[-2]
        assert (reopened["event"]["type"], reopened["sender"]["kind"]) == ("reopened", "customer")


def test_a_repeated_id_is_answered_with_the_first_message(cast: Cast, carol: CustomerAtHome) -> None:
    path = f"{carol.path}/messages"
    first = carol.writes("Hello", client_msg_id="c-1")
    assert ok(carol.http.post(path, json={"body": "Hello", "client_msg_id": "c-1"}), 200) == first
    refused(carol.http.post(path, json={"body": "Bye", "client_msg_id": "c-1"}), 409, "client_msg_id_reused")
    on_tablet = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    again = on_tablet.http.post(path, json={"body": "Hello", "client_msg_id": "c-1"})
    assert ok(again, 200) == first, "the same customer, by whichever link"


def test_without_any_thread_there_is_nothing_to_answer(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    carol = cast.opens(link)
    [thread] = carol.view()["threads"]
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    carol.writes("Reopened")
    refused(
        carol.http.post(f"{carol.path}/messages", json={"body": "x", "thread_id": ABSENT}), 404, "not_found"
    )


def test_what_is_no_message_is_refused(cast: Cast, carol: CustomerAtHome) -> None:
    all_invalid(
        lambda body: carol.http.post(f"{carol.path}/messages", json=body),
        [
            ("body", {}),
            ("body", {"body": " "}),
            ("body", {"body": "x" * 10_001}),
            ("body", {"body": "bell\x07"}),
            ("client_msg_id", {"body": "Hello", "client_msg_id": "a b"}),
            ("thread_id", {"body": "Hello", "thread_id": "1"}),
            ("attachment_ids", {"body": "Hello", "attachment_ids": [ABSENT]}),
            ("job_id", {"body": "Hello", "job_id": 1}),
        ],
    )
    assert [row["kind"] for row in carol.view()["messages"]] == ["event"]


# --- reading --------------------------------------------------------------------------------------


def test_a_customer_reads_what_others_wrote_and_the_mark_never_moves_back(
    cast: Cast, carol: CustomerAtHome
) -> None:
    [thread] = carol.view()["threads"]
    for body in ("One", "Two", "Three"):
        cast.dora.writes(thread, body)

    def marked(**asked: Any) -> tuple[int, int]:
        answer = ok(carol.http.post(f"{carol.path}/read", json=asked))
        assert set(answer) == {"last_read_seq", "unread_count"}
        return answer["last_read_seq"], answer["unread_count"]

    assert carol.view()["threads"][0]["unread_count"] == 3
    assert marked(up_to_seq=3) == (3, 1)
    assert marked(up_to_seq=2, thread_id=thread["id"]) == (3, 1)
    shown = carol.view()["thread"]
    assert (shown["last_read_seq"], shown["unread_count"], shown["last_seq"]) == (3, 1, 4)
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    assert carol.view()["threads"][0]["unread_count"] == 1, "an event is nothing unread"
    assert ok(carol.http.post(f"{carol.path}/read")) == {"last_read_seq": 5, "unread_count": 0}
    cast.serving.clock.pass_time(seconds=1)
    assert carol.writes("Thanks")["seq"] == 7
    assert carol.view()["thread"]["unread_count"] == 0
    all_invalid(
        lambda body: carol.http.post(f"{carol.path}/read", json=body),
        [("up_to_seq", {"up_to_seq": -1}), ("thread_id", {"thread_id": 0}), ("seq", {"seq": 3})],
    )


def test_a_customer_cannot_do_what_only_staff_do(cast: Cast, carol: CustomerAtHome) -> None:
    [thread] = carol.view()["threads"]
    own = f"/api/chat/threads/{thread['id']}"
    token = exchange_of(cast.dora.sends_link(cast.boiler, channels=[])["url"])["token"]
    for http in (carol.http, cast.stranger(Authorization=f"Bearer {token}")):
        for method, path in [
            ("GET", "/api/chat/threads"),
            ("GET", own),
            ("GET", f"{own}/messages"),
            ("POST", f"{own}/messages"),
            ("POST", f"{own}/close"),
            ("POST", f"{own}/reopen"),
            ("POST", f"{own}/participants"),
            ("DELETE", f"{own}/participants/{cast.dora.id}"),
        ]:
            answer: httpx2.Response = http.request(method, path)
            refused(answer, 401, "not_authenticated")
