"""Mails that came in: each noted once, with what became of it; and whom a signed address stands for."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import (
    Correspondent,
    IncomingMail,
    JobStatus,
    MailOutcome,
    Micros,
    Reader,
    SenderKind,
)
from jobthread.errors import NotFound
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.pages import Page, page_of
from jobthread.store.tables import chat_magic_sessions, chat_threads, customers, incoming_mails, jobs, users

NO_LINK = 0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was read. `sender` is the one address it comes from; `automatic` why it is a machine's.

    Without `text` there is nothing in it that could be read.
    """

    mail_hash: bytes
    sender: str | None = field(repr=False)
    automatic: str | None
    text: str = field(repr=False)
    size: int
    raw_name: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail, and by which word where it did not land: one of a few, nothing of the mail's."""

    outcome: MailOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer, as the thread of a signed address has them."""

    writer: Correspondent
    email: str | None
    job_status: JobStatus
    withdrawn: bool


# --- what came in ---------------------------------------------------------------------------------


def seen(tx: Reading, mail_hash: bytes, reader: Reader, thread_id: int) -> bool:
    same = select(incoming_mails.c.id).where(
        incoming_mails.c.mail_hash == mail_hash,
        incoming_mails.c.reader_kind == reader[0],
        incoming_mails.c.reader_id == reader[1],
        incoming_mails.c.thread_id == thread_id,
    )
    return tx.conn.execute(same).first() is not None


def note(tx: Writing, mail: Mail, reader: Reader, thread_id: int) -> int | None:
    """The id of the new row; None where this very mail was noted before, by whatever process."""
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    values = {
        "received_at": tx.now,
        "mail_hash": mail.mail_hash,
        "reader_kind": reader[0],
        "reader_id": reader[1],
        "thread_id": thread_id,
        "outcome": MailOutcome.REFUSED,
        "size": mail.size,
        "raw_name": mail.raw_name,
    }
    once = insert(incoming_mails).values(values).on_conflict_do_nothing().returning(incoming_mails.c.id)
    return tx.conn.execute(once).scalar()


def came_to(
    tx: Writing, noted: int, outcome: MailOutcome, reason: str | None = None, message_id: int | None = None
) -> Taken:
    changed = update(incoming_mails).where(incoming_mails.c.id == noted)
    tx.conn.execute(changed.values(outcome=outcome, reason=reason, message_id=message_id))
    return Taken(outcome, reason or "")


# --- whose address --------------------------------------------------------------------------------


def standing(tx: Writing, customer_id: int, thread_id: int) -> Standing | None:
    """None where the thread is not about a job of this customer."""
    chosen = (
        select(customers.c.name, customers.c.email, jobs.c.id.label("job_id"), jobs.c.status)
        .select_from(
            chat_threads.join(jobs, jobs.c.id == chat_threads.c.job_id).join(
                customers, customers.c.id == jobs.c.customer_id
            )
        )
        .where(chat_threads.c.id == thread_id, customers.c.id == customer_id)
        # Nobody closes the job or takes the address away before this is written.
        .with_for_update(read=True, of=[jobs, customers])
    )
    row = tx.conn.execute(chosen).first()
    if row is None:
        return None
    writer = Correspondent(customer_id, row.name, row.job_id, NO_LINK, tx.now)
    return Standing(writer, row.email, JobStatus(row.status), withdrawn(tx, customer_id, row.job_id))


def withdrawn(tx: Reading, customer_id: int, job_id: int) -> bool:
    """There were links, and the office has withdrawn every one of them."""
    links = chat_magic_sessions.c
    counted = select(func.count(), func.count(links.revoked_at)).where(
        links.customer_id == customer_id, links.job_id == job_id
    )
    made, revoked = tx.conn.execute(counted).one()
    return bool(made) and made == revoked


# --- looking at them ------------------------------------------------------------------------------


def page(tx: Reading, cursor: str | None, limit: int) -> Page[IncomingMail]:
    """Newest first."""
    return page_of(tx, _with_names(), [incoming_mails.c.id], cursor, limit, _mail)


def get(tx: Reading, mail_id: int) -> IncomingMail:
    row = tx.conn.execute(_with_names().where(incoming_mails.c.id == mail_id)).first()
    if row is None:
        raise NotFound
    return _mail(row)


def is_kept(tx: Reading, raw_name: str) -> bool:
    named = select(incoming_mails.c.id).where(incoming_mails.c.raw_name == raw_name).limit(1)
    return tx.conn.execute(named).first() is not None


def forget(tx: Writing, before: Micros) -> list[str]:
    """Drop the rows of mails from before then; the names of the files that are left without any."""
    old = incoming_mails.c.received_at < before
    gone = delete(incoming_mails).where(old).returning(incoming_mails.c.raw_name)
    names = set(tx.conn.execute(gone).scalars())
    return sorted(name for name in names if not is_kept(tx, name))


def _with_names() -> Select[Any]:
    kind, reader_id = incoming_mails.c.reader_kind, incoming_mails.c.reader_id
    of_staff = and_(kind == SenderKind.STAFF, users.c.id == reader_id)
    of_customer = and_(kind == SenderKind.CUSTOMER, customers.c.id == reader_id)
    return select(
        incoming_mails, func.coalesce(users.c.name, customers.c.name, "").label("reader_name")
    ).select_from(incoming_mails.outerjoin(users, of_staff).outerjoin(customers, of_customer))


def _mail(row: AnyRow) -> IncomingMail:
    return IncomingMail(
        id=row.id,
        received_at=row.received_at,
        outcome=MailOutcome(row.outcome),
        reason=row.reason,
        reader=(SenderKind(row.reader_kind), row.reader_id),
        reader_name=row.reader_name,
        thread_id=row.thread_id,
        message_id=row.message_id,
        size=row.size,
        raw_name=row.raw_name,
    )
