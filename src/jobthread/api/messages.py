"""Messages, as staff read and write them."""

from litestar import Response

from jobthread.actions import messages
from jobthread.api import encoding, fields, shapes
from jobthread.api.calls import ETAG, Asked, Calls, Nothing, Who, answer, if_changed
from jobthread.entities import Staff
from jobthread.errors import ClientMsgIdReused, Invalid, NotFound, RateLimited, ThreadClosed, Unavailable
from jobthread.policy import sight_of
from jobthread.store import messages as store
from jobthread.store import reads, threads
from jobthread.store.database import Reading

calls = Calls()


@calls.add(
    "GET",
    "/api/chat/threads/{thread_id:int}/messages",
    Who.STAFF,
    query=shapes.MessagesQuery,
    answers={200: shapes.Messages, 304: None},
    errors=(NotFound,),
    headers=ETAG,
)
async def list_messages(asked: Asked[None, shapes.MessagesQuery]) -> Response[bytes]:
    """Messages in rising seq: the newest, those before a seq, or after one; and who has read how far."""
    thread_id, query, staff = asked.id("thread_id"), asked.query, asked.staff
    found = await asked.parts.db.read(lambda tx: _page(tx, staff, thread_id, query))
    return if_changed(asked, found)


@calls.add(
    "POST",
    "/api/chat/threads/{thread_id:int}/messages",
    Who.STAFF,
    body=shapes.NewMessage,
    answers={201: shapes.Message, 200: shapes.Message},
    errors=(NotFound, ThreadClosed, ClientMsgIdReused, RateLimited, Unavailable),
)
async def send_message(asked: Asked[shapes.NewMessage, Nothing]) -> Response[bytes]:
    """Say something. 201: it is on disk. 200: the same `client_msg_id` was stored before; that message."""
    thread_id = asked.id("thread_id")
    asked.parts.message_limits.spend(asked.staff)
    check_attachments(asked.body)
    send = messages.Send(asked.by, thread_id, fields.body(asked.body.body), asked.body.client_msg_id)
    sent = await asked.parts.db.write_one_of_many(messages.send_all, send)
    return answer(encoding.message(sent.message), 200 if sent.repeated else 201)


def check_attachments(new: shapes.NewMessage) -> None:
    """Nothing can be uploaded yet, so no attachment exists."""
    if new.attachment_ids:
        raise Invalid("attachment_ids", f"there is no attachment {new.attachment_ids[0]}")


def _page(tx: Reading, staff: Staff, thread_id: int, query: shapes.MessagesQuery) -> shapes.Messages:
    thread = threads.get_seen(tx, sight_of(staff), thread_id)
    found, more = store.page(tx, thread, query.before_seq, query.after_seq, query.limit)
    seen_by = [encoding.read_by(read) for read in reads.of_thread(tx, thread)]
    return shapes.Messages([encoding.message(m) for m in found], more, seen_by)
