"""Messages: Active Chats and Current Chat, as people use them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import People
from tests.cast import Cast, Colleague, ok
from tests.serving import wait_until

Someone = Callable[..., Page]


def news_comes(page: Page) -> None:
    """What would come with the next poll comes now."""
    page.evaluate("dispatchEvent(new Event('online'))")


def row(page: Page, subject: str) -> Locator:
    return page.get_by_role("list", name="Active Chats").get_by_role("link").filter(has_text=subject)


def conversation(page: Page) -> Locator:
    return page.get_by_role("list", name="Messages", exact=True)


def writes(page: Page, text: str) -> None:
    page.get_by_label("Write a message").fill(text)
    page.get_by_label("Write a message").press("Enter")


def total(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Main").get_by_role("link", name="Messages")


# --- Active Chats ---------------------------------------------------------------------------------


def test_a_thread_in_the_list_tells_what_with_whom_and_what_was_said_last(
    someone: Someone, cast: Cast
) -> None:
    thread = cast.dora.opens_thread(
        cast.tom, job=cast.boiler, subject="Your boiler", visibility="customer_visible"
    )
    cast.opens(cast.dora.sends_link(cast.boiler, channels=[])).writes("It is cold in here")
    cast.dora.opens_thread(cast.tom, subject="Winter tyres")
    page = someone(cast.dora)
    expect(row(page, "Your boiler")).to_contain_text("Carol, Tom")
    expect(row(page, "Your boiler")).to_contain_text("Carol: It is cold in here")
    expect(row(page, "Your boiler")).to_contain_text("Customer-Visible")
    expect(row(page, "Your boiler")).to_contain_text("Needs reply")
    expect(row(page, "Winter tyres")).to_contain_text("Internal")
    assert thread["id"]


def test_the_red_badge_counts_all_that_is_unread_and_opening_a_thread_takes_its_part_away(
    someone: Someone, cast: Cast
) -> None:
    for subject, count in (("Valve", 2), ("Ladder", 1)):
        thread = cast.dora.opens_thread(cast.tom, subject=subject)
        for number in range(count):
            cast.dora.writes(thread, f"{subject} {number}")
    page = someone(cast.tom)
    expect(total(page)).to_contain_text("3 unread messages")
    expect(page).to_have_title(re.compile(r"^\(3\) "))
    expect(row(page, "Valve")).to_contain_text("2 unread messages")
    row(page, "Valve").click()
    expect(total(page)).to_contain_text("1 unread message")
    expect(row(page, "Valve")).not_to_contain_text("unread")
    expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_filters_narrow_the_list_and_can_be_taken_back(someone: Someone, cast: Cast) -> None:
    cast.dora.opens_thread(subject="Inside")
    cast.dora.opens_thread(subject="Outside", job=cast.boiler, visibility="customer_visible")
    done = cast.dora.opens_thread(subject="Long done")
    ok(cast.dora.post(f"/api/chat/threads/{done['id']}/close"))
    page = someone(cast.dora)
    expect(row(page, "Inside")).to_be_visible()
    expect(row(page, "Long done")).to_have_count(0)
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Status").select_option("closed")
    expect(row(page, "Long done")).to_be_visible()
    expect(row(page, "Inside")).to_have_count(0)
    page.get_by_role("button", name="Clear search and filters").click()
    page.get_by_label("Kind").select_option("customer_visible")
    expect(row(page, "Inside")).to_have_count(0)
    expect(row(page, "Outside")).to_be_visible()


def test_a_search_shows_where_it_found_the_words(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(subject="Cellar")
    cast.dora.writes(thread, "The expansion vessel is empty again")
    cast.dora.writes(thread, "Done for today")
    cast.dora.opens_thread(subject="Attic")
    page = someone(cast.dora)
    expect(row(page, "Attic")).to_be_visible()
    page.get_by_label("Search subjects and messages").fill("vessel")
    expect(row(page, "Attic")).to_have_count(0)
    expect(row(page, "Cellar")).to_contain_text("The expansion vessel is empty again")
    page.get_by_label("Search subjects and messages").fill("unicorn")
    expect(page.get_by_text("No thread fits.")).to_be_visible()


# --- Current Chat ---------------------------------------------------------------------------------


def test_each_thread_has_its_own_address_and_back_and_reload_work(someone: Someone, cast: Cast) -> None:
    first, second = (cast.dora.opens_thread(subject=subject) for subject in ("First", "Second"))
    page = someone(cast.dora)
    row(page, "First").click()
    expect(page).to_have_url(re.compile(f"/messages/{first['id']}$"))
    row(page, "Second").click()
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="First")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="First")).to_be_visible()
    assert second["id"]


def test_a_thread_that_is_not_ones_own_looks_as_if_it_did_not_exist(
    someone: Someone, people: People, cast: Cast
) -> None:
    people.expect_trouble("status of 404")
    secret = cast.dora.opens_thread(cast.dan, subject="About Tara")
    page = someone(cast.tara, f"/messages/{secret['id']}")
    expect(page.get_by_text("This thread does not exist, or you are not part of it.")).to_be_visible()
    absent = someone(cast.tara, "/messages/999999")
    expect(absent.get_by_text("This thread does not exist, or you are not part of it.")).to_be_visible()


def test_what_was_not_read_yet_stands_below_a_line(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    cast.dora.writes(thread, "Yesterday's news")
    ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    cast.dora.writes(thread, "Bring the long ladder")
    page = someone(cast.tom, f"/messages/{thread['id']}")
    text = conversation(page).inner_text()
    assert text.index("Yesterday's news") < text.index("New messages") < text.index("Bring the long ladder")


def test_the_message_one_sends_is_there_at_once_and_tells_by_whom_it_was_seen(
    someone: Someone, cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom, cast.tara)
    page = someone(cast.dora, f"/messages/{thread['id']}")
    writes(page, "Who has the pump?")
    expect(conversation(page)).to_contain_text("Who has the pump?")
    expect(conversation(page)).to_contain_text("Sent")
    ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    news_comes(page)
    expect(conversation(page)).to_contain_text("Seen by Tom")
    expect(conversation(page)).not_to_contain_text("Sent")


def test_shift_and_enter_breaks_the_line_and_on_glass_so_does_enter(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.dora, f"/messages/{thread['id']}")
    box = page.get_by_label("Write a message")
    box.press_sequentially("One")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    expect(box).to_have_value("One\ntwo")
    box.press("Enter")
    expect(box).to_have_value("")
    phone = someone(cast.tom, f"/messages/{thread['id']}", device="phone")
    box = phone.get_by_label("Write a message")
    box.press_sequentially("Three")
    box.press("Enter")
    box.press_sequentially("four")
    expect(box).to_have_value("Three\nfour")
    phone.get_by_role("button", name="Send").click()
    expect(conversation(phone)).to_contain_text("Three\nfour")


def test_a_draft_waits_in_its_own_thread(someone: Someone, cast: Cast) -> None:
    first, second = (cast.dora.opens_thread(subject=subject) for subject in ("First", "Second"))
    page = someone(cast.dora, f"/messages/{first['id']}")
    page.get_by_label("Write a message").fill("Half a thought")
    row(page, "Second").click()
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    expect(page.get_by_label("Write a message")).to_have_value("")
    page.reload()
    row(page, "First").click()
    expect(page.get_by_label("Write a message")).to_have_value("Half a thought")
    assert second["id"]


def test_the_composer_always_says_who_will_read(someone: Someone, cast: Cast) -> None:
    inside = cast.dora.opens_thread(cast.tom)
    outside = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    page = someone(cast.dora, f"/messages/{inside['id']}")
    expect(page.get_by_text("Only staff read this: Tom")).to_be_visible()
    page.goto(f"/messages/{outside['id']}")
    expect(page.get_by_text("Read by Carol, the customer, and the team: Tom")).to_be_visible()
    other = someone(cast.ada, f"/messages/{inside['id']}")
    expect(other.get_by_text("You are not in this thread yet")).to_be_visible()


def test_older_messages_come_while_one_scrolls_and_what_one_reads_stays_where_it_is(
    someone: Someone, cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    for number in range(180):
        cast.dora.writes(thread, f"Message number {number:03}")
    ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    page = someone(cast.tom, f"/messages/{thread['id']}")
    expect(conversation(page).get_by_text("Message number 179")).to_be_in_viewport()
    expect(conversation(page).get_by_text("Message number 000")).to_have_count(0)
    # Up again and again, as a thumb would.
    scroll_up = "list => { list.scrollTop = 0; return list.querySelectorAll('.bubble').length === 180 }"
    wait_until(lambda: conversation(page).evaluate(scroll_up))
    bodies = conversation(page).locator("li .bubble").all_text_contents()
    assert [body.strip() for body in bodies] == [f"Message number {number:03}" for number in range(180)]


def test_who_reads_further_up_is_told_of_news_and_not_moved(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    for number in range(45):
        cast.dora.writes(thread, f"Message number {number:03}")
    ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    page = someone(cast.tom, f"/messages/{thread['id']}")
    expect(conversation(page).get_by_text("Message number 044")).to_be_in_viewport()
    conversation(page).evaluate("list => { list.scrollTop = 200 }")
    page.wait_for_function("() => document.querySelector('ol').scrollTop === 200")
    cast.dora.writes(thread, "Are you there?")
    news_comes(page)
    expect(page.get_by_role("button", name="1 new message")).to_be_visible()
    assert conversation(page).evaluate("list => list.scrollTop") == 200
    page.get_by_role("button", name="1 new message").click()
    expect(conversation(page).get_by_text("Are you there?")).to_be_in_viewport()


def test_web_addresses_can_be_followed_and_nothing_else_can(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    cast.dora.writes(thread, "See https://example.com/a?b=1, or javascript:alert(1)")
    page = someone(cast.tom, f"/messages/{thread['id']}")
    links = conversation(page).get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://example.com/a?b=1")
    expect(links).to_have_attribute("rel", re.compile("noopener noreferrer"))


# --- what one can do with a thread ----------------------------------------------------------------


def test_a_thread_is_closed_and_reopened_from_its_menu(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.dora, f"/messages/{thread['id']}")
    page.get_by_role("button", name="Thread menu").click()
    page.get_by_role("button", name="Close thread").click()
    expect(page.get_by_text("This thread is closed. Reopen it to write.")).to_be_visible()
    expect(page.get_by_label("Write a message")).to_have_count(0)
    expect(conversation(page)).to_contain_text("Dora closed this conversation")
    page.get_by_role("button", name="Reopen thread").click()
    expect(page.get_by_label("Write a message")).to_be_visible()


def test_people_are_added_and_removed_and_the_conversation_tells_it(someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.dora, f"/messages/{thread['id']}")
    page.get_by_role("button", name="Thread menu").click()
    page.get_by_role("button", name="Add people").click()
    page.get_by_role("checkbox", name="Tara").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(conversation(page)).to_contain_text("Dora added Tara")
    page.get_by_role("button", name="Remove Tom").click()
    expect(conversation(page)).to_contain_text("Dora removed Tom")
    assert cast.tara.sees(thread)
    assert not cast.tom.sees(thread)


def test_a_technician_may_leave_and_no_more(people: People, someone: Someone, cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Cellar")
    page = someone(cast.tom, f"/messages/{thread['id']}")
    people.hears(page)
    page.get_by_role("button", name="Thread menu").click()
    menu = page.get_by_role("dialog")
    expect(menu.get_by_role("button")).to_have_text(["", "Leave this thread"])
    menu.get_by_role("button", name="Leave this thread").click()
    menu.get_by_role("button", name="Leave this thread").click()
    expect(page).to_have_url(re.compile("/messages$"))
    expect(row(page, "Cellar")).to_have_count(0)
    assert not cast.tom.sees(thread)


@pytest.mark.usefixtures("without_streams")
def test_a_message_that_came_too_late_is_kept_until_its_writer_decides(
    someone: Someone, people: People, cast: Cast
) -> None:
    people.expect_trouble("status of 409")
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.tom, f"/messages/{thread['id']}")
    expect(page.get_by_label("Write a message")).to_be_visible()
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    writes(page, "One more thing")
    expect(conversation(page)).to_contain_text("This conversation was closed before the message arrived.")
    page.reload()
    expect(conversation(page)).to_contain_text("One more thing")
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/reopen"))
    conversation(page).get_by_role("button", name="Try again").click()
    expect(conversation(page)).to_contain_text("Sent")
    assert said(cast.dora, thread) == ["One more thing"]


@pytest.mark.usefixtures("without_streams")
def test_a_message_that_was_refused_can_be_deleted(someone: Someone, people: People, cast: Cast) -> None:
    people.expect_trouble("status of 409")
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.tom, f"/messages/{thread['id']}")
    expect(page.get_by_label("Write a message")).to_be_visible()
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    writes(page, "Never mind")
    conversation(page).get_by_role("button", name="Delete").click()
    expect(conversation(page)).not_to_contain_text("Never mind")
    page.reload()
    expect(conversation(page)).not_to_contain_text("Never mind")


def said(who: Colleague, thread: dict[str, object]) -> list[str]:
    return [message["body"] for message in who.reads(thread) if message["kind"] == "message"]


# --- New Thread -----------------------------------------------------------------------------------


def test_a_new_thread_is_made_in_the_steps_people_know(someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora)
    page.get_by_role("link", name="New Thread").click()
    page.get_by_role("radio", name="Customer-Visible").check()
    page.get_by_role("textbox", name="Subject").fill("Your boiler")
    page.get_by_role("checkbox", name="Tom").check()
    page.get_by_label("Linked job (required)").fill("boiler")
    page.get_by_role("option", name="Boiler off").click()
    page.get_by_label("First message").fill("Good morning, Carol.")
    page.get_by_role("button", name="Create Thread").click()
    expect(page.get_by_role("heading", name="Your boiler")).to_be_visible()
    expect(conversation(page)).to_contain_text("Good morning, Carol.")
    expect(row(page, "Your boiler")).to_contain_text("Carol, Tom")


def test_the_form_says_what_is_missing_before_the_server_does(someone: Someone, cast: Cast) -> None:
    page = someone(cast.dora, "/messages/new?visibility=customer_visible")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/threads") else None)
    page.get_by_role("button", name="Create Thread").click()
    expect(page.get_by_text("A thread needs a subject.")).to_be_visible()
    expect(page.get_by_text("A customer-visible thread needs a job")).to_be_visible()
    expect(page.get_by_role("textbox", name="Subject")).to_be_focused()
    assert asked == []


def test_a_technician_is_offered_internal_threads_alone(someone: Someone, cast: Cast) -> None:
    page = someone(cast.tom, "/messages/new")
    expect(page.get_by_role("textbox", name="Subject")).to_be_visible()
    expect(page.get_by_role("radio")).to_have_count(0)
    page.get_by_role("textbox", name="Subject").fill("Need help at Job #456")
    page.get_by_role("checkbox", name="Dora").check()
    page.get_by_role("button", name="Create Thread").click()
    expect(page.get_by_role("heading", name="Need help at Job #456")).to_be_visible()
    expect(page.get_by_text("Internal").first).to_be_visible()
