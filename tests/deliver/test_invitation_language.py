"""Whoever is invited is written to in the language that they last used here, on whatever job."""

from typing import Any

from jobthread.entities import SeenJob
from tests.cast import Cast, exchange_of, ok
from tests.deliver.mail_server import text_of
from tests.deliver.telling import Town, words_of

CAROL, CHRIS, NUMBER = "carol@example.com", "chris@example.com", "+12025550101"
SPANISH, ENGLISH = "Aquí tiene su chat con", "here is your chat with"


def came_in(cast: Cast, job_id: int, language: str) -> dict[str, Any]:
    """The customer opens a link to that job that was handed to them, on a page of that language."""
    path = f"/api/chat/jobs/{job_id}/customer-session"
    link: dict[str, Any] = ok(cast.dora.post(path, {"channels": []}), 201)
    asked = exchange_of(link["url"]) | {"language": language}
    ok(cast.stranger().post("/api/chat/customer/session", json=asked))
    return link


def next_job(cast: Cast, job: SeenJob) -> int:
    """Of the same customer."""
    asked = {"title": "Radiator drips", "customer": {"id": job.customer.id}}
    return int(ok(cast.dora.post("/api/jobs", asked), 201)["id"])


def invited(town: Town, job_id: int) -> None:
    ok(town.cast.dora.post(f"/api/chat/jobs/{job_id}/customer-session", {}), 201)
    town.rests()


def test_who_last_used_spanish_is_invited_to_the_next_job_in_spanish(town: Town) -> None:
    came_in(town.cast, town.cast.boiler.ref.id, "es")
    invited(town, next_job(town.cast, town.cast.boiler))
    [mail] = town.mails(CAROL)
    assert str(mail["Subject"]).startswith("Su chat sobre Radiator drips con ")
    assert SPANISH in words_of(mail)
    assert '<html lang="es">' in text_of(mail, "html")
    [text] = town.texts()
    assert text.to == NUMBER
    assert ": su " in text.text
    assert "your" not in text.text


def test_word_of_messages_in_the_next_job_is_in_spanish_too(town: Town) -> None:
    came_in(town.cast, town.cast.boiler.ref.id, "es")
    job_id = next_job(town.cast, town.cast.boiler)
    ok(town.cast.dora.post(f"/api/chat/jobs/{job_id}/customer-session", {"channels": ["email"]}), 201)
    town.forget_mails()
    path = f"/api/chat/jobs/{job_id}/customer-thread"
    town.cast.dora.writes(ok(town.cast.dora.post(path, {})), "Tom comes at nine.")
    town.passes(seconds=61)
    [mail] = town.mails(CAROL)
    assert "1 mensaje nuevo" in words_of(mail)


def test_who_never_used_the_page_is_invited_in_english(town: Town) -> None:
    came_in(town.cast, town.cast.boiler.ref.id, "es")
    invited(town, town.cast.roof.ref.id)
    [mail] = town.mails()
    assert town.told() == [CHRIS]
    assert ENGLISH in words_of(mail)
    assert '<html lang="en">' in text_of(mail, "html")


def test_the_newest_language_counts_on_whatever_job_it_was_used(town: Town) -> None:
    boiler, radiator = town.cast.boiler.ref.id, next_job(town.cast, town.cast.boiler)
    came_in(town.cast, boiler, "es")
    town.passes(seconds=1)
    came_in(town.cast, radiator, "en")
    invited(town, boiler)
    town.passes(seconds=1)
    came_in(town.cast, boiler, "es")
    invited(town, radiator)
    english, spanish = town.mails(CAROL)
    assert ENGLISH in words_of(english)
    assert SPANISH in words_of(spanish)


def test_a_new_link_for_one_that_expired_is_sent_in_the_same_language(town: Town) -> None:
    link = came_in(town.cast, town.cast.boiler.ref.id, "es")
    town.passes(hours=24 * 8)
    ok(town.cast.stranger().post("/api/chat/customer/link", json=exchange_of(link["url"])), 202)
    [mail] = town.mails(CAROL)
    assert SPANISH in words_of(mail)
    [text] = town.texts()
    assert ": su " in text.text


def test_a_new_link_for_who_reads_english_is_sent_in_english(town: Town) -> None:
    link = came_in(town.cast, town.cast.boiler.ref.id, "en")
    town.passes(hours=24 * 8)
    ok(town.cast.stranger().post("/api/chat/customer/link", json=exchange_of(link["url"])), 202)
    [mail] = town.mails(CAROL)
    assert ENGLISH in words_of(mail)
    [text] = town.texts()
    assert ": your " in text.text


def test_who_asks_for_a_new_link_in_spanish_gets_it_in_spanish(town: Town) -> None:
    """The link that expired was never opened, or else in English."""
    never_opened = town.cast.dora.sends_link(town.cast.roof, channels=[])
    opened = came_in(town.cast, town.cast.boiler.ref.id, "en")
    town.passes(hours=24 * 8)
    path, browser = "/api/chat/customer/link", town.cast.stranger(**{"Accept-Language": "es-MX, en;q=0.4"})
    ok(browser.post(path, json=exchange_of(never_opened["url"])), 202)
    ok(town.cast.stranger().post(path, json=exchange_of(opened["url"]) | {"language": "es"}), 202)
    for to in (CHRIS, CAROL):
        [mail] = town.mails(to)
        assert SPANISH in words_of(mail)


def test_nobody_changes_a_customers_language_with_a_link_that_is_not_renewed(town: Town) -> None:
    link = came_in(town.cast, town.cast.boiler.ref.id, "es")
    path, asked = "/api/chat/customer/link", exchange_of(link["url"]) | {"language": "en"}
    ok(town.cast.stranger().post(path, json=asked), 202)
    ok(town.cast.stranger().post(path, json=asked | {"token": "A" * 43}), 202)
    invited(town, town.cast.boiler.ref.id)
    [mail] = town.mails(CAROL)
    assert SPANISH in words_of(mail)
