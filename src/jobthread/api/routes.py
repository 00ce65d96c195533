"""All calls, noun by noun, and the Litestar application that answers them."""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from jobthread.api import (
    about,
    audit,
    auth,
    customer,
    customers,
    health,
    jobs,
    links,
    messages,
    openapi,
    pages,
    problems,
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
    customer.calls,
    users.calls,
    audit.calls,
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
        route_handlers=[*map(route_handler, calls), *pages.pages(document, parts.company), *more_pages],
        exception_handlers={Exception: problems.answer},
        state=State({"parts": parts, LIMIT_KEY: max_body, about.STATE_KEY: about.described(document)}),
        openapi_config=None,
        logging_config=None,
        # The body's limit is our own: it answers with a problem of the contract.
        request_max_body_size=None,
        **options,
    )
