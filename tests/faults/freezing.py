"""A process that serves from PostgreSQL stands still: at rest, or in the midst of a batch."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import make_url

from tests import postgres
from tests.faults.process import wait_until

# One that stopped in the midst of sending stays active for good: it waits for the rest of what it is sent.
_SETTLED = (
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = %s AND state = 'active'"
    " AND wait_event IS DISTINCT FROM 'ClientRead'"
)
_AT_REST = (
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
    " AND state <> 'idle'"
)
_HOLDS_LOCKS = (
    "SELECT count(*) > 0 FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE datname = %s AND state = 'idle in transaction'"
    " AND relation IS NOT NULL AND mode = 'RowShareLock'"
)


@contextmanager
def frozen_at_rest(pid: int, url: str) -> Iterator[None]:
    """It holds nothing in that database for which others would have to wait."""
    with _frozen(pid, url, _AT_REST):
        yield


@contextmanager
def frozen_with_locks(pid: int, url: str) -> Iterator[None]:
    """Its connection holds the locks of a batch."""
    with _frozen(pid, url, _HOLDS_LOCKS):
        yield


@contextmanager
def _frozen(pid: int, url: str, as_wanted: str) -> Iterator[None]:
    database = make_url(url).database or ""
    with postgres.postgres_server().connect() as admin:
        wait_until(lambda: _froze(pid, admin, database, as_wanted))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _froze(pid: int, admin: psycopg.Connection, database: str, as_wanted: str) -> bool:
    os.kill(pid, signal.SIGSTOP)
    # What was under way in PostgreSQL comes to its end first.
    wait_until(lambda: _is_so(admin, _SETTLED, database))
    if _is_so(admin, as_wanted, database):
        return True
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.01)
    return False


def _is_so(admin: psycopg.Connection, asked: str, database: str) -> bool:
    row = admin.execute(asked, [database]).fetchone()
    return row is not None and bool(row[0])
