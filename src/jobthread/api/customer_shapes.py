"""What goes over the wire to customers: their own allow-list. Staff appear by name and role word only."""

from typing import Annotated

from msgspec import Meta, Struct

from jobthread import entities as e
from jobthread.api.wire import Asking, ClientMsgId, Id, Ids, Limit, Moment, Seq, Text, moment

Token = Annotated[str, Meta(min_length=1, max_length=200)]


class CustomerName(Struct):
    name: str


class CustomerJob(Struct):
    id: int
    reference: str
    title: str
    status: e.JobStatus
    customer_name: str


class CustomerSender(Struct):
    kind: e.SenderKind
    id: int | None
    name: str
    role: e.Role | None


class CustomerEvent(Struct):
    type: e.EventType
    people: list[CustomerName]


class CustomerMessage(Struct):
    id: int
    thread_id: int
    seq: int
    kind: e.MessageKind
    sender: CustomerSender
    body: str
    event: CustomerEvent | None
    client_msg_id: str
    created_at: Moment
    attachments: list[int] = []


class CustomerThread(Struct):
    id: int
    subject: str
    status: e.ThreadStatus
    created_at: Moment
    last_message: CustomerMessage | None
    last_seq: int
    last_read_seq: int
    unread_count: int


class CustomerView(Struct):
    job: CustomerJob
    threads: list[CustomerThread]
    thread: CustomerThread | None
    messages: list[CustomerMessage]
    has_more: bool


class OpenedLink(Struct):
    job: CustomerJob
    customer: CustomerName
    company: str
    expires_at: Moment
    view: CustomerView


class TokenExchange(Asking):
    job_id: Id
    token: Token
    language: Annotated[
        e.Language | None, Meta(description="Else what `Accept-Language` asks for; notifications speak it")
    ] = None


class ViewQuery(Asking):
    thread_id: Annotated[Id | None, Meta(description="The thread to read, else the newest open one")] = None
    after_seq: Annotated[Seq | None, Meta(description="Only messages after this one")] = None
    before_seq: Annotated[Seq | None, Meta(description="Only messages before this one")] = None
    limit: Limit = 50


class NewCustomerMessage(Asking):
    body: Text
    client_msg_id: ClientMsgId | None = None
    thread_id: Id | None = None
    attachment_ids: Ids = []  # noqa: RUF012 - msgspec copies it for each


class CustomerReadMark(Asking):
    thread_id: Id | None = None
    up_to_seq: Seq | None = None


class CustomerTyping(Asking):
    thread_id: Id | None = None


class RenewalAnswer(Struct):
    status: str = "accepted"


# --- from entities --------------------------------------------------------------------------------


def job(ref: e.JobRef) -> CustomerJob:
    return CustomerJob(ref.id, ref.reference, ref.title, ref.status, ref.customer_name)


def message(m: e.Message) -> CustomerMessage:
    sender = m.sender
    return CustomerMessage(
        id=m.id,
        thread_id=m.thread_id,
        seq=m.seq,
        kind=m.kind,
        sender=CustomerSender(sender.kind, sender.id, sender.name, sender.role),
        body=m.body,
        event=CustomerEvent(m.event_type, [CustomerName(p.name) for p in m.event_people])
        if m.event_type
        else None,
        client_msg_id=m.client_msg_id,
        created_at=moment(m.created_at),
    )


def thread(view: e.ThreadView) -> CustomerThread:
    return CustomerThread(
        id=view.id,
        subject=view.subject,
        status=view.status,
        created_at=moment(view.created_at),
        last_message=message(view.last_message) if view.last_message else None,
        last_seq=view.last_seq,
        last_read_seq=view.last_read_seq,
        unread_count=view.unread_count,
    )
