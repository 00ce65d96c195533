"""All calls, noun by noun, and the Litestar application that answers them."""

from collections.abc import Iterator, Sequence
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from jobthread.api import (
    about,
    audit,
    auth,
    customer,
    customers,
    deliveries,
    events,
    health,
    incoming,
    jobs,
    links,
    messages,
    notifications,
    openapi,
    pages,
    problems,
    push,
    sms_webhooks,
    threads,
    users,
)
from jobthread.api.calls import Call, Calls, route_handler
from jobthread.api.decoding import LIMIT_KEY
from jobthread.api.parts import Parts

NOUNS: tuple[Calls, ...] = (
    auth.calls,
    threads.calls,
    messages.calls,
    jobs.calls,
    customers.calls,
    links.calls,
    notifications.calls,
    deliveries.calls,
    push.calls,
    customer.calls,
    events.calls,
    users.calls,
    sms_webhooks.calls,
    audit.calls,
    incoming.calls,
    health.calls,
    about.calls,
)


def all_calls(more: Sequence[Calls] = ()) -> list[Call]:
    return [call for noun in (*NOUNS, *more) for call in noun.all]


def litestar(
    parts: Parts,
    max_body: int,
    more: Sequence[Calls] = (),
    more_pages: Sequence[HTTPRouteHandler] = (),
    **options: Any,
) -> Litestar:
    """`max_body` in bytes; `more` are calls and pages that only some servers answer."""
    calls = all_calls(more)
    document = openapi.document(calls)
    return Litestar(
        route_handlers=[
            # Before the calls: to a path that has none yet, the framework adds its own.
            *_options(calls),
            *map(route_handler, calls),
            *pages.pages(document),
            notifications.unsubscribe_page(),
            *more_pages,
        ],
        exception_handlers={NotFoundException: pages.nowhere(), Exception: problems.answer},
        state=State({"parts": parts, LIMIT_KEY: max_body, about.STATE_KEY: about.described(document)}),
        openapi_config=None,
        logging_config=None,
        # The body's limit is our own: it answers with a problem of the contract.
        request_max_body_size=None,
        **options,
    )


def _options(calls: Sequence[Call]) -> Iterator[HTTPRouteHandler]:
    """What each path answers to: the framework's own answer names only the first of a path's methods."""
    methods: dict[str, list[str]] = {}
    for call in calls:
        methods.setdefault(call.path, ["OPTIONS"]).append(call.method)
    for path, of_path in methods.items():
        yield _telling(path, ", ".join(sorted(of_path)))


def _telling(path: str, allowed: str) -> HTTPRouteHandler:
    async def tell(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(b"", status_code=204, headers={"Allow": allowed})

    # As with the calls: the status that counts is the answer's own.
    return HTTPRouteHandler(path, http_method="OPTIONS", status_code=200)(tell)
