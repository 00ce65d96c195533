"""What Jobthread is about, as frozen data: no behaviour, no input or output.

Structs and not dataclasses: a frozen dataclass takes ten times as long to make, and a page makes hundreds.
Dataclasses only where a NewType stands on them, which the type checker cannot have on a struct.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from msgspec import Struct

Micros = int
"""A moment: microseconds since 1970 in UTC."""


class Role(StrEnum):
    ADMIN = "admin"
    DISPATCHER = "dispatcher"
    TECHNICIAN = "technician"


class Visibility(StrEnum):
    INTERNAL = "internal"
    CUSTOMER_VISIBLE = "customer_visible"


class ThreadStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class JobStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"


class SenderKind(StrEnum):
    STAFF = "staff"
    CUSTOMER = "customer"
    SYSTEM = "system"


class MessageKind(StrEnum):
    MESSAGE = "message"
    EVENT = "event"


class EventType(StrEnum):
    CREATED = "created"
    JOINED = "joined"
    LEFT = "left"
    CLOSED = "closed"
    REOPENED = "reopened"
    LINK_SENT = "link_sent"
    AWAY = "away"
    """The office is closed. Its body is the moment at which it opens, as RFC 3339 in UTC."""


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    """The provider says that it arrived; only text messages ever come so far."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    """No longer wanted when its turn came: read meanwhile, or not theirs to read any more."""


WENT_OUT = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED)


class DeliveryKind(StrEnum):
    INVITATION = "invitation"
    NOTIFICATION = "notification"
    ESCALATION = "escalation"
    """A customer has waited for too long."""
    AWAY = "away"
    """A customer answered by mail or by text while the office is closed: the line goes back that way."""
    TEST = "test"


class Language(StrEnum):
    EN = "en"
    ES = "es"


class ConsentState(StrEnum):
    """Whether text messages may go to a number."""

    STOPPED = "stopped"
    STARTED = "started"


class ConsentHow(StrEnum):
    """By what a number's consent changed."""

    KEYWORD = "keyword"
    PROVIDER = "provider"
    STAFF = "staff"


class AuditAction(StrEnum):
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    ROLE_CHANGED = "role_changed"
    USER_DEACTIVATED = "user_deactivated"
    USER_REACTIVATED = "user_reactivated"
    API_KEY_CREATED = "api_key_created"
    API_KEY_REVOKED = "api_key_revoked"
    JOB_CREATED = "job_created"
    JOB_CHANGED = "job_changed"
    JOB_STATUS_CHANGED = "job_status_changed"
    CUSTOMER_CHANGED = "customer_changed"
    THREAD_CREATED = "thread_created"
    THREAD_CLOSED = "thread_closed"
    THREAD_REOPENED = "thread_reopened"
    THREAD_CLAIMED = "thread_claimed"
    CLAIM_DROPPED = "claim_dropped"
    THREAD_ESCALATED = "thread_escalated"
    PARTICIPANT_ADDED = "participant_added"
    PARTICIPANT_REMOVED = "participant_removed"
    LINK_CREATED = "link_created"
    LINK_OPENED = "link_opened"
    LINK_REFUSED = "link_refused"
    LINK_REVOKED = "link_revoked"
    LINK_RENEWED = "link_renewed"
    DELIVERY_SENT = "delivery_sent"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_CONFIRMED = "delivery_confirmed"
    TEXTS_STOPPED = "texts_stopped"
    TEXTS_STARTED = "texts_started"
    TEXT_UNPLACED = "text_unplaced"
    WEBHOOK_REFUSED = "webhook_refused"
    MAIL_REFUSED = "mail_refused"
    BACKUP_RESTORED = "backup_restored"


# --- people ---------------------------------------------------------------------------------------


class Staff(Struct, frozen=True):
    """A dispatcher, technician or admin; a service account (no e-mail) where an API key acts."""

    id: int
    name: str
    email: str | None
    role: Role
    active: bool
    service: bool


class Visitor(Struct, frozen=True):
    """A customer who came by a magic link: the customer, for that link's job and nothing else."""

    customer_id: int
    name: str
    job_id: int
    link_id: int
    expires_at: Micros


