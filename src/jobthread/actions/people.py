"""Staff accounts, API keys and customers."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from jobthread import policy, tokens
from jobthread.actions.links import withdraw
from jobthread.actions.threads import let_go, staff_of
from jobthread.entities import AccessEnded, Actor, AuditAction, Channel, Customer, NamesChanged, Role, Staff
from jobthread.errors import Forbidden, LastAdmin, NotFound, Taken
from jobthread.store import audit, jobs, links, outbox, people, sessions
from jobthread.store.database import Writing


def add_user(tx: Writing, by: Actor, name: str, email: str, role: Role, password_hash: str | None) -> Staff:
    _check_admin(tx, by)
    return enrol(tx, by, name, email, role, password_hash)


def enrol(tx: Writing, by: Actor, name: str, email: str, role: Role, password_hash: str | None) -> Staff:
    """Add an account by the authority of whoever sits at the server's own keyboard."""
    if people.email_taken(tx, email):
        raise Taken("This e-mail address has an account already")
    staff = people.add_staff(tx, name, email, role, password_hash)
    audit.add(tx, by, AuditAction.USER_CREATED, _about(staff), email=email, role=role)
    return staff


def change_user(tx: Writing, by: Actor, user_id: int, changes: Mapping[str, Any]) -> Staff:
    """Name, e-mail, role, active, password_hash: what is given is changed.

    Raises `LastAdmin` where nobody would be left to administer.
    """
    _check_admin(tx, by)
    before = people.get_staff(tx, user_id)
    if before.service:
        raise NotFound
    _check_still_administered(tx, before, changes)
    if (email := changes.get("email")) and email.lower() != before.email:
        if people.email_taken(tx, email):
            raise Taken("This e-mail address has an account already")
        changes = {**changes, "email": email.lower()}
    after = people.change_staff(tx, user_id, changes)
    _tell_changes(tx, by, before, after, changes)
    let_go(tx, by, after)
    if not after.active or "password_hash" in changes:
        sessions.end_all_of(tx, user_id)
    tx.tell(AccessEnded(staff_id=user_id))
    if (before.name, before.role) != (after.name, after.role):
        tx.tell(NamesChanged())
    return after


def _check_admin(tx: Writing, by: Actor) -> None:
    if not policy.may_administer(staff_of(tx, by)):
        raise Forbidden


def _check_still_administered(tx: Writing, before: Staff, changes: Mapping[str, Any]) -> None:
    stays_admin = changes.get("role", before.role) is Role.ADMIN and changes.get("active", before.active)
    was_admin = before.role is Role.ADMIN and before.active
    if was_admin and not stays_admin and not people.other_active_admins(tx, before.id):
        raise LastAdmin


def _tell_changes(tx: Writing, by: Actor, before: Staff, after: Staff, changes: Mapping[str, Any]) -> None:
    about = _about(after)
    if before.role is not after.role:
        audit.add(tx, by, AuditAction.ROLE_CHANGED, about, before=before.role, after=after.role)
    if before.active and not after.active:
        audit.add(tx, by, AuditAction.USER_DEACTIVATED, about)
    if after.active and not before.active:
        audit.add(tx, by, AuditAction.USER_REACTIVATED, about)
    if "password_hash" in changes:
        audit.add(tx, by, AuditAction.PASSWORD_CHANGED, about)
    if (before.name, before.email) != (after.name, after.email):
        told = {"before": [before.name, before.email], "after": [after.name, after.email]}
        audit.add(tx, by, AuditAction.USER_CHANGED, about, **told)


# --- API keys -------------------------------------------------------------------------------------


def add_api_key(tx: Writing, by: Actor, name: str, role: Role) -> str:
    """A key, shown this once, and the service account that it acts as."""
    staff = people.add_staff(tx, name, None, role, None)
    key = tokens.new_api_key()
    people.add_api_key(tx, name, tokens.hash_of(key), staff.id)
    audit.add(tx, by, AuditAction.API_KEY_CREATED, _about(staff), name=name, role=role)
    return key


def revoke_api_key(tx: Writing, by: Actor, name: str) -> None:
    user_id = people.revoke_api_key(tx, name)
    if user_id is None:
        raise NotFound(f"There is no API key named {name} in force")
    let_go(tx, by, people.change_staff(tx, user_id, {"active": False}))
    audit.add(tx, by, AuditAction.API_KEY_REVOKED, audit.About("user", user_id), name=name)
    tx.tell(AccessEnded(staff_id=user_id))


# --- customers ------------------------------------------------------------------------------------


def change_customer(tx: Writing, by: Actor, customer_id: int, changes: Mapping[str, Any]) -> Customer:
    """Name, email, phone. Links that went to a contact no longer on file are withdrawn: it was wrong."""
    if not policy.may_edit_jobs(staff_of(tx, by)):
        raise Forbidden
    before = people.get_customer(tx, customer_id)
    after = people.change_customer(tx, replace(before, **changes))
    if before == after:
        return after
    jobs.customer_renamed(tx, after)
    changed = sorted(name for name in changes if getattr(before, name) != getattr(after, name))
    audit.add(tx, by, AuditAction.CUSTOMER_CHANGED, audit.About("customer", customer_id), changed=changed)
    _withdraw_misdirected(tx, by, before, after)
    tx.tell(AccessEnded())
    if before.name != after.name:
        tx.tell(NamesChanged())
    return after


def _withdraw_misdirected(tx: Writing, by: Actor, before: Customer, after: Customer) -> None:
    gone = []
    if before.email and before.email != after.email:
        gone.append((Channel.EMAIL, before.email))
    if before.phone and before.phone != after.phone:
        gone.append((Channel.SMS, before.phone))
    for channel, to in gone:
        for standing in links.by_id(tx, outbox.links_sent_to(tx, before.id, channel, to)).values():
            withdraw(tx, by, standing.link)


def _about(staff: Staff) -> audit.About:
    return audit.About("user", staff.id)
