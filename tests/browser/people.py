"""People at their own browsers, and whatever goes wrong on their screens."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    StorageState,
    ViewportSize,
)

from tests.cast import SESSION_COOKIE, Colleague, new_session
from tests.serving import Serving, wait_until

Device = Literal["desktop", "phone"]
SIZES: dict[Device, ViewportSize] = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 780},
}
PATIENCE_MS = 15_000
# The browser's own word for each answer of 400 and above, whatever the app makes of it.
NOBODY_YET = "the server responded with a status of 401"
OWN_WORK = ("data:", "blob:")
STREAMS = re.compile(r"/events$")
# Asked whenever a page looks what is new: by staff, and by a customer.
LOOKS = re.compile(r"/api/chat/(unread-count|customer/jobs/\d+/thread(\?|$))")


@dataclass
class People:
    """Everybody in one test. What goes wrong on any screen fails it, unless the test says it is expected."""

    chromium: Browser
    serving: Serving
    home: str
    """The server as people type it; on `localhost` a browser allows what elsewhere wants TLS."""
    contexts: list[BrowserContext] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    told: dict[BrowserContext, Page] = field(default_factory=dict)
    """Browsers on which a stream was opened, and the page that opened it has looked for what came before."""
    catching_up: dict[BrowserContext, Page] = field(default_factory=dict)
    """Browsers on which a stream was opened; their page is about to look for what came before."""
    asking: dict[Page, set[Request]] = field(default_factory=dict)
    """What each page has asked the server and was not answered yet, streams aside."""
    streams_pass: bool = True
    """Whether the network lets live updates through; some proxies hold back an answer until it is whole."""

    def someone(self, colleague: Colleague | None, at: str = "/messages", **how: Any) -> Page:
        """A page of its own browser, signed in as that person (nobody: None), at that address."""
        kept = self._session_of(colleague) if colleague else None
        context = self.device(kept=kept, **how)
        return self.tab(context, at)

    def customer_page(self, link: str, **how: Any) -> Page:
        """The customer taps the link, on a phone unless `how` says otherwise."""
        return self.tab(self.device(**{"device": "phone", **how}), link)

    def device(
        self,
        device: Device = "desktop",
        locale: str = "en-GB",
        dark: bool = False,
        width: int | None = None,
        kept: StorageState | None = None,
        routed: bool = False,
    ) -> BrowserContext:
        """A fresh browser profile, with nothing in it but what is said to be kept.

        On the staff's pages `route` is for those who are `routed`: where the first route is set while the
        service worker takes the page over, Chromium at times asks the server past it, then and for good.
        """
        size = SIZES[device]
        context = self.chromium.new_context(
            base_url=self.home,
            viewport={**size, "width": width} if width else size,
            has_touch=device == "phone",
            is_mobile=device == "phone",
            locale=locale,
            timezone_id="Europe/London",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            storage_state=kept,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._went_wrong(f"uncaught: {error.error.stack}"))
        context.on("request", self._asked)
        if not self.streams_pass:
            context.route(STREAMS, lambda route: None)
        if routed:
            context.route("**/routed-from-the-first-request", lambda route: None)
        context.on("response", self._answered)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)
        self.contexts.append(context)
        return context

    def tab(self, context: BrowserContext, at: str = "/messages") -> Page:
        """One more tab of the same browser."""
        page = context.new_page()
        page.goto(at)
        return page

    def expect_trouble(self, *words: str) -> None:
        """Troubles with these words in them belong to this test."""
        self.expected.extend(words)

    def hears(self, page: Page) -> None:
        """Wait until what happens is told in this browser, and what happened before is no longer asked."""
        wait_until(lambda: page.evaluate("0") == 0 and self._is_told(page))

    def opens_offline(self, page: Page) -> None:
        """Wait until the app's shell is kept in this browser."""
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")

    @contextmanager
    def offline(self, page: Page) -> Iterator[None]:
        """Meanwhile this browser, its service worker included, has no signal."""
        self.expect_trouble("net::ERR_INTERNET_DISCONNECTED")
        page.context.set_offline(True)
        yield
        page.context.set_offline(False)

    def had_no_trouble(self) -> None:
        for page in self._pages():
            page.evaluate("0")  # what the browser said last has arrived by the time this is answered
        found = [one for one in self.troubles if not any(words in one for words in self.expected)]
        assert not found, "On the screens went wrong:\n" + "\n".join(found)

    def evidence(self, folder: Path) -> None:
        """What is on every screen, and what every console said."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self._pages(), 1):
            page.screenshot(path=folder / f"{number}.png")
        (folder / "console.txt").write_text("\n".join(self.said), "utf-8")

    def leave(self) -> None:
        while self.contexts:
            self.contexts.pop().close()

    def _session_of(self, colleague: Colleague) -> StorageState:
        """What a browser holds after the sign-in form: the cookie, and the app's note that there is one."""
        token = new_session(self.serving, colleague.staff)
        where = {"domain": "localhost", "path": "/", "expires": -1, "secure": False}
        cookie = {"name": SESSION_COOKIE, "value": token, "httpOnly": True, "sameSite": "Lax", **where}
        note = {"name": "signed in", "value": "yes"}
        return {"cookies": [cookie], "origins": [{"origin": self.home, "localStorage": [note]}]}  # type: ignore[list-item]

    def _pages(self) -> list[Page]:
        return [page for context in self.contexts for page in context.pages]

    def _heard(self, message: ConsoleMessage) -> None:
        where = urlsplit(message.location["url"])
        line = f"{message.type}: {message.text} ({where.path})"
        self.said.append(line)
        who_am_i = where.path == "/api/auth/me" and NOBODY_YET in message.text
        if message.type in ("error", "warning") and not who_am_i:
            self._went_wrong(line)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.home + "/", *OWN_WORK)):
            self._went_wrong(f"asked elsewhere: {request.url}")
        # A page that was only just opened, and a service worker, have no frame.
        with suppress(Error):
            page, within = request.frame.page, request.frame.parent_frame
            if request.is_navigation_request() and within is None:
                self._leaves(page)
            elif request.resource_type == "fetch" and not STREAMS.search(request.url):
                self._asks(page, request)

    def _leaves(self, page: Page) -> None:
        """What a page was told on ends with it: the next one, or another tab, has to listen anew."""
        for listening in (self.told, self.catching_up):
            if listening.get(page.context) is page:
                del listening[page.context]
        self.asking.pop(page, None)

    def _asks(self, page: Page, request: Request) -> None:
        self.asking.setdefault(page, set()).add(request)
        if LOOKS.search(request.url) and self.catching_up.get(page.context) is page:
            self.told[page.context] = self.catching_up.pop(page.context)

    def _ended(self, request: Request) -> None:
        for asked in self.asking.values():
            asked.discard(request)

    def _is_told(self, page: Page) -> bool:
        return page.context in self.told and not self.asking.get(page)

    def _answered(self, response: Response) -> None:
        if STREAMS.search(response.url) and response.ok:
            page = response.frame.page
            # Who says what was heard last is told of all since then, and need not look.
            goes_on = "last-event-id" in response.request.headers
            (self.told if goes_on else self.catching_up)[page.context] = page

    def _went_wrong(self, what: str) -> None:
        self.said.append(what)
        self.troubles.append(what)


def kept_in(page: Page) -> dict[str, list[Any]]:
    """All that the app keeps in this browser's database, by the name of the store."""
    found: dict[str, list[Any]] = page.evaluate(
        """async () => {
          const done = (request) => new Promise((yes, no) => {
            request.onsuccess = () => yes(request.result);
            request.onerror = no;
          });
          const found = {};
          const db = await done(indexedDB.open("jobthread"));
          for (const name of db.objectStoreNames)
            found[name] = await done(db.transaction(name).objectStore(name).getAll());
          db.close();
          return found;
        }"""
    )
    return found
