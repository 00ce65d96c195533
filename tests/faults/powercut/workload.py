"""Writes messages into a database under the recorder: `workload URL SYNCHRONOUS MESSAGES`.

What was acknowledged goes to the file `acknowledged` beside the database, a line each, written the moment
the writer is told: the recorder sees those lines among the writes and syncs of the database, in their order.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, text

from jobthread.actions import messages
from jobthread.entities import Actor, Staff
from jobthread.store import people
from jobthread.store.database import Database, Reading
from jobthread.store.opening import sqlite_file
from tests.faults.company import body_of

MARKERS = "acknowledged"
SHARES = (0.1, 0.9)
"""Of the messages at each opening: a close removes the journal, and the many of the last wrap it round."""
WRITERS = 6


@dataclass(frozen=True)
class _Writing:
    db: Database
    staff: Staff
    thread_ids: list[int]
    name: str
    markers: int


async def work(url: str, synchronous: str, count: int) -> None:
    file = sqlite_file(url)
    assert file is not None
    markers = os.open(file.parent / MARKERS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for opening, share in enumerate(SHARES):
        db = Database(url)
        _let_sync(db, synchronous)
        staff = await db.read(people.active_staff)
        thread_ids = await db.read(_all_threads)
        crowd = [
            _Writing(db, staff[place % len(staff)], thread_ids, f"{opening}{place}", markers)
            for place in range(WRITERS)
        ]
        await asyncio.gather(*(_write(one, round(count * share / WRITERS)) for one in crowd))
        db.close()


def _let_sync(db: Database, synchronous: str) -> None:
    """Nothing changes for FULL, which is what the database sets by itself: the control weakens it here."""
    if synchronous == "FULL":
        return

    def weaken(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA synchronous={synchronous}")

    event.listen(db.writer_engine, "connect", weaken)


def _all_threads(tx: Reading) -> list[int]:
    return list(tx.conn.execute(text("SELECT id FROM chat_threads ORDER BY id")).scalars())


async def _write(one: _Writing, count: int) -> None:
    for number in range(count):
        thread_id, client_msg_id = one.thread_ids[number % len(one.thread_ids)], f"{one.name}-{number}"
        send = messages.Send(Actor(one.staff, "", ""), thread_id, body_of(client_msg_id), client_msg_id)
        sent = await one.db.write_one_of_many(messages.send_all, send)
        assert isinstance(sent, messages.Sent)
        line = [["staff", one.staff.id], thread_id, sent.message.seq, client_msg_id]
        os.write(one.markers, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
