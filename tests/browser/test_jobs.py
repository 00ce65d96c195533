"""Jobs on the screen: taken in, found, changed, closed, and the customer's way into their conversations."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import People
from tests.cast import Cast, ok

REFUSED = "status of 422"
CONFLICT = "status of 409"
# Whether something of that name is on this device.
KEPT = """name => new Promise((told) => {
  indexedDB.open("jobthread").onsuccess = ({ target }) => {
    const names = target.result.transaction("kept").objectStore("kept").getAllKeys();
    names.onsuccess = () => told(names.result.some((key) => key[1] === name));
  };
})"""


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def begin_job(page: Page) -> Locator:
    page.get_by_role("button", name="New job").click()
    return dialog(page)


def for_new_customer(form: Locator, name: str, email: str = "", phone: str = "") -> None:
    form.get_by_text("New", exact=True).click()
    form.get_by_label("Name").fill(name)
    form.get_by_label("E-mail").fill(email)
    form.get_by_label("Phone").fill(phone)


def open_job(page: Page, cast: Cast) -> None:
    page.goto(f"/jobs/{cast.boiler.ref.id}")
    expect(page.get_by_role("heading", name="Boiler off")).to_be_visible()


def links(page: Page) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name="Chat links"))


# --- taking in --------------------------------------------------------------------------------------


def test_a_job_for_a_new_customer_shows_what_was_told(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    form = begin_job(page)
    form.get_by_label("Title").fill("Radiator drips")
    for_new_customer(form, "Greta", "greta@example.com", "+1 202 555 0117")
    form.get_by_label("Scheduled for").fill("2026-07-01T09:30")
    form.get_by_role("checkbox", name="Tara").check()
    form.get_by_role("button", name="Create job").click()
    expect(page.get_by_role("heading", name="Radiator drips")).to_be_visible()
    expect(page.get_by_role("link", name="greta@example.com")).to_have_attribute(
        "href", "mailto:greta@example.com"
    )
    expect(page.get_by_role("link", name="+12025550117")).to_have_attribute("href", "tel:+12025550117")
    expect(page.get_by_text("1 Jul 2026, 09:30")).to_be_visible()
    expect(page.get_by_text("Tara", exact=False)).to_be_visible()
    [job] = ok(cast.dora.get("/api/jobs", q="Radiator"))["jobs"]
    assert job["scheduled_at"] == "2026-07-01T08:30:00.000Z"  # London is an hour ahead in summer


def test_a_known_customer_is_found_and_taken_by_keyboard(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    form = begin_job(page)
    expect(form.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Boiler serviced")
    form.get_by_role("combobox").focus()
    page.keyboard.type("carol@")
    expect(form.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(form.get_by_role("button", name="Choose another")).to_be_focused()
    form.get_by_role("button", name="Create job").press("Enter")
    expect(page.get_by_role("heading", name="Boiler serviced")).to_be_visible()
    expect(page.get_by_role("link", name="carol@example.com")).to_be_visible()


def test_escape_in_a_search_closes_only_its_list(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    form = begin_job(page)
    form.get_by_role("combobox").click()
    expect(form.get_by_role("option")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(form.get_by_role("option")).to_have_count(0)
    expect(form).to_be_visible()
    page.keyboard.press("Escape")
    expect(form).not_to_be_attached()
    expect(page.get_by_role("button", name="New job")).to_be_focused()


def test_a_job_without_a_customer_is_not_sent(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, "/jobs")
    form = begin_job(page)
    form.get_by_label("Title").fill("Whose is it?")
    form.get_by_role("button", name="Create job").click()
    expect(form.get_by_role("alert")).to_have_text("Please choose one")
    expect(form.get_by_role("combobox")).to_be_focused()


@pytest.mark.parametrize(
    ("label", "typed", "says"),
    [
        ("Title", "", "Please fill this in"),
        ("E-mail", "greta at home", "This is not an e-mail address"),
        ("Phone", "call me", "This is not a telephone number"),
        ("Reference", "r" * 61, "At most 60 characters"),
        ("Reference", "101", "Another job has this reference."),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(
    people: People, someone: Callable[..., Page], cast: Cast, label: str, typed: str, says: str
) -> None:
    people.expect_trouble(REFUSED, CONFLICT)
    page = someone(cast.dora, "/jobs")
    form = begin_job(page)
    form.get_by_label("Title").fill("Radiator drips")
    for_new_customer(form, "Greta")
    form.get_by_label(label).fill(typed)
    form.get_by_role("button", name="Create job").click()
    expect(form.get_by_role("alert")).to_have_text(says)
    expect(form.get_by_label(label)).to_be_focused()
    expect(form.get_by_label(label)).to_have_accessible_description(re.compile(re.escape(says) + "$"))
    expect(form.get_by_label(label)).to_have_value(typed)
    expect(form.get_by_label("Name")).to_have_value("Greta")


def test_without_signal_a_job_stays_in_the_form_until_it_can_be_sent(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.dora, "/jobs")
    form = begin_job(page)
    form.get_by_label("Title").fill("Radiator drips")
    for_new_customer(form, "Greta")
    with people.offline(page):
        form.get_by_role("button", name="Create job").click()
        expect(form.get_by_role("alert")).to_contain_text("no connection")
        expect(form.get_by_label("Title")).to_have_value("Radiator drips")
    form.get_by_role("button", name="Create job").click()
    expect(page.get_by_role("heading", name="Radiator drips")).to_be_visible()


# --- finding ----------------------------------------------------------------------------------------


def test_jobs_are_found_by_customer_and_by_status(someone: Callable[..., Page], cast: Cast) -> None:
    ok(cast.dora.patch(f"/api/jobs/{cast.roof.ref.id}", {"status": "closed"}))
    page = someone(cast.dora, "/jobs")
    found = page.get_by_role("main").get_by_role("listitem")
    expect(found).to_have_count(1)
    page.get_by_text("All", exact=True).click()
    expect(found).to_have_count(2)
    page.get_by_role("searchbox").fill("chris")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("Roof leaks")
    expect(found).to_contain_text("Closed")
    page.get_by_text("Active", exact=True).click()
    expect(page.get_by_text("No job is found")).to_be_visible()


def test_a_long_list_goes_on_where_it_stopped(someone: Callable[..., Page], cast: Cast) -> None:
    customer = {"id": cast.boiler.customer.id}
    for number in range(60):
        ok(cast.dora.post("/api/jobs", {"title": f"Visit {number:02}", "customer": customer}), 201)
    page = someone(cast.dora, "/jobs")
    found = page.get_by_role("main").get_by_role("listitem")
    expect(found).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(found).to_have_count(62)
    expect(page.get_by_role("button", name="Show more")).not_to_be_attached()


def test_a_job_says_that_its_customer_waits_for_an_answer(someone: Callable[..., Page], cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    cast.opens(link).writes("Will it take long?")
    page = someone(cast.dora, "/jobs")
    line = page.get_by_role("listitem").filter(has_text="Boiler off")
    expect(line).to_contain_text("Needs reply")
    expect(line).to_contain_text("1 unread message")
    line.get_by_role("link").click()
    expect(page.get_by_role("link", name="Needs reply")).to_contain_text("Customer-Visible")


# --- a job's page -----------------------------------------------------------------------------------


def test_a_technician_reads_a_job_and_is_offered_nothing_else(
    someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.tom, "/jobs")
    expect(page.get_by_role("button", name="New job")).not_to_be_attached()
    open_job(page, cast)
    expect(page.get_by_role("link", name="carol@example.com")).to_be_visible()
    expect(page.get_by_role("heading", name="Messages")).to_be_visible()
    expect(page.get_by_role("heading", name="Chat links")).not_to_be_attached()
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)


def test_a_job_that_is_not_for_one_is_not_there(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble("status of 404")
    page = someone(cast.tom, f"/jobs/{cast.roof.ref.id}")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_job_that_was_read_before_is_read_without_signal(
    people: People, someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.tom, "/jobs")
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    open_job(page, cast)
    page.wait_for_function(KEPT, arg=f"job {cast.boiler.ref.id}")
    with people.offline(page):
        page.reload()
        expect(page.get_by_role("link", name="+12025550101")).to_be_visible()


def test_an_edit_leaves_alone_what_somebody_else_changed_meanwhile(
    someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.dora)
    open_job(page, cast)
    page.get_by_role("button", name="Edit", exact=True).click()
    ok(cast.dan.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": "Boiler off, child in the house"}))
    dialog(page).get_by_role("button", name="Remove Tom").click()
    dialog(page).get_by_role("checkbox", name="Tara").check()
    dialog(page).get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Boiler off, child in the house")).to_be_visible()
    job = ok(cast.dora.get(f"/api/jobs/{cast.boiler.ref.id}"))
    assert [person["name"] for person in job["assignees"]] == ["Tara"]


def test_a_customers_new_contact_stands_on_the_job_at_once(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora)
    open_job(page, cast)
    page.get_by_role("button", name="Edit customer").click()
    dialog(page).get_by_label("E-mail").fill("carol.new@example.com")
    dialog(page).get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="carol.new@example.com")).to_be_visible()
    expect(page.get_by_role("button", name="Edit customer")).to_be_focused()


def test_closing_a_job_says_what_it_does_and_is_undone_by_reopening(
    someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.dora)
    open_job(page, cast)
    page.get_by_role("button", name="Close job").click()
    expect(dialog(page)).to_contain_text("Links to it then open nothing")
    dialog(page).get_by_role("button", name="Close job").click()
    expect(page.get_by_text("This job is closed: links to it open nothing.")).to_be_visible()
    expect(page.get_by_role("button", name="Send Chat Link")).not_to_be_attached()
    page.get_by_role("button", name="Reopen job").click()
    dialog(page).get_by_role("button", name="Reopen job").click()
    expect(page.get_by_role("button", name="Send Chat Link")).to_be_visible()


def test_a_new_customer_thread_opens_as_it_was_asked_for(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora)
    open_job(page, cast)
    page.get_by_role("button", name="New customer thread").click()
    dialog(page).get_by_label("Subject").fill("Your new boiler")
    search = dialog(page).get_by_role("searchbox", name="Search people")
    search.fill("tara")
    search.press("Enter")
    dialog(page).get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Your new boiler")).to_be_visible()
    [thread] = ok(cast.dora.get("/api/chat/threads", job_id=cast.boiler.ref.id))["threads"]
    assert sorted(person["name"] for person in thread["participants"]) == ["Dora", "Tara", "Tom"]
    expect(page).to_have_url(f"/messages/{thread['id']}")


# --- links ------------------------------------------------------------------------------------------


def test_send_chat_link_tells_what_became_of_each_way(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora)
    open_job(page, cast)
    page.get_by_role("button", name="Send Chat Link").click()
    expect(dialog(page).get_by_role("checkbox", name="SMS to +12025550101")).to_be_checked()
    dialog(page).get_by_role("button", name="Send").click()
    for way in ("E-mail to carol@example.com", "SMS to +12025550101"):
        expect(dialog(page).get_by_role("listitem").filter(has_text=way)).to_contain_text("Sent")
    dialog(page).get_by_role("button", name="Close").last.click()
    expect(links(page)).to_contain_text("E-mail to carol@example.com")
    expect(links(page)).to_contain_text("Never opened")


def test_a_way_that_the_customer_does_not_have_is_not_offered(
    someone: Callable[..., Page], cast: Cast
) -> None:
    page = someone(cast.dora, f"/jobs/{cast.roof.ref.id}")
    page.get_by_role("button", name="Send Chat Link").click()
    expect(dialog(page).get_by_role("checkbox", name="The customer has no phone number.")).to_be_disabled()
    dialog(page).get_by_role("checkbox", name="E-mail to chris@example.com").uncheck()
    dialog(page).get_by_role("button", name="Send").click()
    expect(dialog(page).get_by_role("alert")).to_have_text("Please choose at least one")


def generated_link(page: Page, valid_for: str = "as usual") -> str:
    page.get_by_role("button", name="Generate Magic Link").click()
    dialog(page).get_by_label("Valid for").select_option(valid_for)
    dialog(page).get_by_role("button", name="Generate").click()
    expect(dialog(page)).to_contain_text("the only time that this link is shown")
    return dialog(page).get_by_label("Magic link").input_value()


def test_a_generated_link_is_shown_once_and_can_be_copied(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_job(page, cast)
    url = generated_link(page, "1 day")
    dialog(page).get_by_role("button", name="Copy").click()
    expect(dialog(page).get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == url
    dialog(page).get_by_role("button", name="Close").last.click()
    assert "token=" not in page.content()
    [made] = sessions_of(cast)
    assert (int(made["expires_at"][8:10]) - int(made["created_at"][8:10])) % 28 in (1, 26, 27)


def test_the_list_of_links_says_who_opened_one_and_from_where(
    someone: Callable[..., Page], cast: Cast
) -> None:
    cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    page = someone(cast.dora)
    open_job(page, cast)
    expect(links(page).get_by_role("listitem")).to_contain_text("Opened once")
    expect(links(page).get_by_role("listitem")).to_contain_text("from 127.0.0.1, Phone")
    expect(links(page).get_by_role("listitem")).to_contain_text("By Dora")


def test_a_revoked_link_ends_for_its_customer(
    people: People, someone: Callable[..., Page], customer_page: Callable[..., Page], cast: Cast
) -> None:
    people.expect_trouble("status of 401")
    page = someone(cast.dora)
    open_job(page, cast)
    url = generated_link(page)
    dialog(page).get_by_role("button", name="Close").last.click()
    links(page).get_by_role("button", name="Revoke").click()
    expect(dialog(page)).to_contain_text("cannot be undone")
    dialog(page).get_by_role("button", name="Revoke").click()
    expect(links(page)).to_contain_text("1 link that has ended")
    [made] = sessions_of(cast)
    assert made["revoked_at"]
    late = customer_page(url)
    expect(late.get_by_label("Write a message")).not_to_be_attached()


def test_too_many_links_are_refused(people: People, someone: Callable[..., Page], cast: Cast) -> None:
    people.expect_trouble("status of 429")
    page = someone(cast.dora, routed=True)
    open_job(page, cast)
    path = f"**/api/chat/jobs/{cast.boiler.ref.id}/customer-session"
    page.route(path, lambda route: route.fulfill(status=429, json={"code": "rate_limited", "detail": ""}))
    page.get_by_role("button", name="Send Chat Link").click()
    dialog(page).get_by_role("button", name="Send").click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("too often")


# --- everywhere -------------------------------------------------------------------------------------


def test_jobs_speak_spanish(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.dora, f"/jobs/{cast.boiler.ref.id}", locale="es-ES")
    expect(page.get_by_role("heading", name="Mensajes")).to_be_visible()
    page.get_by_role("button", name="Enviar enlace al chat").click()
    expect(dialog(page).get_by_role("checkbox", name="Correo a carol@example.com")).to_be_checked()


def sessions_of(cast: Cast) -> list[dict[str, Any]]:
    path = f"/api/chat/jobs/{cast.boiler.ref.id}/customer-sessions"
    made: list[dict[str, Any]] = ok(cast.dora.get(path))["sessions"]
    return made
