"""Migrations: they lead to exactly the tables of this program, at once or not at all, and never back."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pysqlite3.dbapi2 as sqlite_module
import pytest
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import IntegrityError

from jobthread.store import engines, schema
from jobthread.store.schema import SchemaError
from jobthread.store.search import SQLITE_TABLES
from jobthread.store.tables import metadata
from tests.conftest import database_url
from tests.faults import process
from tests.faults.chance import LONG, seeded
from tests.faults.process import ROOT, environment, server_process

KILLS = 50 if LONG else 5
AT_ONCE = 4


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = engines.for_writing(url)
    try:
        with engine.begin() as conn:
            yield conn
    finally:
        engine.dispose()


def set_version(url: str, version: str) -> None:
    with connected(url) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def structure(url: str) -> set[tuple[object, ...]]:
    """Every column, constraint, index and table option there is, but for Alembic's own table."""
    with connected(url) as conn:
        return _of_sqlite(conn) if conn.dialect.name == "sqlite" else _of_postgres(conn)


def _of_sqlite(conn: Connection) -> set[tuple[object, ...]]:
    """Each column and constraint; their order in the table is of no matter."""
    rows = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"))
    return {(name, part) for name, sql in rows for part in _parts(sql or "")}


def _parts(sql: str) -> list[str]:
    """A column added later brings its reference along, where the others have theirs as a constraint.

    A table that was made anew has its name in quotes.
    """
    references = r"CONSTRAINT (\w+) REFERENCES (\w+) \((\w+)\)"
    as_constraint = r"\1 \2, CONSTRAINT \3 FOREIGN KEY(\1) REFERENCES \4 (\5)"
    apart = re.sub(rf"(\w+) (\w+) {references}", as_constraint, sql.replace('"', ""))
    # At the commas outside of parentheses, and at those around all of it.
    parts = re.split(r",(?![^()]*\)(?!\s*$))|\n", apart)
    return [re.sub(r"\s+", " ", part).strip() for part in parts if part.strip()]


def _of_postgres(conn: Connection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(text(_STRUCTURE))}


