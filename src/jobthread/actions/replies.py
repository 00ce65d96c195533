"""Answers by mail: the signed address says who and where, and everything else is asked as of any message."""

from jobthread.actions import away, messages
from jobthread.entities import (
    Actor,
    AuditAction,
    Caller,
    Channel,
    JobStatus,
    MailOutcome,
    Micros,
    Reader,
    SenderKind,
)
from jobthread.errors import (
    ClientMsgIdReused,
    JobInactive,
    JobthreadError,
    LinkRevoked,
    NotAuthenticated,
    NotFound,
    RateLimited,
)
from jobthread.store import audit, incoming, people
from jobthread.store.database import Writing
from jobthread.store.incoming import Mail, Taken
from jobthread.store.limits import ON, SECOND, Rate

VIA = "email"
LONGEST_BODY = 10_000
"""The same as by the web; what is longer is cut, and stands in the mail as it came."""
CUT = "\n[…]"
MAILS = Rate(burst=30, every=120 * SECOND)
"""To one signed address: thirty at once, and thirty an hour."""
TOO_MANY_NOTED = Rate(burst=1, every=3600 * SECOND)
OTHER_SENDER = "other_sender"
NOTHING_TO_READ = "nothing_to_read"
_NO_CALLER = Actor(None, "", "e-mail")


def take_in(tx: Writing, mail: Mail, reader: Reader, thread_id: int, away_until: Micros | None) -> Taken:
    """Once, however often it is handed over; refusals stand in the audit trail, and nobody is answered.

    `away_until` is when the office opens next, where it is closed by now.
    """
    if incoming.seen(tx, mail.mail_hash, reader, thread_id):
        return Taken(MailOutcome.REPEATED)
    if not _within_limits(tx, reader, thread_id):
        return Taken(MailOutcome.TOO_MANY)
    noted = incoming.note(tx, mail, reader, thread_id)
    if noted is None:
        return Taken(MailOutcome.REPEATED)
    if mail.automatic is not None:
        return incoming.came_to(tx, noted, MailOutcome.AUTOMATIC, mail.automatic)
    return _answered(tx, noted, mail, reader, thread_id, away_until)


def _within_limits(tx: Writing, reader: Reader, thread_id: int) -> bool:
    """Counted whatever the settings say: two machines that answer each other would never end."""
    to = f"{reader[0]}:{reader[1]}:{thread_id}"
    try:
        ON.spend(tx, f"mails-to:{to}", MAILS)
    except RateLimited as error:
        try:
            ON.spend(tx, f"mails-refused-to:{to}", TOO_MANY_NOTED)
        except RateLimited:
            return False
        _refused(tx, _NO_CALLER, reader, thread_id, error.code)
        return False
    return True


def _answered(
    tx: Writing, noted: int, mail: Mail, reader: Reader, thread_id: int, away_until: Micros | None
) -> Taken:
    by = _NO_CALLER
    try:
        by = Actor(_writer(tx, mail, reader, thread_id), "", "e-mail")
        if not mail.text:
            _refused(tx, by, reader, thread_id, NOTHING_TO_READ)
            return incoming.came_to(tx, noted, MailOutcome.UNREADABLE, NOTHING_TO_READ)
        landed = _landed(tx, by, mail, thread_id, away_until)
    except ClientMsgIdReused:
        # Under the same Message-ID something else was said once: the first stands.
        return incoming.came_to(tx, noted, MailOutcome.REPEATED)
    except JobthreadError as refusal:
        code = OTHER_SENDER if isinstance(refusal, _OtherSender) else refusal.code
        _refused(tx, by, reader, thread_id, code)
        return incoming.came_to(tx, noted, MailOutcome.REFUSED, code)
    return incoming.came_to(tx, noted, MailOutcome.LANDED, message_id=landed)


class _OtherSender(JobthreadError):
    """The mail says to come from an address that is not the reader's on file."""


def _writer(tx: Writing, mail: Mail, reader: Reader, thread_id: int) -> Caller:
    """Who writes, as the database has them now. The sender is looked at first: a stranger is just that."""
    kind, reader_id = reader
    if kind is SenderKind.STAFF:
        staff = people.staff_by_id(tx, [reader_id]).get(reader_id)
        if staff is None:
            raise NotAuthenticated
        _same_sender(mail.sender, staff.email)
        return staff
    standing = incoming.standing(tx, reader_id, thread_id)
    if standing is None:
        raise NotFound
    _same_sender(mail.sender, standing.email)
    if standing.job_status is not JobStatus.ACTIVE:
        raise JobInactive
    if standing.withdrawn:
        raise LinkRevoked
    return standing.writer


def _same_sender(sender: str | None, on_file: str | None) -> None:
    if sender is None or on_file is None or sender.lower() != on_file.lower():
        raise _OtherSender


def _landed(tx: Writing, by: Actor, mail: Mail, thread_id: int, away_until: Micros | None) -> int:
    """The same way as their messages by the web; answers the message's id."""
    send = messages.Send(by, thread_id, _fitting(mail.text), message_id(mail.mail_hash), VIA, away_until)
    [sent] = messages.send_all(tx, [send])
    if isinstance(sent, JobthreadError):
        raise sent
    if mail.sender is not None:
        away.send_back(tx, send, sent, Channel.EMAIL, mail.sender)
    return sent.message.id


def message_id(mail_hash: bytes) -> str:
    """The `client_msg_id` of a mail."""
    return f"mail:{mail_hash.hex()[:56]}"


def _fitting(text: str) -> str:
    if len(text) <= LONGEST_BODY:
        return text
    return text[: LONGEST_BODY - len(CUT)].rstrip() + CUT


def _refused(tx: Writing, by: Actor, reader: Reader, thread_id: int, code: str) -> None:
    about = audit.About("thread", thread_id, thread_id=thread_id)
    audit.add(tx, by, AuditAction.MAIL_REFUSED, about, reader=f"{reader[0]}:{reader[1]}", code=code)