class Texter(Visitor, frozen=True):
    """A customer who answers by text message: known by the number that the provider vouches for.

    There is no link to ask about, so `link_id` is 0: whoever makes one has just looked up whose number it is.
    """


class Correspondent(Visitor, frozen=True):
    """A customer who answers by mail: known by a signed address and the mail address on file.

    There is no link to ask about, so `link_id` is 0: whoever makes one has just looked up whose thread it is.
    """


Caller = Staff | Visitor


class Actor(Struct, frozen=True):
    """Who does something, and from where: what the audit trail keeps of it."""

    caller: Caller | None
    ip: str
    user_agent: str


class Customer(Struct, frozen=True):
    id: int
    name: str
    email: str | None
    phone: str | None


# --- jobs -----------------------------------------------------------------------------------------


class JobRef(Struct, frozen=True):
    id: int
    reference: str
    title: str
    status: JobStatus
    customer_name: str


@dataclass(frozen=True, slots=True)
class Job:
    ref: JobRef
    customer: Customer
    assignees: tuple[Staff, ...]
    scheduled_at: Micros | None
    external_id: str | None


SeenJob = NewType("SeenJob", Job)
"""A job that passed through sight: only the store's getters make one."""


# --- threads and messages -------------------------------------------------------------------------


class Thread(Struct, frozen=True):
    """The facts of a thread that rules are about, and its counters."""

    id: int
    subject: str
    visibility: Visibility
    status: ThreadStatus
    job_id: int | None
    created_by: int | None
    last_seq: int
    message_count: int
    last_message_seq: int | None
    last_sender_kind: SenderKind | None
    waiting_since: Micros | None
    """When the customer first wrote after what staff wrote last; None where nobody waits for an answer."""
    away_until: Micros | None
    """The opening of the office that the customer was told of last."""
    participant_ids: frozenset[int]


class SeenThread(Thread, frozen=True):
    """A thread that passed through sight: only the store's getters make one."""


class Person(Struct, frozen=True):
    id: int
    name: str
    role: Role


class Sender(Struct, frozen=True):
    kind: SenderKind
    id: int | None
    name: str
    role: Role | None


class Message(Struct, frozen=True):
    id: int
    thread_id: int
    seq: int
    kind: MessageKind
    sender: Sender
    body: str
    event_type: EventType | None
    event_people: tuple[Person, ...]
    client_msg_id: str
    created_at: Micros
    via: str | None = None
    """By what it came where not by the web: `sms` or `email`."""


class Hit(Struct, frozen=True):
    """Where a search found its words in a thread: the newest such message, cut down to what matters."""

    seq: int
    excerpt: str


class ThreadView(Struct, frozen=True):
    """A thread as one reader finds it: with people, last message and that reader's counts."""

    id: int
    subject: str
    visibility: Visibility
    status: ThreadStatus
    job: JobRef | None
    participants: tuple[Person, ...]
    created_by: Person | None
    created_at: Micros
    active_at: Micros
    last_message: Message | None
    last_seq: int
    last_read_seq: int
    unread_count: int
    needs_reply: bool
    waiting_since: Micros | None = None
    claimed_by: Person | None = None
    """Who has said that they will answer."""
    escalated: int = 0
    """1: the dispatchers were told that it waits; 2: the admins as well."""
    sms_stopped: bool = False
    """The customer of its job asked for no more texts."""
    email_on_file: bool = False
    """Of the customer of its job."""
    hit: Hit | None = None


class ReadBy(Struct, frozen=True):
    """How far somebody who takes part has read; 0 where they have read nothing."""

    kind: SenderKind
    id: int
    name: str
    last_read_seq: int


# --- magic links and deliveries -------------------------------------------------------------------


class Link(Struct, frozen=True):
    """A magic link to one job. The token itself is never kept, only its SHA-256."""

    id: int
    job_id: int
    customer_id: int
    created_by: Person | None
    created_at: Micros
    expires_at: Micros
    revoked_at: Micros | None
    last_used_at: Micros | None
    last_ip: str | None
    last_user_agent: str | None
    use_count: int


Reader = tuple[SenderKind, int]
"""Somebody who reads: staff or customer, and the id."""


