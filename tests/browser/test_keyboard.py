"""Everything by the keys alone: one gets everywhere, sees where one is, and goes on where one expects to."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chatting import address, chats, conversation, look_for_news, menu
from tests.browser.keyboard import is_at, press, press_back, tab_to
from tests.browser.people import People
from tests.browser.test_signing_in import is_in
from tests.cast import PASSWORD, Cast, ok

Someone = Callable[..., Page]
REFUSED = "the server responded with a status of 4"


def writing(page: Page) -> Any:
    return page.get_by_label("Write a message")


def heading(page: Page, name: str) -> Any:
    return page.get_by_role("heading", name=name, exact=True)


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


# --- coming in and going out ----------------------------------------------------------------------


@pytest.mark.usefixtures("quick_hashes")
def test_one_signs_in_goes_round_and_signs_out(people: People, someone: Someone) -> None:
    people.expect_trouble(REFUSED)
    page = someone(None)
    is_at(page.get_by_label("E-mail"))
    page.keyboard.type("dora@example.com")
    tab_to(page.get_by_label("Password"))
    page.keyboard.type("a hammer in the works\n")
    expect(page.get_by_role("alert")).to_be_visible()
    is_at(page.get_by_label("E-mail"))
    tab_to(page.get_by_label("Password"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(f"{PASSWORD}\n")
    is_in(page)
    for place in ("Messages", "Jobs", "Account"):
        press(menu(page).get_by_role("link", name=place))
        expect(page).to_have_url(f"/{place.lower()}")
        is_at(menu(page).get_by_role("link", name=place))
    press(button(page, "Sign out"))
    is_at(page.get_by_label("E-mail"))


def test_signing_out_with_messages_waiting_asks_and_no_is_the_nearest_answer(
    people: People, someone: Someone, cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.dora, address(thread))
    people.opens_offline(page)
    expect(writing(page)).to_be_visible()
    with people.offline(page):
        tab_to(writing(page))
        page.keyboard.type("The valve is stuck\n")
        expect(page.get_by_text("Waiting for signal")).to_be_visible()
        press(menu(page).get_by_role("link", name="Account"))
        press(button(page, "Sign out"))
        is_at(button(page, "Stay signed in"))
        page.keyboard.press("Enter")
        is_at(button(page, "Sign out"))


# --- reading and writing --------------------------------------------------------------------------


def test_one_opens_a_thread_and_writes_and_goes_on_writing(someone: Someone, cast: Cast) -> None:
    for subject in ("Ladder", "Valve"):
        cast.dora.writes(cast.dora.opens_thread(cast.tom, subject=subject), f"About the {subject}")
    page = someone(cast.tom)
    press(chats(page).get_by_role("link", name="Valve"))
    is_at(writing(page))
    page.keyboard.type("One")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(conversation(page)).to_contain_text("One\ntwo")
    is_at(writing(page))
    page.keyboard.type("Three")
    press(button(page, "Send"))
    expect(conversation(page)).to_contain_text("Three")
    is_at(writing(page))
    tab_to(conversation(page), "Shift+Tab")
    tab_to(chats(page).get_by_role("link", name="Ladder"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(heading(page, "Ladder")).to_be_visible()
    is_at(writing(page))


def test_on_a_phone_one_reads_before_the_keys_cover_half_of_it(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Valve")
    cast.dora.opens_thread(cast.tom, subject="Ladder")
    page = someone(cast.tom, device="phone")
    press(chats(page).get_by_role("link", name="Valve"))
    is_at(heading(page, "Valve"))
    page.go_back()
    is_at(chats(page).get_by_role("link", name="Valve"))
    page.go_forward()
    is_at(heading(page, "Valve"))
    tabs = page.get_by_role("navigation", name="Messages")
    tab_to(tabs.get_by_role("link", name="Active Chats"), "Shift+Tab")
    page.keyboard.press("Enter")
    is_at(tabs.get_by_role("link", name="Active Chats"))
    press(tabs.get_by_role("link", name="Current Chat"))
    expect(page).to_have_url(address(thread))


def test_who_was_told_of_news_below_reads_on_there(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    for number in range(45):
        cast.dora.writes(thread, f"Message number {number}")
    ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    page = someone(cast.tom, address(thread))
    expect(conversation(page).get_by_text("Message number 44")).to_be_in_viewport()
    tab_to(conversation(page))
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('ol').scrollTop < 100")
    cast.dora.writes(thread, "Are you there?")
    look_for_news(page)
    press(page.get_by_role("button", name="1 new message"))
    is_at(conversation(page))
    expect(conversation(page).get_by_text("Are you there?")).to_be_in_viewport()


@pytest.mark.usefixtures("without_streams")
def test_what_was_refused_is_deleted_or_sent_again(people: People, someone: Someone, cast: Cast) -> None:
    people.expect_trouble(REFUSED)
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.tom, address(thread))
    tab_to(writing(page))
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    page.keyboard.type("One more thing\n")
    expect(page.get_by_text("This conversation was closed before")).to_be_visible()
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/reopen"))
    look_for_news(page)
    expect(writing(page)).to_be_visible()
    press(button(page, "Try again"))
    expect(conversation(page)).to_contain_text("Sent")
    is_at(writing(page))


def test_one_searches_narrows_and_takes_it_back(someone: Someone, cast: Cast) -> None:
    for subject in ("Ladder", "Valve"):
        cast.dora.opens_thread(subject=subject)
    page = someone(cast.dora)
    search = page.get_by_label("Search subjects and messages")
    tab_to(search)
    page.keyboard.type("Valve")
    expect(chats(page).get_by_role("link")).to_have_count(1)
    press(button(page, "Filters"))
    is_at(button(page, "Filters"))
    tab_to(page.get_by_label("Needs reply"))
    page.keyboard.press("Space")
    expect(page.get_by_text("No thread fits.")).to_be_visible()
    press(button(page, "Clear search and filters"))
    expect(chats(page).get_by_role("link")).to_have_count(2)
    is_at(search)


# --- New Thread -----------------------------------------------------------------------------------


def test_a_thread_is_begun_step_by_step(people: People, someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora)
    press(page.get_by_role("link", name="New Thread"))
    is_at(page.get_by_role("radio", name="Internal"))
    page.keyboard.press("ArrowDown")
    is_at(page.get_by_role("radio", name="Customer-Visible"))
    press(button(page, "Create Thread"))
    is_at(page.get_by_label("Subject", exact=True))
    page.keyboard.type("Your boiler")
    tab_to(page.get_by_label("Search people"))
    expect(page.get_by_role("checkbox", name="Tom")).to_be_visible()
    page.keyboard.type("Tom\n")
    expect(page.get_by_role("checkbox", name="Tom")).to_be_checked()
    tab_to(page.get_by_role("checkbox", name="Tara"))
    page.keyboard.press("Space")
    press(button(page, "Create Thread"))
    is_at(page.get_by_role("combobox"))
    page.keyboard.type("Boiler")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    is_at(button(page, "Choose another"))
    tab_to(page.get_by_label("First message"))
    page.keyboard.type("When does it suit you?")
    press(button(page, "Create Thread"))
    expect(conversation(page)).to_contain_text("When does it suit you?")
    is_at(writing(page))


def test_a_thread_that_is_not_begun_leaves_one_where_one_was(someone: Someone, cast: Cast) -> None:
    page = someone(cast.tom)
    press(page.get_by_role("link", name="New Thread"))
    is_at(page.get_by_label("Subject", exact=True))
    press(page.get_by_role("link", name="Cancel"))
    is_at(page.get_by_role("link", name="New Thread"))


def test_a_thread_that_could_not_be_begun_is_begun_by_the_same_key_again(
    people: People, someone: Someone, cast: Cast
) -> None:
    page = someone(cast.dora, "/messages/new")
    tab_to(page.get_by_label("Subject", exact=True))
    page.keyboard.type("Tyres")
    tab_to(button(page, "Create Thread"))
    with people.offline(page):
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="connection")).to_be_visible()
        is_at(button(page, "Create Thread"))
    page.keyboard.press("Enter")
    expect(heading(page, "Tyres")).to_be_visible()


# --- the thread's menu ----------------------------------------------------------------------------


def test_people_are_added_and_removed_and_one_thinks_again_about_leaving(
    someone: Someone, cast: Cast
) -> None:
    page = someone(cast.dora, address(cast.dora.opens_thread(cast.tom, subject="Valve")))
    press(button(page, "Thread menu"))
    is_at(button(page, "Close"))
    press(button(page, "Add people"))
    is_at(page.get_by_label("Search people"))
    expect(page.get_by_role("checkbox", name="Tara")).to_be_visible()
    page.keyboard.type("Tara\n")
    press(button(page, "Add"))
    is_at(button(page, "Add people"))
    tab_to(button(page, "Remove Tara"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(button(page, "Remove Tara")).to_have_count(0)
    is_at(button(page, "Add people"))
    press(button(page, "Leave this thread"))
    is_at(button(page, "Cancel"))
    page.keyboard.press("Enter")
    is_at(button(page, "Leave this thread"))
    page.keyboard.press("Escape")
    is_at(button(page, "Thread menu"))


def test_a_thread_is_closed_and_reopened(someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora, address(cast.dora.opens_thread(cast.tom)))
    press(button(page, "Thread menu"))
    press(button(page, "Close thread"))
    expect(page.get_by_text("This thread is closed.")).to_be_visible()
    is_at(button(page, "Thread menu"))
    press(button(page, "Reopen thread"))
    is_at(writing(page))


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_who_left_a_thread_is_back_on_the_list(
    people: People, someone: Someone, cast: Cast, device: str
) -> None:
    page = someone(cast.tom, device=device)
    people.hears(page)
    cast.dora.opens_thread(cast.tom, subject="Valve")
    look_for_news(page)
    press(chats(page).get_by_role("link", name="Valve"))
    expect(heading(page, "Valve")).to_be_visible()
    tab_to(button(page, "Thread menu"), "Shift+Tab" if device == "desktop" else "Tab")
    page.keyboard.press("Enter")
    press(button(page, "Leave this thread"))
    press_back(button(page, "Leave this thread"))
    expect(page).to_have_url("/messages")
    is_at(page.get_by_role("link", name="New Thread"))


def test_who_hears_of_having_left_before_the_answer_comes_is_back_on_the_list(
    people: People, someone: Someone, cast: Cast
) -> None:
    page = someone(cast.tom, address(cast.dora.opens_thread(cast.tom, subject="Valve")), routed=True)
    people.hears(page)
    seen_gone = page.get_by_text("This thread does not exist, or you are not part of it.")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        expect(seen_gone).to_be_visible()
        is_at(heading(page, "Current Chat"))
        route.fulfill(response=answer)

    page.route("**/participants/*", answer_late)
    press(button(page, "Thread menu"))
    press(button(page, "Leave this thread"))
    press_back(button(page, "Leave this thread"))
    expect(page).to_have_url("/messages")
    is_at(page.get_by_role("link", name="New Thread"))


# --- jobs -----------------------------------------------------------------------------------------


def test_one_walks_from_the_list_to_a_job_and_back(someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    press(page.get_by_role("link", name="Boiler off"))
    is_at(heading(page, "Boiler off"))
    tab_to(page.get_by_role("main").get_by_role("link", name="Jobs"), "Shift+Tab")
    page.keyboard.press("Enter")
    is_at(heading(page, "Jobs"))


def test_a_job_is_taken_in(someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    press(button(page, "New job"))
    is_at(page.get_by_role("textbox", name="Title"))
    page.keyboard.press("Escape")
    is_at(button(page, "New job"))
    page.keyboard.press("Enter")
    page.keyboard.type("Gutter leaks")
    press(button(page, "Create job"))
    is_at(page.get_by_role("combobox"))
    page.keyboard.type("Carol")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    is_at(button(page, "Choose another"))
    tab_to(page.get_by_label("Scheduled for"))
    page.keyboard.type("01152027\t0200PM")  # the order of the browser itself, whatever the page speaks
    tab_to(page.get_by_label("Search people"))
    expect(page.get_by_role("checkbox", name="Tom")).to_be_visible()
    page.keyboard.type("Tom\n")
    press(button(page, "Create job"))
    is_at(heading(page, "Gutter leaks"))
    expect(page.get_by_text("15 Jan 2027, 14:00")).to_be_visible()


def test_a_link_is_sent_another_generated_and_one_revoked(someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora, f"/jobs/{cast.boiler.ref.id}")
    press(button(page, "Send Chat Link"))
    is_at(page.get_by_role("checkbox").first)
    press(button(page, "Send"))
    expect(page.get_by_role("dialog")).to_contain_text("The link is made.")
    is_at(button(page, "Close").last)
    page.keyboard.press("Enter")
    is_at(button(page, "Send Chat Link"))
    press(button(page, "Generate Magic Link"))
    is_at(page.get_by_role("dialog").get_by_role("combobox"))
    press(button(page, "Generate"))
    is_at(button(page, "Copy"))
    page.keyboard.press("Escape")
    is_at(button(page, "Generate Magic Link"))
    expect(button(page, "Revoke")).to_have_count(2)
    press(button(page, "Revoke").first)
    is_at(button(page, "Cancel"))
    page.keyboard.press("Enter")
    is_at(button(page, "Revoke").first)
    page.keyboard.press("Enter")
    press(page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True))
    expect(page.get_by_role("dialog")).not_to_be_attached()
    is_at(heading(page, "Chat links"))


# --- the customer ---------------------------------------------------------------------------------


@pytest.fixture
def link(cast: Cast) -> str:
    thread = cast.dora.opens_thread(
        cast.tom, job=cast.boiler, visibility="customer_visible", subject="Your boiler"
    )
    cast.dora.writes(thread, "Tom comes on Friday.")
    url: str = cast.dora.sends_link(cast.boiler, channels=[])["url"]
    return url


def test_a_customer_reads_and_answers(customer_page: Someone, cast: Cast, link: str) -> None:
    page = customer_page(link, device="desktop")
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()
    tab_to(conversation(page))
    tab_to(writing(page))
    page.keyboard.type("One")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two\n")
    expect(conversation(page)).to_contain_text("One\ntwo")
    is_at(writing(page))
    page.keyboard.type("Three")
    press(button(page, "Send"))
    expect(conversation(page)).to_contain_text("Three")
    is_at(writing(page))


def test_a_customer_goes_from_one_conversation_to_the_other(
    customer_page: Someone, cast: Cast, link: str
) -> None:
    cast.dora.opens_thread(job=cast.boiler, visibility="customer_visible", subject="The bill")
    page = customer_page(link, device="desktop")
    switch = page.get_by_role("navigation", name="Conversations")
    press(switch.get_by_role("button", name="The bill"))
    expect(switch.locator("[aria-current]")).to_contain_text("The bill")
    is_at(switch.get_by_role("button", name="The bill"))
    press(switch.get_by_role("button", name="Your boiler"))
    is_at(switch.get_by_role("button", name="Your boiler"))
    expect(page.get_by_text("Tom comes on Friday.")).to_be_visible()


def test_a_customer_whose_link_has_expired_asks_for_a_new_one(
    people: People, customer_page: Someone, cast: Cast, link: str
) -> None:
    people.expect_trouble(REFUSED)
    cast.serving.clock.pass_time(days=8)
    page = customer_page(link, device="desktop")
    press(button(page, "Send me a new link"))
    answer = page.get_by_text("a new one is on its way")
    expect(answer).to_be_visible()
    is_at(answer)


def test_a_customer_decides_about_what_was_refused(
    people: People, customer_page: Someone, cast: Cast, link: str
) -> None:
    people.expect_trouble("status of 422")
    page = customer_page(link, device="desktop")
    page.route("**/messages", lambda route: route.fulfill(status=422, json={"code": "invalid"}), times=1)
    tab_to(writing(page))
    page.keyboard.type("First\n")
    expect(page.get_by_text("Not sent")).to_be_visible()
    press_back(button(page, "Delete"))
    expect(page.get_by_text("First")).to_have_count(0)
    is_at(writing(page))
