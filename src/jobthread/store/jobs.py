"""Jobs and who is sent to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from jobthread.entities import Customer, Job, JobRef, JobStatus, Micros, SeenJob, Staff, Visitor
from jobthread.errors import NotFound
from jobthread.policy import JobSight
from jobthread.store import people, visible
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.pages import Page, like_words, page_of
from jobthread.store.tables import customers, job_assignees, jobs, users
from jobthread.store.words import indexed

_JOB = (
    jobs.c.id,
    jobs.c.reference,
    jobs.c.title,
    jobs.c.status,
    jobs.c.scheduled_at,
    jobs.c.external_id,
    jobs.c.customer_id,
    customers.c.name.label("customer_name"),
    customers.c.email.label("customer_email"),
    customers.c.phone.label("customer_phone"),
)


@dataclass(frozen=True, slots=True)
class JobDraft:
    reference: str
    title: str
    status: JobStatus
    customer: Customer
    scheduled_at: Micros | None
    external_id: str | None


def get_seen(tx: Reading, sight: JobSight, job_id: int) -> SeenJob:
    """Raises `NotFound` for what is not there and for what `sight` does not reach, alike."""
    chosen = _jobs().where(jobs.c.id == job_id, visible.jobs_where(sight))
    if isinstance(tx, Writing):
        chosen = chosen.with_for_update(of=jobs)
    row = tx.conn.execute(chosen).first()
    if row is None:
        raise NotFound
    return SeenJob(_made(tx, [row])[0])


def page(
    tx: Reading, sight: JobSight, query: str, status: JobStatus | None, cursor: str | None, limit: int
) -> Page[Job]:
    chosen = _jobs().where(visible.jobs_where(sight), like_words(jobs.c.search, query))
    if status is not None:
        chosen = chosen.where(jobs.c.status == status)
    rows = page_of(tx, chosen, [jobs.c.id], cursor, limit, lambda row: row)
    return Page(_made(tx, rows.items), rows.next_cursor)


def get_for_visitor(tx: Reading, visitor: Visitor) -> Job:
    """The job that the visitor's link was made for."""
    row = tx.conn.execute(_jobs().where(jobs.c.id == visitor.job_id)).first()
    if row is None:
        raise NotFound
    return _made(tx, [row])[0]


def reference_taken(tx: Reading, reference: str, other_than: int | None = None) -> bool:
    return (
        tx.conn.execute(
            select(jobs.c.id).where(jobs.c.reference == reference, jobs.c.id != other_than)
        ).first()
        is not None
    )


def with_external_id(tx: Reading, external_id: str) -> int | None:
    return tx.conn.execute(select(jobs.c.id).where(jobs.c.external_id == external_id)).scalar()


def next_reference(tx: Writing) -> str:
    """The next number that is free: what a job is called where nobody gave it a name."""
    number = (tx.conn.execute(select(func.max(jobs.c.id))).scalar() or 0) + 1
    while reference_taken(tx, str(number)):
        number += 1
    return str(number)


def add(tx: Writing, draft: JobDraft) -> int:
    values = _values(draft) | {"created_at": tx.now}
    added: int = tx.conn.execute(insert(jobs).values(values).returning(jobs.c.id)).scalar_one()
    return added


def change(tx: Writing, job_id: int, draft: JobDraft) -> None:
    tx.conn.execute(update(jobs).where(jobs.c.id == job_id).values(_values(draft)))


def customer_renamed(tx: Writing, customer: Customer) -> None:
    """Keep the jobs of a customer findable by the customer's name."""
    rows = tx.conn.execute(_jobs().where(jobs.c.customer_id == customer.id)).all()
    for row in rows:
        words = _words(row.reference, row.title, row.external_id, customer.name)
        tx.conn.execute(update(jobs).where(jobs.c.id == row.id).values(search=words))


def assign(tx: Writing, job_id: int, user_ids: Iterable[int]) -> None:
    tx.conn.execute(delete(job_assignees).where(job_assignees.c.job_id == job_id))
    if rows := [{"job_id": job_id, "user_id": user_id} for user_id in sorted(set(user_ids))]:
        tx.conn.execute(insert(job_assignees), rows)


def ref(row: AnyRow) -> JobRef:
    return JobRef(row.id, row.reference, row.title, JobStatus(row.status), row.customer_name)


def _jobs() -> Select[Any]:
    return select(*_JOB).join(customers, customers.c.id == jobs.c.customer_id)


def _made(tx: Reading, rows: Sequence[AnyRow]) -> list[Job]:
    assignees = _assignees(tx, [row.id for row in rows])
    return [
        Job(
            ref=ref(row),
            customer=Customer(row.customer_id, row.customer_name, row.customer_email, row.customer_phone),
            assignees=tuple(assignees.get(row.id, ())),
            scheduled_at=row.scheduled_at,
            external_id=row.external_id,
        )
        for row in rows
    ]


def _assignees(tx: Reading, job_ids: Sequence[int]) -> dict[int, list[Staff]]:
    if not job_ids:
        return {}
    rows = tx.conn.execute(
        select(job_assignees.c.job_id, users)
        .join(users, users.c.id == job_assignees.c.user_id)
        .where(job_assignees.c.job_id.in_(job_ids))
        .order_by(users.c.id)
    )
    assignees: dict[int, list[Staff]] = {}
    for row in rows:
        assignees.setdefault(row.job_id, []).append(people.staff(row))
    return assignees


def _values(draft: JobDraft) -> dict[str, Any]:
    return {
        "reference": draft.reference,
        "title": draft.title,
        "status": draft.status,
        "customer_id": draft.customer.id,
        "scheduled_at": draft.scheduled_at,
        "external_id": draft.external_id,
        "search": _words(draft.reference, draft.title, draft.external_id, draft.customer.name),
    }


def _words(*texts: str | None) -> str:
    return indexed(" ".join(text for text in texts if text))
