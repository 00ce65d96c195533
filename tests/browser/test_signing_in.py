"""Coming in, staying in, and going."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import look_for_news
from tests.browser.people import People, kept_in
from tests.cast import PASSWORD, Cast, ok
from tests.faults import process
from tests.faults.process import server_process

pytestmark = pytest.mark.usefixtures("quick_hashes")
REFUSED = "the server responded with a status of 401"


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def is_in(page: Page) -> None:
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def is_out(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("navigation")).not_to_be_attached()


def test_one_signs_in_with_email_and_password_and_goes_where_the_address_says(
    someone: Callable[..., Page],
) -> None:
    page = someone(None, "/account")
    is_out(page)
    sign_in(page, "dora@example.com")
    is_in(page)
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    expect(page.get_by_text("dora@example.com")).to_be_visible()


def test_enter_signs_in_as_well(someone: Callable[..., Page]) -> None:
    page = someone(None)
    page.get_by_label("E-mail").fill("tom@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    is_in(page)


@pytest.mark.parametrize("email", ["dora@example.com", "nobody@example.com"])
def test_a_wrong_password_is_told_in_words_and_what_was_typed_stays(
    people: People, someone: Callable[..., Page], email: str
) -> None:
    people.expect_trouble(REFUSED)
    page = someone(None)
    sign_in(page, email, "a hammer in the works")
    expect(page.get_by_role("alert")).to_have_text("That e-mail and password do not belong together.")
    expect(page.get_by_label("E-mail")).to_have_value(email)
    expect(page.get_by_label("E-mail")).to_be_focused()
    sign_in(page, "dora@example.com")
    is_in(page)


def test_without_signal_signing_in_says_so(people: People, someone: Callable[..., Page]) -> None:
    page = someone(None)
    people.opens_offline(page)
    with people.offline(page):
        sign_in(page, "dora@example.com")
        expect(page.get_by_role("alert")).to_have_text("There is no connection to the server just now.")
    sign_in(page, "dora@example.com")
    is_in(page)


def test_a_real_company_names_nobody_on_its_sign_in_page(someone: Callable[..., Page]) -> None:
    page = someone(None)
    with page.expect_response("**/api/about"):
        page.reload()
    is_out(page)
    expect(page.get_by_text("example.com")).to_have_count(0)


def test_the_demo_names_whom_one_can_be_and_one_press_fills_the_form(
    people: People, someone: Callable[..., Page], tmp_path: Path
) -> None:
    with server_process(tmp_path / "data") as server:
        process.start(server, "--demo")
        home = f"http://localhost:{server.port}"
        people.expect_trouble(f"asked elsewhere: {home}/")
        page = someone(None, f"{home}/")
        expect(page.get_by_role("listitem")).to_have_count(4)
        page.get_by_role("button", name="tom@example.com").click()
        page.get_by_role("button", name="Sign in").click()
        is_in(page)
        expect(page.get_by_text("Tom Reyes").first).to_be_visible()
        people.leave()


def test_who_is_signed_in_stays_so_after_a_reload(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora)
    is_in(page)
    page.reload()
    is_in(page)
    expect(page.get_by_text("Dora")).to_be_visible()


def test_signing_out_in_one_tab_signs_out_the_other(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble(REFUSED)  # whatever the other tab asks meanwhile
    page = someone(cast.dora, "/account")
    other = people.tab(page.context, "/jobs")
    is_in(other)
    page.get_by_role("button", name="Sign out").click()
    is_out(page)
    is_out(other)
    page.reload()
    is_out(page)


def test_who_signed_out_leaves_nothing_of_what_they_read_on_the_device(
    someone: Callable[..., Page], cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    cast.dora.writes(thread, "The key is under the mat")
    page = someone(cast.tom)
    expect(page.get_by_text("The key is under the mat")).to_be_visible()
    assert "under the mat" in str(kept_in(page))
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    is_out(page)
    assert "under the mat" not in str(kept_in(page))


def test_who_is_deactivated_is_told_and_learns_nothing_more(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble(REFUSED)
    page = someone(cast.tom)
    is_in(page)
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
    look_for_news(page)
    expect(page.get_by_text("You have been signed out.")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "tom@example.com")
    expect(page.get_by_role("alert")).to_have_text("That e-mail and password do not belong together.")


def test_whose_session_ended_elsewhere_signs_in_again_and_goes_on(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble(REFUSED)
    page = someone(cast.tom)
    is_in(page)
    page.context.clear_cookies()
    look_for_news(page)
    page.get_by_role("status").get_by_role("link", name="Sign in").click()
    sign_in(page, "tom@example.com")
    expect(page.get_by_text("You have been signed out.")).not_to_be_attached()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()


def test_a_new_password_ends_every_other_session_and_opens_from_then_on(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble(REFUSED, "the server responded with a status of 422")
    page, elsewhere = someone(cast.dora, "/account"), someone(cast.dora)
    is_in(elsewhere)
    change_password(page, "a hammer in the works", "a file in the works")
    expect(page.get_by_role("alert")).to_have_text("That is not your current password.")
    change_password(page, PASSWORD, "short")
    expect(page.get_by_role("alert")).to_have_text("At least 8 characters")
    change_password(page, PASSWORD, "a file in the works")
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    look_for_news(elsewhere)
    expect(elsewhere.get_by_text("You have been signed out.")).to_be_visible()
    later = someone(None)
    sign_in(later, "dora@example.com", "a file in the works")
    is_in(later)


def change_password(page: Page, current: str, fresh: str) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password").fill(fresh)
    page.get_by_role("button", name="Change password").click()


def test_the_language_is_the_browsers_until_one_chooses(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/account", locale="es-ES")
    expect(page.get_by_role("heading", name="Cuenta")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "es"
    page.get_by_label("Idioma").select_option("English")
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
