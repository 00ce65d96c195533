"""What people do in a conversation all the time, and where they look."""

from typing import Any

from playwright.sync_api import Locator, Page


def address(thread: dict[str, Any]) -> str:
    return f"/messages/{thread['id']}"


def write(page: Page, text: str) -> None:
    page.get_by_label("Write a message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def conversation(page: Page) -> Locator:
    """The messages on the screen, in their order."""
    return page.get_by_role("list", name="Messages")


def chats(page: Page) -> Locator:
    return page.get_by_role("list", name="Active Chats")


def menu(page: Page) -> Locator:
    """Where one can go; the badge of the unread stands there."""
    return page.get_by_role("navigation", name="Main")


def look_for_news(page: Page) -> None:
    """What the app does every thirty seconds and whenever signal comes back; begun when this returns."""
    asks = "**/api/chat/customer/**" if "/customer/" in page.url else "**/api/chat/unread-count"
    page.evaluate("0")  # what was asked before this has been told of by now
    with page.expect_request(asks):
        # Asked again, since it does not begin another look while one is under way.
        page.evaluate("window.asking = setInterval(() => dispatchEvent(new Event('online')), 50)")
    page.evaluate("clearInterval(window.asking)")
