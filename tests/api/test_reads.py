"""What is unread: counted in messages of others, never moving back."""

from typing import Any

from jobthread.entities import SenderKind
from jobthread.store import reads
from tests.api.refusing import ABSENT, all_invalid, identical
from tests.cast import Cast, Colleague, ok, refused


def path_of(thread: dict[str, Any], more: str = "") -> str:
    return f"/api/chat/threads/{thread['id']}{more}"


def marked(who: Colleague, thread: dict[str, Any], up_to_seq: int | None = None) -> tuple[int, int]:
    """(last_read_seq, unread_count) as answered to a mark."""
    asked = {} if up_to_seq is None else {"up_to_seq": up_to_seq}
    answer = ok(who.post(path_of(thread, "/read"), asked))
    assert set(answer) == {"last_read_seq", "unread_count"}
    return answer["last_read_seq"], answer["unread_count"]


def unread(who: Colleague, thread: dict[str, Any]) -> int:
    """As the thread says it, alone and in the list."""
    alone = ok(who.get(path_of(thread)))
    [listed] = [
        t for t in ok(who.get("/api/chat/threads", status="all"))["threads"] if t["id"] == thread["id"]
    ]
    assert listed["unread_count"] == alone["unread_count"]
    count: int = alone["unread_count"]
    return count


def unread_in_all(who: Colleague) -> int:
    count: int = ok(who.get("/api/chat/unread-count"))["unread_count"]
    return count


def three_from_dora(cast: Cast) -> dict[str, Any]:
    """Seq 2, 3 and 4 are messages to Tom; 1 and 5 are events."""
    thread = cast.dora.opens_thread(cast.tom)
    for body in ("One", "Two", "Three"):
        cast.dora.writes(thread, body)
    ok(cast.dora.post(path_of(thread, "/participants"), {"user_ids": [cast.dan.id]}))
    return thread


def test_messages_of_others_are_unread_and_events_are_not(cast: Cast) -> None:
    thread = three_from_dora(cast)
    assert (unread(cast.tom, thread), unread_in_all(cast.tom)) == (3, 3)
    assert (unread(cast.dora, thread), unread_in_all(cast.dora)) == (0, 0)
    for step in ("/close", "/reopen"):
        ok(cast.dora.post(path_of(thread, step)))
    assert (unread(cast.tom, thread), unread_in_all(cast.tom)) == (3, 3)


def test_read_up_to_a_message_leaves_those_after_it_unread(cast: Cast) -> None:
    thread = three_from_dora(cast)
    assert marked(cast.tom, thread, 0) == (0, 3)
    assert marked(cast.tom, thread, 1) == (1, 3), "the first row is an event"
    assert marked(cast.tom, thread, 3) == (3, 1)
    assert (unread(cast.tom, thread), unread_in_all(cast.tom)) == (1, 1)
    assert marked(cast.tom, thread, 5) == (5, 0)


def test_without_a_bound_all_is_read(cast: Cast) -> None:
    thread = three_from_dora(cast)
    assert ok(cast.tom.post(path_of(thread, "/read"))) == {"last_read_seq": 5, "unread_count": 0}
    cast.dora.writes(thread, "Four")
    assert marked(cast.tom, thread) == (6, 0)
    cast.dora.writes(thread, "Five")
    assert ok(cast.tom.post(path_of(thread, "/read"), {"up_to_seq": None}))["unread_count"] == 0


def test_a_mark_never_moves_back_and_never_beyond_the_end(cast: Cast) -> None:
    thread = three_from_dora(cast)
    assert marked(cast.tom, thread, 3) == (3, 1)
    assert marked(cast.tom, thread, 2) == (3, 1)
    assert marked(cast.tom, thread, 0) == (3, 1)
    assert marked(cast.tom, thread, 99) == (5, 0)
    cast.dora.writes(thread, "Four")
    assert unread(cast.tom, thread) == 1, "what came later is not read"
    assert marked(cast.tom, thread, 5) == (5, 1)


def test_whoever_writes_has_read_up_to_it(cast: Cast) -> None:
    thread = three_from_dora(cast)
    said = cast.tom.writes(thread, "All clear", client_msg_id="m1")
    at_once = ok(cast.tom.get(path_of(thread)))
    assert (at_once["last_read_seq"], at_once["unread_count"]) == (said["seq"], 0)
    assert (unread(cast.dora, thread), unread(cast.dan, thread)) == (1, 4)
    cast.dora.writes(thread, "Good")
    repeated = cast.tom.post(path_of(thread, "/messages"), {"body": "All clear", "client_msg_id": "m1"})
    ok(repeated, 200)
    assert unread(cast.tom, thread) == 1, "a retry reads nothing new"


def test_everyone_has_marks_of_their_own(cast: Cast) -> None:
    thread = three_from_dora(cast)
    marked(cast.tom, thread)
    assert (unread(cast.tom, thread), unread(cast.dan, thread)) == (0, 3)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    [carols] = carol.view()["threads"]
    cast.dora.writes(carols, "Good morning, Carol")
    ok(carol.http.post(f"{carol.path}/read", json={}))
    assert unread(cast.dan, carols) == 1
    assert carol.view()["threads"][0]["unread_count"] == 0


def test_the_count_is_over_the_threads_that_one_takes_part_in(cast: Cast) -> None:
    thread = three_from_dora(cast)
    other = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    cast.dora.writes(other, "Hello")
    assert unread_in_all(cast.tom) == 4
    assert unread_in_all(cast.ada) == 0, "Ada sees both, and takes part in neither"
    assert unread(cast.ada, thread) == 3
    assert marked(cast.ada, thread) == (5, 0)
    ok(cast.tom.delete(path_of(thread, f"/participants/{cast.tom.id}")), 204)
    assert unread_in_all(cast.tom) == 1
    cast.dora.writes(thread, "Four")
    ok(cast.dora.post(path_of(thread, "/participants"), {"user_ids": [cast.tom.id]}))
    assert unread_in_all(cast.tom) == 5
    ok(cast.dora.post(path_of(other, "/close")))
    assert unread_in_all(cast.tom) == 5, "a closed thread can still be unread"


