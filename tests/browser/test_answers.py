"""Answers that came by text or by mail, as staff find them in the conversation."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.chatting import address, conversation
from tests.browser.coming_in import carol_mails, carol_texts
from tests.browser.people import People
from tests.cast import Cast


def test_an_admin_sees_what_came_by_mail_and_saves_it_as_it_came(
    someone: Callable[..., Page], cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    landed = carol_mails(cast, thread, "A secret word: marmalade")
    carol_mails(cast, thread, "Let me in", sender="mallory@example.com")
    carol_mails(cast, thread, "I am away", Auto_Submitted="auto-replied")
    page = someone(cast.ada, "/audit")
    page.get_by_role("link", name="Incoming mails").click()
    expect(page.get_by_role("heading", name="Incoming mails")).to_be_visible()
    rows = page.get_by_role("main").get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Dropped A machine wrote it")
    expect(rows.nth(1)).to_contain_text("another address than the one on file")
    expect(rows.nth(2)).to_contain_text("In the thread")
    expect(page.get_by_text("marmalade")).to_have_count(0)
    with page.expect_download() as saving:
        rows.nth(2).get_by_role("link", name="Save the mail of Carol").click()
    assert saving.value.path().read_bytes() == landed
    assert saving.value.suggested_filename.endswith(".eml")
    rows.nth(2).get_by_role("link", name=f"Thread {thread['id']}").click()
    expect(conversation(page)).to_contain_text("A secret word: marmalade")


def test_incoming_mails_are_for_admins(someone: Callable[..., Page], cast: Cast) -> None:
    carol_mails(cast, cast.dora.opens_thread(job=cast.boiler, visibility="customer_visible"), "Hello")
    page = someone(cast.dora, "/mails")
    expect(page.get_by_text("There is nothing here")).to_be_visible()
    expect(page.get_by_role("link", name="Save the mail")).to_have_count(0)


def test_an_answer_says_by_what_it_came(people: People, someone: Callable[..., Page], cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    page = someone(cast.dora, address(thread))
    people.hears(page)
    cast.dora.writes(thread, "When are you at home?")
    carol.writes("On the page")
    carol_texts(cast, "By phone")
    carol_mails(cast, thread, "By computer")
    said = conversation(page).get_by_role("listitem")
    expect(said.filter(has_text="On the page")).to_contain_text("Carol")
    expect(said.filter(has_text="On the page")).not_to_contain_text("by ")
    # Each says it, though the same person wrote all of them within the minute.
    expect(said.filter(has_text="By phone")).to_contain_text("by text message")
    expect(said.filter(has_text="By computer")).to_contain_text("by e-mail")
    spanish = someone(cast.tom, address(thread), locale="es-ES", device="phone")
    said = spanish.get_by_role("list", name="Mensajes").get_by_role("listitem")
    expect(said.filter(has_text="By phone")).to_contain_text("por mensaje de texto")
    expect(said.filter(has_text="By computer")).to_contain_text("por correo")
