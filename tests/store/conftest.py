"""Databases with our tables and no rows, of both kinds."""

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, insert

from jobthread.store import audit, schema
from jobthread.store.database import Database
from jobthread.store.tables import audit_head
from tests import postgres
from tests.conftest import DATABASES


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return sqlite_url(tmp_path) if request.param == "sqlite" else postgres_url()


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    db = Database(url)
    yield db
    db.close()


def sqlite_url(folder: Path) -> str:
    url = f"sqlite:///{folder}/jobthread.db"
    schema.migrate(url)
    return url


def postgres_url() -> str:
    """One for all tests of this process, emptied of all but what a migration puts there."""
    url = _postgres_database()
    postgres.empty_database(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(insert(audit_head).values(id=1, position=0, hash=audit.FIRST, mac=b""))
    return url


@functools.cache
def _postgres_database() -> str:
    url = postgres.new_database(postgres.postgres_server())
    schema.migrate(url)
    return url
