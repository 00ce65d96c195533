"""Sight is written twice, as Python and as SQL: the two are held together for every caller and thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import pytest
from sqlalchemy import insert

from jobthread.entities import (
    Caller,
    JobStatus,
    Role,
    SenderKind,
    Staff,
    Thread,
    ThreadStatus,
    Visibility,
    Visitor,
)
from jobthread.errors import NotFound
from jobthread.policy import JobSight, Sight, job_sight_of, may_write, sees, sight_of
from jobthread.store import jobs, tables, threads, views
from jobthread.store.database import Reading, Writing
from tests import serving
from tests.serving import Serving

CAROL, CHRIS = 1, 2
BOILER, GARDEN, ROOF = 1, 2, 3
CUSTOMER_OF = {BOILER: CAROL, GARDEN: CAROL, ROOF: CHRIS}

STAFF = [
    Staff(number, f"Person {number}", None if service else f"p{number}@example.com", role, active, service)
    for number, (role, active, service) in enumerate(product(Role, [True, False], [False, True]), start=1)
]
VISITORS = [Visitor(customer, "Customer", job, job, 0) for job, customer in CUSTOMER_OF.items()]
CALLERS: list[Caller] = [*STAFF, *VISITORS]


def a_thread(
    number: int, visibility: Visibility, status: ThreadStatus, job_id: int | None, members: Sequence[int]
) -> Thread:
    return Thread(
        id=number,
        subject=f"Thread {number}",
        visibility=visibility,
        status=status,
        job_id=job_id,
        created_by=None,
        last_seq=0,
        message_count=0,
        last_message_seq=None,
        last_sender_kind=None,
        waiting_since=None,
        away_until=None,
        participant_ids=frozenset(members),
    )


MEMBERS = [(), *((person.id,) for person in STAFF), tuple(person.id for person in STAFF)]
KINDS = [
    (visibility, status, job_id)
    for visibility, status, job_id in product(Visibility, ThreadStatus, (None, BOILER, GARDEN, ROOF))
    if job_id is not None or visibility is Visibility.INTERNAL
]
THREADS = [
    a_thread(number, *kind, members)
    for number, (kind, members) in enumerate(product(KINDS, MEMBERS), start=1)
]

SIGHTS = [
    Sight(frozenset(every), joined_by, within_job)
    for count in range(len(Visibility) + 1)
    for every in combinations(Visibility, count)
    for joined_by, within_job in product((None, *(person.id for person in STAFF)), (None, BOILER, ROOF))
]
"""Every sight that the data can say, whether or not anybody has it today."""


@dataclass(frozen=True)
class JobFacts:
    id: int
    status: JobStatus
    customer_id: int
    assigned_to: int | None = None


WAYS = list(product(STAFF, JobStatus, (True, False), (None, *product(Visibility, ThreadStatus))))
"""For each person: jobs assigned to them or not, talked of or not in each kind of thread that they are in."""
JOBS = [
    JobFacts(number, status, CAROL, person.id if assigned else None)
    for number, (person, status, assigned, _) in enumerate(WAYS, start=1)
]
JOB_THREADS = [
    a_thread(number, *(kind or (Visibility.INTERNAL, ThreadStatus.OPEN)), number, [person.id] if kind else [])
    for number, (person, _, _, kind) in enumerate(WAYS, start=1)
]


# --- threads --------------------------------------------------------------------------------------


@pytest.fixture
def filled(server: Serving) -> Serving:
    facts = [
        JobFacts(BOILER, JobStatus.ACTIVE, CAROL),
        JobFacts(GARDEN, JobStatus.CLOSED, CAROL),
        JobFacts(ROOF, JobStatus.ACTIVE, CHRIS),
    ]
    serving.empty(server)
    server.write(lambda tx: _fill(tx, facts, THREADS))
    return server


def seen_by(sight: Sight) -> set[int]:
    """What the Python half says."""
    return {thread.id for thread in THREADS if sees(sight, thread)}


def test_sql_finds_for_each_caller_exactly_the_threads_that_the_policy_says_they_see(filled: Serving) -> None:
    found = filled.read(lambda tx: {caller: threads.visible_ids(tx, sight_of(caller)) for caller in CALLERS})
    for caller in CALLERS:
        assert found[caller] == seen_by(sight_of(caller)), caller


def test_the_two_agree_on_any_sight_that_can_be_said(filled: Serving) -> None:
    found = filled.read(lambda tx: {sight: threads.visible_ids(tx, sight) for sight in SIGHTS})
    for sight in SIGHTS:
        assert found[sight] == seen_by(sight), sight


def test_what_can_be_loaded_and_what_is_listed_is_what_is_seen(filled: Serving) -> None:
    loaded = filled.read(lambda tx: {caller: _loaded(tx, sight_of(caller)) for caller in CALLERS})
    listed = filled.read(lambda tx: {caller: _listed(tx, sight_of(caller)) for caller in CALLERS})
    for caller in CALLERS:
        seen = seen_by(sight_of(caller))
        assert loaded[caller] == seen, caller
        assert listed[caller] == sorted(seen, reverse=True), caller


def test_whoever_writes_is_judged_by_the_same_sight(filled: Serving) -> None:
    """Writing loads many threads in one go and few of their participants: sight must not suffer from it."""
    asked = [(thread.id, _sender_id(caller)) for caller, thread in product(CALLERS, THREADS)]
    locked = filled.write(lambda tx: threads.locked_for_senders(tx, asked)())
    for caller in CALLERS:
        may_write_in = {thread.id for thread in locked.values() if may_write(caller, thread)}
        assert may_write_in == seen_by(sight_of(caller)), caller


def test_these_threads_put_sight_to_the_test() -> None:
    """Callers who see everything or nothing prove little: the others see some, and no two the same."""
    seen = [frozenset(seen_by(sight_of(caller))) for caller in CALLERS]
    everything = frozenset(thread.id for thread in THREADS)
    assert (seen.count(frozenset()), seen.count(everything)) == (6, 2), "the deactivated, and the admins"
    assert len(set(seen) - {frozenset(), everything}) == len(CALLERS) - 8


# --- jobs -----------------------------------------------------------------------------------------


def jobs_seen_by(person: Staff) -> set[int]:
    """What the contract says: all, or those assigned to them or linked to a thread they are in."""
    talked_of = {thread.job_id for thread in JOB_THREADS if person.id in thread.participant_ids}
    mine = {job.id for job in JOBS if job.assigned_to == person.id or job.id in talked_of}
    everything = {job.id for job in JOBS}
    seen = {Role.ADMIN: everything, Role.DISPATCHER: everything, Role.TECHNICIAN: mine}
    return seen[person.role] if person.active else set()


def test_sql_finds_for_each_of_the_staff_exactly_the_jobs_that_they_see(server: Serving) -> None:
    serving.empty(server)
    server.write(lambda tx: _fill(tx, JOBS, JOB_THREADS))
    found = server.read(lambda tx: {person: _jobs_found(tx, job_sight_of(person)) for person in STAFF})
    for person in STAFF:
        listed, loaded = found[person]
        assert listed == loaded == jobs_seen_by(person), person


def test_these_jobs_put_sight_to_the_test() -> None:
    technicians = [person for person in STAFF if person.role is Role.TECHNICIAN and person.active]
    for person in technicians:
        assert 0 < len(jobs_seen_by(person)) < len(JOBS) / len(STAFF)


# --- in the database ------------------------------------------------------------------------------


def _loaded(tx: Reading, sight: Sight) -> set[int]:
    return {thread.id for thread in THREADS if _is_found(tx, sight, thread.id)}


def _is_found(tx: Reading, sight: Sight, thread_id: int) -> bool:
    try:
        return threads.get_seen(tx, sight, thread_id).id == thread_id
    except NotFound:
        return False


def _listed(tx: Reading, sight: Sight) -> list[int]:
    """The list, page by page."""
    found: list[int] = []
    more, cursor = True, None
    while more:
        page = views.page(tx, sight, views.ThreadFilter(), (SenderKind.STAFF, 1), cursor, 30)
        found += [view.id for view in page.items]
        more, cursor = page.next_cursor is not None, page.next_cursor
    return found


def _jobs_found(tx: Reading, sight: JobSight) -> tuple[set[int], set[int]]:
    """Those in the list, and those that can be loaded one by one."""
    listed = {job.ref.id for job in jobs.page(tx, sight, "", None, None, len(JOBS)).items}
    return listed, {job.id for job in JOBS if _job_is_found(tx, sight, job.id)}


def _job_is_found(tx: Reading, sight: JobSight, job_id: int) -> bool:
    try:
        return jobs.get_seen(tx, sight, job_id).ref.id == job_id
    except NotFound:
        return False


def _sender_id(caller: Caller) -> int:
    return caller.id if isinstance(caller, Staff) else 0


def _fill(tx: Writing, facts: Sequence[JobFacts], about: Sequence[Thread]) -> None:
    now = tx.now
    people = [
        {name: getattr(person, name) for name in ("id", "name", "email", "role", "active", "service")}
        for person in STAFF
    ]
    tx.conn.execute(insert(tables.users).values(created_at=now), people)
    customers = [{"id": CAROL, "name": "Carol"}, {"id": CHRIS, "name": "Chris"}]
    tx.conn.execute(insert(tables.customers).values(search="", created_at=now), customers)
    rows = [
        {"id": j.id, "reference": str(j.id), "status": j.status, "customer_id": j.customer_id} for j in facts
    ]
    tx.conn.execute(insert(tables.jobs).values(title="Job", search="", created_at=now), rows)
    if assigned := [{"job_id": j.id, "user_id": j.assigned_to} for j in facts if j.assigned_to]:
        tx.conn.execute(insert(tables.job_assignees), assigned)
    columns = ("id", "subject", "visibility", "status", "job_id", "created_by", "last_seq", "message_count")
    told = [{name: getattr(thread, name) for name in columns} for thread in about]
    tx.conn.execute(insert(tables.chat_threads).values(created_at=now, active_at=now), told)
    members = [{"thread_id": thread.id, "user_id": u} for thread in about for u in thread.participant_ids]
    tx.conn.execute(insert(tables.chat_thread_participants).values(joined_at=now), members)
