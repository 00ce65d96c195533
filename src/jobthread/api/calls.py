"""What a call is: one table drives routing, decoding, authentication and the OpenAPI document alike."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from jobthread.api import decoding
from jobthread.api.caller import staff_caller, stranger, visitor_caller
from jobthread.api.parts import Parts
from jobthread.api.provider_caller import provider_caller
from jobthread.entities import Actor, Staff, Visitor
from jobthread.errors import Forbidden, JobthreadError, NotFound

BodyT = TypeVar("BodyT")
QueryT = TypeVar("QueryT")
LARGEST_ID = 2**63 - 1
_INTEGER = re.compile("-?[0-9]+")
JSON = decoding.JSON
FORM = decoding.FORM
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
ETAG = MappingProxyType({"ETag": "Send it back as If-None-Match to be told 304 while nothing has changed"})
"""Of calls that answer through `if_changed`; 304 stands among their answers."""


class Who(StrEnum):
    """Whose session a call asks for."""

    ANYONE = "anyone"
    STAFF = "staff"
    VISITOR = "visitor"
    PROVIDER = "provider"
    """The provider of text messages, who has no session but signs what it sends."""


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No body, or no query."""


@dataclass(slots=True)
class Asked(Generic[BodyT, QueryT]):
    """A request that may be answered: who asks, and what, decoded."""

    request: Request[Any, Any, Any]
    parts: Parts
    by: Actor
    body: BodyT
    query: QueryT

    def id(self, name: str) -> int:
        """An id out of the path. One that no row can have is simply not found."""
        value: int = self.request.path_params[name]
        if not 1 <= value <= LARGEST_ID:
            raise NotFound
        return value

    @property
    def staff(self) -> Staff:
        if not isinstance(self.by.caller, Staff):
            raise Forbidden
        return self.by.caller

    @property
    def visitor(self) -> Visitor:
        if not isinstance(self.by.caller, Visitor):
            raise Forbidden
        return self.by.caller


Answering = Callable[[Asked[Any, Any]], Awaitable[Response[bytes]]]


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    who: Who
    summary: str
    answers: Mapping[int, Any]
    """Status → type of the body, None for no body."""
    errors: tuple[type[JobthreadError], ...]
    body: Any
    body_optional: bool
    query: type[msgspec.Struct]
    handler: Answering
    media_type: str
    """Of those answers that have a body."""
    takes: str
    """What its body comes as: JSON, or a form."""
    headers: Mapping[str, str]
    """What its answers bring beside the headers of every answer: name → what for."""

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def noun(self) -> str:
        """One module holds the calls of one noun, and is named after it."""
        return self.handler.__module__.rpartition(".")[2]


class Calls:
    """The calls of one noun; `calls.add(…)` stands above each function that answers one."""

    def __init__(self) -> None:
        self.all: list[Call] = []

    def add(
        self,
        method: str,
        path: str,
        who: Who,
        *,
        answers: Mapping[int, Any],
        errors: tuple[type[JobthreadError], ...] = (),
        body: Any = None,
        body_optional: bool = False,
        query: type[msgspec.Struct] = Nothing,
        media_type: str = JSON,
        takes: str = JSON,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Callable[[Answering], Answering]:
        def added(handler: Answering) -> Answering:
            summary = (handler.__doc__ or "").strip()
            call = Call(
                method,
                path,
                who,
                summary,
                answers,
                errors,
                body,
                body_optional,
                query,
                handler,
                media_type,
                takes,
                headers,
            )
            self.all.append(call)
            return handler

        return added


def route_handler(call: Call) -> HTTPRouteHandler:
    """The call as Litestar takes it. Rights first, then form: a stranger learns nothing from a 422."""
    caller = _CALLER[call.who]
    decode_body = decoding.body_decoder(call.body, call.body_optional, call.takes)
    decode_query = decoding.query_decoder(call.query)
    check_path = _path_checker(call.path)

    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        parts: Parts = request.app.state["parts"]
        check_path(request)
        by = await caller(request, parts)
        query = decode_query(request.scope["query_string"])
        body = await decode_body(request)
        return await call.handler(Asked(request, parts, by, body, query))

    answer.__name__ = call.name
    # The status here is only what Litestar checks signatures by: each answer carries its own.
    return HTTPRouteHandler(
        call.path,
        http_method=call.method,  # type: ignore[arg-type]
        name=call.name,
        status_code=200,
    )(answer)


def _path_checker(template: str) -> Callable[[Request[Any, Any, Any]], None]:
    """Raises `NotFound` where an id is not written in digits: the framework also takes `1%0A` and `1_0`."""
    places = [place for place, part in enumerate(template.split("/")) if part.endswith(":int}")]

    def check(request: Request[Any, Any, Any]) -> None:
        written = request.scope["path"].split("/")
        if not all(_INTEGER.fullmatch(written[place]) for place in places):
            raise NotFound

    return check


_CALLER = {
    Who.ANYONE: stranger,
    Who.STAFF: staff_caller,
    Who.VISITOR: visitor_caller,
    Who.PROVIDER: provider_caller,
}


# --- answers --------------------------------------------------------------------------------------


class _Ready(Response[bytes]):
    """An answer whose bytes are there: sent as it is, a third of what the framework's rendering costs."""

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        headers = [(name.lower().encode(), str(value).encode()) for name, value in self.headers.items()]
        if self.media_type is not None:
            length = str(len(self.content)).encode()
            headers += [(b"content-type", self.media_type.encode()), (b"content-length", length)]
        start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        body = {"type": "http.response.body", "body": self.content, "more_body": False}

        async def sent(scope: Scope, receive: Receive, send: Send) -> None:
            await send(start)  # type: ignore[arg-type]
            await send(body)  # type: ignore[arg-type]

        return sent


def answer(value: Any, status: int = 200) -> Response[bytes]:
    return _Ready(msgspec.json.encode(value), status_code=status, media_type=JSON)


def if_changed(asked: Asked[Any, Any], value: Any) -> Response[bytes]:
    """200 with the value and an ETag; 304 without it to whoever holds the very same bytes already."""
    return if_other(asked, msgspec.json.encode(value), "private, no-cache")


def if_other(asked: Asked[Any, Any], body: bytes, cache: str, etag: str | None = None) -> Response[bytes]:
    headers = {"ETag": etag or etag_of(body), "Cache-Control": cache}
    if headers["ETag"] in asked.request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def etag_of(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'


def no_content() -> Response[bytes]:
    return _Ready(b"", status_code=204)
