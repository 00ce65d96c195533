"""Answers that came by text or by mail, as staff find them in the conversation."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.chatting import address, conversation
from tests.browser.coming_in import carol_mails, carol_texts
from tests.browser.people import People
from tests.cast import Cast


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
