"""In a cellar: what is written without signal is kept, and stored once when there is some."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bad_line import BadLine, bad_line
from tests.browser.chatting import address, conversation, look_for_news, write
from tests.browser.people import People, kept_in
from tests.browser.test_signing_in import is_in, is_out, sign_in
from tests.cast import SESSION_COOKIE, Cast, Colleague, new_session, ok
from tests.serving import Serving, wait_until

WAITING = "Waiting for signal"
LOST = "net::ERR_EMPTY_RESPONSE"
DEAF = "the server responded with a status of 503"
SIGNED_OUT = "the server responded with a status of 401"


@pytest.fixture
def thread(cast: Cast) -> dict[str, Any]:
    return cast.dora.opens_thread(cast.tom, subject="In the cellar")


@pytest.fixture
def line(server: Serving, people: People) -> Iterator[BadLine]:
    """The line by which people reach the server in this test."""
    with bad_line(server.url) as line:
        people.home = line.url
        people.expect_trouble(LOST, DEAF)
        yield line
        people.leave()


@pytest.fixture
def tom(people: People, cast: Cast, thread: dict[str, Any]) -> Page:
    """Tom reads the thread; the app is kept in his browser."""
    page = people.someone(cast.tom, address(thread))
    people.opens_offline(page)
    expect(page.get_by_label("Write a message")).to_be_visible()
    return page


def stored(cast: Cast, thread: dict[str, Any]) -> list[str]:
    """What the server has, in its order."""
    return [said["body"] for said in cast.dora.reads(thread) if said["kind"] == "message"]


def waiting_in(page: Page) -> list[str]:
    """What this browser has yet to send."""
    return [message["body"] for message in kept_in(page)["outbox"]]


def objects_kept(page: Page) -> list[dict[str, Any]]:
    """What may be read without signal."""
    return [one for one in kept_in(page)["kept"] if isinstance(one, dict)]


def test_what_is_written_without_signal_survives_a_reload_and_is_stored_once(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    with people.offline(tom):
        write(tom, "The valve is stuck")
        expect(tom.get_by_text(WAITING)).to_be_visible()
        expect(tom.get_by_text("No connection.")).to_be_visible()
        tom.reload()
        expect(tom.get_by_text("The valve is stuck").last).to_be_visible()
        expect(tom.get_by_text(WAITING)).to_be_visible()
        assert stored(cast, thread) == []
    expect(tom.get_by_text(WAITING)).not_to_be_attached()
    expect(tom.get_by_text("No connection.")).not_to_be_attached()
    assert stored(cast, thread) == ["The valve is stuck"]
    assert waiting_in(tom) == []


def test_what_was_read_can_be_read_without_signal_after_a_reload(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    cast.dora.writes(thread, "The key is under the mat")
    look_for_news(tom)
    wait_until(lambda: any("messages" in one and "under the mat" in str(one) for one in objects_kept(tom)))
    with people.offline(tom):
        tom.goto("/messages")
        tom.get_by_role("link", name="In the cellar").click()
        expect(conversation(tom).get_by_text("under the mat")).to_be_visible()


def test_a_message_whose_answer_was_lost_twice_is_stored_once(
    cast: Cast, line: BadLine, thread: dict[str, Any], tom: Page
) -> None:
    line.loses = 2
    write(tom, "The valve is stuck")
    while len(line.passed) < 3:
        look_for_news(tom)
    expect(tom.get_by_text("Sent", exact=True)).to_be_visible()
    assert stored(cast, thread) == ["The valve is stuck"]
    assert len({json.loads(body)["client_msg_id"] for body in line.passed}) == 1
    assert waiting_in(tom) == []


def test_messages_of_two_tabs_are_sent_once_and_stored_in_the_order_of_writing(
    people: People, cast: Cast, line: BadLine, thread: dict[str, Any], tom: Page
) -> None:
    other = people.tab(tom.context, address(thread))
    expect(other.get_by_label("Write a message")).to_be_visible()
    with people.offline(tom):
        for number in range(6):
            write((tom, other)[number % 2], f"Step {number}")
            expect((tom, other)[number % 2].get_by_text(f"Step {number}").last).to_be_visible()
    wait_until(lambda: len(stored(cast, thread)) >= 6)
    for page in (tom, other):
        look_for_news(page)
        expect(page.get_by_text(WAITING)).not_to_be_attached()
        expect(conversation(page).get_by_text("Step")).to_have_count(6)
    written = [f"Step {number}" for number in range(6)]
    assert stored(cast, thread) == written
    assert [json.loads(body)["body"] for body in line.passed] == written


@pytest.mark.whole_chromium
def test_what_waits_is_sent_although_the_page_was_closed(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    other = tom.context.new_page()  # of no app: it keeps the browser open
    with people.offline(tom):
        write(tom, "The valve is stuck")
        expect(tom.get_by_text(WAITING)).to_be_visible()
        tom.wait_for_function(
            "navigator.serviceWorker.getRegistration().then((r) => r.sync.getTags())"
            ".then((tags) => tags.includes('outbox'))"
        )
        tom.close()
    signal_is_back(other, people.home)
    wait_until(lambda: stored(cast, thread))
    assert stored(cast, thread) == ["The valve is stuck"]


def signal_is_back(page: Page, home: str) -> None:
    """Chromium tells the worker now; having failed once, it would choose a moment minutes away."""
    browser = page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    browser.on(
        "ServiceWorker.workerRegistrationUpdated", lambda told: registrations.extend(told["registrations"])
    )
    browser.send("ServiceWorker.enable")
    wait_until(lambda: page.evaluate("true") and registrations)
    browser.send(
        "ServiceWorker.dispatchSyncEvent",
        {
            "origin": home,
            "registrationId": registrations[0]["registrationId"],
            "tag": "outbox",
            "lastChance": False,
        },
    )


def test_signing_out_with_messages_waiting_asks_first(
    people: People, cast: Cast, line: BadLine, thread: dict[str, Any], tom: Page
) -> None:
    people.expect_trouble(SIGNED_OUT)  # to what was being asked in that moment
    line.is_deaf = True
    write(tom, "The valve is stuck")
    expect(tom.get_by_text("The valve is stuck")).to_be_visible()
    tom.get_by_role("link", name="Account").click()
    tom.get_by_role("button", name="Sign out").click()
    expect(tom.get_by_role("dialog")).to_contain_text("One message has not been sent yet.")
    tom.get_by_role("button", name="Stay signed in").click()
    expect(tom.get_by_role("dialog")).not_to_be_attached()
    assert waiting_in(tom) == ["The valve is stuck"]
    tom.get_by_role("button", name="Sign out").click()
    tom.get_by_role("button", name="Delete and sign out").click()
    is_out(tom)
    assert waiting_in(tom) == []
    assert stored(cast, thread) == []


@pytest.mark.usefixtures("quick_hashes")
def test_another_persons_sign_in_never_sends_what_the_first_one_wrote(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    people.expect_trouble(SIGNED_OUT)
    tom.context.clear_cookies()
    write(tom, "Tom's words")
    expect(tom.get_by_text("You have been signed out.")).to_be_visible()
    tom.get_by_role("status").get_by_role("link", name="Sign in").click()
    sign_in(tom, "dora@example.com")
    is_in(tom)
    expect(tom.get_by_text("Dora", exact=False).first).to_be_visible()
    tom.goto(address(thread))
    write(tom, "Dora's words")
    wait_until(lambda: stored(cast, thread))
    look_for_news(tom)
    expect(tom.get_by_text("Sent", exact=True)).to_be_visible()
    expect(tom.get_by_text("Tom's words")).to_have_count(0)
    assert stored(cast, thread) == ["Dora's words"]
    tom.get_by_role("link", name="Account").click()
    tom.get_by_role("button", name="Sign out").click()
    is_out(tom)
    sign_in(tom, "tom@example.com")
    is_in(tom)
    wait_until(lambda: len(stored(cast, thread)) == 2)
    assert [said["sender"]["name"] for said in cast.dora.reads(thread) if said["kind"] == "message"] == [
        "Dora",
        "Tom",
    ]
    assert stored(cast, thread) == ["Dora's words", "Tom's words"]


def test_a_tab_that_has_not_heard_of_another_persons_sign_in_sends_nothing_under_their_name(
    cast: Cast, line: BadLine, thread: dict[str, Any], tom: Page
) -> None:
    line.is_deaf = True
    write(tom, "Tom's words")
    expect(tom.get_by_text(WAITING)).to_be_visible()
    signs_in_elsewhere(tom, cast, cast.dora)
    line.is_deaf = False
    look_for_news(tom)  # which begins with sending what waits
    assert stored(cast, thread) == []
    assert waiting_in(tom) == ["Tom's words"]


def signs_in_elsewhere(page: Page, cast: Cast, colleague: Colleague) -> None:
    """What a sign-in leaves in this browser, but for the word to its other tabs."""
    token = new_session(cast.serving, colleague.staff)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "domain": "localhost", "path": "/"}])
    page.evaluate(
        # In its turn, as any sign-in: an attempt that is under way has ended by then.
        """(who) => navigator.locks.request("outbox", () => new Promise((done) => {
          indexedDB.open("jobthread").onsuccess = ({ target }) => {
            const writing = target.result.transaction("kept", "readwrite");
            writing.objectStore("kept").put(who, ["browser", "signed in"]);
            writing.oncomplete = () => done();
          };
        }))""",
        f"staff:{colleague.id}",
    )


def test_a_message_that_came_too_late_says_so_and_waits_for_its_writers_decision(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    people.expect_trouble("the server responded with a status of 409")
    with people.offline(tom):
        write(tom, "The valve is stuck")
        write(tom, "Never mind")
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    expect(tom.get_by_text("This conversation was closed before the message arrived.")).to_have_count(2)
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/reopen"))
    tom.get_by_role("button", name="Delete").last.click()
    expect(tom.get_by_text("Never mind")).not_to_be_attached()
    tom.get_by_role("button", name="Try again").click()
    wait_until(lambda: stored(cast, thread))
    expect(tom.get_by_role("button", name="Try again")).not_to_be_attached()
    assert stored(cast, thread) == ["The valve is stuck"]
    assert waiting_in(tom) == []


def test_a_draft_is_there_again_after_a_reload(tom: Page) -> None:
    tom.get_by_label("Write a message").fill("Half a thou")
    tom.get_by_label("Write a message").press_sequentially("ght")
    wait_until(lambda: "Half a thought" in kept_in(tom)["kept"])
    tom.reload()
    expect(tom.get_by_label("Write a message")).to_have_value("Half a thought")
