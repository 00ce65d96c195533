"""What the office may do about consent: note that somebody wants no more texts, and read the ledger."""

from jobthread import policy
from jobthread.actions.threads import staff_of
from jobthread.entities import Actor, Consent, ConsentHow, ConsentState, Customer
from jobthread.errors import Forbidden, Invalid
from jobthread.store import audit, people
from jobthread.store import consent as store
from jobthread.store.database import Reading, Writing


def stop(tx: Writing, by: Actor, customer_id: int, note: str) -> Customer:
    """There is no way back for the office: only the customer starts texts again."""
    customer = _customer(tx, by, customer_id)
    if customer.phone is None:
        raise Invalid("note", "the customer has no phone number")
    about = audit.About("customer", customer_id)
    store.change(tx, by, customer.phone, ConsentState.STOPPED, ConsentHow.STAFF, note, about)
    return customer


def history(tx: Reading, by: Actor, customer_id: int) -> list[Consent]:
    """Of the number that is on file now, newest first."""
    customer = _customer(tx, by, customer_id)
    return store.history(tx, customer.phone) if customer.phone else []


def _customer(tx: Reading, by: Actor, customer_id: int) -> Customer:
    if not policy.may_edit_jobs(staff_of(tx, by)):
        raise Forbidden
    return people.get_customer(tx, customer_id)
