"""How quickly the staff's app shows a thread that was open before, and how smoothly a long one scrolls."""

import argparse
import shutil
import statistics
from typing import Any

import httpx2
from playwright.sync_api import Page, sync_playwright

from bench.demo import demo
from jobthread.actions.demo import PASSWORD

MESSAGES = 5_000
SWITCHES = 20

# From the click until the conversation of that subject is painted.
SWITCH = """
async (subject) => {
  const row = [...document.querySelectorAll(".active a")].find((a) => a.textContent.includes(subject));
  const begun = performance.now();
  row.click();
  const shown = () => document.querySelector(".current h3")?.textContent === subject
    && document.querySelectorAll(".current .bubble").length > 0;
  while (!shown()) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}
"""

# Up to the very first message, a screen a frame; answers how long each frame took.
SCROLL = """
async () => {
  const list = document.querySelector(".current ol");
  const frames = [];
  let before = await new Promise(requestAnimationFrame);
  let still = 0;
  while (still < 120) {
    const top = list.scrollTop;
    list.scrollTop = top - 300;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
    still = list.scrollTop === 0 && top === 0 ? still + 1 : 0;
  }
  return { frames, shown: document.querySelectorAll(".current .bubble").length };
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    asked = parser.parse_args()
    with demo() as (home, _), sync_playwright() as playwright, httpx2.Client(base_url=home) as http:
        sign_in(http)
        make_threads(http, asked.messages)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{home}/")
        page.get_by_label("E-mail").fill("dora@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Long").first.click()
        page.get_by_role("heading", name="Long", exact=True).wait_for()
        tell("thread switch, open before", switches(page), "ms")
        page.evaluate(SWITCH, "Long")
        scrolled: dict[str, Any] = page.evaluate(SCROLL)
        tell(f"frame while scrolling up {scrolled['shown']} messages", scrolled["frames"], "ms")
        late = sum(frame > 50 for frame in scrolled["frames"])
        print(f"frames over 50 ms: {late} of {len(scrolled['frames'])}")
        browser.close()


def sign_in(http: httpx2.Client) -> None:
    http.post("/api/auth/login", json={"email": "dora@example.com", "password": PASSWORD}).raise_for_status()


def make_threads(http: httpx2.Client, messages: int) -> None:
    for subject, count in (("Long", messages), ("Short", 30)):
        asked = {"visibility": "internal", "subject": subject}
        thread = http.post("/api/chat/threads", json=asked).raise_for_status().json()
        for number in range(count):
            body = f"{number + 1}. The pump is in, the pressure holds; the old one goes back to the yard."
            http.post(f"/api/chat/threads/{thread['id']}/messages", json={"body": body}).raise_for_status()


def switches(page: Page) -> list[float]:
    page.evaluate(SWITCH, "Short")
    page.evaluate(SWITCH, "Long")
    return [page.evaluate(SWITCH, subject) for _ in range(SWITCHES // 2) for subject in ("Short", "Long")]


def tell(name: str, figures: list[float], unit: str) -> None:
    ordered = sorted(figures)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name}: median {statistics.median(ordered):.1f} {unit}, p99 {p99:.1f}, longest {ordered[-1]:.1f}")


if __name__ == "__main__":
    main()
