"""Everybody who may knock at the API, and threads and jobs of every kind for them to knock for.

Beside the cast there are Tess, a technician who was removed from every thread she was in (she began one of
them herself), Theo, who is in all of them, Thea, who is in none, and Dean, a dispatcher who was deactivated.
Integrations come with an API key, customers with the cookie that their link earned, or with its token.

Subjects, bodies, what jobs are called and addresses hold canaries: words that nobody could guess.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import httpx2

from jobthread import tokens
from jobthread.actions import jobs as job_actions
from jobthread.actions import links as link_actions
from jobthread.actions import messages
from jobthread.actions import people as people_actions
from jobthread.actions import threads as thread_actions
from jobthread.actions.threads import ThreadDraft
from jobthread.entities import Actor, JobStatus, Role, SenderKind, Staff, ThreadStatus, Visibility
from jobthread.errors import JobthreadError
from jobthread.receive import keeping
from jobthread.store import incoming, people, sessions
from jobthread.store.database import Writing
from tests.cast import NOBODY, PASSWORD_HASH, YEAR, Cast, exchange_of
from tests.serving import Serving, browser

INTERNAL, VISIBLE = Visibility.INTERNAL, Visibility.CUSTOMER_VISIBLE
ABSENT = 987_654_321
"""An id that no row has."""

STAFF = ("ada", "dora", "dan", "tom", "tara", "tess", "key")
CUSTOMERS = ("carol", "carols-token", "chris")
OUT = (
    *("nobody", "dean", "revoked-key", "deans-key"),
    *("expired", "expired-token", "revoked", "revoked-token", "closed-job", "closed-jobs-token"),
)
"""Those who get nothing at all."""
PRINCIPALS = (*STAFF, *CUSTOMERS, *OUT)

SENT_AS = "first"
"""The `client_msg_id` of the first message of every thread."""

JOBS = ("boiler", "roof", "shut", "none")
THREADS = (
    *("internal", "internal-closed", "by-tom", "by-tess", "visible", "visible-closed"),
    *("roof-visible", "roof-internal", "none"),
)


ROLES = {"tess": Role.TECHNICIAN, "theo": Role.TECHNICIAN, "thea": Role.TECHNICIAN, "dean": Role.DISPATCHER}


def canary() -> str:
    return "canary" + secrets.token_hex(16)


@dataclass
class World:
    serving: Serving
    people: dict[str, Staff]
    at: dict[str, httpx2.Client] = field(default_factory=dict)
    """Principal → client."""
    threads: dict[str, int] = field(default_factory=lambda: {"none": ABSENT})
    jobs: dict[str, int] = field(default_factory=lambda: {"none": ABSENT})
    customers: dict[str, int] = field(default_factory=lambda: {"none": ABSENT})
    """By their job."""
    links: dict[str, int] = field(default_factory=lambda: {"none": ABSENT})
    """By their job; links in force that nobody uses."""
    mails: dict[str, int] = field(default_factory=lambda: {"none": ABSENT})
    """Mails that came in, for the one thread or the other."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Magic tokens, by the customer who holds the cookie that they earned."""
    service_id: int = 0
    in_threads: dict[str, set[str]] = field(default_factory=dict)
    """Thread → canaries in it."""
    in_jobs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Job → canaries in it, by what they stand for."""
    in_staff: set[str] = field(default_factory=set)
    """Canaries in the addresses of staff."""
    in_mails: set[str] = field(default_factory=set)
    """Canaries in mails that came in."""
    secrets: set[str] = field(default_factory=set)
    """Every token, cookie and key that opens something, or once did."""

    def user_id(self, name: str) -> int:
        """Of a member of staff or of the service account; of anyone else, an id that nobody has."""
        if name in ("key", "service"):
            return self.service_id
        return self.people[name].id if name in self.people else ABSENT

    def by(self, name: str) -> Actor:
        return Actor(self.people[name], "127.0.0.1", "tests")


def settle(cast: Cast) -> World:
    """Fill the cast's database: everything in one transaction, then two hours pass."""
    world = World(cast.serving, {colleague.name.lower(): colleague.staff for colleague in cast.everyone})
    headers = cast.serving.write(lambda tx: _settled(tx, world, cast))
    cast.serving.clock.pass_time(hours=2)
    # In the order of PRINCIPALS, so that failures name them in the table's order.
    world.at = {name: browser(cast.serving, **headers[name]) for name in PRINCIPALS}
    world.secrets = {value.split("=")[-1].split()[-1] for sent in headers.values() for value in sent.values()}
    return world


