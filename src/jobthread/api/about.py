"""What the API says about itself, and about the server."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response

from jobthread import __version__
from jobthread.actions import demo
from jobthread.api.calls import ETAG, Asked, Calls, Nothing, Who, answer, etag_of, if_other
from jobthread.api.server_shapes import About, SignIn

calls = Calls()

STATE_KEY = "description"


@dataclass(frozen=True)
class Described:
    """The OpenAPI document as it is sent, made once."""

    body: bytes
    etag: str


def described(document: dict[str, Any]) -> Described:
    body = msgspec.json.encode(document)
    return Described(body, etag_of(body))


@calls.add(
    "GET",
    "/api/openapi.json",
    Who.ANYONE,
    answers={200: dict[str, Any], 304: None},
    headers=ETAG,
)
async def describe(asked: Asked[None, Nothing]) -> Response[bytes]:
    """This description: OpenAPI 3.1."""
    found: Described = asked.request.app.state[STATE_KEY]
    return if_other(asked, found.body, "no-cache", found.etag)


@calls.add("GET", "/api/about", Who.ANYONE, answers={200: About})
async def about_server(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Whose server this is, for the sign-in page; `sign_ins` are the demo's: any other server has none."""
    parts = asked.parts
    shown = [SignIn(email, role, demo.PASSWORD) for email, role in demo.sign_ins()] if parts.demo else []
    return answer(About(parts.company, __version__, parts.demo, shown))
