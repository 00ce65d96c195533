"""Every test that touches the store runs twice: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres, serving
from tests.cast import Cast, gather
from tests.serving import Serving

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server for many tests; each of them finds its database empty."""
    folder = tmp_path_factory.mktemp("server")
    running = serving.serve(database_url(request.param, folder), folder)
    yield running
    running.stop()


@pytest.fixture(params=DATABASES)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of its own, not migrated yet: for tests of start-up, backup and faults."""
    return database_url(request.param, tmp_path)


@pytest.fixture
def cast(server: Serving) -> Iterator[Cast]:
    """Everybody, signed in, in an otherwise empty database."""
    serving.empty(server)
    yield gather(server)
    server.close_browsers()


def database_url(kind: str, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder}/jobthread.db"
    return postgres.new_database(postgres.postgres_server())