class Delivery(Struct, frozen=True):
    """Something for one reader by one channel; a notification is about the messages of a thread."""

    id: int
    channel: Channel
    to: str
    status: DeliveryStatus
    link_id: int | None
    job_id: int | None
    attempts: int
    due_at: Micros
    created_at: Micros
    sent_at: Micros | None
    error: str | None
    kind: DeliveryKind = DeliveryKind.INVITATION
    reader: Reader | None = None
    thread_id: int | None = None
    after_seq: int = 0
    """What it tells of comes after this message,"""
    up_to_seq: int = 0
    """and goes up to this one."""


class SentTo(Struct, frozen=True):
    """A delivery and the name of whom it is for."""

    delivery: Delivery
    name: str


class Consent(Struct, frozen=True):
    """One row of the ledger: from then on texts were stopped, or wanted again."""

    number: str
    state: ConsentState
    at: Micros
    how: ConsentHow
    note: str
    """The word that was sent, the provider's code, or what staff wrote."""
    by: Person | None


class MailOutcome(StrEnum):
    """What became of a mail that came in."""

    LANDED = "landed"
    REPEATED = "repeated"
    """It came before, and was dealt with then."""
    AUTOMATIC = "automatic"
    """A machine wrote it: dropped."""
    REFUSED = "refused"
    TOO_MANY = "too_many"
    UNREADABLE = "unreadable"


class IncomingMail(Struct, frozen=True):
    """A mail that came to a signed address. `raw_name` is the file that holds it as it came."""

    id: int
    received_at: Micros
    outcome: MailOutcome
    reason: str | None
    reader: Reader
    reader_name: str
    thread_id: int
    message_id: int | None
    size: int
    raw_name: str


class AuditEntry(Struct, frozen=True):
    id: int
    at: Micros
    actor_kind: str
    actor_id: int | None
    actor_name: str
    action: AuditAction
    subject_kind: str | None
    subject_id: int | None
    job_id: int | None
    thread_id: int | None
    ip: str
    user_agent: str
    details: dict[str, object]


class Preferences(Struct, frozen=True):
    """How a member of staff wants to be told of what they have not read."""

    email: bool = True
    push: bool = True
    quiet_from: int | None = None
    """Minutes of the day in their time zone; both or neither."""
    quiet_until: int | None = None
    time_zone: str = "UTC"
    language: Language = Language.EN
    phone: str | None = None
    """Where their tests by text message go, as E.164: of what is said they are told by other ways."""


class CustomerPreferences(Struct, frozen=True):
    """The same of a customer, for one job."""

    email: bool = True
    language: Language = Language.EN


# --- what a commit brought about ------------------------------------------------------------------


class AccessEnded(Struct, frozen=True, array_like=True, tag=True):
    """Some caller may have lost access: whoever this names, or anybody where it names nobody."""

    staff_id: int | None = None
    job_id: int | None = None
    """The customers of this job."""


class RowsWritten(Struct, frozen=True, array_like=True, tag=True):
    """Messages and events that a thread did not have before: these, both ends included."""

    thread_id: int
    first_seq: int
    last_seq: int


class ReadMoved(Struct, frozen=True, array_like=True, tag=True):
    """Somebody has read further in a thread."""

    thread_id: int
    reader_kind: SenderKind
    reader_id: int


class ThreadChanged(Struct, frozen=True, array_like=True, tag=True):
    """What staff alone see of a thread has changed, without a row in it."""

    thread_id: int


class JobChanged(Struct, frozen=True, array_like=True, tag=True):
    """What a job's threads say of it is no longer true."""

    job_id: int


class NamesChanged(Struct, frozen=True, array_like=True, tag=True):
    """Somebody is called otherwise, or has another role: it shows in threads and messages everywhere."""


class Typing(Struct, frozen=True, array_like=True, tag=True):
    """Somebody is writing, and may never send it: nothing was stored."""

    thread_id: int
    typist_kind: SenderKind
    typist_id: int


News = AccessEnded | RowsWritten | ReadMoved | ThreadChanged | JobChanged | NamesChanged | Typing
"""What open pages want to hear of: ids only, whoever passes it on reads how things are by then."""


class DeliveryQueued(Struct, frozen=True):
    """Something waits to be sent."""


class AuditWritten(Struct, frozen=True):
    """Rows of the audit trail wait to be sealed."""


Happening = News | DeliveryQueued | AuditWritten
