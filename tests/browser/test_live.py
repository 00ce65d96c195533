"""Live updates on the screen: what happens is there at once, in every tab, and no more than one may see."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.chatting import address, chats, conversation, menu, write
from tests.browser.people import STREAMS, People
from tests.browser.test_signing_in import is_in, sign_in
from tests.cast import Cast, ok
from tests.faults import process
from tests.faults.process import server_process
from tests.serving import wait_until

GONE = "status of 401"
DOWN = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED")


@pytest.fixture
def thread(cast: Cast) -> dict[str, Any]:
    return cast.dora.opens_thread(cast.tom, subject="Need help")


@pytest.fixture
def tom(people: People, someone: Callable[..., Page], cast: Cast, thread: dict[str, Any]) -> Page:
    page = someone(cast.tom, address(thread))
    people.hears(page)
    return page


def streams_of(context: BrowserContext) -> list[Request]:
    """The streams that this browser opens from now on."""
    opened: list[Request] = []
    context.on("request", lambda request: opened.append(request) if STREAMS.search(request.url) else None)
    return opened


def test_a_message_is_there_at_once_and_the_badge_with_it(
    people: People, cast: Cast, thread: dict[str, Any], someone: Callable[..., Page]
) -> None:
    tom = someone(cast.tom, "/jobs")
    people.hears(tom)
    cast.dora.writes(thread, "Where are you?")
    expect(menu(tom).get_by_role("link", name="Messages")).to_contain_text("1 unread message")
    expect(tom).to_have_title("(1) Jobs · Jobthread")
    menu(tom).get_by_role("link", name="Messages").click()
    cast.dora.writes(thread, "Hello?")
    expect(chats(tom).get_by_role("link", name="Need help")).to_contain_text("2 unread messages")
    expect(chats(tom).get_by_role("link", name="Need help")).to_contain_text("Hello?")


def test_what_one_reads_further_up_does_not_move(cast: Cast, thread: dict[str, Any], tom: Page) -> None:
    for number in range(30):
        cast.dora.writes(thread, f"Step {number}")
    expect(conversation(tom).get_by_text("Step 29")).to_be_in_viewport()
    conversation(tom).evaluate("list => { list.scrollTop = 300 }")
    cast.dora.writes(thread, "And one more")
    expect(tom.get_by_role("button", name="1 new message")).to_be_visible()
    assert conversation(tom).evaluate("list => list.scrollTop") == 300
    tom.get_by_role("button", name="1 new message").click()
    expect(conversation(tom).get_by_text("And one more")).to_be_in_viewport()


def test_who_writes_is_shown_until_the_message_is_there(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page, someone: Callable[..., Page]
) -> None:
    dora = someone(cast.dora, address(thread))
    people.hears(dora)
    said: list[str] = []
    dora.on("request", lambda request: said.append(request.url) if "/typing" in request.url else None)

    def typed() -> bool:
        dora.get_by_label("Write a message").press("a")
        return bool(said)

    wait_until(typed)
    expect(tom.get_by_text("Dora is writing…")).to_be_visible()
    expect(dora.get_by_text("is writing")).to_have_count(0)
    dora.get_by_role("button", name="Send", exact=True).click()
    expect(tom.get_by_text("Dora is writing…")).to_have_count(0)


def test_seen_by_comes_by_itself_the_customer_included(
    people: People, cast: Cast, someone: Callable[..., Page], customer_page: Callable[..., Page]
) -> None:
    thread = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    link = cast.dora.sends_link(cast.boiler, channels=[])
    dora = someone(cast.dora, address(thread))
    people.hears(dora)
    write(dora, "Tom comes on Friday.")
    expect(conversation(dora).get_by_text("Sent", exact=True)).to_be_visible()
    ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    expect(dora.get_by_text("Seen by Tom")).to_be_visible()
    carol = customer_page(link["url"])
    expect(conversation(carol)).to_contain_text("Tom comes on Friday.")
    expect(dora.get_by_text("Seen by Tom, Carol")).to_be_visible()
    people.hears(carol)
    write(dora, "At two.")
    expect(conversation(carol)).to_contain_text("At two.")
    write(carol, "Good, thank you.")
    expect(conversation(dora)).to_contain_text("Good, thank you.")


def test_all_tabs_of_a_browser_hear_on_one_stream_and_another_takes_over(
    people: People, cast: Cast, thread: dict[str, Any]
) -> None:
    device = people.someone(cast.tom, address(thread)).context
    first = device.pages[0]
    people.hears(first)
    opened = streams_of(device)
    others = [people.tab(device, address(thread)) for _ in range(7)]
    for other in others:
        expect(other.get_by_label("Write a message")).to_be_visible()
    cast.dora.writes(thread, "To all tabs")
    for page in (first, *others):
        expect(conversation(page)).to_contain_text("To all tabs")
    assert opened == []
    first.close()
    wait_until(lambda: others[0].evaluate("0") == 0 and opened)
    cast.dora.writes(thread, "And to the rest")
    for page in others:
        expect(conversation(page)).to_contain_text("And to the rest")
    assert len(opened) == 1


def test_who_is_deactivated_is_asked_to_sign_in(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    people.expect_trouble(GONE)
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
    expect(tom.get_by_role("status").get_by_role("link", name="Sign in")).to_be_visible()


def test_a_withdrawn_link_closes_the_page_that_it_opened(
    people: People, cast: Cast, customer_page: Callable[..., Page]
) -> None:
    people.expect_trouble(GONE)
    cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    link = cast.dora.sends_link(cast.boiler, channels=[])
    carol = customer_page(link["url"])
    people.hears(carol)
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    expect(carol.get_by_role("alert")).to_contain_text("This link was withdrawn")


@pytest.mark.whole_chromium
def test_a_notice_of_the_device_comes_only_where_it_was_asked_for(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    people.expect_trouble("does not support the Push API in incognito mode")
    notices = (
        "async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => n.title)"
    )
    tom.goto("/account")
    people.hears(tom)
    cast.dora.writes(thread, "Not announced")
    expect(menu(tom).get_by_role("link", name="Messages")).to_contain_text("1 unread message")
    assert tom.evaluate(notices) == []
    tom.context.grant_permissions(["notifications"])
    tom.get_by_label("Show a notification").check()
    muted = cast.dora.opens_thread(cast.tom, subject="Never mind")
    ok(cast.tom.http.put(f"/api/chat/threads/{muted['id']}/mute"), 204)
    with tom.expect_response("**/api/chat/events"):
        tom.goto(address(muted))
    expect(tom.get_by_text("Muted", exact=True)).to_be_visible()
    looks_at_something_else(tom)
    cast.dora.writes(muted, "Not announced either")
    cast.dora.writes(thread, "Announced")
    wait_until(lambda: tom.evaluate(notices) == ["Dora · Need help"])


def looks_at_something_else(page: Page) -> None:
    """Playwright has every page believe that it is looked at, unless told not to."""
    page.context.new_cdp_session(page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    page.context.new_page().bring_to_front()


def test_a_server_that_is_gone_before_one_could_listen_is_missed_at_once(
    people: People, cast: Cast, thread: dict[str, Any]
) -> None:
    people.expect_trouble("net::ERR_FAILED")
    device = people.someone(cast.tom, "about:blank").context

    def goes(stream: Route) -> None:
        device.route("**/api/**", lambda route: route.abort())
        stream.abort()

    device.route(STREAMS, goes)
    expect(people.tab(device, address(thread)).get_by_text("No connection.")).to_be_visible()


def test_browsers_come_back_after_kill_9_outbox_and_all(people: People, tmp_path: Path) -> None:
    people.expect_trouble(*DOWN)
    with server_process(tmp_path / "data") as server:
        process.start(server, "--demo")
        people.home = f"http://localhost:{server.port}"
        tom, dora = people.someone(None, "/"), people.someone(None, "/")
        for page, name in ((tom, "tom"), (dora, "dora")):
            sign_in(page, f"{name}@example.com", "demo")
            is_in(page)
        subject = chats(tom).get_by_role("link").first.get_attribute("href")
        for page in (tom, dora):
            page.goto(people.home + (subject or ""))
            expect(page.get_by_label("Write a message")).to_be_visible()
            people.hears(page)
        process.kill(server)
        write(tom, "Written while it was down")
        for page in (tom, dora):
            expect(page.get_by_text("No connection.")).to_be_visible()
        expect(tom.get_by_text("Waiting for signal")).to_be_visible()
        process.start(server)
        expect(conversation(dora).get_by_text("Written while it was down")).to_have_count(1)
        expect(tom.get_by_text("Waiting for signal")).to_have_count(0)
        for page in (tom, dora):
            expect(page.get_by_text("No connection.")).to_have_count(0)
        write(dora, "Good to hear")
        expect(conversation(tom)).to_contain_text("Good to hear")
        people.leave()
