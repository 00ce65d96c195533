"""Whatever people do, in whatever order: the server and a plain-Python model of it never disagree.

Hypothesis makes up what everybody does, through the API. Each answer must be the one that the model gives;
after each step everybody looks around: who sees what, in which order, numbered how, with how much unread.
HYPOTHESIS_PROFILE=nightly goes on for longer.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import httpx2
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests import serving
from tests.cast import PASSWORD, Cast, Colleague, exchange_of, gather, ok, refused
from tests.model import Job, Link, Model, Person, Refused, Thread
from tests.serving import Serving, browser

T = TypeVar("T")
NIGHTLY = settings.get_current_profile_name() == "nightly"
HOW_LONG = settings(max_examples=1_000 if NIGHTLY else 10, stateful_step_count=60 if NIGHTLY else 30)
# What fails is made small before it is told, which takes minutes.
LONGEST_SECONDS = 8 * 3_600 if NIGHTLY else 900
ROLES = ("admin", "dispatcher", "technician")
STAFF = ("Ada", "Dora", "Dan", "Tom", "Tara")
MOST_THREADS, MOST_LINKS = 4, 3

people = st.sampled_from(STAFF)
office = st.sampled_from(["Ada", "Ada", "Dora", "Tom"])
"""Mostly those who may, at least at first."""
others = st.lists(people, max_size=2)
jobs = st.sampled_from(["boiler", "roof"])
some_job = st.sampled_from([None, "boiler", "roof"])
places = st.integers(0, MOST_THREADS - 1)
which = st.integers(0, MOST_LINKS - 1)
bodies = st.sampled_from(["Yes", "No"])
sent_as = st.sampled_from([None, "a", "b"])
up_to = st.none() | st.integers(0, 8)
some_link = precondition(lambda self: self.model.links)


class Company(RuleBasedStateMachine):
    """Everybody at work at once."""

    server: Serving

    def __init__(self) -> None:
        super().__init__()
        serving.empty(self.server)
        self.cast: Cast = gather(self.server)
        self.staff = {colleague.name: colleague for colleague in self.cast.everyone}
        self.customers: dict[int, httpx2.Client] = {}
        self.urls: dict[int, str] = {}
        self.model = Model(
            {c.name: Person(c.name, c.id, c.staff.role.value) for c in self.cast.everyone},
            {
                "boiler": Job("boiler", self.cast.boiler.ref.id, "Boiler off", "Carol", assigned={"Tom"}),
                "roof": Job("roof", self.cast.roof.ref.id, "Roof leaks", "Chris"),
            },
        )
        self.said: dict[tuple[int, int], int] = {}
        """(Thread id, seq) → message id, as first answered."""
        self.said_at: dict[tuple[int, int], str] = {}
        self.moved: Thread | None = None
        self.turn = 0
        self.begin()

    def begin(self) -> None:
        """Two threads and an open link: most of what can happen needs some."""
        self.opens_a_thread("Dora", False, ["Tom"], None, "Yes", "a")
        self.opens_a_thread("Dora", True, ["Tom"], "boiler", "No", "a")
        self.makes_a_link("Dora", "boiler", True)

    def teardown(self) -> None:
        self.server.close_browsers()

    # --- staff ------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model.threads) < MOST_THREADS)
    @rule(
        who=people, visible=st.booleans(), others=others, job=some_job, first=st.none() | bodies, sent=sent_as
    )
    def opens_a_thread(
        self, who: str, visible: bool, others: list[str], job: str | None, first: str | None, sent: str | None
    ) -> None:
        asked: dict[str, Any] = {
            "subject": "Need help",
            "visibility": "customer_visible" if visible else "internal",
            "participant_ids": self.ids(others),
            "job_id": self.model.jobs[job].id if job else None,
            "message": {"body": first, "client_msg_id": sent} if first else None,
        }
        answer = self.staff[who].post("/api/chat/threads", asked)
        about = self.model.jobs[job] if job else None
        thread = self.expect(answer, lambda: self.model.create(who, visible, others, about, first, sent), 201)
        if thread is not None:
            thread.id = answer.json()["id"]
            self.moved = thread

    @precondition(lambda self: len(self.model.threads) < MOST_THREADS)
    @rule(who=office, job=jobs)
    def asks_for_the_customers_thread(self, who: str, job: str) -> None:
        about = self.model.jobs[job]
        answer = self.staff[who].post(f"/api/chat/jobs/{about.id}/customer-thread")
        found = self.expect(answer, lambda: self.model.customer_thread(who, about), 200, 201)
        if found is not None:
            opened, thread = found
            assert answer.status_code == (201 if opened else 200)
            thread.id = answer.json()["id"]
            self.moved = thread

    @rule(at=places, said=st.lists(st.tuples(people, bodies, sent_as), min_size=1, max_size=4))
    def they_talk(self, at: int, said: list[tuple[str, str, str | None]]) -> None:
        for who, body, sent in said:
            self.writes(who, self.thread(at), body, sent)

    @rule(at=places, which=st.integers(0, 20), again=bodies)
    def somebody_tries_again(self, at: int, which: int, again: str) -> None:
        """However late: the thread may be closed by now, or the sender gone."""
        thread = self.thread(at)
        said = [row for row in thread.rows if row.client_msg_id is not None and row.sender in self.staff]
        if said:
            row = said[which % len(said)]
            self.writes(row.sender, thread, again, row.client_msg_id)

    def writes(self, who: str, thread: Thread, body: str, sent: str | None) -> None:
        answer = self.staff[who].post(self.path(thread, "/messages"), {"body": body, "client_msg_id": sent})
        self.expect_said(answer, lambda: self.model.write(who, thread, body, sent))

    @rule(at=places, marks=st.lists(st.tuples(people, up_to), min_size=1, max_size=3))
    def they_read(self, at: int, marks: list[tuple[str, int | None]]) -> None:
        for who, up_to in marks:
            self.reads(who, self.thread(at), up_to)

    def reads(self, who: str, thread: Thread, up_to: int | None) -> None:
        answer = self.staff[who].post(self.path(thread, "/read"), {"up_to_seq": up_to})
        self.expect_marked(answer, lambda: self.model.mark_read(who, thread, up_to))

    @rule(who=people, at=places, is_open=st.booleans())
    def closes_or_reopens(self, who: str, at: int, is_open: bool) -> None:
        thread = self.thread(at)
        answer = self.staff[who].post(self.path(thread, "/reopen" if is_open else "/close"))
        self.expect(answer, lambda: self.model.set_open(who, thread, is_open))

    @rule(at=places, claims=st.lists(st.tuples(people, st.booleans()), min_size=1, max_size=3))
    def they_say_who_answers(self, at: int, claims: list[tuple[str, bool]]) -> None:
        thread = self.thread(at)
        for who, gives_back in claims:
            if gives_back:
                answer = self.staff[who].delete(self.path(thread, "/claim"))
                self.expect(answer, lambda who=who: self.model.give_back(who, thread))  # type: ignore[misc]
            else:
                answer = self.staff[who].post(self.path(thread, "/claim"))
                self.expect(answer, lambda who=who: self.model.claim(who, thread))  # type: ignore[misc]

    @rule(at=places, who=office, others=st.lists(people, min_size=1, max_size=3))
    def adds(self, who: str, at: int, others: list[str]) -> None:
        thread = self.thread(at)
        answer = self.staff[who].post(self.path(thread, "/participants"), {"user_ids": self.ids(others)})
        self.expect(answer, lambda: self.model.add(who, thread, others))

    @rule(who=people, at=places, leaves=st.booleans(), other=people)
    def removes(self, who: str, at: int, leaves: bool, other: str) -> None:
        thread, whom = self.thread(at), who if leaves else other
        answer = self.staff[who].delete(self.path(thread, f"/participants/{self.staff[whom].id}"))
        self.expect(answer, lambda: self.model.remove(who, thread, whom), 204)

    @rule(who=office, other=people, becomes=st.sampled_from([*ROLES, "active", "inactive"]))
    def changes_a_colleague(self, who: str, other: str, becomes: str) -> None:
        person = self.model.people[other]
        was_active, path = person.active, f"/api/users/{person.id}"
        if becomes in ROLES:
            answer = self.staff[who].patch(path, {"role": becomes})
            self.expect(answer, lambda: self.model.change_role(who, other, becomes))
        else:
            answer = self.staff[who].patch(path, {"active": becomes == "active"})
            self.expect(answer, lambda: self.model.set_active(who, other, becomes == "active"))
        if person.active and not was_active:
            self.sign_in(self.staff[other])

    # --- jobs and links ---------------------------------------------------------------------------

    @rule(who=office, job=jobs, becomes=st.sampled_from(["active", "closed"]) | others)
    def changes_a_job(self, who: str, job: str, becomes: str | list[str]) -> None:
        about = self.model.jobs[job]
        if isinstance(becomes, str):
            answer = self.staff[who].patch(f"/api/jobs/{about.id}", {"status": becomes})
            self.expect(answer, lambda: self.model.change_job(who, about, becomes == "active"))
        else:
            answer = self.staff[who].patch(f"/api/jobs/{about.id}", {"assignee_ids": self.ids(becomes)})
            self.expect(answer, lambda: self.model.assign(who, about, becomes))

    @precondition(lambda self: len(self.model.threads) < MOST_THREADS and len(self.model.links) < MOST_LINKS)
    @rule(who=office, job=jobs, sent=st.booleans())
    def makes_a_link(self, who: str, job: str, sent: bool) -> None:
        about = self.model.jobs[job]
        asked = {"channels": ["email"] if sent else []}
        answer = self.staff[who].post(f"/api/chat/jobs/{about.id}/customer-session", asked)
        link = self.expect(answer, lambda: self.model.make_link(who, about, sent), 201)
        if link is not None:
            link.id = answer.json()["session_id"]
            self.urls[link.id] = answer.json()["url"]
            self.moved = self.model.newest_open(about)
            self.find_id(who, self.moved)
            self.customers[link.id] = browser(self.server)
            self.opens(link)

    @precondition(lambda self: not all(map(self.model.let_in, self.model.links)))
    @rule(which=which)
    def opens_a_link(self, which: int) -> None:
        """One that opens nothing now, or nothing any more."""
        links = [link for link in self.model.links if not self.model.let_in(link)]
        self.opens(links[which % len(links)])

    def opens(self, link: Link) -> None:
        answer = self.customers[link.id].post(
            "/api/chat/customer/session", json=exchange_of(self.urls[link.id])
        )
        self.expect(answer, lambda: self.model.open_link(link))

    @some_link
    @rule(who=office, which=which)
    def revokes(self, who: str, which: int) -> None:
        link = self.link(which)
        answer = self.staff[who].delete(f"/api/chat/customer-sessions/{link.id}")
        self.expect(answer, lambda: self.model.revoke(who, link), 204)

    @precondition(lambda self: len(self.model.links) > 1)
    @rule()
    def links_run_out(self) -> None:
        """And room is made for new ones."""
        self.model.day += 8
        self.server.clock.pass_time(days=8)
        self.server.parts.callers.forget()
        self.customers_find_what_they_should()
        self.opens(self.model.links[0])
        self.model.links.clear()

    # --- customers --------------------------------------------------------------------------------

    @some_link
    @rule(which=which, said=st.lists(st.tuples(st.none() | places, bodies, sent_as), min_size=1, max_size=3))
    def a_customer_writes(self, which: int, said: list[tuple[int | None, str, str | None]]) -> None:
        for at, body, sent in said:
            self.writes_as_customer(self.link(which), None if at is None else self.thread(at), body, sent)

    def writes_as_customer(self, link: Link, named: Thread | None, body: str, sent: str | None) -> None:
        asked = {"body": body, "client_msg_id": sent, "thread_id": named.id if named else None}
        answer = self.as_customer("POST", link, "/messages", asked)
        if self.let_in(link, answer):
            self.expect_said(answer, lambda: self.model.customer_writes(link, named, body, sent))

    @some_link
    @rule(which=which, at=st.none() | places, up_to=up_to)
    def a_customer_reads(self, which: int, at: int | None, up_to: int | None) -> None:
        link, named = self.link(which), None if at is None else self.thread(at)
        asked = {"up_to_seq": up_to, "thread_id": named.id if named else None}
        answer = self.as_customer("POST", link, "/read", asked)
        if self.let_in(link, answer):
            self.expect_marked(answer, lambda: self.model.customer_reads(link, named, up_to))

    # --- what everybody sees, after each step -----------------------------------------------------

    @invariant()
    def everybody_at_work_finds_what_they_should(self) -> None:
        for who, colleague in self.staff.items():
            if not self.model.people[who].active:
                refused(colleague.get("/api/auth/me"), 401, "not_authenticated")
                continue
            listed = ok(colleague.get("/api/chat/threads", status="all", limit=100))["threads"]
            assert [told(thread) for thread in listed] == [self.told(t, who) for t in self.model.listed(who)]

    @invariant()
    def one_of_them_by_turns_finds_their_jobs_and_how_much_is_unread(self) -> None:
        self.turn += 1
        for who in by_turns([who for who in STAFF if self.model.people[who].active], self.turn):
            colleague, jobs = self.staff[who], self.model.jobs.values()
            assert ok(colleague.get("/api/chat/unread-count")) == {
                "unread_count": self.model.unread_total(who)
            }
            seen = {job.id for job in jobs if self.model.sees_job(who, job)}
            assert {job["id"] for job in ok(colleague.get("/api/jobs"))["jobs"]} == seen

    @invariant()
    def the_rows_of_the_thread_that_moved_are_gapless_and_in_order(self) -> None:
        thread, self.moved = self.moved, None
        if thread is None:
            return
        # One of those who see it and one of the others: their lists told who is who.
        seeing = [who for who in STAFF if self.model.sees(who, thread)]
        others = [who for who in STAFF if self.model.people[who].active and who not in seeing]
        for who in by_turns(seeing, self.turn):
            rows = ok(self.staff[who].get(self.path(thread, "/messages"), limit=100))["messages"]
            assert [row_told(row) for row in rows] == rows_of(thread)
        for who in by_turns(others, self.turn):
            refused(self.staff[who].get(self.path(thread, "/messages")), 404, "not_found")

    @invariant()
    def customers_find_what_they_should(self) -> None:
        for link in self.model.links:
            answer = self.as_customer("GET", link, "?limit=100")
            if not self.let_in(link, answer):
                continue
            view, customer = ok(answer), link.job.customer
            listed = self.model.listed_for_customer(link.job)
            assert [customer_told(thread) for thread in view["threads"]] == [
                (
                    t.id,
                    "open" if t.open else "closed",
                    len(t.rows),
                    t.read_up_to.get(customer, 0),
                    t.unread(customer),
                )
                for t in listed
            ]
            newest = self.model.newest_open(link.job)
            assert (view["thread"] and view["thread"]["id"]) == (newest and newest.id)
            assert [row_told(row) for row in view["messages"]] == (rows_of(newest) if newest else [])

    # --- asking and comparing ---------------------------------------------------------------------

    def thread(self, at: int) -> Thread:
        self.moved = self.model.threads[at % len(self.model.threads)]
        return self.moved

    def link(self, which: int) -> Link:
        return self.model.links[which % len(self.model.links)]

    def ids(self, names: list[str]) -> list[int]:
        return [self.staff[name].id for name in names]

    def path(self, thread: Thread, rest: str = "") -> str:
        return f"/api/chat/threads/{thread.id}{rest}"

    def as_customer(self, method: str, link: Link, rest: str, asked: Any = None) -> httpx2.Response:
        path = f"/api/chat/customer/jobs/{link.job.id}/thread{rest}"
        return self.customers[link.id].request(method, path, json=asked)

    def let_in(self, link: Link, answer: httpx2.Response) -> bool:
        if not self.model.let_in(link):
            assert answer.status_code == 401, answer.text
            return False
        return True

    def sign_in(self, colleague: Colleague) -> None:
        """Whoever is active again has to: the session of before has ended for good."""
        refused(colleague.get("/api/auth/me"), 401, "not_authenticated")
        colleague.http.cookies.clear()
        ok(colleague.post("/api/auth/login", {"email": colleague.staff.email, "password": PASSWORD}))

    def find_id(self, who: str, thread: Thread | None) -> None:
        """A thread that was opened along with something else."""
        if thread is not None and thread.id == 0:
            thread.id = ok(self.staff[who].get("/api/chat/threads"))["threads"][0]["id"]

    def expect(self, answer: httpx2.Response, foretold: Callable[[], T], *statuses: int) -> T | None:
        """What the model says of it; None where the model refuses, and then the server must, and alike."""
        try:
            expected = foretold()
        except Refused as refusal:
            refused(answer, refusal.status, refusal.code)
            return None
        assert answer.status_code in (statuses or (200,)), answer.text
        return expected

    def expect_said(self, answer: httpx2.Response, foretold: Callable[[], tuple[bool, int, Thread]]) -> None:
        expected = self.expect(answer, foretold, 200, 201)
        if expected is not None:
            repeated, seq, thread = expected
            message = answer.json()
            assert (answer.status_code, message["seq"]) == (200 if repeated else 201, seq)
            assert message["id"] == self.said.setdefault((thread.id, seq), message["id"])
            self.said_at.setdefault((thread.id, seq), message["created_at"])
            self.moved = thread

    def expect_marked(self, answer: httpx2.Response, foretold: Callable[[], tuple[int, int]]) -> None:
        expected = self.expect(answer, foretold)
        if expected is not None:
            assert answer.json() == {"last_read_seq": expected[0], "unread_count": expected[1]}

    def told(self, thread: Thread, who: str) -> dict[str, Any]:
        """The thread as `who` should find it in the list."""
        last = thread.last_message
        names = sorted(thread.members, key=lambda name: (thread.members[name], self.staff[name].id))
        return {
            "id": thread.id,
            "subject": thread.subject,
            "visibility": "customer_visible" if thread.visible else "internal",
            "status": "open" if thread.open else "closed",
            "job": thread.job.id if thread.job else None,
            "participants": names,
            "created_by": thread.creator,
            "last_message": (last[0], last[1].sender, last[1].body) if last else None,
            "last_seq": len(thread.rows),
            "last_read_seq": thread.read_up_to.get(who, 0),
            "unread_count": thread.unread(who),
            "needs_reply": thread.needs_reply,
            "waiting_since": self.said_at[thread.id, thread.waits_from] if thread.waits_from else None,
            "claimed_by": thread.claimed_by,
            "escalated": 0,
            "sms_stopped": False,
            "email_on_file": thread.job is not None,
            "hit": None,
        }


def told(thread: dict[str, Any]) -> dict[str, Any]:
    """The same out of an answer."""
    last, job = thread["last_message"], thread["job"]
    return {name: value for name, value in thread.items() if name != "created_at"} | {
        "job": job and job["id"],
        "participants": [person["name"] for person in thread["participants"]],
        "created_by": thread["created_by"]["name"],
        "claimed_by": thread["claimed_by"] and thread["claimed_by"]["name"],
        "last_message": (last["seq"], last["sender"]["name"], last["body"]) if last else None,
    }


def customer_told(thread: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(thread[name] for name in ("id", "status", "last_seq", "last_read_seq", "unread_count"))


RowTold = tuple[int, str, str, str | None, tuple[str, ...]]


def row_told(row: dict[str, Any]) -> RowTold:
    event = row["event"] or {"type": None, "people": []}
    people = tuple(person["name"] for person in event["people"])
    return row["seq"], row["sender"]["name"], row["body"], event["type"], people


def rows_of(thread: Thread) -> list[RowTold]:
    return [
        (seq, row.sender, row.body, row.event, row.people) for seq, row in enumerate(thread.rows, start=1)
    ]


def by_turns(names: list[str], turn: int) -> list[str]:
    return [names[turn % len(names)]] if names else []


# --- the test -------------------------------------------------------------------------------------


@pytest.mark.timeout(LONGEST_SECONDS)
def test_the_server_and_the_model_never_disagree(server: Serving) -> None:
    company = type("Company", (Company,), {"server": server})
    run_state_machine_as_test(company, settings=HOW_LONG)
