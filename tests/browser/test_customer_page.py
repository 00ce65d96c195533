"""The customer's page: one tap, reading, answering; and plain words where the link does not open."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Response, Route, expect

from jobthread.store import preferences
from tests.browser.mail import mailed_link
from tests.browser.people import People
from tests.cast import Cast, exchange_of, ok
from tests.serving import wait_until

REFUSED = "the server responded with a status of 40"
UNREACHED = "net::ERR_FAILED"
WAITING = "Waiting for signal"
Opened = Callable[..., Page]


@pytest.fixture
def link(cast: Cast) -> dict[str, Any]:
    """Carol's, in a thread where Dora has written to her."""
    thread = conversation(cast, "Your boiler")
    cast.dora.writes(thread, "Tom comes on Friday.")
    return cast.dora.sends_link(cast.boiler, channels=[])


@pytest.fixture
def carol(link: dict[str, Any], customer_page: Opened) -> Page:
    return customer_page(link["url"])


def conversation(cast: Cast, subject: str) -> dict[str, Any]:
    return cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible", subject=subject)


def thread_of(cast: Cast, subject: str = "Your boiler") -> dict[str, Any]:
    threads = ok(cast.dora.get("/api/chat/threads", status="all"))["threads"]
    [found] = [thread for thread in threads if thread["subject"] == subject]
    assert isinstance(found, dict)
    return found


def stored(cast: Cast, subject: str = "Your boiler") -> list[str]:
    """What Carol has said there, as the server has it, in its order."""
    said = cast.dora.reads(thread_of(cast, subject))
    return [one["body"] for one in said if one["sender"]["kind"] == "customer"]


