"""The people in the tests, and the jobs they are about. Who they are says what they may do.

Ada is the admin; Dora and Dan dispatch; Tom and Tara are technicians. Carol's boiler is off (Tom is on the
job), Chris's roof leaks (nobody is sent yet).
"""

from dataclasses import dataclass
from typing import Any

import httpx2

from jobthread import tokens
from jobthread.actions import jobs as job_actions
from jobthread.actions import people as people_actions
from jobthread.entities import Actor, Role, SeenJob, Staff
from jobthread.store import sessions
from jobthread.store.database import Writing
from tests.serving import Serving, browser

PASSWORD = "a wrench in the works"
# Argon2id of PASSWORD with little memory: a cast of five must not cost half a second in every test.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$m2ifE+1rVkNruLIWyAUHMA$VXzFW/lCJFohm7L++VhCZBQiOixabFW3tqzeeTxuZVM"
)
SESSION_COOKIE = "jobthread"
NOBODY = Actor(None, "127.0.0.1", "tests")
YEAR = 365 * 86_400 * 1_000_000


@dataclass
class Colleague:
    """A member of staff at their browser, signed in."""

    staff: Staff
    http: httpx2.Client

    @property
    def id(self) -> int:
        return self.staff.id

    @property
    def name(self) -> str:
        return self.staff.name

    @property
    def by(self) -> Actor:
        return Actor(self.staff, "127.0.0.1", "tests")

    def get(self, path: str, **params: Any) -> httpx2.Response:
        return self.http.get(path, params=params)

    def post(self, path: str, json: Any = None) -> httpx2.Response:
        return self.http.post(path, json=json) if json is not None else self.http.post(path)

    def patch(self, path: str, json: Any) -> httpx2.Response:
        return self.http.patch(path, json=json)

    def delete(self, path: str) -> httpx2.Response:
        return self.http.delete(path)

    # What people do all the time, told shortly.

    def opens_thread(self, *people: "Colleague", job: SeenJob | None = None, **more: Any) -> dict[str, Any]:
        """An internal thread, unless `visibility` says otherwise."""
        asked: dict[str, Any] = {"visibility": "internal", "subject": "Need help"}
        asked["participant_ids"] = [person.id for person in people]
        if job is not None:
            asked["job_id"] = job.ref.id
        opened: dict[str, Any] = ok(self.post("/api/chat/threads", asked | more), 201)
        return opened

    def writes(self, thread: dict[str, Any], body: str, **more: Any) -> dict[str, Any]:
        asked = {"body": body} | more
        said: dict[str, Any] = ok(self.post(f"/api/chat/threads/{thread['id']}/messages", asked), 201)
        return said

    def reads(self, thread: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        answer = ok(self.get(f"/api/chat/threads/{thread['id']}/messages", **params))
        found: list[dict[str, Any]] = answer["messages"]
        return found

    def sees(self, thread: dict[str, Any]) -> bool:
        return self.get(f"/api/chat/threads/{thread['id']}").status_code == 200

    def sends_link(self, job: SeenJob, **asked: Any) -> dict[str, Any]:
        made: dict[str, Any] = ok(self.post(f"/api/chat/jobs/{job.ref.id}/customer-session", asked), 201)
        return made


@dataclass
class CustomerAtHome:
    """A customer who has opened a link on a phone."""

    job_id: int
    http: httpx2.Client

    @property
    def path(self) -> str:
        return f"/api/chat/customer/jobs/{self.job_id}/thread"

    def view(self, **params: Any) -> dict[str, Any]:
        shown: dict[str, Any] = ok(self.http.get(self.path, params=params))
        return shown

    def writes(self, body: str, **more: Any) -> dict[str, Any]:
        said: dict[str, Any] = ok(self.http.post(f"{self.path}/messages", json={"body": body} | more), 201)
        return said


@dataclass
class Cast:
    serving: Serving
    ada: Colleague
    dora: Colleague
    dan: Colleague
    tom: Colleague
    tara: Colleague
    boiler: SeenJob
    roof: SeenJob

    @property
    def everyone(self) -> list[Colleague]:
        return [self.ada, self.dora, self.dan, self.tom, self.tara]

    def stranger(self, **headers: str) -> httpx2.Client:
        """Somebody with no session at all."""
        return browser(self.serving, **headers)

    def opens(self, link: dict[str, Any]) -> CustomerAtHome:
        """The customer taps the link."""
        http = self.stranger(**{"User-Agent": "Phone"})
        asked = exchange_of(link["url"])
        ok(http.post("/api/chat/customer/session", json=asked))
        return CustomerAtHome(asked["job_id"], http)


def gather(serving: Serving) -> Cast:
    """Put the cast into an empty database and sign everybody in."""
    staff, boiler, roof = serving.write(_enrolled)
    at_work = {name: Colleague(one, _signed_in(serving, one)) for name, one in staff.items()}
    return Cast(serving, **at_work, boiler=boiler, roof=roof)


def _enrolled(tx: Writing) -> tuple[dict[str, Staff], SeenJob, SeenJob]:
    roles = {
        "ada": Role.ADMIN,
        "dora": Role.DISPATCHER,
        "dan": Role.DISPATCHER,
        "tom": Role.TECHNICIAN,
        "tara": Role.TECHNICIAN,
    }
    staff = {
        name: people_actions.enrol(tx, NOBODY, name.capitalize(), f"{name}@example.com", role, PASSWORD_HASH)
        for name, role in roles.items()
    }
    by = Actor(staff["ada"], "127.0.0.1", "tests")
    carol = job_actions.NewCustomer("Carol", "carol@example.com", "+12025550101")
    chris = job_actions.NewCustomer("Chris", "chris@example.com", None)
    boiler = job_actions.create(
        tx, by, job_actions.NewJob("Boiler off", carol, reference="101", assignee_ids=[staff["tom"].id])
    )
    roof = job_actions.create(tx, by, job_actions.NewJob("Roof leaks", chris, reference="102"))
    return staff, boiler, roof


def _signed_in(serving: Serving, staff: Staff) -> httpx2.Client:
    client = browser(serving)
    client.cookies.set(SESSION_COOKIE, new_session(serving, staff))
    return client


def new_session(serving: Serving, staff: Staff) -> str:
    """What the cookie holds in a browser where this person has just signed in."""
    token = tokens.new_token()
    serving.write(
        lambda tx: sessions.add(tx, staff.id, tokens.hash_of(token), tx.now + YEAR, "127.0.0.1", "tests")
    )
    return token


def exchange_of(url: str) -> dict[str, Any]:
    """What the customer's page sends for a link."""
    query = httpx2.URL(url).params
    return {"job_id": int(query["jobId"]), "token": query["token"]}


def ok(response: httpx2.Response, status: int = 200) -> Any:
    """The decoded answer; anything but the status expected fails, and shows the answer."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:400]}"
    return response.json() if response.content else None


def refused(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem; fails unless it is the one expected."""
    assert response.headers["content-type"] == "application/problem+json", response.text[:400]
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    return problem
