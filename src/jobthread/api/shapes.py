"""Threads, messages and links, as staff and server tell each other of them: allow-lists."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from jobthread import entities as e
from jobthread.api.people_shapes import JobRef, Named, Person
from jobthread.api.wire import Asking, ClientMsgId, Cursor, Id, Ids, Limit, Moment, Name, Query, Seq, Text
from jobthread.entities import Channel, DeliveryStatus, ThreadStatus, Visibility

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
    attachment_ids: Ids = field(default_factory=list)


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
    participant_ids: Ids = field(default_factory=list)
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
    participant_ids: Ids = field(default_factory=list)


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
    customer_invited: Annotated[
        bool,
        Meta(description="The customer opened a link or was sent one: only then are they told of messages"),
    ]
