"""Customers, as staff see them."""

from typing import Any

from litestar import Response
from msgspec import UNSET

from jobthread import policy
from jobthread.actions import consent, people
from jobthread.api import encoding, fields, people_shapes
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer
from jobthread.entities import Customer
from jobthread.errors import Forbidden, NotFound
from jobthread.store import consent as consent_store
from jobthread.store import people as store
from jobthread.store.database import Reading

calls = Calls()


@calls.add(
    "GET",
    "/api/customers",
    Who.STAFF,
    query=people_shapes.CustomersQuery,
    answers={200: people_shapes.Customers},
    errors=(Forbidden,),
)
async def list_customers(asked: Asked[None, people_shapes.CustomersQuery]) -> Response[bytes]:
    """Customers, newest first; `q` looks in name, e-mail and phone."""
    if not policy.may_edit_jobs(asked.staff):
        raise Forbidden
    query = asked.query

    def page_with_consent(tx: Reading) -> people_shapes.Customers:
        page = store.customer_page(tx, query.q, query.cursor, query.limit)
        stopped = consent_store.stopped_among(tx, [customer.phone for customer in page.items])
        return people_shapes.Customers([encoding.customer(c, stopped) for c in page.items], page.next_cursor)

    return answer(await asked.parts.db.read(page_with_consent))


@calls.add(
    "PATCH",
    "/api/customers/{customer_id:int}",
    Who.STAFF,
    body=people_shapes.CustomerChange,
    answers={200: people_shapes.Customer},
    errors=(Forbidden, NotFound),
)
async def change_customer(asked: Asked[people_shapes.CustomerChange, Nothing]) -> Response[bytes]:
    """Change name or contacts. Links that went to a contact no longer on file are withdrawn."""
    if not policy.may_edit_jobs(asked.staff):
        raise Forbidden
    customer_id = asked.id("customer_id")
    changes = _changes(asked.body, asked.parts.country)
    changed = await asked.parts.db.write(
        lambda tx: _shape(tx, people.change_customer(tx, asked.by, customer_id, changes))
    )
    return answer(changed)


@calls.add(
    "POST",
    "/api/customers/{customer_id:int}/sms-stop",
    Who.STAFF,
    body=people_shapes.ConsentNote,
    answers={200: people_shapes.Customer},
    errors=(Forbidden, NotFound),
)
async def stop_texts(asked: Asked[people_shapes.ConsentNote, Nothing]) -> Response[bytes]:
    """Note that the customer wants no more texts. Only the customer starts them again, by texting START."""
    customer_id, note = asked.id("customer_id"), fields.line(asked.body.note, "note")
    stopped = await asked.parts.db.write(lambda tx: _shape(tx, consent.stop(tx, asked.by, customer_id, note)))
    return answer(stopped)


@calls.add(
    "GET",
    "/api/customers/{customer_id:int}/sms-consent",
    Who.STAFF,
    answers={200: people_shapes.ConsentHistory},
    errors=(Forbidden, NotFound),
)
async def list_consent(asked: Asked[None, Nothing]) -> Response[bytes]:
    """What was ever said about texts to the number on file, newest first."""
    customer_id = asked.id("customer_id")
    found = await asked.parts.db.read(lambda tx: consent.history(tx, asked.by, customer_id))
    return answer(people_shapes.ConsentHistory([encoding.consent(one) for one in found]))


def _shape(tx: Reading, customer: Customer) -> people_shapes.Customer:
    return encoding.customer(customer, consent_store.stopped_among(tx, [customer.phone]))


def _changes(asked: people_shapes.CustomerChange, country: str) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if asked.name is not UNSET:
        changes["name"] = fields.line(asked.name, "name")
    if asked.email is not UNSET:
        changes["email"] = asked.email and fields.email(asked.email, "email")
    if asked.phone is not UNSET:
        changes["phone"] = asked.phone and fields.phone(asked.phone, country, "phone")
    return {name: value or None for name, value in changes.items()}
