"""What admins do about what went out, and what did not."""

from jobthread import policy, tokens
from jobthread.actions.links import Issuing
from jobthread.actions.threads import staff_of
from jobthread.entities import (
    Actor,
    Channel,
    DeliveryKind,
    DeliveryQueued,
    DeliveryStatus,
    SenderKind,
    SentTo,
    Staff,
)
from jobthread.errors import Forbidden, Invalid, NotFailed
from jobthread.policy import sight_of
from jobthread.store import deliveries, links, outbox, preferences, push, threads
from jobthread.store.database import Reading, Writing
from jobthread.store.limits import SECOND, Rate

TRYING_OUT = Rate(burst=5, every=60 * SECOND)


def of_thread(tx: Reading, by: Actor, thread_id: int) -> list[SentTo]:
    thread = threads.get_seen(tx, sight_of(staff_of(tx, by)), thread_id)
    return deliveries.of_thread(tx, thread.id)


def check_admin(tx: Reading, by: Actor) -> None:
    if not policy.may_administer(staff_of(tx, by)):
        raise Forbidden


def retry(tx: Writing, by: Actor, how: Issuing, delivery_id: int) -> SentTo:
    """Queue it anew. A link's token is gone since it failed: the same link gets a fresh one."""
    check_admin(tx, by)
    failed = deliveries.get(tx, delivery_id).delivery
    if failed.status is not DeliveryStatus.FAILED:
        raise NotFailed
    sealed = None
    if failed.link_id is not None:
        token = tokens.new_token()
        links.add_token(tx, failed.link_id, tokens.hash_of(token))
        sealed = how.seal.close(token)
    outbox.queue_again(tx, delivery_id, sealed)
    tx.tell(DeliveryQueued())
    return deliveries.get(tx, delivery_id)


def try_out(tx: Writing, by: Actor, how: Issuing, channel: Channel) -> SentTo:
    """Send the admin who asks a test."""
    check_admin(tx, by)
    staff = staff_of(tx, by)
    to = _address(tx, staff, channel)
    if to is None:
        raise Invalid("channel", f"your account has no {_WANTING[channel]}")
    how.limits.spend(tx, f"tests-by:{staff.id}", TRYING_OUT)
    reader = (SenderKind.STAFF, staff.id)
    queued = outbox.add(tx, outbox.NewDelivery(DeliveryKind.TEST, channel, to, reader))
    tx.tell(DeliveryQueued())
    return deliveries.get(tx, queued.id)


_WANTING = {
    Channel.EMAIL: "e-mail address",
    Channel.SMS: "telephone number",
    Channel.PUSH: "device that shows notices",
}


def _address(tx: Reading, staff: Staff, channel: Channel) -> str | None:
    """Where they have tests sent."""
    if channel is Channel.PUSH:
        return str(staff.id) if push.can_reach(tx, staff.id) else None
    return staff.email if channel is Channel.EMAIL else preferences.of_staff(tx, staff.id).phone
