"""The list of threads: every filter, alone and together, page by page."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from jobthread.actions import threads
from jobthread.entities import Visibility
from tests.api.refusing import invalid, no_questions
from tests.cast import Cast, Colleague, ok


def pages(who: Colleague, limit: int, **filters: Any) -> list[int]:
    """The ids of all pages, in order; none of them too long, and only the last with no cursor."""
    seen: list[int] = []
    cursor = None
    while True:
        page = ok(
            who.get("/api/chat/threads", limit=limit, **filters, **({"cursor": cursor} if cursor else {}))
        )
        seen += [thread["id"] for thread in page["threads"]]
        assert len(page["threads"]) <= limit
        assert page["threads"] or cursor is None, "a cursor led to nothing"
        if (cursor := page["next_cursor"]) is None:
            return seen
        assert len(page["threads"]) == limit


# --- the filters ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """A thread as the test made it."""

    id: int
    visibility: str
    status: str
    about_boiler: bool
    needs_reply: bool
    people: frozenset[str]
    copper: bool

    def seen_by(self, who: str) -> bool:
        return who == "Ada" or who in self.people or (who == "Dora" and self.visibility == "customer_visible")


def many_threads(cast: Cast) -> list[Known]:
    """Threads of every kind, the one with the newest activity first."""
    link = cast.dora.sends_link(cast.boiler, channels=[])
    carol = cast.opens(link)
    [first] = carol.view()["threads"]
    made = [Known(first["id"], "customer_visible", "open", True, False, frozenset({"Dora"}), False)]

    def make(by: Colleague, *people: Colleague, closed: bool = False, copper: str = "", **asked: Any) -> None:
        customer_writes = asked.pop("customer_writes", False)
        subject = "Copper pipes" if copper == "subject" else "Pipes"
        thread = by.opens_thread(*people, subject=subject, **asked)
        by.writes(thread, "It is copper." if copper == "message" else "It is something.")
        if customer_writes:
            carol.writes("When will it be done?", thread_id=thread["id"])
        if closed:
            ok(by.post(f"/api/chat/threads/{thread['id']}/close"))
        made.append(
            Known(
                id=thread["id"],
                visibility=thread["visibility"],
                status="closed" if closed else "open",
                about_boiler=asked.get("job") is cast.boiler,
                needs_reply=customer_writes and not closed,
                people=frozenset({by.name, *(person.name for person in people)}),
                copper=bool(copper),
            )
        )

    outside: dict[str, Any] = {"visibility": "customer_visible", "job": cast.boiler}
    make(cast.tom)
    make(cast.dora, cast.tom, copper="subject")
    make(cast.dora, job=cast.roof, copper="message")
    make(cast.tom, cast.dora, job=cast.boiler)
    make(cast.tom, job=cast.boiler, copper="message", closed=True)
    make(cast.dan, cast.dora, closed=True)
    make(cast.dan, **outside, customer_writes=True)
    make(cast.dan, cast.tom, **outside, customer_writes=True, copper="subject")
    make(cast.dora, cast.tom, **outside)
    make(cast.dora, **outside, customer_writes=True, closed=True)
    make(cast.dora, **(outside | {"job": cast.roof}), copper="message")
    make(cast.dan, cast.tom, **outside, closed=True, copper="message")
    make(cast.dora, **outside, customer_writes=True, copper="message")
    return made[::-1]


@pytest.mark.parametrize("name", ["dora", "tom"])
def test_every_combination_of_filters_finds_what_it_says_page_by_page(cast: Cast, name: str) -> None:
    known = many_threads(cast)
    who: Colleague = getattr(cast, name)
    tried = product(
        ("open", "closed", "all"), ("", "internal", "customer_visible"), (False, True), (None, True, False),
        (False, True), (False, True),
    )  # fmt: skip
    for status, visibility, about_boiler, needs_reply, mine, copper in tried:
        filters: dict[str, Any] = {"status": status}
        filters |= {"visibility": visibility} if visibility else {}
        filters |= {"job_id": cast.boiler.ref.id} if about_boiler else {}
        filters |= {"needs_reply": needs_reply} if needs_reply is not None else {}
        filters |= {"mine": True} if mine else {}
        filters |= {"q": "copper"} if copper else {}
        expected = [
            thread.id
            for thread in known
            if thread.seen_by(who.name)
            and status in (thread.status, "all")
            and visibility in (thread.visibility, "")
            and (thread.about_boiler or not about_boiler)
            and needs_reply in (thread.needs_reply, None)
            and (who.name in thread.people or not mine)
            and (thread.copper or not copper)
        ]
        assert pages(who, 3, **filters) == expected, filters


def test_without_filters_one_sees_all_open_threads_that_one_may_see(cast: Cast) -> None:
    known = many_threads(cast)
    for who in (cast.ada, cast.dora, cast.tom):
        expected = [t.id for t in known if t.status == "open" and t.seen_by(who.name)]
        assert [thread["id"] for thread in ok(who.get("/api/chat/threads"))["threads"]] == expected
    assert pages(cast.tara, 3, status="all") == []


def test_a_thread_in_the_list_is_the_thread_itself(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler, message={"body": "Look at this."})
    [listed] = ok(cast.tom.get("/api/chat/threads"))["threads"]
    assert listed == ok(cast.tom.get(f"/api/chat/threads/{thread['id']}"))
    assert (listed["unread_count"], listed["last_message"]["body"]) == (1, "Look at this.")


def test_what_is_no_question_is_refused(cast: Cast) -> None:
    no_questions(
        cast.dora.get,
        "/api/chat/threads",
        [
            ("status", {"status": "done"}),
            ("visibility", {"visibility": "public"}),
            ("job_id", {"job_id": "boiler"}),
            ("job_id", {"job_id": 0}),
            ("needs_reply", {"needs_reply": "perhaps"}),
            ("mine", {"mine": "ours"}),
            ("limit", {"limit": 0}),
            ("limit", {"limit": 101}),
            ("q", {"q": "x" * 401}),
            ("cursor", {"cursor": "made up"}),
            ("cursor", {"cursor": "WzFd"}),
            ("cursor", {"cursor": "WyIxIiwiMiJd"}),
            ("cursor", {"cursor": "x" * 201}),
            ("query", {"query": "copper"}),
        ],
    )
    invalid(cast.dora.http.get("/api/chat/threads?mine=true&mine=false"), "mine")
    invalid(cast.dora.http.get("/api/chat/threads?q=%ff"), "q")


# --- pages ----------------------------------------------------------------------------------------


def test_no_thread_is_shown_twice_or_lost_while_others_are_busy(cast: Cast) -> None:
    opened = [cast.dora.opens_thread(subject=f"Thread {number}") for number in range(10)]
    busy, quiet = opened[::2], [thread["id"] for thread in opened[1::2]]
    seen: list[int] = []
    cursor: dict[str, str] = {}
    for round_ in range(5):
        page = ok(cast.dora.get("/api/chat/threads", limit=2, **cursor))
        seen += [thread["id"] for thread in page["threads"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        cast.dora.writes(busy[round_], "Something new")
        cast.dora.writes(busy[-round_ - 1], "Something else")
        cast.dora.opens_thread(subject="Opened meanwhile")
    assert len(seen) == len(set(seen)), "a thread was shown twice"
    assert [thread for thread in seen if thread in quiet] == quiet[::-1], "a quiet thread was lost"
    # What moved to the front before its page came stands at the top of the list now.
    missed = {thread["id"] for thread in busy} - set(seen)
    assert missed <= set(pages(cast.dora, 100)[: len(missed) + len(busy) + 5])


def test_threads_of_the_same_moment_are_each_shown_once(cast: Cast) -> None:
    draft = threads.ThreadDraft(Visibility.INTERNAL, "All at once", [], None)
    made = cast.serving.write(lambda tx: [threads.create(tx, cast.dora.by, draft).id for _ in range(5)])
    assert pages(cast.dora, 1) == pages(cast.dora, 2) == pages(cast.dora, 5) == made[::-1]


def test_without_a_limit_a_page_has_fifty(cast: Cast) -> None:
    draft = threads.ThreadDraft(Visibility.INTERNAL, "All at once", [], None)
    made = cast.serving.write(lambda tx: [threads.create(tx, cast.dora.by, draft).id for _ in range(51)])
    page = ok(cast.dora.get("/api/chat/threads"))
    assert [thread["id"] for thread in page["threads"]] == made[:0:-1]
    rest = ok(cast.dora.get("/api/chat/threads", cursor=page["next_cursor"]))
    assert ([thread["id"] for thread in rest["threads"]], rest["next_cursor"]) == ([made[0]], None)


def test_new_activity_of_any_kind_brings_a_thread_to_the_top(cast: Cast) -> None:
    first, second = cast.dora.opens_thread(subject="First"), cast.dora.opens_thread(subject="Second")

    def on_top() -> int:
        return pages(cast.dora, 1, status="all")[0]

    assert on_top() == second["id"]
    cast.dora.writes(first, "Hello")
    assert on_top() == first["id"]
    ok(cast.dora.post(f"/api/chat/threads/{second['id']}/close"))
    assert on_top() == second["id"]
    ok(cast.dora.post(f"/api/chat/threads/{first['id']}/participants", {"user_ids": [cast.tom.id]}))
    assert on_top() == first["id"]
    ok(cast.dora.post(f"/api/chat/threads/{second['id']}/read"))
    assert on_top() == first["id"], "reading is no activity"
