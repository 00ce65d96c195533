"""Who has a page of ours before their eyes, as they say themselves; it ends by itself."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import Micros, Reader
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import presence

KEPT: Micros = 30 * 86_400_000_000
"""Whether somebody came back since they were told is asked for so long."""


def put(tx: Writing, reader: Reader, job_id: int, place: str, visible_until: Micros) -> None:
    """`place` is one of their browsers: what one says ends nothing at another."""
    kind, reader_id = reader
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = insert(presence).values(
        reader_kind=kind,
        reader_id=reader_id,
        job_id=job_id,
        place=place,
        visible_until=visible_until,
        seen_at=tx.now,
    )
    tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["reader_kind", "reader_id", "job_id", "place"],
            set_={"visible_until": visible_until, "seen_at": tx.now},
        )
    )


def visible_until(tx: Reading, reader: Reader, job_id: int) -> Micros | None:
    """Until when they are present, if nothing more is heard; None where they are not."""
    kind, reader_id = reader
    longest = select(func.max(presence.c.visible_until)).where(
        presence.c.reader_kind == kind,
        presence.c.reader_id == reader_id,
        presence.c.job_id == job_id,
        presence.c.visible_until > tx.now,
    )
    return tx.conn.execute(longest).scalar()


def sweep(tx: Writing) -> None:
    tx.conn.execute(delete(presence).where(presence.c.seen_at <= tx.now - KEPT))