_STRUCTURE = """
    SELECT table_name::text AS name, column_name::text,
        concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        AND conrelid <> coalesce(to_regclass('alembic_version'), 0)
    UNION ALL SELECT tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""


def test_migrations_lead_to_exactly_the_tables_of_this_program(
    fresh_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert schema.migrate(fresh_url)
    declared = database_url(make_url(fresh_url).get_backend_name(), tmp_path_factory.mktemp("declared"))
    with connected(declared) as conn:
        metadata.create_all(conn)
        if conn.dialect.name == "sqlite":
            for statement in SQLITE_TABLES:
                conn.execute(text(statement))
    assert structure(fresh_url) == structure(declared)


def test_search_has_its_index_on_both_databases(fresh_url: str) -> None:
    schema.migrate(fresh_url)
    found = " ".join(map(str, structure(fresh_url)))
    of_sqlite = ["search_messages USING fts5", "search_subjects USING fts5"]
    of_postgres = ["chat_messages USING gin (words)", "chat_threads USING gin (words)"]
    for part in of_sqlite if fresh_url.startswith("sqlite") else of_postgres:
        assert part in found


def test_migrating_twice_is_fine(fresh_url: str) -> None:
    assert schema.migrate(fresh_url) is True
    before = structure(fresh_url)
    assert schema.migrate(fresh_url) is False
    assert structure(fresh_url) == before


@pytest.mark.parametrize("version", schema.versions()[1:])
def test_every_older_schema_is_brought_up_to_date(fresh_url: str, version: str) -> None:
    with connected(fresh_url) as conn:
        schema.upgrade_on(conn, version)
    assert schema.migrate(fresh_url) is True
    with connected(fresh_url) as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == schema.HEAD


def test_customers_who_waited_before_wait_on_and_nobody_is_told_of_them(fresh_url: str) -> None:
    with connected(fresh_url) as conn:
        schema.upgrade_on(conn, "0001")
        for statement in _BEFORE_WAITING.split(";"):
            conn.execute(text(statement))
        for thread, seq, kind, sender in SAID_BEFORE:
            said = {"thread": thread, "seq": seq, "kind": kind, "sender": sender}
            conn.execute(text(_SAID), said | {"one": f"{thread}-{seq}", "at": 100 * thread + seq})
    schema.migrate(fresh_url)
    with connected(fresh_url) as conn:
        rows = conn.execute(text("SELECT id, waiting_since, escalated FROM chat_threads ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [(1, 103, 2), (2, None, 0), (3, None, 0), (4, 401, 2)]


SAID_BEFORE = [
    *((1, 1, "message", "customer"), (1, 2, "message", "staff"), (1, 3, "message", "customer")),
    *((1, 4, "event", "staff"), (1, 5, "message", "customer")),
    *((2, 1, "message", "customer"), (2, 2, "message", "staff")),
    *((3, 1, "message", "customer"),),
    *((4, 1, "message", "customer"), (4, 2, "message", "customer")),
]
"""(Thread, seq, kind, sender); the third thread is closed, nobody ever answered in the fourth."""
_SAID = (
    "INSERT INTO chat_messages"
    " (thread_id, seq, number, kind, sender_kind, sender_id, body, client_msg_id, created_at)"
    " VALUES (:thread, :seq, 1, :kind, :sender, 1, '', :one, :at)"
)
_BEFORE_WAITING = """
    INSERT INTO customers (id, name, search, created_at) VALUES (1, 'Carol', '', 0);
    INSERT INTO jobs (id, reference, title, status, customer_id, search, created_at)
    VALUES (1, '1', 'Boiler', 'active', 1, '', 0);
    INSERT INTO chat_threads (id, subject, visibility, status, job_id, created_at, active_at, last_seq,
        message_count, last_sender_kind)
    VALUES (1, '', 'customer_visible', 'open', 1, 0, 0, 5, 4, 'customer'),
        (2, '', 'customer_visible', 'open', 1, 0, 0, 2, 2, 'staff'),
        (3, '', 'customer_visible', 'closed', 1, 0, 0, 1, 1, 'customer'),
        (4, '', 'customer_visible', 'open', 1, 0, 0, 2, 2, 'customer')
