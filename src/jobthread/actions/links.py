"""Magic links: made by staff, sent to the customer, opened, refused, renewed and withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from jobthread import policy, tokens
from jobthread.actions.threads import ThreadDraft, create, staff_of, view
from jobthread.actions.writing import Pen
from jobthread.entities import (
    WENT_OUT,
    AccessEnded,
    Actor,
    AuditAction,
    Channel,
    Customer,
    Delivery,
    DeliveryKind,
    DeliveryQueued,
    DeliveryStatus,
    EventType,
    Job,
    JobStatus,
    Language,
    Link,
    Micros,
    SeenJob,
    SeenThread,
    SenderKind,
    ThreadStatus,
    ThreadView,
    Visibility,
)
from jobthread.errors import (
    Forbidden,
    Invalid,
    JobClosed,
    JobthreadError,
    LinkExpired,
    LinkInvalid,
    RateLimited,
)
from jobthread.policy import job_sight_of, sight_of
from jobthread.store import audit, consent, jobs, limits, links, outbox, preferences, texts, threads
from jobthread.store.database import Reading, Writing
from jobthread.store.limits import SECOND, Limits, Rate
from jobthread.store.links import Standing, refusal_of
from jobthread.texting import STOPPED

HOUR: Micros = 3_600 * SECOND
LONGEST_HOURS = 24 * 90

MAKING = Rate(burst=20, every=15 * SECOND)
SENDING_TO_ONE_JOB = Rate(burst=6, every=600 * SECOND)
BAD_TOKENS = Rate(burst=10, every=6 * SECOND)
OPENING = Rate(burst=20, every=10 * SECOND)
RENEWAL = Rate(burst=1, every=600 * SECOND)
RENEWAL_ASKED = Rate(burst=10, every=6 * SECOND)


@dataclass(frozen=True, slots=True)
class Issuing:
    """How links are made here: for how long, under which address, sealed with which key, counted how."""

    base_url: str
    hours: int
    seal: tokens.Seal
    limits: Limits

    def url(self, job_id: int, token: str) -> str:
        return f"{self.base_url}/customer/chat?jobId={job_id}&token={token}"


@dataclass(frozen=True, slots=True)
class Issued:
    link_id: int
    url: str
    expires_at: Micros
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    standing: Standing
    cookie: str


@dataclass(frozen=True, slots=True)
class LinkWithDeliveries:
    link: Link
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class LinksOfJob:
    links: list[LinkWithDeliveries]
    """Newest first."""
    customer_invited: bool
    """Whether the customer hears of messages, or will as soon as a link has gone out."""


# --- staff ----------------------------------------------------------------------------------------


def customer_thread(
    tx: Writing, by: Actor, job_id: int, subject: str | None, participant_ids: Sequence[int]
) -> tuple[ThreadView, bool]:
    """The customer-visible thread of a job, and whether it was opened just now."""
    job = _invitable_job(tx, by, job_id)
    standing = _open_thread(tx, by, job_id) if subject is None else None
    if standing is not None:
        return standing, False
    draft = ThreadDraft(Visibility.CUSTOMER_VISIBLE, subject or job.ref.title, participant_ids, job_id)
    return create(tx, by, draft), True


def issue(
    tx: Writing, by: Actor, how: Issuing, job_id: int, channels: Sequence[Channel] | None, hours: int | None
) -> Issued:
    """Make a link and queue it for `channels` (None: every contact that the customer has).

    A link always opens a conversation: where no customer-visible thread is open, one is opened.
    """
    job = _invitable_job(tx, by, job_id)
    if job.ref.status is not JobStatus.ACTIVE:
        raise JobClosed
    contacts = _contacts(tx, job.customer, channels)
    how.limits.spend(tx, f"links-by:{staff_of(tx, by).id}", MAKING)
    if contacts:
        how.limits.spend(tx, f"links-sent-for:{job_id}", SENDING_TO_ONE_JOB)
    customer_thread(tx, by, job_id, None, ())
    return _issued(tx, by, how, job, contacts, hours or how.hours, AuditAction.LINK_CREATED)


def of_job(tx: Reading, by: Actor, job_id: int) -> LinksOfJob:
    job = _invitable_job(tx, by, job_id)
    found = links.of_job(tx, job_id)
    deliveries = outbox.of_links(tx, [link.id for link in found])
    sent_in = (*outbox.WAITING, *WENT_OUT)
    return LinksOfJob(
        [LinkWithDeliveries(link, tuple(deliveries.get(link.id, ()))) for link in found],
        links.holds_link(tx, job.customer.id, job_id, sent_in),
    )


def revoke(tx: Writing, by: Actor, link_id: int) -> None:
    """Withdraw a link, with the cookies it earned; doing it twice does it once."""
    link = links.get(tx, link_id).link
    _invitable_job(tx, by, link.job_id)
    withdraw(tx, by, link)


def withdraw(tx: Writing, by: Actor, link: Link) -> None:
    if links.revoke(tx, link.id):
        audit.add(tx, by, AuditAction.LINK_REVOKED, _about(link))
        tx.tell(AccessEnded(job_id=link.job_id))


# --- customers ------------------------------------------------------------------------------------


def open_link(
    tx: Writing, by: Actor, counted: Limits, job_id: int, token: str, language: Language | None = None
) -> Opened | JobthreadError:
    """Exchange a token for a cookie. A refusal is answered, not raised: the trail must keep it.

    `language` is what the customer's browser speaks; None where it says nothing that we know.
    """
    address = limits.network_of(by.ip)
    counted.check(tx, f"bad-links-from:{address}", BAD_TOKENS)
    standing = links.of_token(tx, tokens.hash_of(token))
    refusal = _refusal_to_open(tx, standing, job_id)
    if standing is None or refusal is not None:
        counted.spend(tx, f"bad-links-from:{address}", BAD_TOKENS)
        about = _about(standing.link) if standing else audit.About("link", None)
        audit.add(tx, by, AuditAction.LINK_REFUSED, about, code=(refusal or LinkInvalid).code)
        return refusal or LinkInvalid()
    counted.spend(tx, f"link-opened:{standing.link.id}", OPENING)
    cookie = tokens.new_token()
    links.opened(tx, standing.link.id, tokens.hash_of(cookie), standing.link.expires_at, by.ip, by.user_agent)
    _keep_language(tx, standing.link, language)
    visitor = Actor(standing.visitor, by.ip, by.user_agent)
    audit.add(tx, visitor, AuditAction.LINK_OPENED, _about(standing.link))
    return Opened(standing, cookie)


def renew(
    tx: Writing, by: Actor, how: Issuing, job_id: int, token: str, language: Language | None = None
) -> None:
    """Send a new link to the contact on file where this one has merely expired; else do nothing, alike.

    `language` as in `open_link`: the new link is sent in it.
    """
    how.limits.spend(tx, f"renewals-from:{limits.network_of(by.ip)}", RENEWAL_ASKED)
    standing = links.of_token(tx, tokens.hash_of(token))
    if standing is None or standing.link.job_id != job_id:
        return
    if not isinstance(refusal_of(tx, standing), LinkExpired):
        return
    job = jobs.get_for_visitor(tx, standing.visitor)
    contacts = _contacts(tx, job.customer, None)
    if not contacts:
        return
    try:
        limits.ON.spend(tx, f"renewed:{job_id}", RENEWAL)
    except RateLimited:
        return
    _keep_language(tx, standing.link, language)
    _issued(tx, by, how, job, contacts, how.hours, AuditAction.LINK_RENEWED)


def _keep_language(tx: Writing, link: Link, language: Language | None) -> None:
    if language is not None:
        preferences.customer_speaks(tx, link.customer_id, link.job_id, language)


def _refusal_to_open(tx: Reading, standing: Standing | None, job_id: int) -> JobthreadError | None:
    if standing is None or standing.link.job_id != job_id:
        return LinkInvalid()
    return refusal_of(tx, standing)


# --- making one -----------------------------------------------------------------------------------


def _issued(
    tx: Writing,
    by: Actor,
    how: Issuing,
    job: Job,
    contacts: Sequence[tuple[Channel, str]],
    hours: int,
    action: AuditAction,
) -> Issued:
    token = tokens.new_token()
    expires_at = tx.now + hours * HOUR
    made_by = None if by.caller is None else staff_of(tx, by).id
    link_id = links.add(tx, job.ref.id, job.customer.id, tokens.hash_of(token), made_by, expires_at)
    thread = _shown_to_customer(tx, job.ref.id)
    thread_id = thread.id if thread else None
    deliveries = tuple(
        _queued(tx, by, _invitation(job, channel, to, link_id, how.seal.close(token), thread_id))
        for channel, to in contacts
    )
    about = audit.About("link", link_id, job_id=job.ref.id)
    under_way = [one.channel for one in deliveries if one.status is DeliveryStatus.QUEUED]
    audit.add(tx, by, action, about, sent_by=under_way, hours=hours)
    if under_way:
        _note_in_thread(tx, by, thread)
        tx.tell(DeliveryQueued())
    return Issued(link_id, how.url(job.ref.id, token), expires_at, deliveries)


def _invitation(
    job: Job, channel: Channel, to: str, link_id: int, sealed: bytes, thread_id: int | None
) -> outbox.NewDelivery:
    """`thread_id` is where an answer to the mail lands."""
    reader = (SenderKind.CUSTOMER, job.customer.id)
    return outbox.NewDelivery(
        DeliveryKind.INVITATION, channel, to, reader, link_id, job.ref.id, sealed, thread_id
    )


def _queued(tx: Writing, by: Actor, new: outbox.NewDelivery) -> Delivery:
    """Where the number asked for no more texts, the delivery has failed before it began, and says why."""
    delivery = outbox.add(tx, new)
    if new.channel is not Channel.SMS or not consent.is_stopped(tx, new.to):
        return delivery
    texts.refuse(tx, delivery.id, STOPPED)
    about = audit.About("delivery", delivery.id, job_id=delivery.job_id)
    told = {"channel": new.channel, "link": new.link_id, "attempts": 0}
    audit.add(tx, by, AuditAction.DELIVERY_FAILED, about, **told, error=STOPPED)
    return structs.replace(delivery, status=DeliveryStatus.FAILED, error=STOPPED)


def _shown_to_customer(tx: Reading, job_id: int) -> SeenThread | None:
    customers_sight = policy.Sight(frozenset({Visibility.CUSTOMER_VISIBLE}), None, job_id)
    return threads.newest_in_job(tx, customers_sight, job_id, [ThreadStatus.OPEN])


def _note_in_thread(tx: Writing, by: Actor, thread: SeenThread | None) -> None:
    if thread is not None:
        pen = Pen()
        pen.event(pen.sheet(thread), by, EventType.LINK_SENT)
        pen.put_down(tx)


def _contacts(
    tx: Reading, customer: Customer, channels: Sequence[Channel] | None
) -> list[tuple[Channel, str]]:
    """Where nobody says by which channels: every contact that wants to be written to."""
    known = {Channel.EMAIL: customer.email, Channel.SMS: customer.phone}
    if channels is None:
        stopped = consent.stopped_among(tx, [customer.phone])
        return [(channel, to) for channel, to in known.items() if to and to not in stopped]
    contacts = []
    for channel in dict.fromkeys(channels):
        to = known[channel]
        if not to:
            wanting = "e-mail address" if channel is Channel.EMAIL else "phone number"
            raise Invalid("channels", f"the customer has no {wanting}")
        contacts.append((channel, to))
    return contacts


def _invitable_job(tx: Reading, by: Actor, job_id: int) -> SeenJob:
    staff = staff_of(tx, by)
    job = jobs.get_seen(tx, job_sight_of(staff), job_id)
    if not policy.may_invite_customers(staff):
        raise Forbidden
    return job


def _open_thread(tx: Writing, by: Actor, job_id: int) -> ThreadView | None:
    thread = threads.newest_in_job(tx, sight_of(staff_of(tx, by)), job_id, [ThreadStatus.OPEN])
    return view(tx, by, thread.id) if thread else None


def _about(link: Link) -> audit.About:
    return audit.About("link", link.id, job_id=link.job_id)
