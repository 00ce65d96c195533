"""Servers that are set up otherwise than the one most tests share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobthread.store import people
from tests import serving
from tests.cast import Cast, gather
from tests.conftest import DATABASES, database_url
from tests.serving import Serving


@pytest.fixture(scope="session", params=DATABASES)
def strict_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
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
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Lets the next look at the list of users raise that."""

    def fails_with(error: Exception) -> None:
        def fail(tx: Any) -> Any:
            raise error

        monkeypatch.setattr(people, "active_staff", fail)

    return fails_with
