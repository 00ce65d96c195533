"""Servers that are set up otherwise than the one most tests share, and what else only some tests need."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from tests import serving
from tests.cast import PASSWORD_HASH, Cast, gather
from tests.conftest import DATABASES, database_url
from tests.serving import Serving

from jobthread.actions import passwords


@pytest.fixture(scope="session", params=DATABASES)
def strict_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """As in real life: rate limits and metrics on, and behind a proxy on this very machine."""
    folder = tmp_path_factory.mktemp("strict")
    running = serving.serve(
        database_url(request.param, folder),
        folder,
        RATE_LIMITS="on",
        METRICS="on",
        TRUSTED_PROXIES="127.0.0.1",
    )
    yield running
    running.stop()


@pytest.fixture
def strict_cast(strict_server: Serving) -> Iterator[Cast]:
    """Everybody at the strict server; `X-Forwarded-For` says where somebody sits."""
    serving.empty(strict_server)
    yield gather(strict_server)
    strict_server.close_browsers()


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with little memory, for tests that are not about its cost."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(passwords, "_NOBODY", PASSWORD_HASH)