def write(page: Page, text: str) -> None:
    page.get_by_label("Write a message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def messages(page: Page) -> Any:
    return page.get_by_role("list", name="Messages")


def looks_for_news(page: Page) -> None:
    """What the page does every thirty seconds, and whenever signal comes back."""
    page.evaluate("void dispatchEvent(new Event('online'))")


def address(cast: Cast) -> str:
    return f"/customer/chat?jobId={cast.boiler.ref.id}"


# --- the link -------------------------------------------------------------------------------------


def test_one_tap_opens_the_conversation_and_the_answer_arrives(cast: Cast, carol: Page) -> None:
    expect(carol.get_by_role("heading", name="Boiler off")).to_be_visible()
    expect(carol.get_by_text("Job 101")).to_be_visible()
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    expect(carol.get_by_text("Read by the people of Jobthread")).to_be_visible()
    write(carol, "Friday is fine.")
    expect(messages(carol).get_by_text("Friday is fine.")).to_have_count(1)
    wait_until(lambda: stored(cast) == ["Friday is fine."])
    expect(carol.locator("[data-state=sending]")).to_have_count(0)


def test_the_token_is_gone_from_the_address_the_history_and_what_other_sites_are_told(
    people: People, cast: Cast, link: dict[str, Any]
) -> None:
    people.expect_trouble("elsewhere.example.com")
    token = exchange_of(link["url"])["token"]
    cast.dora.writes(thread_of(cast), "See https://elsewhere.example.com/boilers.")
    phone = people.device("phone")
    asked: list[Request] = []
    phone.on("request", lambda request: asked.append(request))
    phone.route("https://elsewhere.example.com/**", lambda route: route.fulfill(body="Boilers"))
    page = people.tab(phone, link["url"])
    away = page.get_by_role("link", name="elsewhere.example.com/boilers")
    expect(away).to_have_attribute(
        "rel", "noopener noreferrer nofollow"
    )  # beside what the server's headers do
    with phone.expect_page() as opened:
        away.click()
    opened.value.wait_for_load_state()
    assert page.url == people.home + address(cast)
    assert page.evaluate("[history.length, document.referrer, opener]") == [2, "", None]
    assert opened.value.evaluate("[document.referrer, opener]") == ["", None]
    first, *others = asked
    assert first.url == link["url"]
    told = [request for request in others if token in str(request.all_headers()) + request.url]
    assert told == []
    shown = [request.url for request in others if token in (request.post_data or "")]
    assert shown == [f"{people.home}/api/chat/customer/session"]
    kept = page.evaluate("[JSON.stringify({...sessionStorage}), JSON.stringify({...localStorage})]")
    assert token not in str(kept)
    page.reload()
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()


def test_loaded_again_without_the_token_the_page_knows_the_customer(cast: Cast, carol: Page) -> None:
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    carol.goto(address(cast))
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    expect(carol.get_by_text("Read by the people of Jobthread")).to_be_visible()
    write(carol, "Thank you")
    wait_until(lambda: stored(cast) == ["Thank you"])


def test_a_scanner_that_fetches_the_link_uses_nothing_up(
    cast: Cast, link: dict[str, Any], customer_page: Opened
) -> None:
    scanner = cast.stranger(**{"User-Agent": "Scanner"})
    for _ in range(3):
        assert scanner.get(link["url"]).status_code == 200
    [known] = ok(cast.dora.get(f"/api/chat/jobs/{cast.boiler.ref.id}/customer-sessions"))["sessions"]
    assert known["use_count"] == 0
    expect(customer_page(link["url"]).get_by_text("Tom comes on Friday.")).to_be_visible()


def test_an_expired_link_offers_a_new_one_which_opens(
    people: People, cast: Cast, link: dict[str, Any], customer_page: Opened
) -> None:
    people.expect_trouble(REFUSED)
    cast.serving.clock.pass_time(days=8)
    page = customer_page(link["url"])
    expect(page.get_by_role("alert")).to_contain_text("This link has expired")
    assert page.url == people.home + address(cast)
    page.get_by_role("button", name="Send me a new link").click()
    expect(page.get_by_text("If your link was known, a new one is on its way")).to_be_visible()
    page.goto(mailed_link(cast, cast.boiler, but=link["url"]))
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()


@pytest.mark.usefixtures("without_streams")
def test_a_link_that_expires_while_one_reads_says_so_and_keeps_what_was_written(
    people: People, cast: Cast, carol: Page
) -> None:
    people.expect_trouble(REFUSED)
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    cast.serving.clock.pass_time(days=8)
    write(carol, "Too late?")
    looks_for_news(carol)
    expect(carol.get_by_role("alert")).to_contain_text("This link has expired")
    expect(carol.get_by_text("Too late?")).to_be_visible()
    expect(carol.get_by_text("Tom comes on Friday.")).not_to_be_attached()
    carol.goto(cast.dora.sends_link(cast.boiler, channels=[])["url"])
    expect(messages(carol).get_by_text("Too late?")).to_be_visible()
    wait_until(lambda: stored(cast) == ["Too late?"])


@pytest.mark.parametrize(
    ("mishap", "words"),
    [
        ("revoked", "This link was withdrawn"),
        ("closed job", "This job is closed"),
        ("wrong", "This link does not work"),
        ("another job", "This link does not work"),
        ("no number", "This link does not work"),
    ],
)
def test_a_link_that_does_not_open_says_why_in_plain_words(
    people: People, cast: Cast, link: dict[str, Any], customer_page: Opened, mishap: str, words: str
) -> None:
    people.expect_trouble(REFUSED, "status of 422")
    url = link["url"]
    if mishap == "revoked":
        ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    elif mishap == "closed job":
        ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"status": "closed"}))
    elif mishap == "wrong":
        url = url[:-4] + "AAAA"
    elif mishap == "another job":
        url = url.replace(f"jobId={cast.boiler.ref.id}", f"jobId={cast.roof.ref.id}")
    else:
        url = url.replace(f"jobId={cast.boiler.ref.id}", "jobId=x")
    page = customer_page(url)
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_role("button", name="Send me a new link")).not_to_be_attached()
    expect(page.get_by_label("Write a message")).not_to_be_attached()
    assert "token" not in page.url


def test_without_a_link_the_page_asks_for_it(people: People, cast: Cast, customer_page: Opened) -> None:
    people.expect_trouble(REFUSED)
    page = customer_page(address(cast))
    expect(page.get_by_role("alert")).to_contain_text("Please open your link again")


def test_with_another_jobs_link_the_page_says_so(people: People, cast: Cast, carol: Page) -> None:
    people.expect_trouble(REFUSED)
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    carol.goto(f"/customer/chat?jobId={cast.roof.ref.id}")
    expect(carol.get_by_role("alert")).to_contain_text("This page belongs to another job")