def _settled(tx: Writing, world: World, cast: Cast) -> dict[str, dict[str, str]]:
    for name, role in ROLES.items():
        address = "dean" if name == "dean" else canary()
        email = f"{address}@example.com"
        world.people[name] = people_actions.enrol(tx, NOBODY, name.capitalize(), email, role, PASSWORD_HASH)
        world.in_staff |= {address} - {"dean"}
    _add_jobs(tx, world, cast)
    _add_threads(tx, world)
    _add_mail(tx, world)
    return {"nobody": {}} | _signed_in(tx, world) | _keys(tx, world) | _links(tx, world)


# --- jobs and threads -----------------------------------------------------------------------------


def _add_jobs(tx: Writing, world: World, cast: Cast) -> None:
    """Carol's boiler (Tom is on it), Chris's roof, and Cleo's job, which is done."""
    cleo = job_actions.NewCustomer("Cleo", "cleo@example.com", None)
    shut = job_actions.create(tx, world.by("ada"), job_actions.NewJob("Done", cleo))
    for name, job in {"boiler": cast.boiler, "roof": cast.roof, "shut": shut}.items():
        told = {"title": canary(), "external_id": canary(), "name": canary()}
        told["email"] = f"{canary()}@example.com"
        about_job = {name: told[name] for name in ("title", "external_id")}
        contacts = {name: told[name] for name in ("name", "email")}
        job_actions.change(tx, world.by("ada"), job.ref.id, about_job)
        people_actions.change_customer(tx, world.by("ada"), job.customer.id, contacts)
        world.jobs[name], world.customers[name] = job.ref.id, job.customer.id
        world.in_jobs[name] = {what: word.partition("@")[0] for what, word in told.items()}


def _add_mail(tx: Writing, world: World) -> None:
    sender, said = canary(), canary()
    world.in_mails |= {sender, said}
    raw = f"From: {sender}@example.com\r\n\r\n{said}".encode()
    name = keeping.put(world.serving.parts.mails_folder, raw)
    mail = incoming.Mail(sha256(raw).digest(), None, None, "", len(raw), name)
    noted = incoming.note(tx, mail, (SenderKind.STAFF, world.people["tom"].id), world.threads["internal"])
    world.mails["kept"] = noted or 0


def _add_threads(tx: Writing, world: World) -> None:
    _add_thread(tx, world, "internal", INTERNAL, "boiler", ["dora", "tom", "tess", "theo"])
    _add_thread(tx, world, "internal-closed", INTERNAL, "shut", ["dora", "tom", "tess", "theo"])
    _add_thread(tx, world, "by-tom", INTERNAL, None, ["tom", "dora", "tess", "theo"])
    _add_thread(tx, world, "by-tess", INTERNAL, None, ["tess", "dora", "theo"])
    _add_thread(tx, world, "visible", VISIBLE, "boiler", ["dora", "tom", "tess", "theo"])
    _add_thread(tx, world, "visible-closed", VISIBLE, "boiler", ["dora", "tom", "tess", "theo"])
    _add_thread(tx, world, "roof-visible", VISIBLE, "roof", ["ada", "theo"])
    _add_thread(tx, world, "roof-internal", INTERNAL, "roof", ["ada", "theo"])
    for name in ("internal", "internal-closed", "by-tom", "by-tess", "visible", "visible-closed"):
        thread_actions.remove_participant(tx, world.by("dora"), world.threads[name], world.people["tess"].id)
    for name in ("internal-closed", "visible-closed"):
        thread_actions.set_status(tx, world.by("dora"), world.threads[name], ThreadStatus.CLOSED)


