"""Told outside the app: what one wants to be told by, what the device shows, and what went out."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jobthread import app
from jobthread.deliver import mailbox
from jobthread.texting import STOPPED
from tests.browser.chatting import address
from tests.browser.coming_in import carol_texts
from tests.browser.people import People
from tests.cast import Cast, ok
from tests.serving import wait_until


def test_whoever_looks_at_the_app_is_known_to_be_there_and_to_have_gone(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    said: list[Any] = []
    tom = someone(cast.tom)
    tom.on("request", lambda one: said.append(one.post_data_json) if "/presence" in one.url else None)
    tom.reload()
    wait_until(lambda: tom.evaluate("0") == 0 and {"visible": True} in said)
    tom.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    wait_until(lambda: tom.evaluate("0") == 0 and said[-1] == {"visible": False})


def test_quiet_hours_and_mails_are_chosen_in_the_account(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.tom, "/account")
    page.get_by_label("Send me an e-mail").uncheck()
    page.get_by_label("Quiet hours").check()
    page.get_by_label("From").fill("21:30")
    expect(page.get_by_text("In the time of Europe/London")).to_be_visible()
    wait_until(lambda: ok(cast.tom.get("/api/auth/preferences"))["quiet_from"] == "21:30")
    wanted = ok(cast.tom.get("/api/auth/preferences"))
    assert (wanted["email"], wanted["quiet_until"], wanted["time_zone"]) == ("off", "06:00", "Europe/London")
    page.reload()
    expect(page.get_by_label("Send me an e-mail")).not_to_be_checked()
    expect(page.get_by_label("From")).to_have_value("21:30")


def test_admins_see_what_went_out_and_send_themselves_a_test(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    cast.dora.sends_link(cast.boiler, channels=["email"])
    page = someone(cast.ada, "/audit")
    page.get_by_role("link", name="Deliveries").click()
    expect(page.get_by_role("listitem").filter(has_text="Carol by e-mail: Chat link")).to_be_visible()
    page.get_by_role("button", name="Send me a test: E-mail").click()
    expect(page.get_by_role("listitem").filter(has_text="Ada by e-mail: Test")).to_be_visible()
    page.get_by_label("Status").select_option("Failed")
    expect(page.get_by_text("Nothing of that kind went out.")).to_be_visible()


def test_what_failed_says_why_and_is_tried_again(someone: Callable[..., Page], cast: Cast) -> None:
    carol = f"/api/customers/{cast.boiler.customer.id}"
    ok(cast.dora.post(f"{carol}/sms-stop", {"note": "Asked on the phone"}))
    cast.dora.sends_link(cast.boiler, channels=["sms"])
    wait_until(lambda: ok(cast.ada.get("/api/deliveries", status="failed"))["deliveries"])
    page = someone(cast.ada, "/deliveries", device="phone")
    row = page.get_by_role("listitem").filter(has_text="Carol by text message: Chat link")
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text(STOPPED)
    expect(page.get_by_text("1 failed", exact=True)).to_be_visible()
    carol_texts(cast, "START")
    row.get_by_role("button", name="Try again: Carol").click()
    expect(row).not_to_contain_text("Failed")


def test_an_admin_says_which_number_is_theirs_and_has_a_test_texted_to_it(
    someone: Callable[..., Page], people: People, cast: Cast
) -> None:
    people.expect_trouble("status of 422")
    page = someone(cast.ada, "/deliveries")
    by_text = page.get_by_role("button", name="Send me a test: Text messages")
    by_text.click()
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Your account does not say which number is yours.")
    problem.get_by_role("link", name="Account").click()
    number = page.get_by_label("Mobile number")
    number.fill("call me")
    number.press("Tab")
    expect(page.get_by_role("alert")).to_have_text("That is not a telephone number.")
    number.fill("(202) 555-0142")
    number.press("Tab")
    expect(page.get_by_text("Saved")).to_be_visible()
    expect(number).to_have_value("+12025550142")
    page.goto("/deliveries")
    by_text.click()
    expect(page.get_by_text("A test is on its way.")).to_be_visible()
    wait_until(lambda: page.evaluate("0") == 0 and texts_to(cast, "+12025550142"))
    assert "this is a test" in texts_to(cast, "+12025550142")[0]
    wait_until(lambda: ok(cast.ada.get("/api/deliveries", status="sent"))["deliveries"])
    page.reload()
    row = page.get_by_role("listitem").filter(has_text="Ada by text message: Test")
    expect(row).to_contain_text("Sent")


def texts_to(cast: Cast, number: str) -> list[str]:
    items = mailbox.recent(app.outbox_folder(cast.serving.settings), 50)
    return [item.text for item in items if item.channel == "sms" and item.to == number]


def test_whoever_chooses_a_language_is_written_to_in_it(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.tom, "/account")
    page.get_by_label("Language").select_option("Español")
    expect(page.get_by_role("heading", name="Cuenta")).to_be_visible()
    assert ok(cast.tom.get("/api/auth/preferences"))["language"] == "es"
    expect(page.get_by_label("Número de móvil")).to_have_count(0)  # only who sends tests is asked for it


def test_deliveries_are_for_admins(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/deliveries")
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    expect(page.get_by_role("button", name="Send me a test")).to_have_count(0)


@pytest.mark.whole_chromium
def test_a_notice_of_the_push_service_is_shown_although_no_page_asked_for_it(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Need help")
    page = someone(cast.tom, "/jobs")
    people.opens_offline(page)
    page.context.grant_permissions(["notifications"])
    devtools = page.context.new_cdp_session(page)
    told: list[Any] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: told.append(event))
    devtools.send("ServiceWorker.enable")
    wait_until(lambda: page.evaluate("0") == 0 and any(event["registrations"] for event in told))
    known = next(event["registrations"][0] for event in told if event["registrations"])
    notice = {"title": "Dora · Need help", "body": "Hello?", "path": address(thread), "badge": 3}
    message = {"origin": people.home, "registrationId": known["registrationId"], "data": json.dumps(notice)}

    def comes() -> bool:
        # On a busy machine Chromium loses some; a push service repeats what it has no receipt for.
        devtools.send("ServiceWorker.deliverPushMessage", message)
        return bool(page.evaluate(SHOWN_SOON) == "Dora · Need help")

    wait_until(comes)


SHOWN_SOON = """async () => {
  const worker = await navigator.serviceWorker.ready;
  for (let tries = 0; tries < 30; tries++) {
    const [notice] = await worker.getNotifications();
    if (notice) return notice.title;
    await new Promise((on) => setTimeout(on, 100));
  }
}"""


def test_the_thread_menu_tells_who_was_told(someone: Callable[..., Page], cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Need help")
    page = someone(cast.tom, address(thread))
    page.get_by_role("button", name="Thread menu").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nobody yet: whoever reads in time is not told.")


def test_a_thread_is_muted_in_its_menu_and_says_so(someone: Callable[..., Page], cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Need help")
    page = someone(cast.tom, address(thread), device="phone")
    page.get_by_role("button", name="Thread menu").click()
    mute = page.get_by_role("checkbox", name="Mute this thread")
    expect(mute).not_to_be_checked()
    mute.check()
    wait_until(lambda: page.evaluate("0") == 0 and muted_by(cast) == [thread["id"]])
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("Muted", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("Muted", exact=True)).to_be_visible()
    page.get_by_role("button", name="Thread menu").click()
    expect(mute).to_be_checked()
    mute.uncheck()
    wait_until(lambda: page.evaluate("0") == 0 and muted_by(cast) == [])
    expect(page.get_by_text("Muted", exact=True)).to_have_count(0)


def test_what_could_not_be_muted_does_not_look_as_if_it_were(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Need help")
    page = someone(cast.tom, address(thread))
    page.get_by_role("button", name="Thread menu").click()
    mute = page.get_by_role("checkbox", name="Mute this thread")
    expect(mute).not_to_be_checked()
    with people.offline(page):
        mute.click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        expect(mute).not_to_be_checked()
    assert muted_by(cast) == []


def test_only_who_takes_part_can_mute(someone: Callable[..., Page], cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, subject="Need help", job=cast.boiler)
    page = someone(cast.ada, address(thread))
    page.get_by_role("button", name="Thread menu").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nobody yet")
    expect(page.get_by_role("checkbox", name="Mute this thread")).to_have_count(0)


def muted_by(cast: Cast) -> list[int]:
    found: list[int] = ok(cast.tom.get("/api/auth/preferences"))["muted_thread_ids"]
    return found
