"""The audit trail on the screen: readable, and narrowed to what one looks for."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.cast import Cast, ok


def entries(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("listitem")


def test_an_entry_says_who_did_what_to_which_job(someone: Callable[..., Page], cast: Cast) -> None:
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": "Boiler off again"}))
    page = someone(cast.ada, "/audit")
    newest = entries(page).first
    expect(newest).to_contain_text("Dora")
    expect(newest).to_contain_text("Job changed")
    expect(newest).to_contain_text("changed: title")
    newest.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Boiler off again")).to_be_visible()


def test_the_trail_is_narrowed_by_person_action_and_numbers(someone: Callable[..., Page], cast: Cast) -> None:
    thread = cast.tom.opens_thread(cast.dora, job=cast.boiler)
    cast.dora.sends_link(cast.boiler, channels=[])
    page = someone(cast.ada, "/audit")
    expect(entries(page).get_by_text("Tom", exact=True)).not_to_have_count(0)
    page.get_by_label("Who").select_option("Dora")
    expect(entries(page).get_by_text("Tom", exact=True)).to_have_count(0)
    expect(entries(page).filter(has_text="Chat link made")).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Thread no.").fill(str(thread["id"]))
    expect(entries(page).filter(has_text="Chat link made")).to_have_count(0)
    expect(entries(page).filter(has_text="Thread opened")).to_have_count(1)
    page.get_by_label("What").select_option("Chat link made")
    expect(page.get_by_text("Nothing of that kind is in the audit trail.")).to_be_visible()
    page.get_by_label("Thread no.").fill("")
    page.get_by_label("Job no.").fill(str(cast.boiler.ref.id))
    expect(entries(page)).to_have_count(1)
    expect(entries(page)).to_contain_text("valid for 7 days · not sent")


def test_what_nobody_signed_in_did_is_found(someone: Callable[..., Page], cast: Cast) -> None:
    wrong = {"email": "dora@example.com", "password": "guessed"}
    cast.stranger().post("/api/auth/login", json=wrong)
    page = someone(cast.ada, "/audit")
    page.get_by_label("Who").select_option("Nobody signed in")
    expect(entries(page).first).to_contain_text("Sign-in failed")
    expect(entries(page).first).to_contain_text("dora@example.com")


def test_a_long_trail_goes_on_where_it_stopped(someone: Callable[..., Page], cast: Cast) -> None:
    for number in range(60):
        ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": f"Boiler {number}"}))
    page = someone(cast.ada, "/audit")
    page.get_by_label("What").select_option("Job changed")
    expect(entries(page).filter(has_text="Job changed")).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(entries(page)).to_have_count(60)


def test_the_trail_speaks_spanish(someone: Callable[..., Page], cast: Cast) -> None:
    page = someone(cast.ada, "/audit", locale="es-ES")
    expect(entries(page).filter(has_text="Trabajo creado").first).to_be_visible()