"""


def test_a_schema_newer_than_the_program_is_refused_and_left_alone(fresh_url: str, tmp_path: Path) -> None:
    schema.migrate(fresh_url)
    set_version(fresh_url, "9999")
    before = structure(fresh_url)
    with pytest.raises(SchemaError, match="newer"):
        schema.migrate(fresh_url)
    environ = environment(tmp_path, fresh_url, PORT=str(process.free_port()))
    for command in ("serve", "migrate"):
        refused = process.run(command, environ=environ)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("jobthread: The database has schema 9999, which is newer")
        assert refused.stderr.count("\n") == 1
    assert structure(fresh_url) == before


def test_an_unreachable_database_is_one_line(tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg://jobthread@/nowhere?host={tmp_path}&port=1"
    with pytest.raises(SchemaError, match="cannot be opened"):
        schema.migrate(nowhere)
    (tmp_path / "jobthread.db").write_text("These are notes, and no database at all. " * 100)
    with pytest.raises(SchemaError, match="file is not a database"):
        schema.migrate(f"sqlite:///{tmp_path}/jobthread.db")


def test_links_that_were_sent_before_there_were_notifications_are_kept(fresh_url: str) -> None:
    migrate_to(fresh_url, "0001")
    with connected(fresh_url) as conn:
        conn.execute(text("INSERT INTO customers (id, name, search, created_at) VALUES (3, 'Carol', '', 0)"))
        conn.execute(text(_JOB))
        conn.execute(text(_LINK), {"hash": bytes(32)})
        for sealed in (b"sealed", None):
            conn.execute(text(_DELIVERY), {"sealed": sealed})
    assert schema.migrate(fresh_url)
    with connected(fresh_url) as conn:
        rows = conn.execute(text(_KEPT)).all()
        assert [tuple(row) for row in rows] == [
            (1, "invitation", "customer", 3, 7, 5, "carol@example.com", b"sealed", None),
            (2, "invitation", "customer", 3, 7, 5, "carol@example.com", None, None),
        ]
        assert conn.execute(text(_NEW)).scalar() == 3, "ids go on where they were"


def test_what_was_said_before_the_table_was_made_anew_stands_there_and_is_never_doubled(
    fresh_url: str,
) -> None:
    migrate_to(fresh_url, "0007")
    with connected(fresh_url) as conn:
        for statement in _SAID_AND_MAILED:
            conn.execute(text(statement))
        before = conn.execute(text("SELECT * FROM chat_messages ORDER BY id")).all()
    schema.migrate(fresh_url)
    with connected(fresh_url) as conn:
        assert conn.execute(text("SELECT * FROM chat_messages ORDER BY id")).all() == before
        assert conn.execute(text("SELECT message_id FROM incoming_mails")).scalar() == 2
        again = {"thread": 1, "seq": 9, "kind": "message", "sender": "staff", "one": "m-1", "at": 0}
        with pytest.raises(IntegrityError), conn.begin_nested():
            conn.execute(text(_SAID), again)
        with pytest.raises(IntegrityError), conn.begin_nested():
            conn.execute(
                text("INSERT INTO incoming_mails SELECT 2, 0, :h, 'staff', 1, 1, '', NULL, 99, 0, ''"),
                {"h": b"2"},
            )
        new = conn.execute(text(_SAID + " RETURNING id"), again | {"one": "m-2", "seq": 3}).scalar_one()
        assert new > 2, "ids go on where they were"


def test_an_update_that_would_leave_something_referring_to_nothing_is_undone(tmp_path: Path) -> None:
    url = database_url("sqlite", tmp_path)
    migrate_to(url, "0007")
    with closing(sqlite_module.connect(tmp_path / "jobthread.db")) as unguarded, unguarded:
        unguarded.execute(_SAID_AND_MAILED[-1])
    before = structure(url)
    with pytest.raises(SchemaError, match="incoming_mails would refer to chat_messages that are not there"):
        schema.migrate(url)
    assert structure(url) == before


_SAID_AND_MAILED = (
    "INSERT INTO chat_threads (id, subject, visibility, status, created_at, active_at, last_seq,"
    " message_count) VALUES (1, '', 'internal', 'open', 0, 0, 2, 2)",
    "INSERT INTO chat_messages (thread_id, seq, number, kind, sender_kind, sender_id, body, client_msg_id,"
    " created_at, ip, user_agent, via)"
    " VALUES (1, 1, 1, 'message', 'staff', 1, 'Hello', 'm-1', 7, NULL, NULL, NULL),"
    " (1, 2, 2, 'message', 'customer', 1, 'Hi', 'm-1', 8, '127.0.0.1', 'Phone', 'email')",
    "INSERT INTO incoming_mails (received_at, mail_hash, reader_kind, reader_id, thread_id, outcome,"
    " message_id, size, raw_name) VALUES (0, '1', 'customer', 1, 1, '', 2, 0, '')",
)


def migrate_to(url: str, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with connected(url) as conn:
        config.attributes["connection"] = conn
        alembic.upgrade(config, version)


_JOB = (
    "INSERT INTO jobs (id, reference, title, status, customer_id, search, created_at)"
    " VALUES (5, '101', 'Boiler off', 'active', 3, '', 0)"
)
_LINK = (
    "INSERT INTO chat_magic_sessions (id, job_id, customer_id, token_hash, created_at, expires_at, use_count)"
    " VALUES (7, 5, 3, :hash, 0, 1, 0)"
)
_DELIVERY = (
    "INSERT INTO deliveries (channel, recipient, status, magic_session_id, job_id, sealed_token,"
    " attempts, unknown_ends, due_at, created_at)"
    " VALUES ('email', 'carol@example.com', 'queued', 7, 5, :sealed, 1, 0, 0, 0)"
)
_KEPT = (
    "SELECT id, kind, reader_kind, reader_id, magic_session_id, job_id, recipient, sealed_token, thread_id"
    " FROM deliveries ORDER BY id"
)
_NEW = (
    "INSERT INTO deliveries (kind, channel, recipient, status, reader_kind, reader_id, attempts,"
    " unknown_ends, due_at, created_at)"
    " VALUES ('test', 'email', 'a@example.com', 'queued', 'staff', 1, 0, 0, 0, 0)"
    " RETURNING id"
)


# --- interrupted, and at once ---------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from jobthread.store import schema
left = int(sys.argv[2])
def count(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Engine, "before_cursor_execute", count)
event.listen(Engine, "commit", count)
schema.migrate(sys.argv[1])
"""


