"""A server that takes mails in, on both kinds of database, with everybody signed in."""

from collections.abc import Iterator

import pytest

from tests import serving
from tests.conftest import DATABASES, database_url
from tests.receive.post import REPLY_ADDRESS, free_port
from tests.serving import Serving


@pytest.fixture(scope="session", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    running = serving.serve(
        database_url(request.param, folder),
        folder,
        REPLY_ADDRESS=REPLY_ADDRESS,
        MAIL_LISTEN=f"127.0.0.1:{free_port()}",
        METRICS="on",
    )
    yield running
    running.stop()