def test_too_many_attempts_are_told_as_such_and_the_page_opens_later(
    people: People, link: dict[str, Any]
) -> None:
    people.expect_trouble("status of 429")
    phone = people.device("phone")
    phone.route("**/session", lambda route: route.fulfill(status=429, json={"code": "rate_limited"}), times=1)
    page = people.tab(phone, link["url"])
    expect(page.get_by_text("Please wait a moment")).to_be_visible()
    looks_for_news(page)
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()


def test_a_browser_that_refuses_cookies_can_read_and_answer(people: People, cast: Cast, carol: Page) -> None:
    people.expect_trouble(REFUSED)
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    carol.context.clear_cookies()
    write(carol, "I keep no cookies")
    wait_until(lambda: stored(cast) == ["I keep no cookies"])
    expect(carol.locator("[data-state=sending]")).to_have_count(0)


# --- reading --------------------------------------------------------------------------------------


def test_several_threads_stand_beside_each_other_with_what_is_new_in_them(
    cast: Cast, link: dict[str, Any], customer_page: Opened
) -> None:
    bill = conversation(cast, "The bill")
    cast.dora.writes(bill, "It is ready.")
    page = customer_page(link["url"])
    choices = page.get_by_role("navigation", name="Conversations").get_by_role("button")
    expect(choices).to_have_count(2)
    expect(page.get_by_text("It is ready.")).to_be_visible()
    expect(choices.filter(has_text="Your boiler")).to_contain_text("1 new")
    expect(page).to_have_title("(1) Jobthread")
    choices.filter(has_text="Your boiler").click()
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()
    expect(choices.filter(has_text="Your boiler")).to_be_focused()
    expect(choices.filter(has_text="new")).to_have_count(0)
    expect(page).to_have_title("Jobthread")
    write(page, "Good")
    wait_until(lambda: stored(cast) == ["Good"])
    assert stored(cast, "The bill") == []
    [reads] = [one for one in reads_of(cast, bill) if one["kind"] == "customer"]
    assert reads["last_read_seq"] == 2


