"""A private PostgreSQL for the tests: one cluster for each process that asks, on a unix socket only.

It is a child of this process with real settings (fsync on), may be stopped and restarted at will, and ends
with this process, however that ends. PostgreSQL refuses to run as root, so root starts it as another user.

What it costs: 0.7 s for a cluster, 0.2 to 0.4 s for a database, a few milliseconds to empty one.
"""

import atexit
import functools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from sqlalchemy import NullPool, create_engine, make_url, text

ROLE = "jobthread"
PORT = 5432  # Only names the socket's file; no network port is opened.
PATIENCE_SECONDS = 60
_STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SETTINGS = (
    *("listen_addresses=", f"port={PORT}", "unix_socket_permissions=0700", "fsync=on", "log_timezone=UTC"),
    *("shared_buffers=16MB", "max_connections=60", "max_wal_size=256MB", "autovacuum=off"),
)
# Reads from a pipe that only this process holds open: it wakes when this process is gone, even if killed.
_WATCH = """
cat >/dev/null
kill -QUIT "$1"
tries=0
while [ -e "$2/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$2"
"""
# As a replica would: without looking at foreign keys, so the order of the tables is of no matter.
_EMPTY = """
do $$ declare name text; begin
    set local session_replication_role = replica;
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'
        loop execute format('delete from %I', name); end loop;
    for name in select sequencename from pg_sequences where schemaname = 'public'
        loop perform setval(format('%I', name)::regclass, 1, false); end loop;
end $$
"""


@dataclass
class Server:
    """A cluster of our own; `process` and its `watch` are None while it is stopped."""

    folder: Path
    user: int | None
    group: int | None
    process: subprocess.Popen[bytes] | None = None
    watch: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """The address of that database for SQLAlchemy, the same before and after a restart."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.folder}&port={PORT}"

    def connect(self) -> psycopg.Connection:
        """A connection in autocommit to the database that is always there."""
        return psycopg.connect(
            host=str(self.folder),
            port=PORT,
            user=ROLE,
            dbname="postgres",
            autocommit=True,
            connect_timeout=10,
        )


@functools.cache
def postgres_server() -> Server:
    """The cluster of this process, started at the first call and shared by all that follow."""
    return start_server()


def start_server() -> Server:
    """One more cluster, for a test that stops or breaks it; it ends with this process at the latest."""
    account = _unprivileged_account() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="jobthread-pg-"))
    server = Server(folder, account and account.pw_uid, account and account.pw_gid)
    atexit.register(remove, server)
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    _make_cluster(server)
    start(server)
    return server


def start(server: Server) -> None:
    """Starts a stopped cluster and waits until it answers, crash recovery included."""
    command = [_program("postgres"), "-D", str(server.folder / "data")]
    for setting in (f"unix_socket_directories={server.folder}", *_SETTINGS):
        command += ["-c", setting]
    server.process = _spawn(server, command)
    server.watch = subprocess.Popen(
        ["sh", "-c", _WATCH, "watch", str(server.process.pid), str(server.folder)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _wait_until_it_answers(server)


def stop(server: Server, mode: Literal["fast", "immediate"] = "fast") -> None:
    """Stops the cluster; `immediate` is a crash of PostgreSQL: no checkpoint, and the next start recovers."""
    process, watch, server.process, server.watch = server.process, server.watch, None, None
    if watch and watch.stdin:
        watch.kill()
        watch.wait()
        watch.stdin.close()
    if process:
        process.send_signal(_STOP_SIGNALS[mode])
        process.wait(PATIENCE_SECONDS)


def restart(server: Server, mode: Literal["fast", "immediate"] = "immediate") -> None:
    """Stops and starts; every connection is lost, the addresses stay."""
    stop(server, mode)
    start(server)


def remove(server: Server) -> None:
    """Ends the cluster for good, its files with it."""
    stop(server, "immediate")
    shutil.rmtree(server.folder, ignore_errors=True)


def new_database(server: Server, template: str | None = None) -> str:
    """The URL of a fresh database: empty, or a copy of the one at the URL `template`.

    Nobody may be connected to the template.
    """
    name = f"test_{secrets.token_hex(6)}"
    source = (make_url(template).database if template else None) or "template0"
    with server.connect() as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        )
    return server.url(name)


def empty_database(url: str) -> None:
    """Deletes every row but the schema's version, and starts all numbers at 1 again."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(_EMPTY))


def drop_database(server: Server, url: str) -> None:
    """Removes the database at that URL, cutting whoever is still connected."""
    name = make_url(url).database or ""
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _unprivileged_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _make_cluster(server: Server) -> None:
    command = [_program("initdb"), "-D", str(server.folder / "data"), "-U", ROLE, "--auth=trust", "--no-sync"]
    process = _spawn(server, [*command, "--encoding=UTF8", "--locale=C.UTF-8"])
    if process.wait(PATIENCE_SECONDS) != 0:
        raise RuntimeError(f"initdb failed:\n{_log_of(server)}")


def _spawn(server: Server, command: list[str]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches the tests and not the cluster under them."""
    with (server.folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=server.folder,
            user=server.user,
            group=server.group,
            extra_groups=None if server.user is None else [],
            start_new_session=True,
        )


def _program(name: str) -> str:
    """Where Debian keeps PostgreSQL's own programs, the newest version first; else where PATH says."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = shutil.which(name, path=":".join([*map(str, reversed(folders)), os.environ.get("PATH", "")]))
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is not installed here; ./test installs it")
    return found


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as failure:
            ended = server.process is None or server.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{_log_of(server)}") from failure
            time.sleep(0.02)


def _log_of(server: Server) -> str:
    return (server.folder / "server.log").read_text(errors="replace")[-4000:]