def test_a_count_that_did_not_change_is_not_sent_again(cast: Cast) -> None:
    thread = three_from_dora(cast)
    first = cast.tom.get("/api/chat/unread-count")
    etag = first.headers["etag"]
    assert (first.json(), etag[0], etag[-1]) == ({"unread_count": 3}, '"', '"')
    assert "private" in first.headers["cache-control"]

    def asked_again(tag: str) -> tuple[int, bytes, str]:
        answer = cast.tom.http.get("/api/chat/unread-count", headers={"If-None-Match": tag})
        return answer.status_code, answer.content, answer.headers["etag"]

    assert asked_again(etag) == asked_again(f"W/{etag}") == asked_again(f'"old", {etag}') == (304, b"", etag)
    assert asked_again('"old"')[0] == asked_again(etag.strip('"') + "0")[0] == 200
    cast.dora.writes(thread, "Four")
    assert asked_again(etag)[:2] == (200, b'{"unread_count":4}')
    marked(cast.tom, thread)
    status, body, zero = asked_again(etag)
    assert (status, body) == (200, b'{"unread_count":0}')
    assert asked_again(zero)[0] == 304


def seen_by(who: Colleague, thread: dict[str, Any], **params: Any) -> list[tuple[str, str, int]]:
    """(kind, name, last_read_seq), as told with the messages."""
    told = ok(who.get(path_of(thread, "/messages"), **params))["reads"]
    assert all(set(read) == {"kind", "id", "name", "last_read_seq"} for read in told)
    return [(read["kind"], read["name"], read["last_read_seq"]) for read in told]


def test_messages_come_with_who_takes_part_and_how_far_each_has_read(cast: Cast) -> None:
    thread = three_from_dora(cast)
    unread_yet = [("staff", "Dora", 4), ("staff", "Tom", 0), ("staff", "Dan", 0)]
    assert seen_by(cast.dora, thread) == seen_by(cast.tom, thread, after_seq=5, limit=1) == unread_yet
    marked(cast.tom, thread, 3)
    marked(cast.ada, thread)
    assert seen_by(cast.dora, thread) == [("staff", "Dora", 4), ("staff", "Tom", 3), ("staff", "Dan", 0)]
    ids = [read["id"] for read in ok(cast.dora.get(path_of(thread, "/messages")))["reads"]]
    assert ids == [cast.dora.id, cast.tom.id, cast.dan.id], "Ada takes no part"
    ok(cast.dora.delete(path_of(thread, f"/participants/{cast.tom.id}")), 204)
    assert seen_by(cast.dora, thread) == [("staff", "Dora", 4), ("staff", "Dan", 0)]


def test_where_a_customer_takes_part_staff_see_how_far_the_customer_has_read(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    [thread] = carol.view()["threads"]
    said = cast.dora.writes(thread, "Good morning, Carol")
    of_dora = ("staff", "Dora", said["seq"])
    assert seen_by(cast.dora, thread) == [of_dora, ("customer", "Carol", 0)]
    ok(carol.http.post(f"{carol.path}/read", json={}))
    assert seen_by(cast.dora, thread) == [of_dora, ("customer", "Carol", said["seq"])]
    assert ok(cast.dora.get(path_of(thread, "/messages")))["reads"][1]["id"] == cast.boiler.customer.id
    internal = cast.dora.opens_thread(cast.tom, job=cast.boiler)
    assert seen_by(cast.dora, internal) == [("staff", "Dora", 0), ("staff", "Tom", 0)]


def test_a_customer_is_not_told_who_has_read_what(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    marked(cast.dora, carol.view()["threads"][0])
    assert set(carol.view()) == {"job", "threads", "thread", "messages", "has_more"}


def test_a_mark_counts_only_for_its_own_kind_of_reader(cast: Cast) -> None:
    """A colleague and a customer may have the same id."""
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    [thread] = carol.view()["threads"]
    of_others = [(SenderKind.STAFF, cast.boiler.customer.id), (SenderKind.CUSTOMER, cast.dora.id)]
    marks = [(kind, reader_id, thread["id"], 1, 0) for kind, reader_id in of_others]
    cast.serving.write(lambda tx: reads.put(tx, marks))
    assert seen_by(cast.dora, thread) == [("staff", "Dora", 0), ("customer", "Carol", 0)]


def test_what_is_no_mark_is_refused(cast: Cast) -> None:
    thread = three_from_dora(cast)
    all_invalid(
        lambda body: cast.tom.post(path_of(thread, "/read"), body),
        [
            ("up_to_seq", {"up_to_seq": -1}),
            ("up_to_seq", {"up_to_seq": "3"}),
            ("up_to_seq", {"up_to_seq": 2.5}),
            ("up_to_seq", {"up_to_seq": 2**31}),
            ("up_to", {"up_to": 3}),
        ],
    )
    assert unread(cast.tom, thread) == 3


def test_who_does_not_see_a_thread_marks_nothing_in_it(cast: Cast) -> None:
    thread = three_from_dora(cast)
    hidden = cast.tara.post(path_of(thread, "/read"))
    identical(hidden, cast.tara.post(path_of({"id": ABSENT}, "/read")))
    refused(hidden, 404, "not_found")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    refused(carol.http.post(path_of(thread, "/read")), 401, "not_authenticated")
    refused(carol.http.get("/api/chat/unread-count"), 401, "not_authenticated")
