"""The customer's own calls: one job, its customer-visible threads, and nothing else."""

from litestar import Response

from jobthread.actions import links, messages, threads
from jobthread.api import customer_shapes as shapes
from jobthread.api import fields
from jobthread.api.caller import asks_for, visitor_cookie
from jobthread.api.calls import ETAG, Asked, Calls, Nothing, Who, answer, if_changed
from jobthread.api.shapes import ReadAnswer
from jobthread.api.wire import moment
from jobthread.business_hours import closed_until
from jobthread.entities import SeenThread, ThreadStatus, Visitor
from jobthread.errors import (
    ClientMsgIdReused,
    Invalid,
    JobInactive,
    JobthreadError,
    LinkExpired,
    LinkInvalid,
    LinkRevoked,
    NotFound,
    RateLimited,
    Unavailable,
    WrongJob,
)
from jobthread.policy import sight_of
from jobthread.store import jobs, views
from jobthread.store import messages as message_store
from jobthread.store import threads as store
from jobthread.store.database import Reading

calls = Calls()

LINK_ERRORS = (LinkInvalid, LinkExpired, LinkRevoked, JobInactive)
EVERY_STATUS = (ThreadStatus.OPEN, ThreadStatus.CLOSED)


@calls.add(
    "POST",
    "/api/chat/customer/session",
    Who.ANYONE,
    body=shapes.TokenExchange,
    answers={200: shapes.OpenedLink},
    errors=(*LINK_ERRORS, RateLimited),
    headers={"Set-Cookie": "The customer's session for this job: HttpOnly, ends with the link"},
)
async def open_link(asked: Asked[shapes.TokenExchange, Nothing]) -> Response[bytes]:
    """Exchange a magic link's token for a cookie; answers with all that the first screen needs."""
    parts, job_id, token = asked.parts, asked.body.job_id, asked.body.token
    language = asked.body.language or asks_for(asked.request)
    opened = await parts.db.write(
        lambda tx: links.open_link(tx, asked.by, parts.limits, job_id, token, language)
    )
    if isinstance(opened, JobthreadError):
        raise opened
    visitor = opened.standing.visitor
    view = await parts.db.read(lambda tx: _view(tx, visitor, shapes.ViewQuery()))
    response = answer(
        shapes.OpenedLink(
            job=view.job,
            customer=shapes.CustomerName(visitor.name),
            company=parts.company,
            expires_at=moment(visitor.expires_at),
            view=view,
        )
    )
    seconds = (visitor.expires_at - parts.db.clock()) // 1_000_000
    response.headers["Set-Cookie"] = visitor_cookie(parts, job_id, opened.cookie, seconds)
    return response


@calls.add(
    "GET",
    "/api/chat/customer/jobs/{job_id:int}/thread",
    Who.VISITOR,
    query=shapes.ViewQuery,
    answers={200: shapes.CustomerView, 304: None},
    errors=(*LINK_ERRORS, WrongJob, NotFound),
    headers=ETAG,
)
async def customer_view(asked: Asked[None, shapes.ViewQuery]) -> Response[bytes]:
    """The customer's threads, and the messages of one: the newest open one, or `thread_id`."""
    visitor, query = asked.visitor, asked.query
    return if_changed(asked, await asked.parts.db.read(lambda tx: _view(tx, visitor, query)))


@calls.add(
    "POST",
    "/api/chat/customer/jobs/{job_id:int}/thread/messages",
    Who.VISITOR,
    body=shapes.NewCustomerMessage,
    answers={201: shapes.CustomerMessage, 200: shapes.CustomerMessage},
    errors=(*LINK_ERRORS, WrongJob, NotFound, ClientMsgIdReused, RateLimited, Unavailable),
)
async def customer_send(asked: Asked[shapes.NewCustomerMessage, Nothing]) -> Response[bytes]:
    """Answer; reopens a closed thread. 201: it is on disk. 200: stored before, by `client_msg_id`."""
    parts, visitor, new = asked.parts, asked.visitor, asked.body
    parts.message_limits.spend(visitor)
    if new.attachment_ids:
        raise Invalid("attachment_ids", f"there is no attachment {new.attachment_ids[0]}")
    body = fields.body(new.body)
    thread_id = new.thread_id
    if thread_id is None:
        thread_id = (await parts.db.read(lambda tx: newest(tx, visitor))).id
    away_until = closed_until(parts.hours, parts.db.clock())
    send = messages.Send(asked.by, thread_id, body, new.client_msg_id, away_until=away_until)
    sent = await parts.db.write_one_of_many(messages.send_all, send)
    return answer(shapes.message(sent.message), 200 if sent.repeated else 201)


@calls.add(
    "POST",
    "/api/chat/customer/jobs/{job_id:int}/thread/read",
    Who.VISITOR,
    body=shapes.CustomerReadMark,
    body_optional=True,
    answers={200: ReadAnswer},
    errors=(*LINK_ERRORS, WrongJob, NotFound),
)
async def customer_mark_read(asked: Asked[shapes.CustomerReadMark, Nothing]) -> Response[bytes]:
    """Mark read up to a seq, or all; never moves back."""
    visitor, thread_id, up_to = asked.visitor, asked.body.thread_id, asked.body.up_to_seq
    last, unread = await asked.parts.db.write(
        lambda tx: threads.mark_read(tx, asked.by, thread_id or newest(tx, visitor).id, up_to)
    )
    return answer(ReadAnswer(last, unread))


@calls.add(
    "POST",
    "/api/chat/customer/link",
    Who.ANYONE,
    body=shapes.TokenExchange,
    answers={202: shapes.RenewalAnswer},
    errors=(RateLimited,),
)
async def renew_link(asked: Asked[shapes.TokenExchange, Nothing]) -> Response[bytes]:
    """Ask for a new link with an expired one; the answer is the same whatever is true."""
    how, job_id, token = asked.parts.issuing, asked.body.job_id, asked.body.token
    language = asked.body.language or asks_for(asked.request)
    await asked.parts.db.write(lambda tx: links.renew(tx, asked.by, how, job_id, token, language))
    return answer(shapes.RenewalAnswer(), 202)


def _view(tx: Reading, visitor: Visitor, query: shapes.ViewQuery) -> shapes.CustomerView:
    sight, reader = sight_of(visitor), views.reader_of(visitor)
    threads_seen = views.page(tx, sight, views.ThreadFilter(), reader, None, 100).items
    thread = _wanted(tx, visitor, query.thread_id)
    found, more = (
        message_store.page(tx, thread, query.before_seq, query.after_seq, query.limit)
        if thread
        else ([], False)
    )
    shown = [shapes.thread(view) for view in threads_seen]
    return shapes.CustomerView(
        job=shapes.job(jobs.get_for_visitor(tx, visitor).ref),
        threads=shown,
        thread=next((view for view in shown if thread and view.id == thread.id), None),
        messages=[shapes.message(m) for m in found],
        has_more=more,
    )


def _wanted(tx: Reading, visitor: Visitor, thread_id: int | None) -> SeenThread | None:
    sight = sight_of(visitor)
    if thread_id is not None:
        return store.get_seen(tx, sight, thread_id)
    return store.newest_in_job(tx, sight, visitor.job_id, [ThreadStatus.OPEN])


def newest(tx: Reading, visitor: Visitor) -> SeenThread:
    """Where an answer goes that names no thread: the newest open one, else the newest closed one."""
    sight = sight_of(visitor)
    for statuses in ([ThreadStatus.OPEN], EVERY_STATUS):
        if (thread := store.newest_in_job(tx, sight, visitor.job_id, statuses)) is not None:
            return thread
    raise NotFound
