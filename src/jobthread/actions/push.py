"""Devices that a member of staff wants notices on."""

from jobthread.actions.threads import staff_of
from jobthread.entities import Actor
from jobthread.store import push
from jobthread.store.database import Writing


def subscribe(tx: Writing, by: Actor, session_hash: bytes, endpoint: str, p256dh: str, auth: str) -> None:
    """For as long as the session lasts."""
    push.drop_of_session(tx, session_hash)
    push.put(tx, staff_of(tx, by).id, session_hash, endpoint, p256dh, auth)


def unsubscribe(tx: Writing, by: Actor, session_hash: bytes) -> None:
    staff_of(tx, by)
    push.drop_of_session(tx, session_hash)
