"""What Jobthread is about, as frozen data: no behaviour, no input or output."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

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


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


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
    PARTICIPANT_ADDED = "participant_added"
    PARTICIPANT_REMOVED = "participant_removed"
    LINK_CREATED = "link_created"
    LINK_OPENED = "link_opened"
    LINK_REFUSED = "link_refused"
    LINK_REVOKED = "link_revoked"
    LINK_RENEWED = "link_renewed"
    DELIVERY_SENT = "delivery_sent"
    DELIVERY_FAILED = "delivery_failed"
    BACKUP_RESTORED = "backup_restored"


# --- people ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Staff:
    """A dispatcher, technician or admin; a service account (no e-mail) where an API key acts."""

    id: int
    name: str
    email: str | None
    role: Role
    active: bool
    service: bool


@dataclass(frozen=True, slots=True)
class Visitor:
    """A customer who came by a magic link: the customer, for that link's job and nothing else."""

    customer_id: int
    name: str
    job_id: int
    link_id: int
    expires_at: Micros


Caller = Staff | Visitor


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where: what the audit trail keeps of it."""

    caller: Caller | None
    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Customer:
    id: int
    name: str
    email: str | None
    phone: str | None


# --- jobs -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobRef:
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


@dataclass(frozen=True, slots=True)
class Thread:
    """The facts of a thread that rules are about, and its counters."""

    id: int
    subject: str
    visibility: Visibility
    status: ThreadStatus
    job_id: int | None
    created_by: int | None
    participant_ids: frozenset[int]
    last_seq: int
    message_count: int
    last_message_seq: int | None
    last_sender_kind: SenderKind | None


SeenThread = NewType("SeenThread", Thread)
"""A thread that passed through sight: only the store's getters make one."""


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Sender:
    kind: SenderKind
    id: int | None
    name: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class Message:
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


@dataclass(frozen=True, slots=True)
class ThreadView:
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


# --- magic links and deliveries -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
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


@dataclass(frozen=True, slots=True)
class Delivery:
    id: int
    channel: Channel
    to: str
    status: DeliveryStatus
    link_id: int
    job_id: int
    attempts: int
    due_at: Micros
    created_at: Micros
    sent_at: Micros | None
    error: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
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


# --- what a commit brought about ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """Some caller lost access: sessions, keys or links were ended, or a person or job changed."""


@dataclass(frozen=True, slots=True)
class DeliveryQueued:
    """Something waits to be sent."""


@dataclass(frozen=True, slots=True)
class AuditWritten:
    """Rows of the audit trail wait to be sealed."""


Happening = AccessEnded | DeliveryQueued | AuditWritten
