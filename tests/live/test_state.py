"""An old snapshot and the events since are the same as a fresh snapshot: for anything that may happen.

The page here is what a client has to do with each event, and no more. HYPOTHESIS_PROFILE=nightly tries more.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import serving
from tests.cast import Cast, Colleague, CustomerAtHome, gather, ok
from tests.live.listening import Ears, Event, listening
from tests.serving import Serving, wait_until

Json = dict[str, Any]
EXAMPLES = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 25


@dataclass
class Page:
    """Somebody's open page: threads by newest activity, and the badge."""

    who: Colleague | CustomerAtHome
    threads: list[Json] = field(default_factory=list)
    unread: int | None = None
    heard: dict[int, Json] = field(default_factory=dict)
    """Messages that came by events, by id."""
    ears: list[Ears] = field(default_factory=list)
    applied: int = 0

    def load(self) -> None:
        self.threads, self.unread = snapshot(self.who)

    def catch_up(self) -> None:
        events = [event for ears in self.ears for event in list(ears.events)]
        for event in events[self.applied :]:
            self.applied += 1
            self.hear(event)

    def hear(self, event: Event) -> None:
        data = event.data
        if event.name in ("thread.created", "thread.updated"):
            self.put(data["thread"])
        elif event.name == "thread.removed":
            self.threads = [thread for thread in self.threads if thread["id"] != data["thread_id"]]
        elif event.name == "message.created":
            self.take(data["message"])
        elif event.name == "unread":
            self.unread = data["unread_count"]
        elif event.name == "resync":
            self.heard.clear()
            self.load()

    def put(self, thread: Json) -> None:
        for place, known in enumerate(self.threads):
            if known["id"] == thread["id"]:
                self.threads[place] = thread
                return
        self.threads.insert(0, thread)

    def take(self, message: Json) -> None:
        self.heard[message["id"]] = message
        thread = next((one for one in self.threads if one["id"] == message["thread_id"]), None)
        if thread is None:
            # Whoever looked anew may hear late of what they may not see any more.
            return
        if message["seq"] > thread["last_seq"]:
            assert message["seq"] == thread["last_seq"] + 1, "a hole: a client would ask for what is missing"
            thread["last_seq"] = message["seq"]
            if message["kind"] == "message":
                self.count(thread, message)
        self.threads.remove(thread)
        self.threads.insert(0, thread)

    def count(self, thread: Json, message: Json) -> None:
        thread["last_message"] = message
        if self.is_own(message["sender"]):
            thread["last_read_seq"], thread["unread_count"] = message["seq"], 0
        else:
            thread["unread_count"] += 1
        if "needs_reply" in thread:
            self.count_waiting(thread, message)
            by_customer = message["sender"]["kind"] == "customer"
            thread["needs_reply"] = by_customer and thread["status"] == "open"

    def count_waiting(self, thread: Json, message: Json) -> None:
        if message["sender"]["kind"] == "staff":
            thread.update(waiting_since=None, claimed_by=None, escalated=0)
        elif thread["waiting_since"] is None:
            thread["waiting_since"] = message["created_at"]

    def is_own(self, sender: Json) -> bool:
        if isinstance(self.who, Colleague):
            return bool(sender["kind"] == "staff" and sender["id"] == self.who.id)
        return bool(sender["kind"] == "customer")

    def is_fresh(self) -> bool:
        self.catch_up()
        threads, unread = snapshot(self.who)
        return bool(self.threads == threads and self.unread == unread)


def snapshot(who: Colleague | CustomerAtHome) -> tuple[list[Json], int | None]:
    if isinstance(who, CustomerAtHome):
        return who.view()["threads"], None
    threads = ok(who.get("/api/chat/threads", status="all", limit=100))["threads"]
    return threads, ok(who.get("/api/chat/unread-count"))["unread_count"]


# --- what may happen ------------------------------------------------------------------------------


@dataclass
class Company:
    cast: Cast
    carol: CustomerAtHome
    threads: list[Json]
    pages: list[Page]

    def path(self, which: int, more: str = "") -> str:
        return f"/api/chat/threads/{self.threads[which % len(self.threads)]['id']}{more}"


def writes(company: Company, who: int, which: int) -> None:
    company.cast.everyone[who % 5].post(company.path(which, "/messages"), {"body": "Hello"})


def reads(company: Company, who: int, which: int) -> None:
    company.cast.everyone[who % 5].post(company.path(which, "/read"))


def reads_half(company: Company, who: int, which: int) -> None:
    company.cast.everyone[who % 5].post(company.path(which, "/read"), {"up_to_seq": 2})


def joins(company: Company, who: int, which: int) -> None:
    ids = {"user_ids": [company.cast.everyone[who % 5].id]}
    company.cast.ada.post(company.path(which, "/participants"), ids)


def leaves(company: Company, who: int, which: int) -> None:
    company.cast.ada.delete(company.path(which, f"/participants/{company.cast.everyone[who % 5].id}"))


