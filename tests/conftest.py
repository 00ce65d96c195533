"""Every test that touches the store runs twice: on SQLite and on PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from jobthread.actions import passwords
from tests import log_lines, postgres, serving
from tests.cast import PASSWORD_HASH, Cast, gather
from tests.serving import Serving

DATABASES = ["sqlite", "postgresql"]

# Never the same examples twice, in CI neither; what fails is told with what it takes to see it again.
settings.register_profile("everyday", deadline=None, derandomize=False, print_blob=True, max_examples=50)
settings.register_profile("nightly", settings.get_profile("everyday"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))

log_lines.as_in_tests()


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


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with little memory, for tests that are not about its cost."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(passwords, "_NOBODY", PASSWORD_HASH)


def database_url(kind: str, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder}/jobthread.db"
    return postgres.new_database(postgres.postgres_server())
