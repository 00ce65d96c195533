"""What happened, and what came in: for admins to look up."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from jobthread import entities as e
from jobthread.api.wire import Asking, Cursor, Id, Limit, Moment

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