def closes(company: Company, who: int, which: int) -> None:
    company.cast.everyone[who % 5].post(company.path(which, "/close" if which % 2 else "/reopen"))


def opens(company: Company, who: int, which: int) -> None:
    people = company.cast.everyone
    visibility = "customer_visible" if which % 2 else "internal"
    job = company.cast.boiler if which % 2 else None
    company.threads.append(company.cast.dora.opens_thread(people[who % 5], visibility=visibility, job=job))


def customer_writes(company: Company, who: int, which: int) -> None:
    named = {"thread_id": company.threads[which % len(company.threads)]["id"]}
    company.carol.http.post(f"{company.carol.path}/messages", json={"body": "When?"} | named)


def claims(company: Company, who: int, which: int) -> None:
    company.cast.everyone[who % 5].post(company.path(which, "/claim"))


def gives_back(company: Company, who: int, which: int) -> None:
    company.cast.everyone[who % 5].delete(company.path(which, "/claim"))


def customer_reads(company: Company, who: int, which: int) -> None:
    company.carol.http.post(f"{company.carol.path}/read")


def job_renamed(company: Company, who: int, which: int) -> None:
    title = {"title": f"Boiler {who}"}
    ok(company.cast.dora.patch(f"/api/jobs/{company.cast.boiler.ref.id}", title))


def customer_renamed(company: Company, who: int, which: int) -> None:
    ok(company.cast.dora.patch(f"/api/customers/{company.cast.boiler.customer.id}", {"name": f"Carol {who}"}))


def role_changed(company: Company, who: int, which: int) -> None:
    role = ["technician", "dispatcher", "admin"][which % 3]
    ok(company.cast.ada.patch(f"/api/users/{company.cast.dan.id}", {"role": role}))


def looks_anew(company: Company, who: int, which: int) -> None:
    """What the page finds may be newer than what it is told next."""
    company.pages[who % len(company.pages)].load()


DEEDS: Sequence[Callable[[Company, int, int], None]] = (
    *(writes, writes, writes, reads, reads_half, joins, leaves, closes, opens),
    *(
        customer_writes,
        customer_writes,
        customer_reads,
        claims,
        claims,
        gives_back,
        looks_anew,
        job_renamed,
        customer_renamed,
        role_changed,
    ),
)
happenings = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=14
)


@pytest.mark.timeout(3600)
@settings(
    max_examples=EXAMPLES,
    # What fails waits for seconds each time: to make it smaller takes longer than to read it.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happenings=happenings, broken_off_at=st.integers(0, 14), back_at=st.integers(0, 14))
def test_an_old_snapshot_and_its_events_are_a_fresh_snapshot(
    server: Serving,
    happenings: list[tuple[Callable[[Company, int, int], None], int, int]],
    broken_off_at: int,
    back_at: int,
) -> None:
    company = a_company(server)
    pages = company.pages
    for page in pages[:3]:
        # These find in their snapshots what their streams tell them as well.
        page.load()
    with ExitStack() as streams:
        for page in pages:
            page.ears.append(streams.enter_context(listening(page.who)))
            page.load()
        for number, (deed, who, which) in enumerate(happenings):
            if number == broken_off_at:
                for page in pages[2:]:
                    page.ears[0].hang_up()
                    page.ears[0].waits_for_the_end()
            if broken_off_at <= number == back_at:
                come_back(pages[2:], streams)
            deed(company, who, which)
        if any(page.ears[-1].ended_at for page in pages):
            come_back(pages[2:], streams)
        try:
            wait_until(lambda: all(page.is_fresh() for page in pages), 3.0)
        except AssertionError:
            for page in pages:
                assert (page.threads, page.unread) == snapshot(page.who), page.who
        for page in pages:
            heard_as_it_is(page)
    server.close_browsers()


def come_back(pages: Sequence[Page], streams: ExitStack) -> None:
    for page in pages:
        if page.ears[-1].ended_at is not None:
            last_id = page.ears[-1].last_id
            page.ears.append(streams.enter_context(listening(page.who, last_event_id=last_id)))


def heard_as_it_is(page: Page) -> None:
    """The messages that came by events are those that one reads."""
    if isinstance(page.who, CustomerAtHome):
        return
    for thread in page.threads:
        for message in page.who.reads(thread, limit=100):
            if message["id"] in page.heard:
                assert page.heard[message["id"]] == message


def a_company(server: Serving) -> Company:
    server.close_browsers()
    serving.empty(server)
    cast = gather(server)
    threads = [
        cast.dora.opens_thread(cast.tom),
        cast.dora.opens_thread(cast.tom, cast.tara, visibility="customer_visible", job=cast.boiler),
        cast.ada.opens_thread(cast.dan, job=cast.roof),
    ]
    for thread in threads:
        cast.ada.writes(thread, "Good morning")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    pages = [Page(who) for who in (cast.ada, cast.dora, cast.dan, cast.tom, carol)]
    return Company(cast, carol, threads, pages)
