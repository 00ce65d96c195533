"""What a delivery has to say, looked up anew before each attempt; or why it must not go any more."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobthread.deliver.outgoing import Away, Invitation, Letter, Notice, Trial
from jobthread.entities import (
    Channel,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    EventType,
    JobStatus,
    Language,
    Micros,
    SenderKind,
    Staff,
    Thread,
    Visitor,
)
from jobthread.errors import JobthreadError, LinkExpired, LinkRevoked
from jobthread.policy import sees, sight_of
from jobthread.store import (
    consent,
    incoming,
    jobs,
    links,
    notifications,
    people,
    preferences,
    reads,
    threads,
    waiting,
)
from jobthread.store.database import Reading
from jobthread.texting import STOPPED

QUOTED = 5
"""Messages that a notification holds at most; of the others it tells the number."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Not to be sent: `words` for staff, and a word for the log."""

    status: DeliveryStatus
    words: str
    cause: str


def as_of_now(tx: Reading, delivery: Delivery) -> Letter | Withheld:
    """Without the token, which is sealed elsewhere."""
    if delivery.kind is DeliveryKind.INVITATION:
        return _invitation(tx, delivery)
    if delivery.kind is DeliveryKind.TEST:
        return _trial(tx, delivery)
    if delivery.kind is DeliveryKind.ESCALATION:
        return _escalation(tx, delivery)
    if delivery.kind is DeliveryKind.AWAY:
        return _away(tx, delivery)
    return _notice(tx, delivery)


# --- invitations ----------------------------------------------------------------------------------


def _invitation(tx: Reading, delivery: Delivery) -> Invitation | Withheld:
    standing = links.get(tx, delivery.link_id or 0)
    if refusal := links.refusal_of(tx, standing):
        return Withheld(DeliveryStatus.FAILED, _why_not(refusal), type(refusal).__name__)
    visitor = standing.visitor
    wanted = preferences.of_customer(tx, visitor.customer_id, visitor.job_id)
    title = jobs.get_for_visitor(tx, visitor).ref.title
    return Invitation(delivery, "", standing.customer_name, wanted.language, title, standing.link.expires_at)


def _why_not(refusal: JobthreadError) -> str:
    if isinstance(refusal, LinkRevoked):
        return "the link was withdrawn before it was sent"
    if isinstance(refusal, LinkExpired):
        return "the link expired before it could be sent"
    return "the job was closed before the link was sent"


# --- notifications --------------------------------------------------------------------------------


def _notice(tx: Reading, delivery: Delivery) -> Notice | Withheld:
    """Rights are asked again: what was queued may not be theirs to read any more."""
    thread = threads.as_it_stands(tx, delivery.thread_id or 0)
    if thread is None or delivery.reader is None:
        return _cancelled("the thread is gone", "NoThread")
    kind, reader_id = delivery.reader
    if kind is SenderKind.STAFF:
        found = _staff_to_tell(tx, delivery, thread, reader_id)
    else:
        found = _customer_to_tell(tx, delivery, thread, reader_id)
    if isinstance(found, Withheld):
        return found
    name, language = found
    untold = notifications.untold(tx, thread.id, delivery.reader, delivery.after_seq, delivery.up_to_seq)
    # All of it or nothing: each attempt at one delivery says the same.
    if not untold or untold[-1] <= notifications.last_read(tx, thread.id, delivery.reader):
        return _cancelled("it was read before it was sent", "ReadMeanwhile")
    return Notice(
        delivery=delivery,
        token="",
        name=name,
        language=language,
        subject=thread.subject,
        thread_made_at=threads.made_at(tx, thread.id),
        count=len(untold),
        messages=tuple(notifications.messages_at(tx, thread.id, untold[:QUOTED])),
        unread=reads.unread_total(tx, reader_id) if kind is SenderKind.STAFF else 0,
    )


def _staff_to_tell(
    tx: Reading, delivery: Delivery, thread: Thread, user_id: int
) -> tuple[str, Language] | Withheld:
    staff = people.staff_by_id(tx, [user_id]).get(user_id)
    if staff is None or not staff.active:
        return _cancelled("the account was deactivated before it was sent", "Deactivated")
    if staff.id not in thread.participant_ids or not sees(sight_of(staff), thread):
        return _cancelled("they do not take part in the thread any more", "Removed")
    wanted = preferences.of_staff(tx, staff.id)
    is_wanted = wanted.push if delivery.channel is Channel.PUSH else wanted.email
    if not is_wanted or preferences.is_muted(tx, staff.id, thread.id):
        return _cancelled("they turned such notifications off", "TurnedOff")
    if delivery.channel is Channel.EMAIL and staff.email != delivery.to:
        return _cancelled("their e-mail address was changed before it was sent", "AddressChanged")
    return staff.name, wanted.language


