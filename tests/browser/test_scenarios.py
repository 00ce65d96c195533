"""The three common scenarios, played by people at their own browsers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import chats, conversation, look_for_news, menu, write
from tests.browser.mail import mailed_link
from tests.browser.people import People
from tests.cast import Cast
from tests.conftest import DATABASES

# Who asks instead of being told differs above the API alone: one database will do.
pytestmark = pytest.mark.parametrize(
    ("server", "news"),
    [*((database, "told") for database in DATABASES), ("sqlite", "asked")],
    indirect=True,
)

News = Callable[[Page], None]


@pytest.fixture
def news(request: pytest.FixtureRequest, people: People) -> News:
    """How people hear of each other: at once, or by asking where a network lets no streams through."""
    people.streams_pass = request.param == "told"
    return wait_for_it if people.streams_pass else look_for_news


def wait_for_it(page: Page) -> None:
    """It comes by itself."""


def test_scenario_1_a_technician_needs_a_dispatchers_guidance(
    news: News, someone: Callable[..., Page], cast: Cast
) -> None:
    tom, dora, tara = someone(cast.tom, device="phone"), someone(cast.dora, "/jobs"), someone(cast.tara)

    menu(tom).get_by_role("link", name="Messages").click()
    tom.get_by_role("link", name="New Thread").click()
    expect(tom.get_by_text("Customer-Visible")).to_have_count(0)  # a technician's threads are internal
    tom.get_by_label("Subject", exact=True).fill("Need help at Job #101")
    tom.get_by_role("checkbox", name="Dora").check()
    tom.get_by_label("First message").fill("The gas valve is seized. Replace it?")
    tom.get_by_role("button", name="Create Thread").click()
    expect(conversation(tom)).to_contain_text("The gas valve is seized. Replace it?")
    expect(tom.get_by_text("Only staff read this")).to_be_visible()

    news(dora)
    expect(menu(dora).get_by_role("link", name="Messages")).to_have_accessible_name(
        "Messages 1 unread message"
    )
    menu(dora).get_by_role("link", name="Messages").click()
    thread = chats(dora).get_by_role("link", name="Need help at Job #101")
    expect(thread).to_contain_text("1 unread message")
    thread.click()
    expect(conversation(dora)).to_contain_text("The gas valve is seized.")
    expect(menu(dora).get_by_role("link", name="Messages")).to_have_accessible_name("Messages")
    expect(thread).not_to_contain_text("unread")
    write(dora, "Replace it; there is one in van 2.")

    news(tom)
    expect(conversation(tom)).to_contain_text("Replace it; there is one in van 2.")
    expect(tom.get_by_text("Seen by Dora")).to_be_visible()
    write(tom, "Done, it burns again.")
    news(dora)
    expect(conversation(dora)).to_contain_text("Done, it burns again.")
    dora.get_by_role("button", name="Thread menu").click()
    dora.get_by_role("button", name="Close thread").click()
    expect(dora.get_by_text("This thread is closed.")).to_be_visible()
    news(tom)
    expect(tom.get_by_text("This thread is closed.")).to_be_visible()

    news(tara)
    expect(tara.get_by_text("No threads yet.")).to_be_visible()


def test_scenario_2_a_customer_has_a_question(
    news: News, someone: Callable[..., Page], customer_page: Callable[..., Page], cast: Cast
) -> None:
    dora, tom = someone(cast.dora), someone(cast.tom, device="phone")

    dora.get_by_role("link", name="New Thread").click()
    dora.get_by_role("radio", name="Customer-Visible").check()
    dora.get_by_label("Subject", exact=True).fill("Your boiler")
    dora.get_by_role("checkbox", name="Tom").check()
    dora.get_by_role("button", name="Create Thread").click()
    expect(dora.get_by_text("A customer-visible thread needs a job")).to_be_visible()
    dora.get_by_role("combobox").fill("Boiler")
    dora.get_by_role("option", name="Boiler off").click()
    dora.get_by_role("button", name="Create Thread").click()
    expect(dora.get_by_text("Carol, the customer")).to_be_visible()

    dora.get_by_role("link", name="Boiler off").first.click()
    dora.get_by_role("button", name="Send Chat Link").click()
    dora.get_by_role("checkbox", name="SMS").uncheck()
    dora.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()
    expect(dora.get_by_role("dialog")).to_contain_text("The link is made.")
    carol = customer_page(mailed_link(cast, cast.boiler))
    expect(carol.get_by_role("heading", name="Boiler off")).to_be_visible()
    assert "token" not in carol.url
    write(carol, "When will somebody come?")
    expect(conversation(carol)).to_contain_text("When will somebody come?")

    news(tom)
    expect(menu(tom).get_by_role("link", name="Messages")).to_contain_text("1 unread message")
    chats(tom).get_by_role("link", name="Your boiler").click()
    expect(conversation(tom)).to_contain_text("When will somebody come?")
    write(tom, "I am there in an hour.")
    news(carol)
    expect(conversation(carol)).to_contain_text("I am there in an hour.")
    dora.get_by_role("button", name="Close", exact=True).first.click()
    menu(dora).get_by_role("link", name="Messages").click()
    news(dora)
    expect(chats(dora).get_by_role("link", name="Your boiler")).to_contain_text("I am there in an hour.")


def test_scenario_3_a_follow_up_visit_is_scheduled(
    news: News, someone: Callable[..., Page], cast: Cast
) -> None:
    dora, tom = someone(cast.dora), someone(cast.tom, device="phone")

    dora.get_by_role("link", name="New Thread").click()
    dora.get_by_label("Subject", exact=True).fill("Follow-up visit")
    dora.get_by_role("checkbox", name="Tom").check()
    dora.get_by_role("combobox").fill("101")
    dora.get_by_role("option", name="Boiler off").click()
    dora.get_by_label("First message").fill("Would Friday at two suit you?")
    dora.get_by_role("button", name="Create Thread").click()
    expect(conversation(dora)).to_contain_text("Would Friday at two suit you?")

    news(tom)
    chats(tom).get_by_role("link", name="Follow-up visit").click()
    expect(conversation(tom)).to_contain_text("Would Friday at two suit you?")
    write(tom, "Friday at two is fine.")
    news(dora)
    expect(conversation(dora)).to_contain_text("Friday at two is fine.")

    dora.get_by_role("link", name="Boiler off").first.click()
    dora.get_by_role("button", name="Edit", exact=True).click()
    dora.get_by_label("Scheduled for").fill("2027-01-15T14:00")
    dora.get_by_role("button", name="Save").click()
    expect(dora.get_by_text("15 Jan 2027, 14:00")).to_be_visible()
    tom.goto("/jobs")
    expect(tom.get_by_role("link", name="Boiler off")).to_contain_text("15 Jan")
    expect(tom.get_by_text("Roof leaks")).to_have_count(0)  # nobody has sent him there
