"""What the API says about itself."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
from litestar import Response

from jobthread.api.calls import JSON, Asked, Calls, Nothing, Who

calls = Calls()

STATE_KEY = "description"


@dataclass(frozen=True)
class Described:
    """The OpenAPI document as it is sent, made once."""

    body: bytes
    etag: str


def described(document: dict[str, Any]) -> Described:
    body = msgspec.json.encode(document)
    return Described(body, f'"{sha256(body).hexdigest()[:16]}"')


@calls.add(
    "GET",
    "/api/openapi.json",
    Who.ANYONE,
    answers={200: dict[str, Any], 304: None},
    headers={"ETag": "Send it back as If-None-Match to be told 304 while nothing has changed"},
)
async def describe(asked: Asked[None, Nothing]) -> Response[bytes]:
    """This description: OpenAPI 3.1."""
    found: Described = asked.request.app.state[STATE_KEY]
    headers = {"ETag": found.etag, "Cache-Control": "no-cache"}
    if found.etag in asked.request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(found.body, media_type=JSON, headers=headers)
