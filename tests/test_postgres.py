"""The tests' own PostgreSQL keeps its promises: databases apart, durable, and gone with its process."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """Not the shared one: these tests crash it."""
    server = postgres.start_server()
    yield server
    postgres.remove(server)


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_a_row_in_one_database_is_not_in_another(server: postgres.Server) -> None:
    first, second = postgres.new_database(server), postgres.new_database(server)
    run(first, "create table note as select 'from the first' as body")
    assert run(first, "select body from note") == [("from the first",)]
    assert run(second, "select to_regclass('note')") == [(None,)]


def test_a_database_made_from_a_template_has_its_tables_and_goes_its_own_way(server: postgres.Server) -> None:
    template = postgres.new_database(server)
    run(template, "create table note as select 'from the template' as body")
    copy = postgres.new_database(server, template)
    run(copy, "update note set body = 'changed'")
    assert run(template, "select body from note") == [("from the template",)]
    assert run(postgres.new_database(server, template), "select body from note") == [("from the template",)]


def test_what_was_committed_survives_a_crash_and_answers_at_the_same_address(server: postgres.Server) -> None:
    url = postgres.new_database(server)
    run(url, "create table note as select 'committed' as body")
    before = run(url, "select pg_postmaster_start_time()")
    postgres.restart(server, mode="immediate")
    assert run(url, "select body from note") == [("committed",)]
    assert run(url, "select pg_postmaster_start_time()") != before


def test_a_stopped_server_answers_nobody_until_it_is_started(server: postgres.Server) -> None:
    url = postgres.new_database(server)
    postgres.stop(server)
    try:
        with pytest.raises(OperationalError, match="socket"):
            run(url, "select 1")
    finally:
        postgres.start(server)
    assert run(url, "select 1") == [(1,)]


def test_a_dropped_database_is_gone_though_somebody_was_connected(server: postgres.Server) -> None:
    url = postgres.new_database(server)
    engine = create_engine(url)
    with engine.connect():
        postgres.drop_database(server, url)
        with pytest.raises(OperationalError, match="does not exist"):
            run(url, "select 1")
    engine.dispose()


def test_an_emptied_database_keeps_its_tables_and_counts_from_one_again(server: postgres.Server) -> None:
    url = postgres.new_database(server)
    run(url, "create table job (id bigserial primary key, title text)")
    run(url, "create table visit (job_id bigint references job)")
    run(url, "insert into job (title) values ('Boiler'), ('Roof')")
    run(url, "insert into visit values (1)")
    postgres.empty_database(url)
    assert run(url, "select * from visit") == []
    assert run(url, "insert into job (title) values ('Fence') returning id") == [(1,)]


def test_it_keeps_its_promise_to_write_to_disk(server: postgres.Server) -> None:
    assert run(server.url("postgres"), "show fsync") == [("on",)]
    assert run(server.url("postgres"), "show synchronous_commit") == [("on",)]


def test_a_test_run_that_is_killed_leaves_neither_server_nor_files() -> None:
    script = "from tests import postgres; print(postgres.start_server().folder, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        folder = Path(killed.stdout.readline().strip())
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        killed.kill()
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    """Where nobody reaps orphans, one that has ended stands on as a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