def _customer_to_tell(
    tx: Reading, delivery: Delivery, thread: Thread, customer_id: int
) -> tuple[str, Language] | Withheld:
    standing = links.get(tx, delivery.link_id or 0)
    if refusal := links.refusal_of(tx, standing):
        return _cancelled(_why_not(refusal), type(refusal).__name__)
    visitor = standing.visitor
    if visitor.customer_id != customer_id or not sees(sight_of(visitor), thread):
        return _cancelled("the customer does not see the thread", "NotTheirs")
    if delivery.channel is Channel.SMS and consent.is_stopped(tx, delivery.to):
        return Withheld(DeliveryStatus.FAILED, STOPPED, "Stopped")
    wanted = preferences.of_customer(tx, customer_id, visitor.job_id)
    if delivery.channel is Channel.EMAIL and not wanted.email:
        return _cancelled("they turned such notifications off", "TurnedOff")
    return visitor.name, wanted.language


def _escalation(tx: Reading, delivery: Delivery) -> Notice | Withheld:
    """Their role is the reason: whether they take part in the thread is no matter."""
    thread = threads.as_it_stands(tx, delivery.thread_id or 0)
    _, user_id = delivery.reader or (SenderKind.STAFF, 0)
    staff = people.staff_by_id(tx, [user_id]).get(user_id)
    if thread is None or thread.waiting_since is None:
        return _cancelled("the customer was answered before it was sent", "Answered")
    if waiting.is_claimed(tx, thread.id):
        return _cancelled("somebody has said that they answer", "Claimed")
    if staff is None or not staff.active or not sees(sight_of(staff), thread):
        return _cancelled("they do not see the thread any more", "NotTheirs")
    if delivery.channel is Channel.EMAIL and staff.email != delivery.to:
        return _cancelled("their e-mail address was changed before it was sent", "AddressChanged")
    return Notice(
        delivery=delivery,
        token="",
        name=staff.name,
        language=preferences.of_staff(tx, staff.id).language,
        subject=thread.subject,
        thread_made_at=threads.made_at(tx, thread.id),
        count=1,
        messages=tuple(notifications.messages_at(tx, thread.id, [delivery.up_to_seq])),
        unread=reads.unread_total(tx, staff.id),
    )


# --- while nobody is there ------------------------------------------------------------------------


def _away(tx: Reading, delivery: Delivery) -> Away | Withheld:
    """True for a while only: then the office opens, or somebody answers all the same."""
    thread = threads.as_it_stands(tx, delivery.thread_id or 0)
    opens_at = _opening_told_of(tx, delivery)
    if thread is None or opens_at is None:
        return _cancelled("the thread is gone", "NoThread")
    if opens_at <= tx.now:
        return _cancelled("the office opened before it was sent", "Opened")
    if thread.waiting_since is None:
        return _cancelled("the customer was answered before it was sent", "Answered")
    found = _customer_who_answered(tx, delivery, thread)
    if isinstance(found, Withheld):
        return found
    name, language = found
    return Away(delivery, name, language, thread.subject, threads.made_at(tx, thread.id), opens_at)


def _opening_told_of(tx: Reading, delivery: Delivery) -> Micros | None:
    for row in notifications.messages_at(tx, delivery.thread_id or 0, [delivery.up_to_seq]):
        if row.event_type is EventType.AWAY:
            since_1970 = datetime.fromisoformat(row.body) - datetime(1970, 1, 1, tzinfo=UTC)
            return since_1970 // timedelta(microseconds=1)
    return None


def _customer_who_answered(
    tx: Reading, delivery: Delivery, thread: Thread
) -> tuple[str, Language] | Withheld:
    """There need not be any link: they are known by the number or the address that they wrote from."""
    _, customer_id = delivery.reader or (SenderKind.CUSTOMER, 0)
    visitor = Visitor(customer_id, "", delivery.job_id or 0, 0, 0)
    job = jobs.get_for_visitor(tx, visitor)
    if job.customer.id != customer_id or not sees(sight_of(visitor), thread):
        return _cancelled("the customer does not see the thread", "NotTheirs")
    if job.ref.status is not JobStatus.ACTIVE:
        return _cancelled("the job was closed before it was sent", "JobInactive")
    wanted = preferences.of_customer(tx, customer_id, job.ref.id)
    if delivery.channel is Channel.SMS:
        if consent.is_stopped(tx, delivery.to):
            return Withheld(DeliveryStatus.FAILED, STOPPED, "Stopped")
        if job.customer.phone != delivery.to:
            return _cancelled("their number was changed before it was sent", "NumberChanged")
        return job.customer.name, wanted.language
    if not wanted.email:
        return _cancelled("they turned such notifications off", "TurnedOff")
    if (job.customer.email or "").lower() != delivery.to.lower():
        return _cancelled("their e-mail address was changed before it was sent", "AddressChanged")
    if incoming.withdrawn(tx, customer_id, job.ref.id):
        return _cancelled(_why_not(LinkRevoked()), "LinkRevoked")
    return job.customer.name, wanted.language


# --- tests ----------------------------------------------------------------------------------------


def _trial(tx: Reading, delivery: Delivery) -> Trial | Withheld:
    _, user_id = delivery.reader or (SenderKind.STAFF, 0)
    staff: Staff | None = people.staff_by_id(tx, [user_id]).get(user_id)
    if staff is None or not staff.active:
        return _cancelled("the account was deactivated before it was sent", "Deactivated")
    return Trial(delivery, staff.name, preferences.of_staff(tx, staff.id).language)


def _cancelled(words: str, cause: str) -> Withheld:
    return Withheld(DeliveryStatus.CANCELLED, words, cause)
