"""What Jobthread should do, told in plain Python: no database, no HTTP, nothing of the product's own code.

People go by name. `now` counts what happened; days are counted apart, since only links know of days. Ids are
the server's to give: 0 until it has.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

LINK_DAYS = 7
OFFICE = ("admin", "dispatcher")


class Refused(Exception):
    """What the server should refuse, and with which status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


NOT_SIGNED_IN = 401, "not_authenticated"
NOT_FOUND = 404, "not_found"
FORBIDDEN = 403, "forbidden"
INVALID = 422, "invalid"


@dataclass
class Person:
    name: str
    id: int
    role: str
    active: bool = True

    @property
    def in_office(self) -> bool:
        return self.role in OFFICE


@dataclass
class Job:
    name: str
    id: int
    title: str
    customer: str
    active: bool = True
    assigned: set[str] = field(default_factory=set)


@dataclass
class Link:
    id: int
    job: Job
    last_day: int
    revoked: bool = False
    opened: bool = False


@dataclass
class Row:
    sender: str
    body: str = ""
    client_msg_id: str | None = None
    event: str | None = None
    people: tuple[str, ...] = ()


@dataclass
class Thread:
    id: int
    subject: str
    visible: bool
    job: Job | None
    creator: str
    open: bool = True
    members: dict[str, int] = field(default_factory=dict)
    """Name → when they joined."""
    rows: list[Row] = field(default_factory=list)
    active_at: int = 0
    read_up_to: dict[str, int] = field(default_factory=dict)
    waits_from: int | None = None
    """The seq of the customer's first message since staff wrote."""
    claimed_by: str | None = None

    @property
    def last_message(self) -> tuple[int, Row] | None:
        said = [(seq, row) for seq, row in enumerate(self.rows, start=1) if row.event is None]
        return said[-1] if said else None

    @property
    def needs_reply(self) -> bool:
        last = self.last_message
        return self.visible and self.open and last is not None and self.is_customer(last[1].sender)

    def answered(self) -> None:
        self.waits_from = self.claimed_by = None

    def is_customer(self, name: str) -> bool:
        return self.job is not None and name == self.job.customer

    def unread(self, reader: str) -> int:
        seen = self.read_up_to.get(reader, 0)
        return sum(row.event is None for row in self.rows[seen:])

    def said_as(self, sender: str, client_msg_id: str | None) -> tuple[int, Row] | None:
        for seq, row in enumerate(self.rows, start=1):
            if client_msg_id is not None and (row.sender, row.client_msg_id) == (sender, client_msg_id):
                return seq, row
        return None

    def mark_read(self, reader: str, up_to: int | None) -> tuple[int, int]:
        """(last_read_seq, unread_count)"""
        seq = len(self.rows) if up_to is None else min(up_to, len(self.rows))
        self.read_up_to[reader] = max(seq, self.read_up_to.get(reader, 0))
        return self.read_up_to[reader], self.unread(reader)


