"""Notices between the processes of one PostgreSQL: said after a commit, and never inside of one.

A NOTIFY inside a transaction takes a lock of the whole database until its commit.
"""

import asyncio
from collections.abc import Callable, Iterable

import psycopg
from psycopg import conninfo
from sqlalchemy import make_url, text

from jobthread.store.database import Reading

CHANNEL = "jobthread"
LONGEST = 7_900
"""Bytes: PostgreSQL takes less than 8,000."""
ASKED_EVERY_SECONDS = 10.0
ANSWERED_IN_SECONDS = 5.0

_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


def send(tx: Reading, payloads: Iterable[str]) -> None:
    for payload in payloads:
        tx.conn.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})


async def listen(url: str, listening: Callable[[], None], heard: Callable[[str], None]) -> None:
    """Hand each notice to `heard`, from when `listening` was called; ends with an error only."""
    async with asyncio.timeout(ANSWERED_IN_SECONDS):
        connection = await psycopg.AsyncConnection.connect(_address(url), autocommit=True)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        listening()
        while True:
            async for notice in connection.notifies(timeout=ASKED_EVERY_SECONDS):
                heard(notice.payload)
            # A network that was cut says nothing, for a quarter of an hour.
            async with asyncio.timeout(ANSWERED_IN_SECONDS):
                await connection.execute("SELECT 1")


def _address(url: str) -> str:
    parts = make_url(url)
    named = parts.translate_connect_args(username="user", database="dbname")
    told = {name: value if isinstance(value, str) else ",".join(value) for name, value in parts.query.items()}
    return conninfo.make_conninfo(**(named | told), application_name="jobthread listening")