def _add_thread(
    tx: Writing, world: World, name: str, visibility: Visibility, job: str | None, members: Sequence[str]
) -> None:
    """A thread by the first of its members, in which each of them says something."""
    subject, first = canary(), canary()
    others = [world.people[member].id for member in members[1:]]
    job_id = world.jobs[job] if job else None
    draft = ThreadDraft(visibility, subject, others, job_id, first, SENT_AS)
    thread_id = thread_actions.create(tx, world.by(members[0]), draft).id
    replies = [canary() for _ in others]
    actors = [world.by(member) for member in members[1:]]
    sends = [messages.Send(by, thread_id, body, None) for by, body in zip(actors, replies, strict=True)]
    assert not any(isinstance(sent, JobthreadError) for sent in messages.send_all(tx, sends))
    world.threads[name] = thread_id
    world.in_threads[name] = {subject, first, *replies}


# --- who knocks, and with what --------------------------------------------------------------------


def _signed_in(tx: Writing, world: World) -> dict[str, dict[str, str]]:
    people_actions.change_user(tx, world.by("ada"), world.people["dean"].id, {"active": False})
    # Dean's session, as if deactivating him had not ended it: being deactivated must be enough.
    return {name: _session(tx, world, name) for name in ("ada", "dora", "dan", "tom", "tara", "tess", "dean")}


def _session(tx: Writing, world: World, name: str) -> dict[str, str]:
    token = tokens.new_token()
    user_id = world.people[name].id
    sessions.add(tx, user_id, tokens.hash_of(token), tx.now + YEAR, "127.0.0.1", "tests")
    return {"Cookie": f"jobthread={token}"}


def _keys(tx: Writing, world: World) -> dict[str, dict[str, str]]:
    """A key in force; one that was revoked, though its account is active; one whose account is not."""
    by = world.by("ada")
    keys = {
        name: people_actions.add_api_key(tx, by, name, Role.DISPATCHER)
        for name in ("key", "revoked-key", "deans-key")
    }
    accounts = {name: people.staff_of_api_key(tx, tokens.hash_of(key)) for name, key in keys.items()}
    people_actions.revoke_api_key(tx, by, "revoked-key")
    for name, active in {"revoked-key": True, "deans-key": False}.items():
        people.change_staff(tx, _id(accounts[name]), {"active": active})
    world.service_id = _id(accounts["key"])
    return {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}


def _links(tx: Writing, world: World) -> dict[str, dict[str, str]]:
    """Carol's and Chris's links; Carol's that expired and that was revoked; Cleo's, whose job was closed."""
    headers = _customer(tx, world, "boiler", ("carol", "carols-token"), says_in="visible")
    headers |= _customer(tx, world, "roof", ("chris",), says_in="roof-visible")
    headers |= _customer(tx, world, "boiler", ("expired", "expired-token"), hours=1)
    headers |= _customer(tx, world, "boiler", ("revoked", "revoked-token"))
    headers |= _customer(tx, world, "shut", ("closed-job", "closed-jobs-token"))
    for job in ("boiler", "roof", "shut"):
        world.links[job] = _issued(tx, world, job, 48).link_id
    job_actions.change(tx, world.by("ada"), world.jobs["shut"], {"status": JobStatus.CLOSED})
    return headers


def _customer(
    tx: Writing, world: World, job: str, names: Sequence[str], *, hours: int = 48, says_in: str | None = None
) -> dict[str, dict[str, str]]:
    """Whoever opened a link: with its cookie under the first of `names`, with its token under the second."""
    issued = _issued(tx, world, job, hours)
    asked = exchange_of(issued.url)
    opened = link_actions.open_link(tx, NOBODY, world.serving.parts.limits, asked["job_id"], asked["token"])
    assert not isinstance(opened, JobthreadError)
    if names[0] == "revoked":
        link_actions.revoke(tx, world.by("ada"), issued.link_id)
    if says_in is not None:
        said = canary()
        by = Actor(opened.standing.visitor, "127.0.0.1", "tests")
        messages.send_all(tx, [messages.Send(by, world.threads[says_in], said, None)])
        world.in_threads[says_in].add(said)
    world.tokens[names[0]] = asked["token"]
    cookie = {"Cookie": f"jobthread_job_{asked['job_id']}={opened.cookie}"}
    return dict(zip(names, (cookie, {"Authorization": f"Bearer {asked['token']}"}), strict=False))


def _issued(tx: Writing, world: World, job: str, hours: int) -> link_actions.Issued:
    return link_actions.issue(tx, world.by("dora"), world.serving.parts.issuing, world.jobs[job], [], hours)


def _id(staff: Staff | None) -> int:
    assert staff is not None
    return staff.id
