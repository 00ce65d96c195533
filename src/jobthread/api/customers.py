"""Customers, as staff see them."""

from typing import Any

from litestar import Response
from msgspec import UNSET

from jobthread import policy
from jobthread.actions import people
from jobthread.api import encoding, fields, shapes
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer
from jobthread.errors import Forbidden, NotFound
from jobthread.store import people as store

calls = Calls()


@calls.add(
    "GET",
    "/api/customers",
    Who.STAFF,
    query=shapes.CustomersQuery,
    answers={200: shapes.Customers},
    errors=(Forbidden,),
)
async def list_customers(asked: Asked[None, shapes.CustomersQuery]) -> Response[bytes]:
    """Customers, newest first; `q` looks in name, e-mail and phone."""
    if not policy.may_edit_jobs(asked.staff):
        raise Forbidden
    query = asked.query
    page = await asked.parts.db.read(lambda tx: store.customer_page(tx, query.q, query.cursor, query.limit))
    return answer(shapes.Customers([encoding.customer(c) for c in page.items], page.next_cursor))


@calls.add(
    "PATCH",
    "/api/customers/{customer_id:int}",
    Who.STAFF,
    body=shapes.CustomerChange,
    answers={200: shapes.Customer},
    errors=(Forbidden, NotFound),
)
async def change_customer(asked: Asked[shapes.CustomerChange, Nothing]) -> Response[bytes]:
    """Change name or contacts. Links that went to a contact no longer on file are withdrawn."""
    if not policy.may_edit_jobs(asked.staff):
        raise Forbidden
    customer_id = asked.id("customer_id")
    changes = _changes(asked.body, asked.parts.country)
    changed = await asked.parts.db.write(
        lambda tx: people.change_customer(tx, asked.by, customer_id, changes)
    )
    return answer(encoding.customer(changed))


def _changes(asked: shapes.CustomerChange, country: str) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if asked.name is not UNSET:
        changes["name"] = fields.line(asked.name, "name")
    if asked.email is not UNSET:
        changes["email"] = asked.email and fields.email(asked.email, "email")
    if asked.phone is not UNSET:
        changes["phone"] = asked.phone and fields.phone(asked.phone, country, "phone")
    return {name: value or None for name, value in changes.items()}
