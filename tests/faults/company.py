"""A small company at work: eight browsers that write into four conversations, and what they write."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobthread import tokens
from jobthread.actions import jobs, people, threads
from jobthread.entities import Actor, Caller, Role, SeenJob, SenderKind, Staff, Visibility, Visitor
from jobthread.store import links, schema, sessions
from jobthread.store.database import Database, Writing
from tests.cast import NOBODY, PASSWORD_HASH, YEAR

STAFF = (
    ("Ada", Role.ADMIN),
    ("Dora", Role.DISPATCHER),
    ("Dan", Role.DISPATCHER),
    ("Tom", Role.TECHNICIAN),
    ("Tara", Role.TECHNICIAN),
)
CUSTOMERS = (("Carol", "Boiler off"), ("Chris", "Roof leaks"))
WORDS = ("valve", "boiler", "roof", "friday", "müller", "明日", "🔧", "leak", "van", "hour", "Ω", "tomorrow")


@dataclass(frozen=True)
class Writer:
    """One browser of somebody. Its ids of messages begin with its name, so that no two say the same."""

    name: str
    caller: Caller
    headers: dict[str, str]
    thread_ids: tuple[int, ...]

    @property
    def sender(self) -> tuple[str, int]:
        if isinstance(self.caller, Staff):
            return SenderKind.STAFF, self.caller.id
        return SenderKind.CUSTOMER, self.caller.customer_id

    @property
    def actor(self) -> Actor:
        return Actor(self.caller, "127.0.0.1", "tests")

    def request_to(self, thread_id: int, client_msg_id: str) -> tuple[str, dict[str, Any]]:
        """The path and the body of the call that says the message of that id."""
        said = {"body": body_of(client_msg_id), "client_msg_id": client_msg_id}
        if isinstance(self.caller, Visitor):
            return f"/api/chat/customer/jobs/{self.caller.job_id}/thread/messages", said | {
                "thread_id": thread_id
            }
        return f"/api/chat/threads/{thread_id}/messages", said


@dataclass(frozen=True)
class Said:
    """A message that the server acknowledged."""

    sender: tuple[str, int]
    thread_id: int
    seq: int
    client_msg_id: str

    @property
    def body(self) -> str:
        return body_of(self.client_msg_id)


def body_of(client_msg_id: str) -> str:
    """The same text each time, another one for each id: from one word to several pages of the database."""
    chance = random.Random(client_msg_id)
    words = chance.choices(WORDS, k=chance.choice((1, 5, 12, 30, 30, 900)))
    return f"{client_msg_id}: " + chance.choice(" \n").join(words)


def at_work(url: str) -> list[Writer]:
    """Bring the schema up to date, and put the company into the empty database."""
    schema.migrate(url)
    db = Database(url)
    try:
        return asyncio.run(db.write(_founded))
    finally:
        db.close()


def _founded(tx: Writing) -> list[Writer]:
    """Enrol everybody, open their conversations, sign them in."""
    staff = [
        people.enrol(tx, NOBODY, name, f"{name.lower()}@example.com", role, PASSWORD_HASH)
        for name, role in STAFF
    ]
    dispatcher = Actor(staff[1], "127.0.0.1", "tests")
    open_thread = _opener(tx, dispatcher, [one.id for one in staff])
    thread_ids = [open_thread(Visibility.INTERNAL, subject, None) for subject in ("Tyres", "Who drives?")]
    customers = []
    for name, title in CUSTOMERS:
        new = jobs.NewJob(title, jobs.NewCustomer(name, f"{name.lower()}@example.com", None))
        job = jobs.create(tx, dispatcher, new)
        thread_ids.append(open_thread(Visibility.CUSTOMER_VISIBLE, title, job))
        customers.append(_customer(tx, name, job, thread_ids[-1]))
    # Dora writes on her phone as well.
    browsers = [("Phone", staff[1]), *((one.name, one) for one in staff)]
    return [_browser(tx, name, one, tuple(thread_ids)) for name, one in browsers] + customers


def _opener(
    tx: Writing, by: Actor, member_ids: list[int]
) -> Callable[[Visibility, str, SeenJob | None], int]:
    def open_thread(kind: Visibility, subject: str, job: SeenJob | None) -> int:
        draft = threads.ThreadDraft(kind, subject, member_ids, job.ref.id if job else None)
        return threads.create(tx, by, draft).id

    return open_thread


def _browser(tx: Writing, name: str, staff: Staff, thread_ids: tuple[int, ...]) -> Writer:
    token = tokens.new_token()
    sessions.add(tx, staff.id, tokens.hash_of(token), tx.now + YEAR, "127.0.0.1", "tests")
    return Writer(name, staff, {"Cookie": f"jobthread={token}"}, thread_ids)


def _customer(tx: Writing, name: str, job: SeenJob, thread_id: int) -> Writer:
    token, expires_at = tokens.new_token(), tx.now + YEAR
    link_id = links.add(tx, job.ref.id, job.customer.id, tokens.hash_of(token), None, expires_at)
    visitor = Visitor(job.customer.id, name, job.ref.id, link_id, expires_at)
    return Writer(name, visitor, {"Authorization": f"Bearer {token}"}, (thread_id,))