def reads_of(cast: Cast, thread: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(cast.dora.get(f"/api/chat/threads/{thread['id']}/messages"))["reads"]
    return found


def test_an_answer_to_a_closed_thread_opens_it_again(
    cast: Cast, link: dict[str, Any], customer_page: Opened
) -> None:
    ok(cast.dora.post(f"/api/chat/threads/{thread_of(cast)['id']}/close"))
    page = customer_page(link["url"])
    expect(page.get_by_text("If you write, it opens again.")).to_be_visible()
    write(page, "It drips again")
    expect(page.get_by_text("If you write, it opens again.")).not_to_be_visible()
    wait_until(lambda: thread_of(cast)["status"] == "open")


def test_what_comes_while_one_reads_is_shown_and_said(cast: Cast, carol: Page) -> None:
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    cast.dora.writes(thread_of(cast), "Or on Monday?")
    looks_for_news(carol)
    expect(messages(carol).get_by_text("Or on Monday?")).to_be_visible()
    expect(carol.get_by_role("status").filter(has_text="Dora writes: Or on Monday?")).to_be_attached()


def test_older_messages_come_while_one_scrolls_up(
    cast: Cast, link: dict[str, Any], customer_page: Opened
) -> None:
    thread = thread_of(cast)
    for number in range(120):
        cast.dora.writes(thread, f"Number {number}")
    page = customer_page(link["url"])
    expect(page.get_by_text("Number 119", exact=True)).to_be_in_viewport()
    expect(page.get_by_text("Number 60", exact=True)).not_to_be_attached()
    for number in (71, 22, 0):
        messages(page).hover()
        page.get_by_text(f"Number {number}", exact=True).scroll_into_view_if_needed()
    expect(page.get_by_text("Tom comes on Friday.")).to_be_attached()
    cast.dora.writes(thread, "The newest")
    looks_for_news(page)
    page.get_by_role("button", name="1 new message").click()
    expect(messages(page).get_by_text("The newest")).to_be_in_viewport()


def test_the_internal_thread_of_the_job_is_in_nothing_that_the_page_receives(
    people: People, cast: Cast, link: dict[str, Any]
) -> None:
    inside = cast.dora.opens_thread(cast.tom, job=cast.boiler, subject="Awkward customer")
    cast.tom.writes(inside, "She never pays")
    phone = people.device("phone")
    received: list[Response] = []
    phone.on("response", lambda response: received.append(response))
    page = people.tab(phone, link["url"])
    write(page, "When will he be here?")
    wait_until(lambda: stored(cast) == ["When will he be here?"])
    page = people.tab(phone, address(cast))
    expect(page.get_by_text("When will he be here?")).to_be_visible()
    # The stream never ends; tests/live listens to it.
    whole = [one for one in received if one.status in (200, 201) and not one.url.endswith("/events")]
    bodies = [response.text() for response in whole]
    assert {"/customer/chat", "/api/chat/customer/session"} < {urlsplit(one.url).path for one in received}
    assert any("Tom comes on Friday." in body for body in bodies)
    for secret in ("Awkward", "never pays"):
        assert not [body for body in bodies if secret in body]


def test_whatever_is_written_is_shown_as_text_and_nothing_moves_sideways(
    cast: Cast, link: dict[str, Any], people: People
) -> None:
    long = "W" * 10_000
    texts = ["<b>bold</b><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "مرحبا بالعالم"]
    for text in (*texts, long):
        cast.dora.writes(thread_of(cast), text)
    for width in (360, 1_600):
        page = people.tab(people.device(width=width), link["url"])
        for text in texts:
            expect(page.get_by_text(text)).to_be_attached()
        expect(page.get_by_text(long)).to_be_attached()
        assert page.evaluate("[scrollX, document.documentElement.scrollWidth]") == [0, width]
        assert page.locator(".bubble :is(b, img, script)").count() == 0


def test_the_page_speaks_spanish_where_the_browser_does_and_english_when_asked(
    link: dict[str, Any], customer_page: Opened
) -> None:
    page = customer_page(link["url"], locale="es-MX")
    expect(page.get_by_text("Lo leen las personas de Jobthread")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_text("Read by the people of Jobthread")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_whoever_chooses_a_language_is_written_to_in_it_and_their_next_link_keeps_to_it(
    people: People, cast: Cast, link: dict[str, Any]
) -> None:
    phone = people.device("phone")
    page = people.tab(phone, link["url"])
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()
    assert spoken(cast) == "en"
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_text("Lo leen las personas de Jobthread")).to_be_visible()
    assert spoken(cast) == "es"
    page.close()
    page = people.tab(phone, cast.dora.sends_link(cast.boiler, channels=[])["url"])
    expect(page.get_by_text("Lo leen las personas de Jobthread")).to_be_visible()
    assert spoken(cast) == "es"


def test_a_language_of_nobodys_that_is_kept_there_bars_no_link(
    people: People, cast: Cast, link: dict[str, Any]
) -> None:
    phone = people.device("phone")
    phone.add_init_script("if (origin !== 'null') localStorage.setItem('language', 'tlh')")
    page = people.tab(phone, link["url"])
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()


def spoken(cast: Cast) -> str:
    """What Carol is written to in."""
    customer, job_id = cast.boiler.customer, cast.boiler.ref.id
    return cast.serving.read(lambda tx: preferences.of_customer(tx, customer.id, job_id)).language.value


def test_an_expired_link_can_still_be_renewed_in_the_other_language(
    people: People, cast: Cast, link: dict[str, Any], customer_page: Opened
) -> None:
    people.expect_trouble(REFUSED)
    cast.serving.clock.pass_time(days=8)
    page = customer_page(link["url"])
    page.get_by_role("button", name="Español").click()
    page.get_by_role("button", name="Enviarme un enlace nuevo").click()
    expect(page.get_by_text("va en camino uno nuevo")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert spoken(cast) == "es", "and so does what is sent to her"


# --- without signal -------------------------------------------------------------------------------


def test_what_is_written_without_signal_waits_survives_a_reload_and_is_stored_once(
    people: People, cast: Cast, carol: Page
) -> None:
    people.expect_trouble(UNREACHED)
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    with people.offline(carol):
        write(carol, "The cellar is under water")
        write(carol, "Please hurry")
        expect(carol.get_by_text(WAITING)).to_have_count(2)
        expect(carol.get_by_text("No connection. You can go on writing")).to_be_visible()
        carol.context.route("**/api/**", lambda route: route.abort())
    carol.reload()
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    expect(carol.get_by_text(WAITING)).to_have_count(2)
    assert stored(cast) == []
    carol.context.unroute("**/api/**")
    looks_for_news(carol)
    wait_until(lambda: stored(cast) == ["The cellar is under water", "Please hurry"])
    expect(carol.get_by_text(WAITING)).to_have_count(0)
    expect(messages(carol).get_by_text("Please hurry")).to_have_count(1)


def test_a_page_closed_without_signal_sends_when_it_is_opened_again(
    people: People, cast: Cast, carol: Page
) -> None:
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    phone = carol.context
    phone.new_page()
    with people.offline(carol):
        write(carol, "Goodbye")
        expect(carol.get_by_text(WAITING)).to_be_visible()
        carol.close()
    people.tab(phone, address(cast))
    wait_until(lambda: stored(cast) == ["Goodbye"])


@pytest.mark.usefixtures("without_streams")
def test_a_message_whose_answer_is_lost_twice_is_stored_once(people: People, cast: Cast, carol: Page) -> None:
    people.expect_trouble(UNREACHED)
    lost: list[str] = []

    def lose(route: Route) -> None:
        route.fetch()
        lost.append(route.request.url)
        route.abort()

    carol.route("**/messages", lose, times=2)
    write(carol, "Hello?")
    expect(carol.get_by_text(WAITING)).to_be_visible()
    looks_for_news(carol)
    expect(carol.locator(".mine[data-state=sent]")).to_have_count(1)
    assert len(lost) == 2
    assert stored(cast) == ["Hello?"]
    expect(messages(carol).get_by_text("Hello?")).to_have_count(1)


def test_two_tabs_send_each_message_once_and_in_order(people: People, cast: Cast, carol: Page) -> None:
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()  # by then she has her cookie
    other = people.tab(carol.context, address(cast))
    expect(other.get_by_text("Tom comes on Friday.")).to_be_visible()
    written = [f"Message {number}" for number in range(6)]
    sent: list[str] = []
    carol.context.on(
        "response", lambda answer: sent.append(answer.url) if answer.url.endswith("/messages") else None
    )
    with people.offline(carol):
        for number, text in enumerate(written):
            page = other if number % 2 else carol
            page.bring_to_front()
            write(page, text)
            expect(page.get_by_text(text)).to_be_visible()
    wait_until(lambda: len(stored(cast)) >= len(written))
    for page in (carol, other):
        page.bring_to_front()
        looks_for_news(page)
        expect(page.locator(".mine[data-state=sent]")).to_have_count(len(written))
        expect(page.locator(".mine")).to_have_count(len(written))
    assert stored(cast) == written
    assert len(sent) == len(written)


def test_a_message_that_the_server_refuses_waits_for_its_writers_decision(
    people: People, cast: Cast, carol: Page
) -> None:
    people.expect_trouble("status of 422")
    carol.route("**/messages", lambda route: route.fulfill(status=422, json={"code": "invalid"}), times=2)
    write(carol, "First")
    write(carol, "Second")
    expect(carol.get_by_text("Not sent")).to_have_count(2)
    carol.get_by_role("button", name="Delete").first.click()
    expect(carol.get_by_text("First")).to_have_count(0)
    carol.get_by_role("button", name="Try again").click()
    wait_until(lambda: stored(cast) == ["Second"])
    expect(carol.get_by_text("Not sent")).to_have_count(0)


def test_what_was_being_written_is_still_there_after_a_reload(carol: Page) -> None:
    carol.get_by_label("Write a message").fill("I wanted to say")
    expect(carol.get_by_text("Tom comes on Friday.")).to_be_visible()
    carol.reload()
    expect(carol.get_by_label("Write a message")).to_have_value("I wanted to say")


def test_a_link_opened_without_signal_opens_by_itself_when_there_is_some(
    people: People, link: dict[str, Any]
) -> None:
    people.expect_trouble(UNREACHED)
    phone = people.device("phone")
    phone.route("**/api/**", lambda route: route.abort())
    page = people.tab(phone, link["url"])
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert "token" not in page.url
    phone.unroute("**/api/**")
    looks_for_news(page)
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()
