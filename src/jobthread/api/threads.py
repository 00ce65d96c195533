"""Threads, as staff see them."""

from litestar import Response

from jobthread.actions import threads
from jobthread.api import encoding, fields, shapes
from jobthread.api.calls import ETAG, Asked, Calls, Nothing, Who, answer, if_changed, no_content
from jobthread.entities import ThreadStatus
from jobthread.errors import Forbidden, NotFound, NothingWaits
from jobthread.policy import sight_of
from jobthread.store import reads, views

calls = Calls()


@calls.add(
    "GET",
    "/api/chat/threads",
    Who.STAFF,
    query=shapes.ThreadsQuery,
    answers={200: shapes.Threads, 304: None},
    headers=ETAG,
)
async def list_threads(asked: Asked[None, shapes.ThreadsQuery]) -> Response[bytes]:
    """Threads that the caller may see, newest activity first; `q` looks in subjects and messages.

    With `waiting=true` those in which a customer waits for an answer, the longest first.
    """
    query, staff = asked.query, asked.staff
    wanted = views.ThreadFilter(
        status=None if query.status == "all" else ThreadStatus(query.status),
        visibility=query.visibility,
        job_id=query.job_id,
        needs_reply=query.needs_reply,
        waiting=query.waiting,
        joined_by=staff.id if query.mine else None,
        query=query.q,
    )
    reader = views.reader_of(staff)
    page = await asked.parts.db.read(
        lambda tx: views.page(tx, sight_of(staff), wanted, reader, query.cursor, query.limit)
    )
    found = shapes.Threads([encoding.thread(view) for view in page.items], page.next_cursor)
    return if_changed(asked, found)


@calls.add(
    "POST",
    "/api/chat/threads",
    Who.STAFF,
    body=shapes.NewThread,
    answers={201: shapes.Thread},
    errors=(Forbidden,),
)
async def create_thread(asked: Asked[shapes.NewThread, Nothing]) -> Response[bytes]:
    """Open a thread; the creator is always a participant."""
    new = asked.body
    draft = threads.ThreadDraft(
        visibility=new.visibility,
        subject=fields.line(new.subject, "subject"),
        participant_ids=new.participant_ids,
        job_id=new.job_id,
        first_message=fields.body(new.message.body, "message.body") if new.message else None,
        client_msg_id=new.message.client_msg_id if new.message else None,
    )
    return answer(
        encoding.thread(await asked.parts.db.write(lambda tx: threads.create(tx, asked.by, draft))), 201
    )


@calls.add(
    "GET",
    "/api/chat/threads/{thread_id:int}",
    Who.STAFF,
    answers={200: shapes.Thread, 304: None},
    errors=(NotFound,),
    headers=ETAG,
)
async def get_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """One thread."""
    thread_id = asked.id("thread_id")
    view = await asked.parts.db.read(lambda tx: threads.view(tx, asked.by, thread_id))
    return if_changed(asked, encoding.thread(view))


@calls.add(
    "POST",
    "/api/chat/threads/{thread_id:int}/read",
    Who.STAFF,
    body=shapes.ReadMark,
    body_optional=True,
    answers={200: shapes.ReadAnswer},
    errors=(NotFound,),
)
async def mark_read(asked: Asked[shapes.ReadMark, Nothing]) -> Response[bytes]:
    """Mark read up to a seq, or all; never moves back."""
    thread_id, up_to = asked.id("thread_id"), asked.body.up_to_seq
    last, unread = await asked.parts.db.write(lambda tx: threads.mark_read(tx, asked.by, thread_id, up_to))
    return answer(shapes.ReadAnswer(last, unread))


@calls.add(
    "POST",
    "/api/chat/threads/{thread_id:int}/close",
    Who.STAFF,
    answers={200: shapes.Thread},
    errors=(Forbidden, NotFound),
)
async def close_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Close a thread; doing it twice does it once."""
    return await _set_status(asked, ThreadStatus.CLOSED)


@calls.add(
    "POST",
    "/api/chat/threads/{thread_id:int}/reopen",
    Who.STAFF,
    answers={200: shapes.Thread},
    errors=(Forbidden, NotFound),
)
async def reopen_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Open a closed thread again."""
    return await _set_status(asked, ThreadStatus.OPEN)


async def _set_status(asked: Asked[None, Nothing], status: ThreadStatus) -> Response[bytes]:
    thread_id = asked.id("thread_id")
    view = await asked.parts.db.write(lambda tx: threads.set_status(tx, asked.by, thread_id, status))
    return answer(encoding.thread(view))


@calls.add(
    "POST",
    "/api/chat/threads/{thread_id:int}/claim",
    Who.STAFF,
    answers={200: shapes.Thread},
    errors=(NotFound, NothingWaits),
)
async def claim_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Say 'I have it' where a customer waits for an answer; doing it twice does it once.

    Nobody else is told that it waits. What a colleague has passes to the caller.
    """
    thread_id = asked.id("thread_id")
    return answer(
        encoding.thread(await asked.parts.db.write(lambda tx: threads.claim(tx, asked.by, thread_id)))
    )


@calls.add(
    "DELETE",
    "/api/chat/threads/{thread_id:int}/claim",
    Who.STAFF,
    answers={200: shapes.Thread},
    errors=(NotFound,),
)
async def give_back_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Nobody has it any more; doing it twice does it once."""
    thread_id = asked.id("thread_id")
    view = await asked.parts.db.write(lambda tx: threads.give_back(tx, asked.by, thread_id))
    return answer(encoding.thread(view))


@calls.add(
    "POST",
    "/api/chat/threads/{thread_id:int}/participants",
    Who.STAFF,
    body=shapes.NewParticipants,
    answers={200: shapes.Thread},
    errors=(Forbidden, NotFound),
)
async def add_participants(asked: Asked[shapes.NewParticipants, Nothing]) -> Response[bytes]:
    """Bring colleagues in; those who take part already stay as they are."""
    thread_id, user_ids = asked.id("thread_id"), asked.body.user_ids
    view = await asked.parts.db.write(lambda tx: threads.add_participants(tx, asked.by, thread_id, user_ids))
    return answer(encoding.thread(view))


@calls.add(
    "DELETE",
    "/api/chat/threads/{thread_id:int}/participants/{user_id:int}",
    Who.STAFF,
    answers={204: None},
    errors=(Forbidden, NotFound),
)
async def remove_participant(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Take a colleague out, or leave; access ends at once."""
    thread_id, user_id = asked.id("thread_id"), asked.id("user_id")
    await asked.parts.db.write(lambda tx: threads.remove_participant(tx, asked.by, thread_id, user_id))
    return no_content()


@calls.add(
    "GET",
    "/api/chat/unread-count",
    Who.STAFF,
    answers={200: shapes.UnreadCount, 304: None},
    headers=ETAG,
)
async def unread_count(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Unread messages over all threads that one takes part in."""
    count = await asked.parts.db.read(lambda tx: reads.unread_total(tx, asked.staff.id))
    return if_changed(asked, shapes.UnreadCount(count))