@dataclass
class Model:
    people: dict[str, Person]
    jobs: dict[str, Job]
    threads: list[Thread] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    now: int = 0
    day: int = 0

    # --- seeing -----------------------------------------------------------------------------------

    def sees(self, who: str, thread: Thread) -> bool:
        person = self.people[who]
        if not person.active:
            return False
        return (
            person.role == "admin"
            or who in thread.members
            or (person.role == "dispatcher" and thread.visible)
        )

    def sees_job(self, who: str, job: Job) -> bool:
        person = self.people[who]
        talked_of = any(thread.job is job and who in thread.members for thread in self.threads)
        return person.active and (person.in_office or who in job.assigned or talked_of)

    def listed(self, who: str) -> list[Thread]:
        return self._newest_first(thread for thread in self.threads if self.sees(who, thread))

    def listed_for_customer(self, job: Job) -> list[Thread]:
        return self._newest_first(thread for thread in self.threads if thread.visible and thread.job is job)

    def unread_total(self, who: str) -> int:
        return sum(thread.unread(who) for thread in self.threads if who in thread.members)

    def _newest_first(self, threads: Iterable[Thread]) -> list[Thread]:
        return sorted(threads, key=lambda thread: -thread.active_at)

    def newest_open(self, job: Job) -> Thread | None:
        return next((thread for thread in self.listed_for_customer(job) if thread.open), None)

    # --- staff ------------------------------------------------------------------------------------

    def create(
        self,
        who: str,
        visible: bool,
        others: list[str],
        job: Job | None,
        first: str | None,
        sent_as: str | None,
    ) -> Thread:
        person = self._signed_in(who)
        if visible and not person.in_office:
            raise Refused(*FORBIDDEN)
        if (visible and job is None) or (job is not None and not self.sees_job(who, job)):
            raise Refused(*INVALID)
        self._check_colleagues(others)
        thread = self._opened(who, "Need help", visible, others, job)
        if first is not None:
            self._say(thread, who, first, sent_as)
        return thread

    def write(self, who: str, thread: Thread, body: str, sent_as: str | None) -> tuple[bool, int, Thread]:
        """Whether it was said before, its seq, and where."""
        self._seen(who, thread)
        if (seq := self._said_before(thread, who, body, sent_as)) is not None:
            return True, seq, thread
        if not thread.open:
            raise Refused(409, "thread_closed")
        if who not in thread.members:
            self._join(thread, who, [who])
        return False, self._say(thread, who, body, sent_as), thread

    def mark_read(self, who: str, thread: Thread, up_to: int | None) -> tuple[int, int]:
        self._seen(who, thread)
        return thread.mark_read(who, up_to)

    def set_open(self, who: str, thread: Thread, is_open: bool) -> None:
        self._seen(who, thread)
        if not self.people[who].in_office and thread.creator != who:
            raise Refused(*FORBIDDEN)
        if thread.open is not is_open:
            self._set_open(thread, who, is_open)

    def claim(self, who: str, thread: Thread) -> None:
        self._seen(who, thread)
        if thread.waits_from is None:
            raise Refused(409, "nothing_waits")
        thread.claimed_by = who

    def give_back(self, who: str, thread: Thread) -> None:
        self._seen(who, thread)
        thread.claimed_by = None

    def _let_go(self, who: str) -> None:
        """What they do not see any more they do not have any more."""
        for thread in self.threads:
            if thread.claimed_by == who and not self.sees(who, thread):
                thread.claimed_by = None

    def add(self, who: str, thread: Thread, others: list[str]) -> None:
        self._seen(who, thread)
        if not self.people[who].in_office:
            raise Refused(*FORBIDDEN)
        self._check_colleagues(others)
        if new := [name for name in dict.fromkeys(others) if name not in thread.members]:
            self._join(thread, who, new)

    def remove(self, who: str, thread: Thread, other: str) -> None:
        self._seen(who, thread)
        if not self.people[who].in_office and other != who:
            raise Refused(*FORBIDDEN)
        if other not in thread.members:
            raise Refused(*NOT_FOUND)
        del thread.members[other]
        self._let_go(other)
        self._add_row(thread, Row(who, event="left", people=(other,)))

    def change_role(self, who: str, other: str, role: str) -> None:
        self._check_admin(who)
        self._check_still_administered(other, role == "admin")
        self.people[other].role = role
        self._let_go(other)

    def set_active(self, who: str, other: str, active: bool) -> None:
        self._check_admin(who)
        self._check_still_administered(other, active)
        self.people[other].active = active
        self._let_go(other)

    # --- jobs and links ---------------------------------------------------------------------------

    def change_job(self, who: str, job: Job, active: bool) -> None:
        self._check_may_invite(who, job)
        job.active = active

    def assign(self, who: str, job: Job, others: list[str]) -> None:
        self._check_may_invite(who, job)
        self._check_colleagues(name for name in others if name not in job.assigned)
        job.assigned = set(others)

    def customer_thread(self, who: str, job: Job) -> tuple[bool, Thread]:
        """Whether it was opened just now, and it."""
        self._check_may_invite(who, job)
        found = self.newest_open(job)
        return (False, found) if found else (True, self._opened(who, job.title, True, [], job))

    def make_link(self, who: str, job: Job, sent: bool) -> Link:
        """A link always opens a conversation."""
        self._check_may_invite(who, job)
        if not job.active:
            raise Refused(409, "job_closed")
        _, thread = self.customer_thread(who, job)
        if sent:
            self._add_row(thread, Row(who, event="link_sent"))
        self.links.append(Link(0, job, self.day + LINK_DAYS))
        return self.links[-1]

    def revoke(self, who: str, link: Link) -> None:
        self._check_may_invite(who, link.job)
        link.revoked = True

    # --- customers --------------------------------------------------------------------------------

    def open_link(self, link: Link) -> None:
        self._check_link(link)
        link.opened = True

    def _check_link(self, link: Link) -> None:
        if link.revoked:
            raise Refused(401, "link_revoked")
        if not link.job.active:
            raise Refused(401, "job_inactive")
        if self.day >= link.last_day:
            raise Refused(401, "link_expired")

    def let_in(self, link: Link) -> bool:
        try:
            self._check_link(link)
        except Refused:
            return False
        return link.opened

    def customer_writes(
        self, link: Link, named: Thread | None, body: str, sent_as: str | None
    ) -> tuple[bool, int, Thread]:
        """Whether it was said before, its seq, and where."""
        thread = self._customers_thread(link.job, named)
        customer = link.job.customer
        if (seq := self._said_before(thread, customer, body, sent_as)) is not None:
            return True, seq, thread
        if not thread.open:
            self._set_open(thread, customer, True)
        return False, self._say(thread, customer, body, sent_as), thread

    def customer_reads(self, link: Link, named: Thread | None, up_to: int | None) -> tuple[int, int]:
        return self._customers_thread(link.job, named).mark_read(link.job.customer, up_to)

    def _customers_thread(self, job: Job, named: Thread | None) -> Thread:
        """The one that is named; else the newest open one, else the newest."""
        listed = self.listed_for_customer(job)
        if named is not None and named not in listed:
            raise Refused(*NOT_FOUND)
        found = named or self.newest_open(job) or (listed[0] if listed else None)
        if found is None:
            raise Refused(*NOT_FOUND)
        return found

    # --- what all of this is made of --------------------------------------------------------------

    def _signed_in(self, who: str) -> Person:
        if not self.people[who].active:
            raise Refused(*NOT_SIGNED_IN)
        return self.people[who]

    def _seen(self, who: str, thread: Thread) -> None:
        self._signed_in(who)
        if not self.sees(who, thread):
            raise Refused(*NOT_FOUND)

    def _check_admin(self, who: str) -> None:
        if self._signed_in(who).role != "admin":
            raise Refused(*FORBIDDEN)

    def _check_still_administered(self, other: str, stays: bool) -> None:
        admins = [person.name for person in self.people.values() if person.active and person.role == "admin"]
        if not stays and admins == [other]:
            raise Refused(409, "last_admin")

    def _check_may_invite(self, who: str, job: Job) -> None:
        person = self._signed_in(who)
        if not self.sees_job(who, job):
            raise Refused(*NOT_FOUND)
        if not person.in_office:
            raise Refused(*FORBIDDEN)

    def _check_colleagues(self, names: Iterable[str]) -> None:
        if not all(self.people[name].active for name in names):
            raise Refused(*INVALID)

    def _opened(self, who: str, subject: str, visible: bool, others: list[str], job: Job | None) -> Thread:
        thread = Thread(0, subject, visible, job, who)
        new = [name for name in dict.fromkeys(others) if name != who]
        self._add_row(thread, Row(who, event="created", people=tuple(new)))
        thread.members = dict.fromkeys([who, *new], self.now)
        self.threads.append(thread)
        return thread

    def _said_before(self, thread: Thread, sender: str, body: str, sent_as: str | None) -> int | None:
        earlier = thread.said_as(sender, sent_as)
        if earlier is None:
            return None
        if earlier[1].body != body:
            raise Refused(409, "client_msg_id_reused")
        return earlier[0]

    def _join(self, thread: Thread, by: str, new: list[str]) -> None:
        self._add_row(thread, Row(by, event="joined", people=tuple(new)))
        thread.members |= dict.fromkeys(new, self.now)

    def _set_open(self, thread: Thread, by: str, is_open: bool) -> None:
        thread.open = is_open
        if not is_open:
            thread.answered()
        self._add_row(thread, Row(by, event="reopened" if is_open else "closed"))

    def _say(self, thread: Thread, sender: str, body: str, sent_as: str | None) -> int:
        self._add_row(thread, Row(sender, body, sent_as))
        if not thread.is_customer(sender):
            thread.answered()
        elif thread.waits_from is None:
            thread.waits_from = len(thread.rows)
        return thread.mark_read(sender, None)[0]

    def _add_row(self, thread: Thread, row: Row) -> None:
        self.now += 1
        thread.rows.append(row)
        thread.active_at = self.now
