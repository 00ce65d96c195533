"""Accounts on the screen: who is added, who may do what, and who is shut out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import People
from tests.cast import Cast, ok, refused


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("listitem").filter(has_text=name)


def begin(page: Page, name: str, what: str) -> Locator:
    row(page, name).get_by_role("button", name=what).click()
    return page.get_by_role("dialog")


def test_somebody_new_can_sign_in_with_what_was_typed(
    someone: Callable[..., Page], cast: Cast, quick_hashes: None
) -> None:
    page = someone(cast.ada, "/people")
    page.get_by_role("button", name="New person").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Theo")
    form.get_by_label("E-mail").fill("theo@example.com")
    form.get_by_label("Role").select_option("Technician")
    form.get_by_label("Password").fill("spanner and pliers")
    form.get_by_role("button", name="Create account").click()
    expect(row(page, "Theo")).to_contain_text("Technician")
    asked = {"email": "theo@example.com", "password": "spanner and pliers"}
    ok(cast.stranger().post("/api/auth/login", json=asked))


@pytest.mark.parametrize(
    ("label", "typed", "says"),
    [
        ("Name", "", "Please fill this in"),
        ("E-mail", "theo at home", "This is not an e-mail address"),
        ("E-mail", "dora@example.com", "This e-mail address has an account already."),
        ("Password", "short", "At least 8 characters"),
    ],
)
def test_a_mistake_in_an_account_is_told_at_its_field(
    people: People, someone: Callable[..., Page], cast: Cast, label: str, typed: str, says: str
) -> None:
    people.expect_trouble("status of 422", "status of 409")
    page = someone(cast.ada, "/people")
    page.get_by_role("button", name="New person").click()
    form = page.get_by_role("dialog")
    right = {"Name": "Theo", "E-mail": "theo@example.com", "Password": "spanner and pliers"}
    for name, value in (right | {label: typed}).items():
        form.get_by_label(name).fill(value)
    form.get_by_role("button", name="Create account").click()
    expect(form.get_by_role("alert")).to_have_text(says)
    expect(form.get_by_label(label)).to_be_focused()


def test_a_role_is_changed(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.ada, "/people")
    form = begin(page, "Tom", "Edit")
    form.get_by_label("Role").select_option("Dispatcher")
    form.get_by_role("button", name="Save").click()
    expect(row(page, "Tom")).to_contain_text("Dispatcher")


def test_who_is_deactivated_is_out_at_once_and_can_come_back(
    someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.ada, "/people")
    asked = begin(page, "Tom", "Deactivate")
    expect(asked).to_contain_text("signed out everywhere at once")
    asked.get_by_role("button", name="Deactivate").click()
    expect(row(page, "Tom")).to_contain_text("Deactivated")
    refused(cast.tom.get("/api/jobs"), 401, "not_authenticated")
    begin(page, "Tom", "Reactivate").get_by_role("button", name="Reactivate").click()
    expect(row(page, "Tom").get_by_role("button", name="Deactivate")).to_be_visible()


def test_the_last_admin_stays_and_is_told_why(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble("status of 409")
    page = someone(cast.ada, "/people")
    asked = begin(page, "Ada", "Deactivate")
    asked.get_by_role("button", name="Deactivate").click()
    expect(asked.get_by_role("alert")).to_contain_text("the last active admin")
    asked.get_by_role("button", name="Cancel").click()
    form = begin(page, "Ada", "Edit")
    form.get_by_label("Role").select_option("Technician")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("the last active admin")


def test_a_new_password_signs_its_owner_out(
    someone: Callable[..., Page], cast: Cast, quick_hashes: None
) -> None:
    page = someone(cast.ada, "/people")
    form = begin(page, "Tom", "Set password")
    form.get_by_label("Password").fill("spanner and pliers")
    form.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Tom has a new password.")).to_be_visible()
    refused(cast.tom.get("/api/jobs"), 401, "not_authenticated")


def test_without_signal_an_account_stays_in_the_form(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.ada, "/people")
    form = begin(page, "Tom", "Edit")
    form.get_by_label("Name").fill("Thomas")
    with people.offline(page):
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_contain_text("no connection")
    form.get_by_role("button", name="Save").click()
    expect(row(page, "Thomas")).to_be_visible()
