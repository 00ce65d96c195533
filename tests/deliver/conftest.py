"""Databases for the deliveries' tests, on both kinds, with a clock in the test's hand."""

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobthread.store import schema
from jobthread.store.database import Database
from tests import postgres, serving
from tests.cast import gather
from tests.conftest import database_url
from tests.deliver.closed_office import Office
from tests.deliver.mail_server import MailServer
from tests.deliver.post import Clock
from tests.deliver.telling import Town, town_server
from tests.serving import Serving


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


@pytest.fixture
def office(db: Database, clock: Clock) -> Office:
    return Office(db, clock)


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


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def telling_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Serving, MailServer, Path]]:
    folder = tmp_path_factory.mktemp("telling")
    with town_server(database_url(request.param, folder), folder) as (running, post):
        yield running, post, folder


@pytest.fixture
def town(telling_server: tuple[Serving, MailServer, Path]) -> Iterator[Town]:
    """Everybody, in an otherwise empty database, with a mail server that has taken nothing yet."""
    running, post, folder = telling_server
    serving.empty(running)
    shutil.rmtree(folder / "outbox", ignore_errors=True)
    found = Town(gather(running), post, folder)
    found.forget_mails()
    yield found
    running.close_browsers()
