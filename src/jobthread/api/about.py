"""What the API says about itself."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response

from jobthread.api.calls import ETAG, Asked, Calls, Nothing, Who, etag_of, if_other

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
