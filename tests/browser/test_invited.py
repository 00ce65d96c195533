"""Whoever writes to a customer sees whether anything tells the customer of it."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import address
from tests.browser.people import People
from tests.cast import Cast

NOBODY_TELLS = "Carol was sent no link yet and has opened none: nothing tells them of this."


@pytest.fixture
def thread(cast: Cast) -> dict[str, Any]:
    return cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)


def test_until_a_link_is_sent_it_says_that_nothing_tells_the_customer(
    people: People, cast: Cast, thread: dict[str, Any], someone: Callable[..., Page]
) -> None:
    dora = someone(cast.dora, address(thread))
    people.hears(dora)
    expect(dora.get_by_label("Write a message")).to_have_accessible_description(
        f"Read by Carol, the customer, and the team: Tom {NOBODY_TELLS} Send one from the job."
    )
    cast.dora.sends_link(cast.boiler, channels=["email"])
    expect(dora.get_by_text("sent the customer a link")).to_be_visible()
    expect(dora.get_by_text(NOBODY_TELLS)).to_have_count(0)


def test_a_link_that_was_copied_counts_once_it_is_opened(
    people: People, cast: Cast, thread: dict[str, Any], someone: Callable[..., Page]
) -> None:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    dora = someone(cast.dora, address(thread))
    people.hears(dora)
    expect(dora.get_by_text(NOBODY_TELLS)).to_be_visible()
    cast.opens(link)
    dora.reload()
    expect(dora.get_by_label("Write a message")).to_be_visible()
    people.hears(dora)
    expect(dora.get_by_text(NOBODY_TELLS)).to_have_count(0)


def test_a_technician_who_may_not_see_the_links_is_not_asked_about_them(
    people: People, cast: Cast, thread: dict[str, Any], someone: Callable[..., Page]
) -> None:
    asked: list[str] = []
    tom = someone(cast.tom)
    tom.on("request", lambda request: asked.append(request.url))
    tom.goto(address(thread))
    people.hears(tom)
    cast.dora.writes(thread, "Hello")
    expect(tom.get_by_text("Hello").first).to_be_visible()
    expect(tom.get_by_text(NOBODY_TELLS)).to_have_count(0)
    assert not [url for url in asked if url.endswith("/customer-sessions")]
