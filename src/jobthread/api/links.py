"""Customer threads and magic links, as the office makes and withdraws them."""

from litestar import Response

from jobthread.actions import links
from jobthread.api import encoding, fields, shapes, wire
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer, no_content
from jobthread.errors import Forbidden, JobClosed, NotFound, RateLimited

calls = Calls()


@calls.add(
    "POST",
    "/api/chat/jobs/{job_id:int}/customer-thread",
    Who.STAFF,
    body=shapes.NewCustomerThread,
    body_optional=True,
    answers={201: shapes.Thread, 200: shapes.Thread},
    errors=(Forbidden, NotFound),
)
async def customer_thread(asked: Asked[shapes.NewCustomerThread, Nothing]) -> Response[bytes]:
    """The job's thread with the customer. 200: one stands open and no subject was given; that one."""
    job_id, new = asked.id("job_id"), asked.body
    subject = None if new.subject is None else fields.line(new.subject, "subject")
    view, opened = await asked.parts.db.write(
        lambda tx: links.customer_thread(tx, asked.by, job_id, subject, new.participant_ids)
    )
    return answer(encoding.thread(view), 201 if opened else 200)


@calls.add(
    "POST",
    "/api/chat/jobs/{job_id:int}/customer-session",
    Who.STAFF,
    body=shapes.NewLink,
    body_optional=True,
    answers={201: shapes.IssuedLink},
    errors=(Forbidden, NotFound, JobClosed, RateLimited),
)
async def create_link(asked: Asked[shapes.NewLink, Nothing]) -> Response[bytes]:
    """Make a magic link and send it. This answer is the only place where its token is ever shown."""
    job_id, new, how = asked.id("job_id"), asked.body, asked.parts.issuing
    issued = await asked.parts.db.write(
        lambda tx: links.issue(tx, asked.by, how, job_id, new.channels, new.expires_in_hours)
    )
    deliveries = [encoding.delivery(d) for d in issued.deliveries]
    shown = shapes.IssuedLink(issued.link_id, issued.url, wire.moment(issued.expires_at), deliveries)
    return answer(shown, 201)


@calls.add(
    "GET",
    "/api/chat/jobs/{job_id:int}/customer-sessions",
    Who.STAFF,
    answers={200: shapes.Links},
    errors=(Forbidden, NotFound),
)
async def list_links(asked: Asked[None, Nothing]) -> Response[bytes]:
    """The links of a job, newest first: by whom, opened when and from where, sent how."""
    job_id = asked.id("job_id")
    found = await asked.parts.db.read(lambda tx: links.of_job(tx, asked.by, job_id))
    sessions = [encoding.link(one.link, one.deliveries) for one in found.links]
    return answer(shapes.Links(sessions, found.customer_invited))


@calls.add(
    "DELETE",
    "/api/chat/customer-sessions/{session_id:int}",
    Who.STAFF,
    answers={204: None},
    errors=(Forbidden, NotFound),
)
async def revoke_link(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Withdraw a link: it and its cookies end at once."""
    link_id = asked.id("session_id")
    await asked.parts.db.write(lambda tx: links.revoke(tx, asked.by, link_id))
    return no_content()
