"""How long a customer with an old phone and a weak network waits, from the tap on the link to the answer.

Chromium, throttled: 400 kbit/s each way, 400 ms for each request, a processor four times slower. Chromium
counts the delay once for each request; a new connection over TLS costs two or three of them more.
"""

import argparse
import gzip
import re
import shutil
import statistics
from dataclasses import dataclass

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from bench.demo import demo
from jobthread.actions.demo import PASSWORD

RUNS = 5
MESSAGES = 50
LAST = "We are at your door at eight."
ANSWER = "Good, thank you."
KBIT_PER_SECOND = 400
LATENCY_MS = 400
CPU_SLOWER = 4

# Asks at each frame, as an eye would.
WATCH = """
window.opened = new Promise((done) => {
  const seen = {};
  const inView = (element) => element && element.getBoundingClientRect().bottom <= innerHeight + 1;
  const look = () => {
    const bubbles = document.querySelectorAll(".bubble");
    if (!seen.last && inView(bubbles[bubbles.length - 1])) seen.last = performance.now();
    if (!seen.writing && inView(document.querySelector("textarea"))) seen.writing = performance.now();
    if (seen.last && seen.writing) done(seen);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@dataclass(frozen=True)
class Opening:
    """Milliseconds since the tap; bytes as they came over the wire."""

    first_paint: float
    last_message: float
    can_write: float
    sent: float
    bytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    asked = parser.parse_args()
    with demo() as (home, link), sync_playwright() as playwright:
        say_much(home)
        weigh(link)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = [open_link(browser, link) for _ in range(asked.runs)]
        browser.close()
    print(f"\n{asked.runs} openings, {MESSAGES} messages: median (fastest to slowest)")
    tell("first paint", [one.first_paint for one in opened])
    tell("last message in view", [one.last_message for one in opened])
    tell("can write", [one.can_write for one in opened])
    tell("from Send to stored", [one.sent for one in opened])
    print(f"{'over the wire':22} {statistics.median(one.bytes for one in opened) / 1000:.1f} kB")


def say_much(home: str) -> None:
    """A conversation that fills the first page of messages."""
    with httpx2.Client(base_url=home) as http:
        who = {"email": "dora@example.com", "password": PASSWORD}
        http.post("/api/auth/login", json=who).raise_for_status()
        asked = {"visibility": "customer_visible"}
        [thread, *_] = [
            one
            for one in http.get("/api/chat/threads", params=asked).raise_for_status().json()["threads"]
            if one["job"]["id"] == 1
        ]
        for number in range(MESSAGES):
            body = (
                LAST if number == MESSAGES - 1 else f"{number + 1}. The part is ordered and on its way to us."
            )
            http.post(f"/api/chat/threads/{thread['id']}/messages", json={"body": body}).raise_for_status()


def weigh(link: str) -> None:
    html = httpx2.get(link).text
    scripts = "".join(re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL))
    print(f"page {packed(html):.1f} kB gzipped, of it JavaScript {packed(scripts):.1f} kB")


def packed(text: str) -> float:
    return len(gzip.compress(text.encode(), 9)) / 1000


def open_link(browser: Browser, link: str) -> Opening:
    context = browser.new_context(viewport={"width": 390, "height": 780}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.add_init_script(WATCH)
    arrived = slowed(page)
    page.goto(link, wait_until="commit")
    seen = page.evaluate("opened")
    assert page.locator(".bubble").last.inner_text() in (LAST, ANSWER)
    first_paint = page.evaluate(FIRST_PAINT)
    over_wire = sum(arrived)
    sent = send(page)
    context.close()
    return Opening(first_paint, seen["last"], seen["writing"], sent, over_wire)


def slowed(page: Page) -> list[float]:
    """Answers with the sizes of what arrives, as it arrives."""
    arrived: list[float] = []
    cdp = page.context.new_cdp_session(page)
    cdp.on("Network.loadingFinished", lambda event: arrived.append(event["encodedDataLength"]))
    cdp.send("Network.enable")
    bytes_per_second = KBIT_PER_SECOND * 1000 / 8
    limits = {"downloadThroughput": bytes_per_second, "uploadThroughput": bytes_per_second}
    cdp.send("Network.emulateNetworkConditions", {"offline": False, "latency": LATENCY_MS, **limits})
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    return arrived


def send(page: Page) -> float:
    """From the tap on Send until the message no longer says that it is under way."""
    page.locator("textarea").fill(ANSWER)
    pressed: float = page.evaluate("performance.now()")
    page.locator("form button").click()
    page.locator("[data-state=sending]").wait_for()
    page.locator("[data-state=sending]").wait_for(state="detached")
    done: float = page.evaluate("performance.now()")
    return done - pressed


def tell(name: str, figures: list[float]) -> None:
    median, fastest, slowest = statistics.median(figures), min(figures), max(figures)
    print(f"{name:22} {median / 1000:.2f} s ({fastest / 1000:.2f} to {slowest / 1000:.2f})")


if __name__ == "__main__":
    main()
