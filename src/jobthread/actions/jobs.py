"""Jobs: taken in, changed, closed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jobthread import policy
from jobthread.actions.threads import colleagues_of, staff_of
from jobthread.entities import (
    AccessEnded,
    Actor,
    AuditAction,
    Customer,
    Job,
    JobChanged,
    JobStatus,
    Micros,
    SeenJob,
)
from jobthread.errors import Forbidden, Invalid, NotFound, Taken
from jobthread.policy import job_sight_of
from jobthread.store import audit, jobs, people
from jobthread.store.database import Writing
from jobthread.store.jobs import JobDraft


@dataclass(frozen=True, slots=True)
class NewCustomer:
    name: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class NewJob:
    title: str
    customer: NewCustomer | int
    """A new customer, or the id of a known one."""
    reference: str | None = None
    assignee_ids: Sequence[int] = ()
    scheduled_at: Micros | None = None
    external_id: str | None = None


def create(tx: Writing, by: Actor, new: NewJob) -> SeenJob:
    _check_office(tx, by)
    if new.reference is not None and jobs.reference_taken(tx, new.reference):
        raise Taken(f"There is a job {new.reference} already")
    if new.external_id is not None and jobs.with_external_id(tx, new.external_id) is not None:
        raise Taken("There is a job with this external_id already")
    colleagues_of(tx, new.assignee_ids, "assignee_ids")
    draft = JobDraft(
        reference=new.reference or jobs.next_reference(tx),
        title=new.title,
        status=JobStatus.ACTIVE,
        customer=_customer(tx, new.customer),
        scheduled_at=new.scheduled_at,
        external_id=new.external_id,
    )
    job_id = jobs.add(tx, draft)
    jobs.assign(tx, job_id, new.assignee_ids)
    audit.add(tx, by, AuditAction.JOB_CREATED, _about(job_id), reference=draft.reference)
    return seen(tx, by, job_id)


def change(tx: Writing, by: Actor, job_id: int, changes: dict[str, Any]) -> SeenJob:
    """reference, title, status, scheduled_at, external_id, assignee_ids: what is given is changed."""
    before = seen(tx, by, job_id)
    _check_office(tx, by)
    assignee_ids = changes.pop("assignee_ids", None)
    after = replace(_draft(before), **changes)
    _check_names(tx, job_id, before, after)
    if assignee_ids is not None:
        _check_assignees(tx, before, assignee_ids)
        jobs.assign(tx, job_id, assignee_ids)
    jobs.change(tx, job_id, after)
    _tell_changes(tx, by, before, seen(tx, by, job_id))
    return seen(tx, by, job_id)


def seen(tx: Writing, by: Actor, job_id: int) -> SeenJob:
    return jobs.get_seen(tx, job_sight_of(staff_of(tx, by)), job_id)


def _customer(tx: Writing, given: NewCustomer | int) -> Customer:
    if isinstance(given, NewCustomer):
        return people.add_customer(tx, given.name, given.email, given.phone)
    try:
        return people.get_customer(tx, given)
    except NotFound:
        raise Invalid("customer.id", "there is no such customer") from None


def _draft(job: Job) -> JobDraft:
    return JobDraft(
        reference=job.ref.reference,
        title=job.ref.title,
        status=job.ref.status,
        customer=job.customer,
        scheduled_at=job.scheduled_at,
        external_id=job.external_id,
    )


def _check_names(tx: Writing, job_id: int, before: Job, after: JobDraft) -> None:
    if after.reference != before.ref.reference and jobs.reference_taken(tx, after.reference, job_id):
        raise Taken(f"There is a job {after.reference} already")
    if after.external_id not in (None, before.external_id) and jobs.with_external_id(tx, after.external_id):
        raise Taken("There is a job with this external_id already")


def _check_assignees(tx: Writing, before: Job, assignee_ids: Sequence[int]) -> None:
    """Whoever is assigned already may stay, even if no longer active."""
    assigned = {staff.id for staff in before.assignees}
    colleagues_of(tx, [user_id for user_id in assignee_ids if user_id not in assigned], "assignee_ids")


def _tell_changes(tx: Writing, by: Actor, before: Job, after: Job) -> None:
    about = _about(after.ref.id)
    if before.ref.status is not after.ref.status:
        told = {"before": before.ref.status, "after": after.ref.status}
        audit.add(tx, by, AuditAction.JOB_STATUS_CHANGED, about, **told)
    facts = {name: (_fact(before, name), _fact(after, name)) for name in _FACTS}
    if changed := sorted(name for name, (old, new) in facts.items() if old != new):
        audit.add(tx, by, AuditAction.JOB_CHANGED, about, changed=changed)
    if before != after:
        tx.tell(AccessEnded(job_id=after.ref.id))
    if before.ref != after.ref:
        tx.tell(JobChanged(after.ref.id))


_FACTS = ("reference", "title", "scheduled_at", "external_id", "assignees")


def _fact(job: Job, name: str) -> Any:
    return getattr(job.ref if name in ("reference", "title") else job, name)


def _check_office(tx: Writing, by: Actor) -> None:
    if not policy.may_edit_jobs(staff_of(tx, by)):
        raise Forbidden


def _about(job_id: int) -> audit.About:
    return audit.About("job", job_id, job_id=job_id)
