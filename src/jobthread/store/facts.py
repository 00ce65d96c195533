"""Small facts about this database: whether it is a demo, when a backup was taken, and the like."""

from sqlalchemy import delete, insert, select

from jobthread.store.database import Reading, Writing
from jobthread.store.tables import facts


def get(tx: Reading, name: str) -> str | None:
    return tx.conn.execute(select(facts.c.value).where(facts.c.name == name)).scalar()


def put(tx: Writing, name: str, value: str) -> None:
    drop(tx, name)
    tx.conn.execute(insert(facts).values(name=name, value=value))


def drop(tx: Writing, name: str) -> None:
    tx.conn.execute(delete(facts).where(facts.c.name == name))
