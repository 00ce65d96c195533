"""The demo company: a handful of people, jobs and conversations in an otherwise empty database."""

from dataclasses import dataclass

from jobthread.actions import jobs, links, messages, people, threads
from jobthread.actions.links import Issuing
from jobthread.actions.texts import VIA
from jobthread.entities import Actor, Role, SeenJob, Staff, Texter, ThreadView, Visibility
from jobthread.errors import JobthreadError
from jobthread.store import facts
from jobthread.store import people as people_store
from jobthread.store.database import Reading, Writing
from jobthread.store.texts import NO_LINK

PASSWORD = "demo"  # noqa: S105 - it is meant to be known: the demo prints it
FACT = "demo"
QUARTER_HOUR = 15 * 60 * 1_000_000
"""In microseconds."""
HERE = Actor(None, "127.0.0.1", "jobthread --demo")
STAFF = (
    ("Ada Okafor", "ada@example.com", Role.ADMIN),
    ("Dora Lindqvist", "dora@example.com", Role.DISPATCHER),
    ("Tom Reyes", "tom@example.com", Role.TECHNICIAN),
    ("Tara Novak", "tara@example.com", Role.TECHNICIAN),
)


class NotEmpty(Exception):
    """The database holds a real company: the demo keeps its hands off it."""


@dataclass(frozen=True, slots=True)
class Demo:
    sign_ins: tuple[tuple[str, Role], ...]
    link: str


def is_real(tx: Reading) -> bool:
    """Whether people are in it who did not come with the demo."""
    return people_store.any_staff(tx) and facts.get(tx, FACT) is None


def fill(tx: Writing, how: Issuing, password_hash: str) -> Demo:
    """Fill an empty database; one that is the demo's already just gets a new link.

    Raises `NotEmpty` where it holds a real company.
    """
    if is_real(tx):
        raise NotEmpty
    if facts.get(tx, FACT) is None:
        facts.put(tx, FACT, str(_company(tx, password_hash).ref.id))
    job_id = int(facts.get(tx, FACT) or 0)
    dora = people_store.with_password(tx, STAFF[1][1])
    if dora is None:
        return Demo(sign_ins(), "")
    link = links.issue(tx, _by(dora[0]), how, job_id, [], None)
    return Demo(sign_ins(), link.url)


def sign_ins() -> tuple[tuple[str, Role], ...]:
    """Addresses and roles; the password of all is `PASSWORD`."""
    return tuple((email, role) for _, email, role in STAFF)


def _company(tx: Writing, password_hash: str) -> SeenJob:
    """The job whose customer gets the link."""
    ada, dora, tom, tara = (
        people.enrol(tx, HERE, name, email, role, password_hash) for name, email, role in STAFF
    )
    boiler = _boiler(tx, dora, tom)
    roof = _job(tx, dora, "R-1042", "Roof leaks above the bay window", "Chris Adeyemi", [tara], hours=50)
    _job(tx, dora, "E-1043", "New consumer unit", "Greta Holm", [], hours=None)
    who = _thread(tx, dora, Visibility.INTERNAL, "Who looks at the roof?", [tara], roof)
    _say(tx, dora, who, "Can you be there on Friday at two?")
    _say(tx, tara, who, "Friday suits me. I will bring the long ladder.")
    asked = _thread(tx, dora, Visibility.CUSTOMER_VISIBLE, "Your roof", [tara], roof)
    _say(tx, dora, asked, "Hello! Tara comes on Friday. We will tell you the hour.")
    _answer_by_text(tx, roof, asked, "Could it be after four? And will she need to get into the attic?")
    vans = _thread(tx, ada, Visibility.INTERNAL, "Winter tyres", [dora, tom, tara], None)
    _say(tx, ada, vans, "All vans go to the garage next week. Tell Dora which day is best for you.")
    return boiler


def _boiler(tx: Writing, dora: Staff, tom: Staff) -> SeenJob:
    boiler = _job(tx, dora, "H-1041", "Boiler off, no hot water", "Carol Jensen", [tom], hours=1)
    helped = _thread(tx, tom, Visibility.INTERNAL, "Need help at Carol Jensen's", [dora], boiler)
    _say(tx, tom, helped, "The gas valve is seized. Replace it, or try to free it?")
    _say(tx, dora, helped, "Replace it: there should be one in your van. I tell her it takes an hour longer.")
    shown = _thread(tx, dora, Visibility.CUSTOMER_VISIBLE, "Your boiler", [tom], boiler)
    _say(tx, dora, shown, "Good morning! Tom is with you now; he needs an hour longer than planned.")
    return boiler


def _job(
    tx: Writing, by: Staff, reference: str, title: str, name: str, sent: list[Staff], hours: int | None
) -> SeenJob:
    """`hours` from now it begins, at a quarter of an hour."""
    email = f"{name.split()[0].lower()}@example.com"
    customer = jobs.NewCustomer(name, email, f"+1202555{100 + len(title):04d}")
    at = None if hours is None else (tx.now // QUARTER_HOUR + 4 * hours) * QUARTER_HOUR
    ids = [staff.id for staff in sent]
    new = jobs.NewJob(title, customer, reference=reference, scheduled_at=at, assignee_ids=ids)
    return jobs.create(tx, _by(by), new)


def _thread(
    tx: Writing, by: Staff, kind: Visibility, subject: str, others: list[Staff], job: SeenJob | None
) -> ThreadView:
    job_id = job.ref.id if job else None
    return threads.create(
        tx, _by(by), threads.ThreadDraft(kind, subject, [other.id for other in others], job_id)
    )


def _say(tx: Writing, by: Staff, thread: ThreadView, body: str) -> None:
    _send(tx, messages.Send(_by(by), thread.id, body, None))


def _answer_by_text(tx: Writing, job: SeenJob, thread: ThreadView, body: str) -> None:
    """The customer, who then waits for an answer."""
    texter = Texter(job.customer.id, job.customer.name, job.ref.id, NO_LINK, tx.now)
    _send(tx, messages.Send(Actor(texter, HERE.ip, HERE.user_agent), thread.id, body, None, VIA))


def _send(tx: Writing, send: messages.Send) -> None:
    [outcome] = messages.send_all(tx, [send])
    if isinstance(outcome, JobthreadError):
        raise outcome


def _by(staff: Staff) -> Actor:
    return Actor(staff, HERE.ip, HERE.user_agent)
