"""Migrations: they lead to exactly the tables of this program, at once or not at all, and never back."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine import Engine

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
    """One column or constraint a line; SQLite adds later ones behind another. Their order is no matter."""
    rows = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"))
    lines = re.compile(r"\n|, (?![^(]*\))")
    return {(name, line.strip(" \t,")) for name, sql in rows for line in lines.split(sql or "")}


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


def statements_of_a_migration(url: str) -> int:
    """How many there are up to the commit, and with it; servers that run beside this test do not count."""
    places: list[str] = []
    here = threading.get_ident()

    def note(what: str) -> None:
        if threading.get_ident() == here:
            places.append(what)

    count, commit = (lambda *_: note("statement")), (lambda *_: note("commit"))
    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", commit)
    try:
        schema.migrate(url)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
        event.remove(Engine, "commit", commit)
    return len(places) - places[::-1].index("commit")


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
