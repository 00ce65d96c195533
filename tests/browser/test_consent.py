"""A customer has asked for no more texts: staff see it where they write, and on the job."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import address
from tests.browser.people import People
from tests.browser.test_axe import violations
from tests.cast import Cast, ok


@pytest.fixture
def carol(cast: Cast) -> str:
    return f"/api/customers/{cast.boiler.customer.id}"


def test_dora_sees_where_she_writes_that_carol_wants_no_texts(
    people: People, someone: Callable[..., Page], cast: Cast, carol: str
) -> None:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    inside = cast.dora.opens_thread(cast.tom, job=cast.boiler)
    cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    page = someone(cast.dora, address(thread))
    people.hears(page)
    field = page.get_by_label("Write a message")
    expect(field).to_have_accessible_description("Read by Carol, the customer, and the team: Tom")
    ok(cast.dan.post(f"{carol}/sms-stop", {"note": "Asked on the phone"}))
    expect(page.get_by_text("Carol has asked for no more texts, and is told by e-mail.")).to_be_visible()
    expect(field).to_have_accessible_description(
        "Read by Carol, the customer, and the team: Tom "
        "Carol has asked for no more texts, and is told by e-mail."
    )
    assert violations(page) == []
    ok(cast.dora.patch(carol, {"email": None}))
    page.reload()
    expect(page.get_by_text("no e-mail address is on file")).to_be_visible()
    page.goto(address(inside))
    expect(page.get_by_label("Write a message")).to_have_accessible_description("Only staff read this: Tom")


def test_the_job_says_so_too_and_offers_no_link_by_text(
    someone: Callable[..., Page], cast: Cast, carol: str
) -> None:
    ok(cast.dora.post(f"{carol}/sms-stop", {"note": "Asked on the phone"}))
    page = someone(cast.dora, f"/jobs/{cast.boiler.ref.id}", device="phone", locale="es-ES")
    expect(page.get_by_text("No más SMS")).to_be_visible()
    page.get_by_role("button", name="Enviar enlace").click()
    by_text = page.get_by_role("checkbox", name="Sin SMS: +12025550101 pidió no recibir más.")
    expect(by_text).to_be_disabled()
    expect(by_text).not_to_be_checked()
