"""The automatic line while the office is closed: by whatever way a customer answers, once each night."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from jobthread.store.database import wall_clock
from tests import serving
from tests.api.sms_line import US, Line
from tests.cast import Cast, gather
from tests.conftest import DATABASES, database_url
from tests.deliver import providers as p
from tests.deliver.providers import Provider
from tests.receive.post import REPLY_ADDRESS, by_lmtp, carols, customers_thread, free_port, mail
from tests.serving import Serving

FRIDAY_EVENING, SATURDAY = "2026-11-27T16:30:00", "2026-11-28T12:00:00"
MONDAY_MORNING, MONDAY_EVENING = "2026-11-30T09:00:00", "2026-11-30T18:00:00"
UNTIL_MONDAY, UNTIL_TUESDAY = "away 2026-11-30T07:00:00.000Z", "away 2026-12-01T07:00:00.000Z"


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Open from eight to five in Madrid, Monday to Friday; reached by mail and by text."""
    folder = tmp_path_factory.mktemp("office")
    with p.playing(p.twilio) as provider:
        running = serving.serve(
            database_url(request.param, folder),
            folder,
            BASE_URL=US,
            BUSINESS_HOURS="Mon-Fri 08:00-17:00",
            TIME_ZONE="Europe/Madrid",
            SMS_URL=p.twilio_url(provider),
            REPLY_ADDRESS=REPLY_ADDRESS,
            MAIL_LISTEN=f"127.0.0.1:{free_port()}",
        )
        yield running
        running.stop()


@pytest.fixture
def madrid(server: Serving) -> Iterator[Cast]:
    serving.empty(server)
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
