"""The outermost layer: every answer gets its headers, its log line and its measure, errors included."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import structlog

from jobthread.entities import Caller, Staff

Scope = dict[str, Any]
Receive = Callable[..., Any]
Send = Callable[..., Any]
App = Callable[[Scope, Receive, Send], Any]
Observe = Callable[[str, str, int, float], None]

log = structlog.get_logger("jobthread.access")

CSP_HEADER = "content-security-policy"
CSP = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    # The link's token stands in the address of the page that it opens: it must not travel on.
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), payment=(), usb=()"),
]
HSTS = (b"strict-transport-security", b"max-age=31536000")
UNLESS_SET = [(CSP_HEADER.encode(), CSP.encode()), (b"cache-control", b"no-store")]
"""What an answer may say otherwise for itself."""


def front(app: App, *, https: bool, observe: Observe | None) -> App:
    """Wrap the application. `observe(method, route, status, seconds)` where figures are wanted."""
    fixed = [*HEADERS, HSTS] if https else HEADERS

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = secrets.token_hex(8)
        # A stream must be able to hang up on a reader that has stalled, and ASGI has no word for that.
        scope["transport"] = getattr(getattr(send, "__self__", None), "transport", None)
        status, answered = 0, 0.0

        async def send_with_headers(message: dict[str, Any]) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
                headers = message["headers"] = [*message["headers"], *fixed]
                headers.append((b"x-request-id", request_id.encode()))
                names = {name for name, _ in headers}
                headers.extend(header for header in UNLESS_SET if header[0] not in names)
            await send(message)

        try:
            await app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("path_template") or "-"
            _log(scope, route, status, seconds, request_id)
            if observe is not None:
                # A stream that was open for an hour was answered at once.
                observe(scope["method"], route, status, (answered or started + seconds) - started)

    return wrapped


def _log(scope: Scope, route: str, status: int, seconds: float, request_id: str) -> None:
    log.info(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        caller=_named(scope.get("caller")),
        request_id=request_id,
    )


def _named(caller: Caller | None) -> str | None:
    if caller is None:
        return None
    return f"staff:{caller.id}" if isinstance(caller, Staff) else f"link:{caller.link_id}"
