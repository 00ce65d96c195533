"""The consent ledger: per number, whether text messages may go to it, since when, and by what."""

from collections.abc import Iterable

from sqlalchemy import func, insert, select

from jobthread.entities import (
    Actor,
    AuditAction,
    Consent,
    ConsentHow,
    ConsentState,
    Micros,
    Person,
    Role,
    Staff,
    ThreadChanged,
    ThreadStatus,
    Visibility,
)
from jobthread.store import audit
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.tables import chat_threads, customers, jobs, sms_consent, users


def is_stopped(tx: Reading, number: str) -> bool:
    return number in stopped_among(tx, [number])


def stopped_among(tx: Reading, numbers: Iterable[str | None]) -> dict[str, Micros]:
    """Those that asked for no more texts, and since when."""
    wanted = sorted({number for number in numbers if number})
    if not wanted:
        return {}
    newest = select(func.max(sms_consent.c.id)).where(sms_consent.c.number.in_(wanted))
    rows = tx.conn.execute(
        select(sms_consent.c.number, sms_consent.c.at).where(
            sms_consent.c.id.in_(newest.group_by(sms_consent.c.number)),
            sms_consent.c.state == ConsentState.STOPPED,
        )
    )
    return {row.number: row.at for row in rows}


def state_of(tx: Reading, number: str) -> ConsentState | None:
    """None where nothing was ever said about the number."""
    newest = select(sms_consent.c.state).where(sms_consent.c.number == number)
    state = tx.conn.execute(newest.order_by(sms_consent.c.id.desc()).limit(1)).scalar()
    return ConsentState(state) if state else None


def history(tx: Reading, number: str, limit: int = 100) -> list[Consent]:
    """Newest first."""
    rows = tx.conn.execute(
        select(sms_consent, users.c.name.label("user_name"), users.c.role.label("user_role"))
        .outerjoin(users, users.c.id == sms_consent.c.user_id)
        .where(sms_consent.c.number == number)
        .order_by(sms_consent.c.id.desc())
        .limit(limit)
    )
    return [_consent(row) for row in rows]


def change(
    tx: Writing, by: Actor, number: str, state: ConsentState, how: ConsentHow, note: str, about: audit.About
) -> bool:
    """Whether that changed anything: what is so already is not written once more."""
    if state_of(tx, number) is state:
        return False
    user_id = by.caller.id if isinstance(by.caller, Staff) else None
    values = {"number": number, "state": state, "at": tx.now, "how": how, "note": note[:200]}
    tx.conn.execute(insert(sms_consent).values(**values, user_id=user_id))
    action = AuditAction.TEXTS_STOPPED if state is ConsentState.STOPPED else AuditAction.TEXTS_STARTED
    audit.add(tx, by, action, about, number=number, how=how, note=note[:200])
    for thread_id in _read_by(tx, number):
        tx.tell(ThreadChanged(thread_id))
    return True


def _read_by(tx: Reading, number: str) -> list[int]:
    """The open threads whose customer has this number."""
    of_number = (
        select(chat_threads.c.id)
        .join(jobs, jobs.c.id == chat_threads.c.job_id)
        .join(customers, customers.c.id == jobs.c.customer_id)
        .where(customers.c.phone == number)
    )
    shown = of_number.where(
        chat_threads.c.visibility == Visibility.CUSTOMER_VISIBLE, chat_threads.c.status == ThreadStatus.OPEN
    )
    return list(tx.conn.execute(shown).scalars())


def _consent(row: AnyRow) -> Consent:
    by = Person(row.user_id, row.user_name, Role(row.user_role)) if row.user_id else None
    return Consent(row.number, ConsentState(row.state), row.at, ConsentHow(row.how), row.note, by)
