"""The ground that browser tests stand on: what goes wrong on a screen does not pass unseen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import People
from tests.cast import Cast

MISHAPS = {
    "a script that throws": ("setTimeout(() => { throw new Error('oh') })", "uncaught: Error: oh"),
    "a complaint on the console": ("console.error('oh')", "error: oh"),
    "an answer that is a refusal": ("fetch('/api/chat/threads/1').then(() => 0)", "status of 404"),
    "a script of another site": (
        "void document.head.append(Object.assign(document.createElement('script'), "
        "{src: 'https://elsewhere.example.com/'}))",
        "Content Security Policy",
    ),
    "a call of another site": ("void fetch('https://elsewhere.example.com/').catch(() => 0)", "violates"),
}


@pytest.mark.parametrize("mishap", MISHAPS)
def test_what_goes_wrong_on_a_screen_fails_the_test(
    people: People, someone: Callable[..., Page], cast: Cast, mishap: str
) -> None:
    script, words = MISHAPS[mishap]
    page = someone(cast.dora)
    page.evaluate(script)
    with pytest.raises(AssertionError, match=re.escape(words)):
        people.had_no_trouble()
    people.expect_trouble(words, "elsewhere.example.com")


def test_a_page_that_goes_elsewhere_fails_the_test(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.dora)
    page.route("https://elsewhere.example.com/", lambda route: route.fulfill(body="hello"))
    page.goto("https://elsewhere.example.com/")
    with pytest.raises(AssertionError, match="asked elsewhere"):
        people.had_no_trouble()
    people.expect_trouble("elsewhere.example.com")


def test_people_sit_at_browsers_of_their_own(someone: Callable[..., Page], cast: Cast) -> None:
    ada, tom = someone(cast.ada), someone(cast.tom, device="phone", locale="es-ES", dark=True)
    expect(ada.get_by_role("link", name="Messages")).to_be_visible()
    expect(tom.get_by_role("link", name="Mensajes")).to_be_visible()
    assert tom.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [390, True]
