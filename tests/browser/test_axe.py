"""What axe finds on any screen, in the light and in the dark, at a desk and on a phone: nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.people import Device, People
from tests.browser.screens import Screen, furnished, go_to, staff_screens, walk
from tests.cast import Cast

pytestmark = pytest.mark.parametrize("device", ["desktop", "phone"])


def violations(page: Page) -> list[str]:
    """All rules in the light; in the dark the colours once more, for nothing else differs there."""
    return [
        *found(page, "light", {}),
        *found(page, "dark", {"runOnly": ["color-contrast"]}),
    ]


def found(page: Page, scheme: Any, options: dict[str, Any]) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    page.evaluate(f"if (!window.axe) {{ {AXE_SCRIPT} }}")
    results = page.evaluate(
        "(options) => axe.run(document, { resultTypes: ['violations'], ...options })", options
    )
    return [
        f"{scheme}: {rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in results["violations"]
        for node in rule["nodes"]
    ]


def test_no_screen_of_the_staffs_app_keeps_anybody_out(
    people: People, someone: Callable[..., Page], cast: Cast, device: Device
) -> None:
    people.expect_trouble("the server responded with a status of 4")  # what is not there, or empty
    screens = staff_screens(furnished(cast))
    walk(someone(cast.ada, device=device), screens, violations)


def test_neither_do_those_of_a_technician_and_of_nobody(
    someone: Callable[..., Page], cast: Cast, device: Device
) -> None:
    company = furnished(cast)
    tom = [
        Screen("/messages/new", "Create Thread"),
        Screen(f"/messages/{company.inside['id']}", "Leave this thread", ("Thread menu",)),
        Screen(f"/jobs/{company.job}", "Assigned to"),
    ]
    walk(someone(cast.tom, device=device), tom, violations)
    walk(someone(None, device=device), [Screen("/", "Sign in")], violations)


def test_nor_does_the_customers_page(
    people: People, customer_page: Callable[..., Page], cast: Cast, device: Device
) -> None:
    people.expect_trouble("the server responded with a status of 4")
    company = furnished(cast)
    page = customer_page(company.link, device=device)
    expect(page.get_by_label("Write a message")).to_be_visible()
    assert violations(page) == []
    cast.serving.clock.pass_time(days=1)
    go_to(page, Screen(company.expired_link, "This link has expired"))
    assert violations(page) == []
    go_to(page, Screen("/customer/chat?jobId=999&token=wrong", "This link does not work"))
    assert violations(page) == []
