"""Who is taken out of a thread: it goes from their screen at once, and from their device."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chatting import address, chats, conversation
from tests.browser.people import People, kept_in
from tests.cast import Cast, ok
from tests.serving import wait_until

GONE = "This thread does not exist, or you are not part of it."
NOT_FOUND = "status of 404"


@pytest.fixture
def thread(cast: Cast) -> dict[str, Any]:
    return cast.dora.opens_thread(cast.tom, subject="Need help")


@pytest.fixture
def tom(people: People, someone: Callable[..., Page], cast: Cast, thread: dict[str, Any]) -> Page:
    people.expect_trouble(NOT_FOUND)  # what the page asks after it, before it hears of it
    page = someone(cast.tom, address(thread), routed=True)
    people.hears(page)
    return page


def removes_tom(cast: Cast, thread: dict[str, Any]) -> None:
    ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)


def test_who_is_removed_reads_on_no_longer(cast: Cast, thread: dict[str, Any], tom: Page) -> None:
    cast.dora.writes(thread, "Before")
    expect(conversation(tom)).to_contain_text("Before")
    removes_tom(cast, thread)
    expect(tom.get_by_text(GONE)).to_be_visible()
    expect(tom.get_by_text("Before")).to_have_count(0)
    cast.dora.writes(thread, "After")
    expect(chats(tom)).to_have_count(0)


def test_who_is_removed_while_an_answer_is_on_its_way_does_not_get_the_thread_back_by_it(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    cast.dora.writes(thread, "Between us")
    expect(conversation(tom)).to_contain_text("Between us")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        removes_tom(cast, thread)
        expect(tom.get_by_text(GONE)).to_be_visible()
        route.fulfill(response=answer)

    tom.route(re.compile(f"/threads/{thread['id']}$"), answer_late, times=1)
    tom.evaluate("dispatchEvent(new Event('online'))")
    people.hears(tom)
    expect(tom.get_by_text(GONE)).to_be_visible()
    assert "Between us" not in str(kept_in(tom)["kept"])


def test_who_was_removed_while_away_finds_no_copy_on_their_phone(
    people: People, cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    cast.dora.writes(thread, "Between us")
    expect(conversation(tom)).to_contain_text("Between us")
    wait_until(lambda: "Between us" in str(kept_in(tom)["kept"]))
    tom.goto("about:blank")
    removes_tom(cast, thread)
    tom.goto(address(thread))
    expect(tom.get_by_text(GONE)).to_be_visible()
    wait_until(lambda: "Between us" not in str(kept_in(tom)["kept"]))


def test_who_is_taken_in_again_reads_on_at_once(cast: Cast, thread: dict[str, Any], tom: Page) -> None:
    cast.dora.writes(thread, "Before")
    expect(conversation(tom)).to_contain_text("Before")
    removes_tom(cast, thread)
    expect(tom.get_by_text(GONE)).to_be_visible()
    cast.dora.writes(thread, "Meanwhile")
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tom.id]}))
    expect(conversation(tom)).to_contain_text("Meanwhile")
    cast.dora.writes(thread, "Welcome back")
    expect(conversation(tom)).to_contain_text("Welcome back")


@pytest.mark.usefixtures("without_streams")
def test_who_leaves_takes_no_copy_along_though_nothing_is_told(
    people: People, someone: Callable[..., Page], cast: Cast, thread: dict[str, Any]
) -> None:
    people.expect_trouble(NOT_FOUND)
    cast.dora.writes(thread, "Between us")
    tom = someone(cast.tom, address(thread))
    expect(conversation(tom)).to_contain_text("Between us")
    wait_until(lambda: "Between us" in str(kept_in(tom)["kept"]))
    tom.get_by_role("button", name="Thread menu").click()
    tom.get_by_role("button", name="Leave this thread").click()
    tom.get_by_role("button", name="Leave this thread").click()
    expect(tom).to_have_url(re.compile("/messages$"))
    wait_until(lambda: "Between us" not in str(kept_in(tom)["kept"]))


def test_a_job_that_was_given_to_another_leaves_no_address_on_the_phone(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble(NOT_FOUND)
    tom = someone(cast.tom, f"/jobs/{cast.boiler.ref.id}")
    expect(tom.get_by_role("heading", name="Boiler off")).to_be_visible()
    wait_until(lambda: "Boiler off" in str(kept_in(tom)["kept"]))
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"assignee_ids": [cast.tara.id]}))
    tom.reload()
    expect(tom.get_by_role("heading", name="There is nothing here")).to_be_visible()
    wait_until(lambda: "Boiler off" not in str(kept_in(tom)["kept"]))


KEEP_MANY = """(who) => new Promise((done) => {
  indexedDB.open("jobthread").onsuccess = ({ target }) => {
    const writing = target.result.transaction("kept", "readwrite");
    for (let id = 1; id <= 300; id++)
      writing.objectStore("kept").put({ at: id }, [who, `thread ${1_000_000 + id}`]);
    writing.oncomplete = () => done();
  };
})"""


def test_of_the_threads_that_were_read_the_last_ones_stay_on_the_phone(
    cast: Cast, thread: dict[str, Any], tom: Page
) -> None:
    tom.evaluate(KEEP_MANY, f"staff:{cast.tom.id}")
    tom.reload()

    def kept() -> list[int]:
        return [one["at"] for one in kept_in(tom)["kept"] if isinstance(one, dict) and "at" in one]

    wait_until(lambda: len(kept()) <= 201)
    assert sorted(kept())[:2] == [102, 103]
    assert sorted(kept())[-1] > 300
