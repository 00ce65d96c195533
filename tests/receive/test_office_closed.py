"""The automatic line while the office is closed: by whatever way a customer answers, once each night."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobthread.deliver import mailbox
from jobthread.store.database import wall_clock
from tests import serving
from tests.api.sms_line import US, Line
from tests.cast import Cast, gather, ok
from tests.conftest import DATABASES, database_url
from tests.deliver import providers as p
from tests.deliver.providers import Provider
from tests.receive.post import REPLY_ADDRESS, by_lmtp, carols, customers_thread, free_port, mail, outcomes
from tests.serving import Serving, wait_until

FRIDAY_EVENING, SATURDAY = "2026-11-27T16:30:00", "2026-11-28T12:00:00"
MONDAY_MORNING, MONDAY_EVENING = "2026-11-30T09:00:00", "2026-11-30T18:00:00"
UNTIL_MONDAY, UNTIL_TUESDAY = "away 2026-11-30T07:00:00.000Z", "away 2026-12-01T07:00:00.000Z"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with p.playing(p.twilio) as playing:
        yield playing


@pytest.fixture(scope="module", params=DATABASES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> Iterator[Serving]:
    """Open from eight to five in Madrid, Monday to Friday; reached by mail and by text."""
    folder = tmp_path_factory.mktemp("office")
    running = serving.serve(
        database_url(request.param, folder),
        folder,
        BASE_URL=US,
        BUSINESS_HOURS="Mon-Fri 08:00-17:00",
        TIME_ZONE="Europe/Madrid",
        COMPANY="Warm & Dry",
        SMS_URL=p.twilio_url(provider),
        REPLY_ADDRESS=REPLY_ADDRESS,
        MAIL_LISTEN=f"127.0.0.1:{free_port()}",
    )
    yield running
    running.stop()


@pytest.fixture
def madrid(server: Serving, provider: Provider) -> Iterator[Cast]:
    serving.rests(server)
    serving.empty(server)
    provider.texts.clear()
    shutil.rmtree(outbox(server), ignore_errors=True)
    it_is(server, FRIDAY_EVENING)
    yield gather(server)
    server.close_browsers()


def it_is(server: Serving, text: str) -> None:
    """In UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    server.clock.ahead = int(moment * 1_000_000) - wall_clock()


def lines_of(cast: Cast, thread: dict[str, Any]) -> list[str]:
    """What Carol said, and the automatic lines, in order."""
    rows = cast.dora.reads(thread)
    told = [row for row in rows if row["sender"]["kind"] == "customer" or is_away(row)]
    return [f"away {row['body']}" if is_away(row) else row["body"] for row in told]


def is_away(row: dict[str, Any]) -> bool:
    return bool(row["event"]) and row["event"]["type"] == "away"


def by_text(cast: Cast, thread: dict[str, Any], words: str) -> None:
    assert Line(Provider(), cast).text(words).status_code == 200


def by_mail(cast: Cast, thread: dict[str, Any], words: str) -> None:
    to = carols(cast, thread)
    assert by_lmtp(cast.serving, mail(to, words), to) == [250]


Write = Callable[[Cast, dict[str, Any], str], None]


@pytest.mark.parametrize("write", [by_text, by_mail])
def test_whoever_answers_out_of_hours_is_told_once_when_the_office_opens(madrid: Cast, write: Write) -> None:
    thread = customers_thread(madrid)
    write(madrid, thread, "Nine is fine")
    write(madrid, thread, "Or ten")
    it_is(madrid.serving, SATURDAY)
    write(madrid, thread, "Anybody?")
    it_is(madrid.serving, MONDAY_MORNING)
    write(madrid, thread, "Good morning")
    it_is(madrid.serving, MONDAY_EVENING)
    write(madrid, thread, "Good evening")
    assert lines_of(madrid, thread) == [
        *("Nine is fine", UNTIL_MONDAY, "Or ten", "Anybody?"),
        *("Good morning", "Good evening", UNTIL_TUESDAY),
    ]


def test_one_line_is_enough_for_all_ways_together(madrid: Cast) -> None:
    thread = customers_thread(madrid)
    by_mail(madrid, thread, "By mail")
    by_text(madrid, thread, "By text")
    carol = madrid.opens(madrid.dora.sends_link(madrid.boiler, channels=[]))
    carol.writes("By the web", thread_id=thread["id"])
    assert lines_of(madrid, thread) == ["By mail", UNTIL_MONDAY, "By text", "By the web"]


