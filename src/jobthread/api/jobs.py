"""Jobs."""

from datetime import datetime
from typing import Any

from litestar import Response
from msgspec import UNSET

from jobthread import policy
from jobthread.actions import jobs
from jobthread.api import encoding, fields, people_shapes
from jobthread.api.calls import ETAG, Asked, Calls, Nothing, Who, answer, if_changed
from jobthread.entities import Job, JobStatus, Micros, Staff
from jobthread.errors import Forbidden, Invalid, NotFound, Taken
from jobthread.policy import job_sight_of, sight_of
from jobthread.store import consent, views
from jobthread.store import jobs as store
from jobthread.store.database import Reading
from jobthread.store.pages import Page

calls = Calls()


@calls.add(
    "GET",
    "/api/jobs",
    Who.STAFF,
    query=people_shapes.JobsQuery,
    answers={200: people_shapes.Jobs, 304: None},
    headers=ETAG,
)
async def list_jobs(asked: Asked[None, people_shapes.JobsQuery]) -> Response[bytes]:
    """Jobs that the caller may see, newest first; `q` looks in reference, title and customer."""
    query, staff = asked.query, asked.staff
    status = None if query.status == "all" else JobStatus(query.status)

    def page_with_threads(tx: Reading) -> Page[people_shapes.Job]:
        page = store.page(tx, job_sight_of(staff), query.q, status, query.cursor, query.limit)
        return Page([_shape(tx, staff, job) for job in page.items], page.next_cursor)

    page = await asked.parts.db.read(page_with_threads)
    return if_changed(asked, people_shapes.Jobs(page.items, page.next_cursor))


@calls.add(
    "POST",
    "/api/jobs",
    Who.STAFF,
    body=people_shapes.NewJob,
    answers={201: people_shapes.Job},
    errors=(Forbidden, Taken),
)
async def create_job(asked: Asked[people_shapes.NewJob, Nothing]) -> Response[bytes]:
    """Take in a job, for a known customer or a new one."""
    if not policy.may_edit_jobs(asked.staff):
        raise Forbidden
    new = _new_job(asked.body, asked.parts.country)
    staff, by = asked.staff, asked.by
    return answer(await asked.parts.db.write(lambda tx: _shape(tx, staff, jobs.create(tx, by, new))), 201)


@calls.add(
    "GET",
    "/api/jobs/{job_id:int}",
    Who.STAFF,
    answers={200: people_shapes.Job, 304: None},
    errors=(NotFound,),
    headers=ETAG,
)
async def get_job(asked: Asked[None, Nothing]) -> Response[bytes]:
    """A job with its customer, assignees and those of its threads that the caller may see."""
    job_id, staff = asked.id("job_id"), asked.staff
    found = await asked.parts.db.read(
        lambda tx: _shape(tx, staff, store.get_seen(tx, job_sight_of(staff), job_id))
    )
    return if_changed(asked, found)


@calls.add(
    "PATCH",
    "/api/jobs/{job_id:int}",
    Who.STAFF,
    body=people_shapes.JobChange,
    answers={200: people_shapes.Job},
    errors=(Forbidden, NotFound, Taken),
)
async def change_job(asked: Asked[people_shapes.JobChange, Nothing]) -> Response[bytes]:
    """Change what is given. Closing a job shuts its customer links until it is active again."""
    job_id, staff, by = asked.id("job_id"), asked.staff, asked.by
    changes = _changes(asked.body)
    return answer(
        await asked.parts.db.write(lambda tx: _shape(tx, staff, jobs.change(tx, by, job_id, dict(changes))))
    )


def _shape(tx: Reading, staff: Staff, job: Job) -> people_shapes.Job:
    in_job = views.ThreadFilter(job_id=job.ref.id)
    found = views.page(tx, sight_of(staff), in_job, views.reader_of(staff), None, 100)
    return encoding.job(job, found.items, consent.stopped_among(tx, [job.customer.phone]))


def _new_job(asked: people_shapes.NewJob, country: str) -> jobs.NewJob:
    return jobs.NewJob(
        title=fields.line(asked.title, "title"),
        customer=_customer(asked.customer, country),
        reference=None if asked.reference is None else fields.line(asked.reference, "reference", 60),
        assignee_ids=asked.assignee_ids,
        scheduled_at=_scheduled(asked.scheduled_at),
        external_id=None if asked.external_id is None else fields.line(asked.external_id, "external_id", 100),
    )


def _scheduled(at: datetime | None) -> Micros | None:
    return None if at is None else fields.scheduled(at, "scheduled_at")


def _customer(asked: people_shapes.JobCustomer, country: str) -> jobs.NewCustomer | int:
    if asked.id is not None:
        if asked.name or asked.email or asked.phone:
            raise Invalid("customer", "give either an id or a new customer's name and contacts")
        return asked.id
    if asked.name is None:
        raise Invalid("customer.name", "is needed, or the id of a known customer")
    return jobs.NewCustomer(
        name=fields.line(asked.name, "customer.name"),
        email=fields.email(asked.email, "customer.email") if asked.email else None,
        phone=fields.phone(asked.phone, country, "customer.phone") if asked.phone else None,
    )


def _changes(asked: people_shapes.JobChange) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if asked.reference is not UNSET:
        changes["reference"] = fields.line(asked.reference, "reference", 60)
    if asked.title is not UNSET:
        changes["title"] = fields.line(asked.title, "title")
    if asked.status is not UNSET:
        changes["status"] = asked.status
    if asked.assignee_ids is not UNSET:
        changes["assignee_ids"] = asked.assignee_ids
    if asked.scheduled_at is not UNSET:
        changes["scheduled_at"] = _scheduled(asked.scheduled_at)
    if asked.external_id is not UNSET:
        changes["external_id"] = asked.external_id and fields.line(asked.external_id, "external_id", 100)
    return changes