def test_a_migration_killed_anywhere_leaves_a_database_that_migrates(
    fresh_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind, chance = make_url(fresh_url).get_backend_name(), seeded()
    every = statements_of_a_migration(database_url(kind, tmp_path_factory.mktemp("counted")))
    for left in [every - 1, *(chance.randrange(every) for _ in range(KILLS))]:
        with child(_KILLED, fresh_url, str(left)) as killed:
            assert killed.wait(process.PATIENCE_SECONDS) == -9, f"before statement {left} of {every}"
        assert structure(fresh_url) == set(), f"killed before statement {left}, it left something behind"
    assert schema.migrate(fresh_url)
    assert structure(fresh_url) != set()


_COUNTED = """
import sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from jobthread.store import schema
places = []
event.listen(Engine, "before_cursor_execute", lambda *_: places.append("statement"))
event.listen(Engine, "commit", lambda *_: places.append("commit"))
schema.migrate(sys.argv[1])
print(len(places) - places[::-1].index("commit"))
"""


def statements_of_a_migration(url: str) -> int:
    """How many there are up to the commit, and with it; apart from what servers of other tests do here."""
    with child(_COUNTED, url) as counting:
        assert counting.stdout is not None
        return int(counting.stdout.read())


_AT_ONCE = """
import sys
import alembic.command, alembic.config
from jobthread.store import schema
print("here", flush=True)
sys.stdin.readline()
schema.migrate(sys.argv[1])
"""


def test_several_programs_may_migrate_at_once(fresh_url: str) -> None:
    crowd = [child(_AT_ONCE, fresh_url) for _ in range(AT_ONCE)]
    try:
        for one in crowd:
            assert one.stdout
            assert one.stdout.readline() == "here\n"
        for one in crowd:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        assert [one.wait(process.PATIENCE_SECONDS) for one in crowd] == [0] * AT_ONCE
    finally:
        for one in crowd:
            one.kill()
            one.communicate()
    assert schema.migrate(fresh_url) is False


def test_who_finds_a_new_file_being_written_waits_for_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite_module.connect(tmp_path / "jobthread.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE a (b)")
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO a VALUES (1)")
        monkeypatch.setattr("jobthread.store.engines.time.sleep", lambda _: other.execute("COMMIT"))
        with connected(f"sqlite:///{tmp_path}/jobthread.db") as conn:
            assert conn.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_two_servers_on_a_fresh_postgresql_both_serve(tmp_path: Path) -> None:
    url = database_url("postgresql", tmp_path)
    with server_process(tmp_path / "a", url) as one, server_process(tmp_path / "b", url) as other:
        for server in (one, other):
            process.spawn(server)
        for server in (one, other):
            process.wait_until_ready(server)


def child(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=environment(ROOT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# --- a database that would not keep what it acknowledges ------------------------------------------


def test_a_postgresql_that_does_not_wait_for_its_disk_is_refused(tmp_path: Path) -> None:
    url = database_url("postgresql", tmp_path)
    with connected(url) as conn:
        name = conn.execute(text("SELECT current_database()")).scalar()
        conn.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    refused = process.run("serve", environ=environment(tmp_path, url, PORT=str(process.free_port())))
    assert refused.returncode == 2
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("jobthread: ")]
    assert "synchronous_commit=off" in line
    assert "Traceback" not in refused.stderr
