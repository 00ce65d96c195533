"""How connections are opened: SQLite made durable and strict, PostgreSQL in autocommit for reads."""

import os
import socket
import time
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import pysqlite3.dbapi2 as sqlite_module
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from jobthread.errors import Unavailable

SQLITE_NEEDED = (3, 51, 3)
"""Below this SQLite can lose committed transactions when two connections checkpoint (the WAL-reset bug)."""

_TURN_SECONDS = 10.0
_CHECKPOINT_PAGES = 16_000
"""64 MB: a page that many messages change meanwhile is copied into the database once, and not each time."""

# The writer finds everything by key, a batch of them in one JSON parameter. PostgreSQL knows nothing of what
# is in it, takes any batch for 100 rows, and would read small tables whole, after planning anew each time.
_BY_KEY = " -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan"
_PLANS_SECONDS = 2.0
"""How long the writer keeps a plan. One from when a table was empty finds each index as good as any other,
and nothing tells PostgreSQL of what is in it by now before it next gathers statistics."""


def for_writing(url: str) -> Engine:
    if is_sqlite(url):
        return _sqlite(url, begin="BEGIN IMMEDIATE", pool_size=1)
    # No ping before use: the writer tries again by itself where nothing was written yet.
    engine = _postgres(url, _BY_KEY, pool_size=1)
    event.listen(engine, "begin", _forget_old_plans)
    return engine


def for_reading(url: str, readers: int) -> Engine:
    if is_sqlite(url):
        return _sqlite(url, begin="BEGIN", pool_size=readers)
    return _postgres(url, "", pool_size=readers, isolation_level="AUTOCOMMIT", pool_pre_ping=True)


def insist_on_transaction(conn: Connection) -> None:
    """Raises where the transaction was undone already: its commit would succeed, and keep nothing.

    So it is after an error that somebody swallowed: PostgreSQL answers COMMIT with ROLLBACK, and SQLite's
    driver has nothing to commit.
    """
    driver: Any = conn.connection.dbapi_connection
    if conn.dialect.name == "sqlite":
        undone = not driver.in_transaction
    else:
        undone = driver.pgconn.transaction_status == TransactionStatus.INERROR
    if undone:
        raise RuntimeError("An error was swallowed: the database has undone the transaction")


def translated(conn: Connection, error: Exception) -> DBAPIError:
    """The driver's error as SQLAlchemy would have raised it; a connection that is lost is given up."""
    lost = conn.invalidated or conn.dialect.is_disconnect(error, conn.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost and not conn.invalidated:
        conn.invalidate(error)
    made: DBAPIError = DBAPIError.instance(  # type: ignore[assignment]
        None,
        None,
        error,
        conn.dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=conn.dialect,
    )
    return made


def hang_up(engine: Engine) -> None:
    """Cut the connections to PostgreSQL, and make no more: whoever waits for an answer fails at once."""
    event.listen(engine, "do_connect", _refuse)
    for connection in list(_connected.get(engine, ())):
        # Its own close would pull the socket from under the thread that waits, which would sleep on.
        with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


def _refuse(*_: object) -> None:
    raise Unavailable("The server is stopping")


def _forget_old_plans(connection: Connection) -> None:
    known, now = connection.connection.info, time.monotonic()
    if now - known.setdefault("planned_at", now) > _PLANS_SECONDS:
        known["planned_at"] = now
        connection.exec_driver_sql("DISCARD PLANS")


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _sqlite(url: str, *, begin: str, pool_size: int) -> Engine:
    if sqlite_module.sqlite_version_info < SQLITE_NEEDED:
        raise RuntimeError(f"SQLite {sqlite_module.sqlite_version} is too old: 3.51.3 or newer is needed")
    engine = create_engine(
        url,
        module=sqlite_module,
        hide_parameters=True,
        # The driver must not begin transactions by itself: it would begin them too late, as readers.
        connect_args={"isolation_level": None, "check_same_thread": False},
        pool_size=pool_size,
        max_overflow=0,
    )

    def prepare(connection: Any, _record: Any) -> None:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA busy_timeout=10000")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")

    def begin_transaction(connection: Connection) -> None:
        # The driver's own call: SQLAlchemy's would take longer for the BEGIN than SQLite does.
        try:
            connection.connection.dbapi_connection.execute(begin)  # type: ignore[union-attr]
        except sqlite_module.Error as error:
            raise translated(connection, error) from error

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin_transaction)
    return engine


def _write_ahead(connection: Any) -> None:
    """Where several programs meet on a new file, SQLite may refuse instead of waiting for its turn."""
    until = time.monotonic() + _TURN_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite_module.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _postgres(url: str, settings: str, *, pool_size: int, **options: Any) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        # An error quotes its statement: without what it was given, which may be what people said.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            # Without it a cut network holds the writer for a quarter of an hour. In milliseconds.
            "tcp_user_timeout": 10_000,
            # The same for a host that dies while it owes us an answer. In seconds.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "application_name": "jobthread",
            # The last of ours: a server that is frozen must not keep its locks from the others for as long as
            # their callers wait, ten seconds. Nor may one whose host is gone in the midst of sending.
            "options": "-c statement_timeout=20000 -c lock_timeout=10000"
            " -c idle_in_transaction_session_timeout=5000"
            " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2" + settings,
        },
        **options,
    )
    connected = _connected[engine] = set()
    event.listen(engine, "connect", lambda connection, _record: connected.add(connection))
    event.listen(engine, "close", lambda connection, _record: connected.discard(connection))
    return engine


_connected: WeakKeyDictionary[Engine, set[Any]] = WeakKeyDictionary()
"""Every connection to PostgreSQL that is open, by its engine."""
