"""Coming in, staying in, and going."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.cast import PASSWORD, Cast


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_one_signs_in_with_email_and_password(someone: Callable[..., Page], quick_hashes: None) -> None:
    page = someone(None)
    sign_in(page, "dora@example.com")
    expect(page.get_by_role("link", name="Messages")).to_be_visible()


def test_who_is_signed_in_stays_so_after_a_reload(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora)
    expect(page.get_by_text("Dora")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Dora")).to_be_visible()
