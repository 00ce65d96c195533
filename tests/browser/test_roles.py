"""Whom the app offers what: what a role may not do is not there, and its address leads nowhere."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import People
from tests.cast import Cast

NOT_FOUND = "the server responded with a status of 404"
MENUS = {
    "ada": ["Messages", "Jobs", "People", "Audit", "Account"],
    "dora": ["Messages", "Jobs", "Account"],
    "tom": ["Messages", "Jobs", "Account"],
}


@pytest.mark.parametrize("name", MENUS)
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_menu_leads_to_what_a_role_may_see(
    someone: Callable[..., Page], cast: Cast, name: str, device: str
) -> None:
    page = someone(getattr(cast, name), device=device)
    menu = page.get_by_role("navigation", name="Main")
    links = menu.get_by_role("listitem").get_by_role("link")
    expect(links).to_have_text(MENUS[name])
    for place in MENUS[name]:
        menu.get_by_role("link", name=place).click()
        expect(page).to_have_url(f"/{place.lower()}")
        expect(menu.get_by_role("link", name=place)).to_have_attribute("aria-current", "page")
        expect(page).to_have_title(f"{place} · Jobthread")
        expect(page.get_by_role("heading", name=place, level=1)).to_be_attached()


@pytest.mark.parametrize("name", ["dora", "tom"])
@pytest.mark.parametrize("address", ["/people", "/audit", "/messages/0", "/jobs/first", "/nowhere"])
def test_an_address_that_is_not_for_one_leads_nowhere_and_back(
    people: People, someone: Callable[..., Page], cast: Cast, name: str, address: str
) -> None:
    people.expect_trouble(NOT_FOUND)
    page = someone(getattr(cast, name), address)
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page).to_have_title("There is nothing here · Jobthread")
    page.get_by_role("link", name="To your messages").click()
    expect(
        page.get_by_role("list", name="Active Chats").or_(page.get_by_text("No threads yet."))
    ).to_be_visible()


def test_nobody_at_an_address_that_is_nothing_learns_it_in_their_language(
    people: People, someone: Callable[..., Page]
) -> None:
    people.expect_trouble(NOT_FOUND)
    page = someone(None, "/customer/chats?token=cut-off")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_text("If you came by a link in a message")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("E-mail")).to_be_focused()
    spanish = someone(None, "/nowhere", locale="es-MX")
    expect(spanish.get_by_role("heading", name="Aquí no hay nada")).to_be_visible()


def test_the_way_back_leads_from_screen_to_screen(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
