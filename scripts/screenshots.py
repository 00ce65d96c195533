"""Makes the pictures in docs/screenshots anew: `.venv/bin/python -m scripts.screenshots`, from the top."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bench.demo import demo
from jobthread.actions.demo import PASSWORD

TOP = Path(__file__).resolve().parents[1]
FOLDER = TOP / "docs" / "screenshots"
COLOURS = 96
DESKTOP, PHONE = (1280, 800), (390, 780)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with demo() as (home, link), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with browser(chromium, PHONE) as page:
            page.goto(link)
            page.get_by_label("Write a message").fill("That is fine, thank you. The dog is friendly!")
            page.get_by_role("button", name="Send").click()
            page.locator("[data-state=sent]").last.wait_for()
            keep(page, "customer")
        with browser(chromium, DESKTOP) as page:
            sign_in(page, home, "dora@example.com")
            open_thread(page, "Your boiler")
            keep(page, "messages")
            page.goto(f"{home}/messages/new?visibility=customer_visible")
            page.get_by_role("checkbox", name="Tom").wait_for()
            keep(page, "new-thread")
            page.goto(f"{home}/jobs/1")
            page.get_by_role("button", name="Send Chat Link").wait_for()
            keep(page, "job")
        with browser(chromium, PHONE, dark=True) as page:
            sign_in(page, home, "tom@example.com")
            open_thread(page, "Need help")
            page.context.set_offline(True)
            page.get_by_label("Write a message").fill("In the cellar now. Valve is in, testing for leaks.")
            page.get_by_role("button", name="Send").click()
            page.locator("[data-state=waiting]").wait_for()
            keep(page, "technician")
        chromium.close()


@contextmanager
def browser(chromium: Browser, size: tuple[int, int], *, dark: bool = False) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        has_touch=size == PHONE,
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def sign_in(page: Page, home: str, email: str) -> None:
    page.goto(home)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="New Thread").wait_for()
    page.wait_for_function("navigator.serviceWorker.controller", timeout=10_000)


def open_thread(page: Page, subject: str) -> None:
    page.get_by_role("list", name="Active Chats").get_by_role("link").filter(has_text=subject).click()
    page.get_by_role("list", name="Messages", exact=True).locator(".bubble").first.wait_for()


def keep(page: Page, name: str) -> None:
    """Few colours are enough for a screen, and make the file a third."""
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    picture = (
        Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    )
    picture.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
