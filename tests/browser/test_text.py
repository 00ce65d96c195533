"""Whatever people write is shown to the staff as text: none of it runs, and nothing moves sideways."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import address, chats, conversation, write
from tests.browser.test_widths import sideways
from tests.cast import Cast

WORD = "Ab" * 100
LONG = ("Nothing but words. " * 526)[:9993] + "End it."
ADDRESS = "https://example.com/" + "a" * 150 + "?q=1&r=2#top"
TEXTS = {
    "bold": "<b>bold</b> &amp; <i>not</i>",
    "script": "<script>window.ran = 1</script>",
    "image": '<img src=x onerror="window.ran = 2">',
    "svelte": "{@html '<b>x</b>'} {window.ran = 3} ${window.ran = 4}",
    "right to left": "مرحبا بالعالم، كيف حالك؟",
    "turned round": "invoice \u202efdp.exe\u202c paid",
    "emoji": "👩🏽‍🔧🇪🇸🧰" * 40,
    "long": LONG,
    "one word": WORD,
    "addresses": f"{ADDRESS} and www.example.com, javascript:window.ran=5 data:text/html,x",
    "lines": "one\n\n   two\n" * 30,
}


@pytest.mark.parametrize("width", [360, 1600])
def test_whatever_is_written_stands_there_as_it_was_written_and_nothing_moves_sideways(
    someone: Callable[..., Page], cast: Cast, width: int
) -> None:
    assert len(LONG) == 10_000
    thread = cast.dora.opens_thread(
        cast.tom, job=cast.boiler, visibility="customer_visible", subject="<b>Valve</b>"
    )
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    for text in TEXTS.values():
        cast.dora.writes(thread, text)
        carol.writes(text)
    page = someone(cast.tom, address(thread), width=width)
    bubbles = conversation(page).locator(".bubble")
    expect(bubbles).to_have_count(2 * len(TEXTS))
    shown = bubbles.evaluate_all("(all) => all.map((one) => one.querySelector('p').textContent)")
    assert shown == [text.strip() for text in TEXTS.values() for _ in range(2)]
    assert sideways(page) == []
    assert page.evaluate("window.ran") is None
    assert bubbles.locator("*:not(p, a)").count() == 0
    hrefs = bubbles.get_by_role("link").evaluate_all("(all) => all.map((one) => one.href)")
    assert hrefs == [ADDRESS] * 2
    directions = (
        conversation(page)
        .get_by_text("مرحبا")
        .evaluate_all("(all) => all.map((one) => getComputedStyle(one).direction)")
    )
    assert directions == ["rtl", "rtl"]


@pytest.mark.parametrize("width", [360, 1600])
def test_the_list_shows_the_beginning_of_it_as_text(
    someone: Callable[..., Page], cast: Cast, width: int
) -> None:
    for text in TEXTS.values():
        subject = text[:200].replace("\n", " ")
        cast.dora.writes(cast.dora.opens_thread(cast.tom, subject=subject), text)
    page = someone(cast.tom, "/messages", width=width)
    rows = chats(page).get_by_role("link")
    expect(rows).to_have_count(len(TEXTS))
    for row, text in zip(reversed(rows.all()), TEXTS.values(), strict=True):
        expect(row.locator(".said")).to_contain_text(text.strip()[:30].split("\n")[0])
    assert sideways(page) == []
    assert page.evaluate("window.ran") is None
    assert rows.locator(":is(.subject, .said) *").count() == 0


def test_what_one_writes_oneself_is_shown_and_stored_as_it_was_written(
    someone: Callable[..., Page], cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.dora, address(thread), width=360)
    written = [TEXTS[name].strip() for name in ("script", "turned round", "emoji", "long", "one word")]
    for text in written:
        write(page, text)
        expect(conversation(page).locator(".bubble").last).to_have_text(text, use_inner_text=False)
    expect(conversation(page).locator("[data-state=sent]")).to_have_count(len(written))
    stored = [one["body"] for one in cast.tom.reads(thread) if one["kind"] == "message"]
    assert stored == written
    assert sideways(page) == []


def test_more_than_ten_thousand_characters_are_counted_and_not_sent(
    someone: Callable[..., Page], cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    page = someone(cast.dora, address(thread))
    write(page, "🧰" * 10_001)
    expect(page.get_by_text("At most 10,000 characters")).to_be_visible()
    write(page, "🧰" * 10_000)
    expect(conversation(page)).to_contain_text("Sent")
    assert [len(one["body"]) for one in cast.tom.reads(thread) if one["kind"] == "message"] == [10_000]
