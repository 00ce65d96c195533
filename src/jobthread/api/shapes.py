"""What goes over the wire between staff and server: allow-lists, one struct a shape."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jobthread import entities as e
from jobthread.entities import Channel, DeliveryStatus, JobStatus, Role, ThreadStatus, Visibility

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**31 - 1, description="A message's number in its thread")]
Name = Annotated[str, Meta(min_length=1, max_length=400, description="1 to 200 characters after trimming")]
Text = Annotated[str, Meta(min_length=1, description="1 to 10,000 characters after trimming")]
Email = Annotated[str, Meta(max_length=254, examples=["carol@example.com"])]
Phone = Annotated[str, Meta(max_length=40, examples=["+12025550123"], description="Kept as E.164")]
ClientMsgId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:\-]{1,64}\Z", examples=["3f1c9a52-7d1e"])]
Limit = Annotated[int, Meta(ge=1, le=100, description="At most so many")]
Cursor = Annotated[str, Meta(max_length=200, description="The page before said this as `next_cursor`")]
Query = Annotated[str, Meta(max_length=400, description="Words to look for; each may be the start of one")]
Moment = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC with milliseconds",
        examples=["2026-11-23T08:15:30.250Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Ids = Annotated[list[Id], Meta(max_length=200)]

_START = datetime(1970, 1, 1, tzinfo=UTC)


def moment(micros: e.Micros) -> str:
    at = _START + timedelta(microseconds=micros)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def maybe_moment(micros: e.Micros | None) -> str | None:
    return None if micros is None else moment(micros)


class Asking(Struct, forbid_unknown_fields=True):
    """What a client sends: a key that is not known is a mistake, and is said so."""


# --- people ---------------------------------------------------------------------------------------


class User(Struct):
    id: int
    name: str
    email: str | None
    role: Role
    active: bool


class UserAnswer(Struct):
    user: User


class Users(Struct):
    users: list[User]


class Login(Asking):
    email: Annotated[str, Meta(min_length=1, max_length=254, examples=["dora@example.com"])]
    password: Annotated[str, Meta(min_length=1, max_length=1024, examples=["demo"])]


class PasswordChange(Asking):
    current: Annotated[str, Meta(max_length=1024)]
    new: Annotated[str, Meta(min_length=8, max_length=256)]


class NewUser(Asking):
    name: Name
    email: Email
    role: Role
    password: Annotated[str, Meta(min_length=8, max_length=256)] | None = None


class UserChange(Asking):
    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    password: Annotated[str, Meta(min_length=8, max_length=256)] | UnsetType = UNSET


class UsersQuery(Asking):
    all: Annotated[bool, Meta(description="Also those who were deactivated; for admins")] = False


class Person(Struct):
    id: int
    name: str
    role: Role


class Named(Struct):
    id: int
    name: str


# --- customers and jobs ---------------------------------------------------------------------------


class Customer(Struct):
    id: int
    name: str
    email: str | None
    phone: str | None
    sms_stopped: Annotated[bool, Meta(description="The number asked for no more texts: none goes to it")]
    sms_stopped_since: Moment | None


class Customers(Struct):
    customers: list[Customer]
    next_cursor: str | None


class CustomersQuery(Asking):
    q: Query = ""
    cursor: Cursor | None = None
    limit: Limit = 50


class CustomerChange(Asking):
    name: Name | UnsetType = UNSET
    email: Email | None | UnsetType = UNSET
    phone: Phone | None | UnsetType = UNSET


class ConsentNote(Asking):
    note: Annotated[Name, Meta(description="How the customer said so", examples=["Asked on the phone"])]


class ConsentEntry(Struct):
    """From then on texts to the number were stopped, or wanted again."""

    number: str
    state: e.ConsentState
    at: Moment
    how: e.ConsentHow
    note: Annotated[str, Meta(description="The word that was texted, the provider's error, or staff's note")]
    by: Named | None


class ConsentHistory(Struct):
    entries: list[ConsentEntry]


class JobRef(Struct):
    id: int
    reference: str
    title: str
    status: JobStatus
    customer_name: str


class JobThread(Struct):
    id: int
    subject: str
    visibility: Visibility
    status: ThreadStatus
    unread_count: int
    needs_reply: bool


class Job(Struct):
    id: int
    reference: str
    title: str
    status: JobStatus
    customer_name: str
    customer: Customer
    assignees: list[Person]
    scheduled_at: Moment | None
    external_id: str | None
    threads: list[JobThread]


class Jobs(Struct):
    jobs: list[Job]
    next_cursor: str | None


class JobsQuery(Asking):
    q: Query = ""
    status: Literal["active", "closed", "all"] = "all"
    cursor: Cursor | None = None
    limit: Limit = 50


class JobCustomer(Asking):
    """Either a known customer's id, or a new one's name and contacts."""

    id: Id | None = None
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None


class NewJob(Asking):
    title: Name
    customer: JobCustomer
    reference: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    assignee_ids: Ids = []
    scheduled_at: Annotated[datetime, Meta(tz=True)] | None = None
    external_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class JobChange(Asking):
    reference: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    title: Name | UnsetType = UNSET
    status: JobStatus | UnsetType = UNSET
    assignee_ids: Ids | UnsetType = UNSET
    scheduled_at: Annotated[datetime, Meta(tz=True)] | None | UnsetType = UNSET
    external_id: Annotated[str, Meta(min_length=1, max_length=100)] | None | UnsetType = UNSET


# --- threads and messages -------------------------------------------------------------------------


class Sender(Struct):
    kind: e.SenderKind
    id: int | None
    name: str


class Event(Struct):
    type: e.EventType
    people: list[Named]


class Attachment(Struct):
    id: int


class Message(Struct):
    id: int
    thread_id: int
    seq: int
    kind: e.MessageKind
    sender: Sender
    body: str
    event: Event | None
    client_msg_id: str
    created_at: Moment
    via: Annotated[Literal["sms", "email"] | None, Meta(description="By what it came where not by the web")]
    attachments: list[Attachment] = []


class ReadBy(Struct):
    kind: Literal["staff", "customer"]
    id: int
    name: str
    last_read_seq: int


class Messages(Struct):
    messages: list[Message]
    has_more: bool
    reads: list[ReadBy]


class MessagesQuery(Asking):
    before_seq: Annotated[Seq | None, Meta(description="Only those before this one")] = None
    after_seq: Annotated[Seq | None, Meta(description="Only those after this one")] = None
    limit: Limit = 50


class NewMessage(Asking):
    body: Text
    client_msg_id: ClientMsgId | None = None
    attachment_ids: Ids = []


class FirstMessage(Asking):
    body: Text
    client_msg_id: ClientMsgId | None = None


class Hit(Struct):
    """The newest message that a search found in a thread."""

    seq: int
    excerpt: Annotated[str, Meta(description="Plain text on one line; `…` stands where it is cut")]


class Thread(Struct):
    id: int
    subject: str
    visibility: Visibility
    status: ThreadStatus
    job: JobRef | None
    participants: list[Person]
    created_by: Named | None
    created_at: Moment
    last_message: Message | None
    last_seq: int
    last_read_seq: int
    unread_count: int
    needs_reply: bool
    waiting_since: Annotated[
        Moment | None,
        Meta(description="When the customer first wrote after staff's last answer; null where nobody waits"),
    ]
    claimed_by: Annotated[Named | None, Meta(description="Who has said that they answer")]
    escalated: Annotated[
        int, Meta(ge=0, le=2, description="1: the dispatchers were told that it waits; 2: the admins as well")
    ]
    sms_stopped: Annotated[
        bool, Meta(description="The customer of its job asked for no more texts: none goes to the number")
    ]
    email_on_file: Annotated[bool, Meta(description="There is an e-mail address of the customer of its job")]
    hit: Annotated[
        Hit | None,
        Meta(description="Only in a list asked for with `q`; null where just the subject holds it"),
    ]


class Threads(Struct):
    threads: list[Thread]
    next_cursor: str | None


class ThreadsQuery(Asking):
    status: Literal["open", "closed", "all"] = "open"
    visibility: Visibility | None = None
    job_id: Annotated[Id | None, Meta(description="Only those of this job")] = None
    needs_reply: Annotated[bool | None, Meta(description="The customer has the last word, or not")] = None
    waiting: Annotated[
        bool | None,
        Meta(description="A customer waits for an answer, or not; those who do, the longest first"),
    ] = None
    q: Query = ""
    mine: Annotated[bool, Meta(description="Only those that one takes part in")] = False
    cursor: Cursor | None = None
    limit: Limit = 50


class NewThread(Asking):
    visibility: Visibility
    subject: Name
    participant_ids: Ids = []
    job_id: Id | None = None
    message: FirstMessage | None = None


class ReadMark(Asking):
    up_to_seq: Seq | None = None


class ReadAnswer(Struct):
    last_read_seq: int
    unread_count: int


class UnreadCount(Struct):
    unread_count: int


class NewParticipants(Asking):
    user_ids: Annotated[list[Id], Meta(min_length=1, max_length=200)]


# --- magic links ----------------------------------------------------------------------------------


class NewCustomerThread(Asking):
    subject: Name | None = None
    participant_ids: Ids = []


class NewLink(Asking):
    channels: list[Channel] | None = None
    expires_in_hours: Annotated[int, Meta(ge=1, le=24 * 90)] | None = None


class Delivery(Struct):
    id: int
    channel: Channel
    to: str
    status: DeliveryStatus
    error: str | None
    sent_at: Moment | None


class IssuedLink(Struct):
    session_id: int
    url: str
    expires_at: Moment
    deliveries: list[Delivery]


class Link(Struct):
    session_id: int
    created_by: Named | None
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None
    last_used_at: Moment | None
    last_ip: str | None
    last_user_agent: str | None
    use_count: int
    deliveries: list[Delivery]


class Links(Struct):
    sessions: list[Link]


# --- notifications --------------------------------------------------------------------------------

Switch = Literal["on", "off"]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", examples=["22:00"])]
TimeZone = Annotated[str, Meta(min_length=1, max_length=64, examples=["Europe/Madrid"])]


class Preferences(Struct):
    email: Switch
    push: Switch
    quiet_from: TimeOfDay | None
    quiet_until: TimeOfDay | None
    time_zone: TimeZone
    language: e.Language
    phone: Annotated[str | None, Meta(description="Where one's tests by text message go")]
    muted_thread_ids: list[int]


class PreferencesChange(Asking):
    email: Switch | UnsetType = UNSET
    push: Switch | UnsetType = UNSET
    quiet_from: TimeOfDay | None | UnsetType = UNSET
    quiet_until: TimeOfDay | None | UnsetType = UNSET
    time_zone: TimeZone | UnsetType = UNSET
    language: e.Language | UnsetType = UNSET
    phone: Phone | None | UnsetType = UNSET


class Presence(Asking):
    visible: bool


class PushKey(Struct):
    public_key: str


class PushKeys(Asking):
    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=30)]


class PushSubscription(Asking):
    endpoint: Annotated[str, Meta(max_length=1000)]
    keys: PushKeys


class Recipient(Struct):
    kind: Literal["staff", "customer"]
    id: int
    name: str


class ThreadDelivery(Struct):
    """Word of the messages `from_seq` to `to_seq`, to one recipient by one channel."""

    id: int
    recipient: Recipient
    channel: Channel
    from_seq: int
    to_seq: int
    status: DeliveryStatus
    queued_at: Moment
    sent_at: Moment | None
    error: Annotated[str | None, Meta(description="Why it failed, was cancelled, or is late")]


class ThreadDeliveries(Struct):
    deliveries: list[ThreadDelivery]


class AnyDelivery(Struct):
    id: int
    kind: e.DeliveryKind
    recipient: Recipient
    to: str
    channel: Channel
    status: DeliveryStatus
    job_id: int | None
    thread_id: int | None
    attempts: int
    queued_at: Moment
    due_at: Moment
    sent_at: Moment | None
    error: str | None


class ChannelState(Struct):
    channel: Channel
    last_sent_at: Moment | None
    waiting: int
    failed: int


class Deliveries(Struct):
    channels: list[ChannelState]
    oldest_waiting_at: Moment | None
    deliveries: list[AnyDelivery]
    next_cursor: str | None


class DeliveriesQuery(Asking):
    status: DeliveryStatus | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class TestDelivery(Asking):
    channel: Channel


# --- audit ----------------------------------------------------------------------------------------


class AuditActor(Struct):
    kind: str
    id: int | None
    name: str


class AuditSubject(Struct):
    kind: str
    id: int | None


class AuditEntry(Struct):
    id: int
    at: Moment
    actor: AuditActor
    action: e.AuditAction
    subject: AuditSubject | None
    job_id: int | None
    thread_id: int | None
    ip: str
    user_agent: str
    details: dict[str, Any]


class AuditEntries(Struct):
    entries: list[AuditEntry]
    next_cursor: str | None


class AuditQuery(Asking):
    actor: (
        Annotated[
            str,
            Meta(
                pattern=r"^((staff|customer):)?[0-9]{1,18}\Z|^nobody\Z",
                examples=["staff:1"],
                description="`staff:1`, `customer:1` or `nobody`; a number alone is staff's",
            ),
        ]
        | None
    ) = None
    action: e.AuditAction | None = None
    job_id: Annotated[Id | None, Meta(description="Only what is about this job")] = None
    thread_id: Annotated[Id | None, Meta(description="Only what is about this thread")] = None
    cursor: Cursor | None = None
    limit: Limit = 50


# --- mails that came in ---------------------------------------------------------------------------


class IncomingMail(Struct):
    id: int
    received_at: Moment
    outcome: Annotated[e.MailOutcome, Meta(description="What became of it")]
    reason: Annotated[str | None, Meta(description="Why it was refused or dropped, in a word")]
    reader: Annotated[AuditSubject, Meta(description="Whom its signed address stands for")]
    reader_name: Annotated[str, Meta(description="Empty where there is no such person any more")]
    thread_id: int
    message_id: Annotated[int | None, Meta(description="The message that it became")]
    size: Annotated[int, Meta(description="In bytes")]


class IncomingMails(Struct):
    mails: list[IncomingMail]
    next_cursor: str | None


class IncomingMailsQuery(Asking):
    cursor: Cursor | None = None
    limit: Limit = 50


# --- the server -----------------------------------------------------------------------------------


class SignIn(Struct):
    email: str
    role: Role
    password: str


class About(Struct):
    company: str
    version: str
    demo: bool
    sign_ins: list[SignIn]


# --- problems -------------------------------------------------------------------------------------


class FieldError(Struct):
    field: str
    message: str


class Problem(Struct, omit_defaults=True):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | UnsetType = UNSET
