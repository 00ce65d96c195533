"""Databases for the deliveries' tests, on both kinds, with a clock in the test's hand."""

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobthread.store import schema
from jobthread.store.database import Database
from tests import postgres
from tests.deliver.post import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with our tables and no rows."""
    if request.param == "sqlite":
        yield _sqlite_url(tmp_path)
        return
    url = _postgres_url()
    yield url
    postgres.drop_database(postgres.postgres_server(), url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return _sqlite_url(tmp_path)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    url = _postgres_url()
    yield url
    postgres.drop_database(postgres.postgres_server(), url)


@pytest.fixture
def db(url: str, clock: Clock) -> Iterator[Database]:
    database = Database(url, clock)
    yield database
    database.close()


def _sqlite_url(folder: Path) -> str:
    url = f"sqlite:///{folder}/jobthread.db"
    schema.migrate(url)
    return url


def _postgres_url() -> str:
    return postgres.new_database(postgres.postgres_server(), _template())


@functools.cache
def _template() -> str:
    url = postgres.new_database(postgres.postgres_server())
    schema.migrate(url)
    return url
