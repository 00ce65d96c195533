"""Signing in and out, and changing one's password."""

from jobthread import tokens
from jobthread.entities import AccessEnded, Actor, AuditAction, Micros, Staff
from jobthread.errors import BadCredentials, NotAuthenticated
from jobthread.store import audit, limits, people, sessions
from jobthread.store.database import Reading, Writing
from jobthread.store.limits import SECOND, Limits, Rate

DAY: Micros = 86_400 * SECOND
PER_ACCOUNT = Rate(burst=5, every=30 * SECOND)
"""Sign-ins of one account from one address: so that nobody can lock another person out."""
PER_ADDRESS = Rate(burst=30, every=6 * SECOND)


def attempt(tx: Writing, actor: Actor, email: str, limited: Limits) -> tuple[Staff, str] | None:
    """Count a sign-in about to be tried; answers the account it is for, and its password's hash."""
    limited.spend(tx, f"sign-in-from:{limits.network_of(actor.ip)}", PER_ADDRESS)
    limited.spend(tx, _account_key(actor, email), PER_ACCOUNT)
    return people.with_password(tx, email)


def sign_in(tx: Writing, actor: Actor, staff: Staff, password_hash: str, days: int) -> tuple[Staff, str]:
    """The person and a new session's token.

    Raises `BadCredentials` where the account was changed while the password was being checked.
    """
    current = people.with_password(tx, staff.email or "")
    if current is None or current[1] != password_hash:
        raise BadCredentials
    token = tokens.new_token()
    sessions.add(tx, staff.id, tokens.hash_of(token), tx.now + days * DAY, actor.ip, actor.user_agent)
    limits.restore(tx, _account_key(actor, staff.email or ""))
    audit.add(tx, Actor(staff, actor.ip, actor.user_agent), AuditAction.SIGNED_IN, _about(staff.id))
    return current[0], token


def sign_in_failed(tx: Writing, actor: Actor, email: str, staff: Staff | None) -> None:
    audit.add(tx, actor, AuditAction.SIGN_IN_FAILED, _about(staff.id if staff else None), email=email)


def sign_out(tx: Writing, actor: Actor, token_hash: bytes) -> None:
    sessions.end(tx, token_hash)
    staff = _staff(actor)
    audit.add(tx, actor, AuditAction.SIGNED_OUT, _about(staff.id))
    tx.tell(AccessEnded(staff_id=staff.id))


def own_password_hash(tx: Reading, actor: Actor) -> str | None:
    known = people.with_password(tx, _staff(actor).email or "")
    return known[1] if known else None


def count_password_check(tx: Writing, actor: Actor, limited: Limits) -> None:
    limited.spend(tx, _account_key(actor, _staff(actor).email or ""), PER_ACCOUNT)


def change_password(tx: Writing, actor: Actor, password_hash: str, kept_session: bytes | None) -> None:
    """Every other session of the person ends."""
    staff = _staff(actor)
    people.change_staff(tx, staff.id, {"password_hash": password_hash})
    sessions.end_all_of(tx, staff.id, but=kept_session)
    audit.add(tx, actor, AuditAction.PASSWORD_CHANGED, _about(staff.id))
    tx.tell(AccessEnded(staff_id=staff.id))


def _staff(actor: Actor) -> Staff:
    if not isinstance(actor.caller, Staff):
        raise NotAuthenticated
    return actor.caller


def _about(user_id: int | None) -> audit.About:
    return audit.About("user", user_id)


def _account_key(actor: Actor, email: str) -> str:
    # Small letters can be more than the capitals they come from: such accounts cannot exist, or fit.
    return f"sign-in:{email.lower()[:254]}:{limits.network_of(actor.ip)}"
