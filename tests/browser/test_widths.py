"""Nothing has to be pushed sideways: on a narrow phone, at a wide desk, with large letters and long words."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import People
from tests.browser.screens import Screen, furnished, go_to, staff_screens, walk
from tests.cast import Cast

pytestmark = pytest.mark.parametrize("width", [360, 1600])
TEXT_SIZES = ("100%", "200%")

# What scrolls sideways, what one would press or type into beyond the edge, and words cut off without a sign.
SIDEWAYS = """() => {
  const faults = [];
  const name = (e) => `${e.tagName.toLowerCase()} ${e.className} “${e.textContent.trim().slice(0, 30)}”`;
  const widest = (e) => [...e.querySelectorAll("*")].reduce(
    (most, one) => one.getBoundingClientRect().right >= most.getBoundingClientRect().right ? one : most, e);
  if (document.scrollingElement.scrollWidth > innerWidth)
    faults.push(`the page is ${document.scrollingElement.scrollWidth} px wide`);
  for (const e of document.querySelectorAll("body *")) {
    const { left, right, width } = e.getBoundingClientRect();
    const { overflowX } = getComputedStyle(e);
    const seen = e.checkVisibility({ visibilityProperty: true }) && width > 1;
    if (!seen) continue;
    if (["auto", "scroll"].includes(overflowX) && e.scrollWidth > e.clientWidth + 1)
      faults.push(`scrolls sideways: ${name(e)} because of ${name(widest(e))}`);
    if (e.matches("a, button, input, select, textarea") && (left < -1 || right > innerWidth + 1))
      faults.push(`beyond the edge: ${name(e)} from ${Math.round(left)} to ${Math.round(right)}`);
  }
  return faults;
}"""


def sideways(page: Page) -> list[str]:
    faults = []
    for size in TEXT_SIZES:
        page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
        faults += [f"with text at {size}: {fault}" for fault in page.evaluate(SIDEWAYS)]
    return faults


def test_no_screen_of_the_staffs_app_scrolls_sideways(
    people: People, someone: Callable[..., Page], cast: Cast, width: int
) -> None:
    people.expect_trouble("the server responded with a status of 4")  # what is not there, or empty
    screens = staff_screens(furnished(cast))
    walk(someone(cast.ada, width=width), screens, sideways)


def test_neither_does_the_sign_in_page(someone: Callable[..., Page], width: int) -> None:
    walk(someone(None, width=width), [Screen("/", "Sign in")], sideways)


def test_nor_does_the_customers_page(
    people: People, customer_page: Callable[..., Page], cast: Cast, width: int
) -> None:
    people.expect_trouble("the server responded with a status of 4")
    company = furnished(cast)
    page = customer_page(company.link, width=width)
    expect(page.get_by_label("Write a message")).to_be_visible()
    assert sideways(page) == []
    cast.serving.clock.pass_time(days=1)
    go_to(page, Screen(company.expired_link, "This link has expired"))
    assert sideways(page) == []