def test_a_text_handed_over_twice_and_the_word_help_bring_no_line(madrid: Cast) -> None:
    thread = customers_thread(madrid)
    by_text(madrid, thread, "HELP")
    assert lines_of(madrid, thread) == []
    for _ in range(2):
        assert Line(Provider(), madrid).text("Hello?", sid="SM" + "1" * 32).status_code == 200
    assert lines_of(madrid, thread) == ["Hello?", UNTIL_MONDAY]


# --- and back by the way that the answer came -----------------------------------------------------


def outbox(server: Serving) -> Path:
    return server.settings.data_dir / "outbox"


def sent_back(cast: Cast) -> list[tuple[str, str]]:
    """By what, and how each stands, newest first, as the admin reads it."""
    found = ok(cast.ada.get("/api/deliveries"))["deliveries"]
    return [(one["channel"], one["status"]) for one in found if one["kind"] == "away"]


def carols_mails(cast: Cast) -> list[mailbox.Item]:
    """Dora may have been told of hers meanwhile."""
    return [item for item in mailbox.recent(outbox(cast.serving), 50) if "carol@" in item.to]


def test_who_texts_is_told_by_text_and_who_mails_by_mail(madrid: Cast, provider: Provider) -> None:
    thread = customers_thread(madrid)
    by_text(madrid, thread, "Nine is fine")
    by_text(madrid, thread, "Or ten")
    wait_until(lambda: sent_back(madrid) == [("sms", "sent")])
    [(number, text)] = provider.texts
    assert number == madrid.boiler.customer.phone
    assert text == (
        "Warm & Dry: thank you, your message has arrived. "
        "The office is closed. Somebody answers when it opens: Mon, 08:00."
    )
    it_is(madrid.serving, MONDAY_EVENING)
    by_mail(madrid, thread, "Good evening")
    wait_until(lambda: sent_back(madrid) == [("email", "sent"), ("sms", "sent")])
    [item] = carols_mails(madrid)
    assert item.subject == f"{thread['subject']} (Warm & Dry)"
    assert "Somebody answers when it opens: Tue, 08:00." in item.text
    assert "simply reply to this e-mail" in item.text
    assert len(provider.texts) == 1


def test_staff_see_whom_it_went_to(madrid: Cast) -> None:
    thread = customers_thread(madrid)
    by_text(madrid, thread, "Nine is fine")
    wait_until(lambda: sent_back(madrid) == [("sms", "sent")])
    [one] = [one for one in ok(madrid.ada.get("/api/deliveries"))["deliveries"] if one["kind"] == "away"]
    assert (one["recipient"]["name"], one["to"]) == ("Carol", madrid.boiler.customer.phone)
    assert (one["thread_id"], one["job_id"]) == (thread["id"], madrid.boiler.ref.id)


def test_a_machine_that_sends_our_line_back_brings_nothing_about(madrid: Cast) -> None:
    thread = customers_thread(madrid)
    by_mail(madrid, thread, "Nine is fine")
    wait_until(lambda: sent_back(madrid) == [("email", "sent")])
    [item] = carols_mails(madrid)
    raw = (outbox(madrid.serving) / item.name).read_bytes()
    it_is(madrid.serving, MONDAY_EVENING)
    to = carols(madrid, thread)
    assert by_lmtp(madrid.serving, raw, to) == [250]
    assert outcomes(madrid.serving)[-1][0] == "automatic"
    assert sent_back(madrid) == [("email", "sent")]
    assert lines_of(madrid, thread) == ["Nine is fine", UNTIL_MONDAY]


def test_who_writes_on_the_page_is_sent_nothing(madrid: Cast, provider: Provider) -> None:
    thread = customers_thread(madrid)
    carol = madrid.opens(madrid.dora.sends_link(madrid.boiler, channels=[]))
    carol.writes("By the web", thread_id=thread["id"])
    by_text(madrid, thread, "And by text")
    assert lines_of(madrid, thread) == ["By the web", UNTIL_MONDAY, "And by text"]
    assert (sent_back(madrid), provider.texts) == ([], [])
