"""Notices on a device: the key that browsers subscribe with, and their subscriptions."""

from urllib.parse import urlsplit

from litestar import Response

from jobthread.actions import push
from jobthread.api import delivery_shapes
from jobthread.api.caller import ground_of
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer, no_content
from jobthread.deliver.push_encryption import AUTH_BYTES, decoded, is_point
from jobthread.errors import Forbidden, Invalid
from jobthread.store.grounds import GroundKind

calls = Calls()


@calls.add("GET", "/api/push/key", Who.STAFF, answers={200: delivery_shapes.PushKey})
async def push_key(asked: Asked[None, Nothing]) -> Response[bytes]:
    """The server's public key, as `PushManager.subscribe` wants it."""
    return answer(delivery_shapes.PushKey(asked.parts.push_key))


@calls.add(
    "PUT",
    "/api/push/subscription",
    Who.STAFF,
    body=delivery_shapes.PushSubscription,
    answers={204: None},
    errors=(Forbidden,),
)
async def subscribe_device(asked: Asked[delivery_shapes.PushSubscription, Nothing]) -> Response[bytes]:
    """Have notices shown by this browser, for as long as one is signed in there. A later one replaces it."""
    body, session = asked.body, _session_of(asked)
    _check(body)
    await asked.parts.db.write(
        lambda tx: push.subscribe(tx, asked.by, session, body.endpoint, body.keys.p256dh, body.keys.auth)
    )
    return no_content()


@calls.add("DELETE", "/api/push/subscription", Who.STAFF, answers={204: None}, errors=(Forbidden,))
async def unsubscribe_device(asked: Asked[None, Nothing]) -> Response[bytes]:
    """No more notices by this browser."""
    session = _session_of(asked)
    await asked.parts.db.write(lambda tx: push.unsubscribe(tx, asked.by, session))
    return no_content()


def _session_of(asked: Asked[delivery_shapes.PushSubscription, Nothing] | Asked[None, Nothing]) -> bytes:
    ground = ground_of(asked.request, asked.parts, asked.staff)
    if ground.kind is not GroundKind.SESSION:
        raise Forbidden("notices are for people who are signed in with a browser")
    return ground.token_hash


def _check(body: delivery_shapes.PushSubscription) -> None:
    """Whether the host is a public one is asked each time that it is connected to."""
    try:
        at = urlsplit(body.endpoint)
        fits = at.scheme == "https" and at.hostname and (at.port or 443) == 443 and not at.username
    except ValueError:
        fits = False
    if not fits or not body.endpoint.isascii() or not body.endpoint.isprintable() or " " in body.endpoint:
        raise Invalid("endpoint", "is not the https address of a push service")
    if not is_point(_bytes(body.keys.p256dh)):
        raise Invalid("keys.p256dh", "is no public key")
    if len(_bytes(body.keys.auth)) != AUTH_BYTES:
        raise Invalid("keys.auth", "must be 16 bytes, as base64url")


def _bytes(text: str) -> bytes:
    try:
        return decoded(text)
    except ValueError:
        return b""
