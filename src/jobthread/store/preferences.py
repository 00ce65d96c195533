"""How people want to be told: staff for themselves, customers for each of their jobs."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import CustomerPreferences, Language, Preferences
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import customer_preferences, notification_preferences, thread_mutes

# --- staff ----------------------------------------------------------------------------------------


def of_staff(tx: Reading, user_id: int) -> Preferences:
    row = tx.conn.execute(
        select(notification_preferences).where(notification_preferences.c.user_id == user_id)
    ).first()
    if row is None:
        return Preferences()
    return Preferences(
        email=bool(row.email),
        push=bool(row.push),
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        time_zone=row.time_zone,
        language=Language(row.language),
        phone=row.phone,
    )


def put(tx: Writing, user_id: int, wanted: Preferences) -> None:
    values = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    _put(tx, notification_preferences, {"user_id": user_id}, values)


def muted(tx: Reading, user_id: int) -> list[int]:
    """The threads that they do not want to hear of."""
    chosen = select(thread_mutes.c.thread_id).where(thread_mutes.c.user_id == user_id)
    return list(tx.conn.execute(chosen.order_by(thread_mutes.c.thread_id)).scalars())


def is_muted(tx: Reading, user_id: int, thread_id: int) -> bool:
    chosen = select(thread_mutes.c.thread_id).where(
        thread_mutes.c.user_id == user_id, thread_mutes.c.thread_id == thread_id
    )
    return tx.conn.execute(chosen).first() is not None


def mute(tx: Writing, user_id: int, thread_id: int) -> None:
    unmute(tx, user_id, thread_id)
    tx.conn.execute(thread_mutes.insert().values(user_id=user_id, thread_id=thread_id))


def unmute(tx: Writing, user_id: int, thread_id: int) -> None:
    tx.conn.execute(
        delete(thread_mutes).where(thread_mutes.c.user_id == user_id, thread_mutes.c.thread_id == thread_id)
    )


# --- customers ------------------------------------------------------------------------------------


def of_customer(tx: Reading, customer_id: int, job_id: int) -> CustomerPreferences:
    """Whether mails are wanted is said for each job; the language is the last one that they used anywhere."""
    rows = tx.conn.execute(
        select(customer_preferences).where(customer_preferences.c.customer_id == customer_id)
    ).all()
    spoken = sorted((row.language_at or 0, row.language) for row in rows if row.language)
    return CustomerPreferences(
        email=all(row.email for row in rows if row.job_id == job_id),
        language=Language(spoken[-1][1]) if spoken else Language.EN,
    )


def customer_wants_email(tx: Writing, customer_id: int, job_id: int, wanted: bool) -> None:
    _put(tx, customer_preferences, {"customer_id": customer_id, "job_id": job_id}, {"email": wanted})


def customer_speaks(tx: Writing, customer_id: int, job_id: int, language: Language) -> None:
    values = {"language": language, "language_at": tx.now}
    _put(tx, customer_preferences, {"customer_id": customer_id, "job_id": job_id}, values, email=True)


def _put(tx: Writing, table: Any, key: dict[str, int], values: dict[str, Any], **at_first: Any) -> None:
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = insert(table).values(**key, **values, **at_first)
    tx.conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
