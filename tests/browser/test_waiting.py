"""Who waits for an answer, who has it, and the line while nobody is there: as people see it on screens."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, expect

from jobthread.actions.escalation import Patience, escalate, note
from jobthread.store.database import wall_clock
from tests import serving
from tests.browser.chatting import address, chats, conversation, write
from tests.browser.people import People
from tests.browser.test_axe import violations
from tests.browser.test_widths import sideways
from tests.cast import Cast, CustomerAtHome, gather, ok
from tests.conftest import database_url
from tests.serving import Serving, wait_until

Json = dict[str, Any]


@pytest.fixture
def thread(cast: Cast) -> Json:
    return cast.dora.opens_thread(
        cast.tom, job=cast.boiler, subject="Your boiler", visibility="customer_visible"
    )


@pytest.fixture
def carol(cast: Cast, thread: Json) -> CustomerAtHome:
    return cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))


def chip(page: Page) -> Locator:
    return page.get_by_role("button", name="Waiting", exact=False)


def banner(page: Page) -> Locator:
    return page.get_by_role("group", name="Waiting")


def those_waiting(page: Page) -> Locator:
    return page.get_by_role("list", name="Waiting").get_by_role("link")


def test_dora_sees_that_carol_waits_says_i_have_it_and_dan_sees_that(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    dora, dan = someone(cast.dora, address(thread)), someone(cast.dan, "/messages")
    for page in (dora, dan):
        people.hears(page)
    expect(chip(dan)).to_have_text("Waiting 0")
    carol.writes("When does he come?")
    expect(banner(dora)).to_contain_text("Waiting for 1 min")
    expect(chip(dan)).to_have_text("Waiting 1")
    expect(chats(dan).get_by_role("link", name="Your boiler")).to_contain_text("waiting 1 min")
    banner(dora).get_by_role("button", name="I have it").click()
    expect(banner(dora)).to_contain_text("You have it")
    expect(chats(dan).get_by_role("link", name="Your boiler")).to_contain_text("Dora has it")
    dan.goto(address(thread))
    expect(banner(dan)).to_contain_text("Dora has it · Waiting for 1 min")
    banner(dan).get_by_role("button", name="Give back").click()
    expect(banner(dora).get_by_role("button", name="I have it")).to_be_visible()
    expect(banner(dora)).not_to_contain_text("You have it")
    write(dora, "At nine.")
    for page in (dora, dan):
        expect(banner(page)).to_have_count(0)
        expect(chip(page)).to_have_text("Waiting 0")


def test_an_answer_that_comes_late_takes_nothing_back_of_what_one_was_told_meanwhile(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("When does he come?")
    dora = someone(cast.dora, address(thread), routed=True)
    people.hears(dora)
    expect(banner(dora)).to_contain_text("Waiting for 1 min")
    late: list[tuple[Route, APIResponse]] = []
    dora.route(f"**/api/chat/threads/{thread['id']}", lambda route: late.append((route, route.fetch())))
    ok(cast.dan.post(f"/api/chat/threads/{thread['id']}/read"))
    wait_until(lambda: dora.evaluate("0") == 0 and late)
    ok(cast.dan.post(f"/api/chat/threads/{thread['id']}/claim"))
    expect(banner(dora)).to_contain_text("Dan has it")
    for route, response in late:
        route.fulfill(response=response)
    cast.tom.writes(cast.dora.opens_thread(cast.tom, subject="Later"), "I am there")
    expect(chats(dora).get_by_role("link", name="Later")).to_be_visible()
    expect(banner(dora)).to_contain_text("Dan has it")


def test_a_colleague_takes_it_over(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/claim"))
    tom = someone(cast.tom, address(thread), device="phone")
    people.hears(tom)
    expect(banner(tom)).to_contain_text("Dora has it")
    banner(tom).get_by_role("button", name="I have it").click()
    expect(banner(tom)).to_contain_text("You have it")
    assert ok(cast.dora.get(f"/api/chat/threads/{thread['id']}"))["claimed_by"]["name"] == "Tom"


def test_the_waiting_view_has_those_that_wait_alone_the_longest_first_and_by_keyboard(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    later = cast.dora.opens_thread(job=cast.boiler, subject="Your radiator", visibility="customer_visible")
    cast.tom.opens_thread(cast.dora, subject="Winter tyres")
    carol.writes("First", thread_id=thread["id"])
    carol.writes("Second", thread_id=later["id"])
    carol.writes("First again", thread_id=later["id"])
    dora = someone(cast.dora, "/messages")
    people.hears(dora)
    chip(dora).focus()
    dora.keyboard.press("Enter")
    expect(chip(dora)).to_have_attribute("aria-pressed", "true")
    expect(those_waiting(dora)).to_have_count(2)
    expect(those_waiting(dora).nth(0)).to_contain_text("Your boiler")
    expect(those_waiting(dora).nth(1)).to_contain_text("Your radiator")
    cast.tom.writes(thread, "At nine.")
    expect(those_waiting(dora)).to_have_count(1)
    expect(those_waiting(dora)).to_contain_text("Your radiator")
    ok(cast.dora.post(f"/api/chat/threads/{later['id']}/close"))
    expect(dora.get_by_text("No customer is waiting for an answer.")).to_be_visible()
    chip(dora).press("Space")
    expect(chats(dora).get_by_role("link", name="Winter tyres")).to_be_visible()


def test_the_view_holds_what_the_list_is_narrowed_to_miss(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    cast.tom.opens_thread(cast.dora, subject="Winter tyres")
    dora = someone(cast.dora, "/messages")
    people.hears(dora)
    dora.get_by_label("Search subjects and messages").fill("tyres")
    expect(chats(dora).get_by_role("link")).to_have_count(1)
    carol.writes("Hello?")
    expect(chip(dora)).to_have_text("Waiting 1")
    chip(dora).click()
    expect(those_waiting(dora)).to_contain_text("Your boiler")


def test_the_minutes_go_on_by_themselves(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    context = people.device(kept=people._session_of(cast.dora))
    context.clock.install()
    dora = people.tab(context, address(thread))
    expect(banner(dora)).to_contain_text("Waiting for 1 min")
    context.clock.fast_forward("25:30")
    expect(banner(dora)).to_contain_text("Waiting for 25 min")
    expect(chats(dora).get_by_role("link", name="Your boiler")).to_contain_text("waiting 25 min")


def test_who_waits_for_too_long_is_marked_by_words_on_every_width_and_for_everybody(
    people: People, someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome
) -> None:
    carol.writes("Hello?")
    dora = someone(cast.dora, address(thread))
    people.hears(dora)
    expect(banner(dora)).to_be_visible()
    cast.serving.clock.pass_time(seconds=61 * 60)
    cast.serving.write(lambda tx: escalate(tx, Patience(cast.serving.parts.hours, 30), note))
    expect(banner(dora)).to_contain_text("admins were told")
    expect(chats(dora).get_by_role("link", name="Your boiler")).to_contain_text("admins were told")
    for width in (360, 1600):
        dora.set_viewport_size({"width": width, "height": 800})
        assert sideways(dora) == []
        assert violations(dora) == []
    dora.goto("/messages")
    chip(dora).click()
    expect(those_waiting(dora)).to_have_count(1)
    for width in (360, 1600):
        dora.set_viewport_size({"width": width, "height": 800})
        assert sideways(dora) == []
        assert violations(dora) == []


def test_in_spanish(someone: Callable[..., Page], cast: Cast, thread: Json, carol: CustomerAtHome) -> None:
    carol.writes("¿Hola?")
    dora = someone(cast.dora, address(thread), locale="es-ES")
    group = dora.get_by_role("group", name="En espera")
    expect(group).to_contain_text("Espera desde hace 1 min")
    group.get_by_role("button", name="Yo me encargo").click()
    expect(group).to_contain_text("Se encarga usted")
    expect(group.get_by_role("button", name="Devolver")).to_be_visible()


# --- while nobody is there ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("office")
    hours = {"BUSINESS_HOURS": "Mon-Fri 08:00-17:00", "TIME_ZONE": "Europe/London"}
    running = serving.serve(database_url("sqlite", folder), folder, **hours)
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("en-GB", "The office is closed. Somebody answers when it opens: Mon 08:00."),
        ("es-ES", "La oficina está cerrada. Alguien responde cuando abra: lun, 08:00."),
    ],
)
def test_a_customer_reads_when_the_office_opens_and_so_does_the_office(
    chromium: Browser, office: Serving, locale: str, line: str
) -> None:
    serving.empty(office)
    friday_evening = datetime(2026, 11, 27, 18, tzinfo=UTC).timestamp()
    office.clock.ahead = int(friday_evening * 1_000_000) - wall_clock()
    cast = gather(office)
    thread = cast.dora.opens_thread(job=cast.boiler, visibility="customer_visible")
    link = cast.dora.sends_link(cast.boiler, channels=[])
    people = People(chromium, office, office.settings.base_url)
    try:
        carol = people.customer_page(link["url"], locale=locale)
        label = "Write a message" if locale == "en-GB" else "Escriba un mensaje"
        send = "Send" if locale == "en-GB" else "Enviar"
        for text in ("Hello?", "Anybody?"):
            carol.get_by_label(label).fill(text)
            carol.get_by_role("button", name=send, exact=True).click()
            expect(carol.get_by_role("list").get_by_text(text)).to_be_visible()
        expect(carol.get_by_text(line)).to_have_count(1)
        dora = people.someone(cast.dora, address(thread), locale="en-GB")
        expect(conversation(dora).get_by_text("Somebody answers when it opens: Mon 08:00.")).to_be_visible()
        people.had_no_trouble()
    finally:
        people.leave()
        office.close_browsers()
