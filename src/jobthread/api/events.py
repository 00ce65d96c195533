"""Live updates: the streams of staff and customers, and who types."""

from typing import Any

from litestar import Response
from litestar.types import ASGIApp

from jobthread.api import customer_shapes
from jobthread.api.caller import ground_of
from jobthread.api.calls import Asked, Calls, Nothing, Who, no_content
from jobthread.api.customer import LINK_ERRORS, newest
from jobthread.entities import Staff, Typing, Visitor
from jobthread.errors import NotFound, Unavailable, WrongJob
from jobthread.live.stream import Stream
from jobthread.policy import sight_of
from jobthread.store import threads as store
from jobthread.store import views
from jobthread.store.database import Reading

calls = Calls()

STREAM = "text/event-stream"


class _Streamed(Response[bytes]):
    """The framework would encode for each receiver what is encoded already for all."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(b"", media_type=STREAM)
        self._stream = stream

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        return self._stream  # type: ignore[return-value]


@calls.add("GET", "/api/chat/events", Who.STAFF, answers={200: str}, errors=(Unavailable,), media_type=STREAM)
async def staff_events(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Events as they happen; `Last-Event-ID` brings what was missed, or one `resync`."""
    return _opened(asked, asked.staff)


@calls.add(
    "GET",
    "/api/chat/customer/jobs/{job_id:int}/events",
    Who.VISITOR,
    answers={200: str},
    errors=(*LINK_ERRORS, WrongJob, Unavailable),
    media_type=STREAM,
)
async def customer_events(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Events of the customer's own threads, as customers see them."""
    return _opened(asked, asked.visitor)


@calls.add(
    "POST", "/api/chat/threads/{thread_id:int}/typing", Who.STAFF, answers={204: None}, errors=(NotFound,)
)
async def staff_typing(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Let the others know that one is writing; nothing is stored."""
    thread_id, sight = asked.id("thread_id"), sight_of(asked.staff)
    await asked.parts.db.read(lambda tx: store.get_seen(tx, sight, thread_id))
    return _typed(asked, asked.staff, thread_id)


@calls.add(
    "POST",
    "/api/chat/customer/jobs/{job_id:int}/thread/typing",
    Who.VISITOR,
    body=customer_shapes.CustomerTyping,
    body_optional=True,
    answers={204: None},
    errors=(*LINK_ERRORS, WrongJob, NotFound),
)
async def customer_typing(asked: Asked[customer_shapes.CustomerTyping, Nothing]) -> Response[bytes]:
    """Let the company know that one is writing; nothing is stored."""
    visitor, named = asked.visitor, asked.body.thread_id
    return _typed(asked, visitor, await asked.parts.db.read(lambda tx: _meant(tx, visitor, named)))


def _opened(asked: Asked[None, Nothing], caller: Staff | Visitor) -> Response[bytes]:
    ground = ground_of(asked.request, asked.parts, caller)
    return _Streamed(asked.parts.hub.open(ground, caller, asked.request.headers.get("last-event-id")))


def _meant(tx: Reading, visitor: Visitor, thread_id: int | None) -> int:
    if thread_id is None:
        return newest(tx, visitor).id
    return store.get_seen(tx, sight_of(visitor), thread_id).id


def _typed(asked: Asked[Any, Nothing], caller: Staff | Visitor, thread_id: int) -> Response[bytes]:
    if asked.parts.typing_limits.spend(caller, thread_id):
        kind, typist_id = views.reader_of(caller)
        asked.parts.hub.tell([Typing(thread_id, kind, typist_id)])
    return no_content()
