"""Chromium, people at their own browsers, and what is kept of a screen on which a test failed.

On SQLite alone: what differs between the databases is below the API, where every test runs on both.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests import serving
from tests.browser.people import PATIENCE_MS, People
from tests.cast import Cast
from tests.conftest import database_url
from tests.serving import Serving

TOP = Path(__file__).resolve().parents[2]
EVIDENCE = TOP / ".cache" / "browser"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def built() -> None:
    """The web app as its sources are now; costs 0.2 s where it stands already."""
    subprocess.run([sys.executable, TOP / "web" / "build.py"], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session", params=["sqlite"])
def server(
    request: pytest.FixtureRequest, built: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    running = serving.serve(database_url(request.param, folder), folder)
    yield running
    running.stop()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Without what is around the page: it takes less than half the processor of the whole browser."""
    yield from launched(playwright, "chromium-headless-shell")


@pytest.fixture(scope="package")
def whole_chromium(playwright: Playwright) -> Iterator[Browser]:
    """For notices of the device, and for what goes on after the page was closed."""
    yield from launched(playwright, "chromium")


def launched(playwright: Playwright, program: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=shutil.which(program), args=QUIET)
    yield browser
    browser.close()


@pytest.fixture
def people(request: pytest.FixtureRequest, server: Serving) -> Iterator[People]:
    """Whoever is at a browser in this test; `expect_trouble` tells what may go wrong on their screens."""
    whole = request.node.get_closest_marker("whole_chromium")
    browser = request.getfixturevalue("whole_chromium" if whole else "chromium")
    present = People(browser, server, server.settings.base_url)
    yield present
    present.leave()


@pytest.fixture
def without_streams(people: People) -> None:
    """Everybody's network holds live updates back."""
    people.streams_pass = False


@pytest.fixture
def someone(people: People, cast: Cast) -> Callable[..., Page]:
    """`someone(cast.dora, "/jobs", device="phone", locale="es-ES", dark=True)`: her page, signed in."""
    return people.someone


@pytest.fixture
def customer_page(people: People, cast: Cast) -> Callable[..., Page]:
    """`customer_page(link["url"])`: the customer's, opened by the link."""
    return people.customer_page


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    people = pyfuncitem.funcargs.get("people")
    try:
        result = yield
        if isinstance(people, People):
            people.had_no_trouble()
    except Exception as error:
        if isinstance(people, People):
            folder = EVIDENCE / re.sub(r"[^\w.]+", "-", pyfuncitem.name)
            people.evidence(folder)
            error.add_note(f"The screens and consoles are in {folder.relative_to(TOP)}")
        raise
    return result
