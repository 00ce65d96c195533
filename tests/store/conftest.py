"""Databases with our tables and no rows, of both kinds."""

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobthread.store import schema
from jobthread.store.database import Database
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
    url = _postgres_database()
    postgres.empty_database(url)
    return url


@functools.cache
def _postgres_database() -> str:
    url = postgres.new_database(postgres.postgres_server())
    schema.migrate(url)
    return url
