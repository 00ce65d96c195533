"""What went out is seen to have gone, and what did not can be tried again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from jobthread.deliver import worker
from jobthread.deliver.worker import deliver_forever
from jobthread.entities import Actor, ConsentHow, ConsentState
from jobthread.store import audit, consent
from jobthread.supervision import kept_alive
from tests import serving
from tests.cast import gather, ok, refused
from tests.conftest import DATABASES, database_url
from tests.deliver.mail_server import MailServer
from tests.deliver.telling import Town, town_server, words_of
from tests.serving import Serving

PATH = "/api/deliveries"


@pytest.fixture(scope="module", params=DATABASES)
def telling_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Serving, MailServer, Path]]:
    folder = tmp_path_factory.mktemp("telling")
    with town_server(database_url(request.param, folder), folder, METRICS="on") as (running, post):
        yield running, post, folder


@pytest.fixture
def town(telling_server: tuple[Serving, MailServer, Path]) -> Iterator[Town]:
    running, post, folder = telling_server
    serving.empty(running)
    found = Town(gather(running), post, folder)
    found.forget_mails()
    yield found
    running.close_browsers()


def of_thread(town: Town, thread: dict[str, Any]) -> list[dict[str, Any]]:
    town.rests()
    found: list[dict[str, Any]] = ok(town.cast.dora.get(f"/api/chat/threads/{thread['id']}/deliveries"))[
        "deliveries"
    ]
    return found


# --- per message ----------------------------------------------------------------------------------


def test_a_thread_tells_who_was_told_of_which_messages(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    first = town.cast.dora.writes(thread, "Can you be there at nine?")
    last = town.cast.dora.writes(thread, "Or at ten?")
    town.passes(seconds=61)
    [one] = of_thread(town, thread)
    assert one["recipient"] == {"kind": "staff", "id": town.cast.tom.id, "name": "Tom"}
    assert (one["from_seq"], one["to_seq"]) == (first["seq"], last["seq"])
    assert (one["channel"], one["status"], one["error"]) == ("email", "sent", None)
    assert one["queued_at"] <= one["sent_at"]
    assert "tom@example.com" not in str(one)


def test_why_it_did_not_go_is_told_in_words(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.post, "at_rcpt", lambda self, to: "550 5.1.1 no such mailbox")
    thread = town.talk(town.cast.tom)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(seconds=61)
    [one] = of_thread(town, thread)
    assert one["status"] == "failed"
    assert "the mail server did not take the recipient: 550" in one["error"]


# --- for admins -----------------------------------------------------------------------------------


def test_admins_see_each_channels_last_success_and_all_there_is_page_by_page(town: Town) -> None:
    town.cast.dora.sends_link(town.cast.boiler)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    town.passes(seconds=61)
    found = ok(town.cast.ada.get(PATH))
    states = {one["channel"]: one for one in found["channels"]}
    assert states["email"]["last_sent_at"] >= states["sms"]["last_sent_at"] is not None
    assert found["oldest_waiting_at"] is None
    kinds = [(one["kind"], one["channel"], one["to"], one["status"]) for one in found["deliveries"]]
    assert kinds == [
        ("notification", "email", "tom@example.com", "sent"),
        ("invitation", "sms", "+12025550101", "sent"),
        ("invitation", "email", "carol@example.com", "sent"),
    ]
    paged, cursor = [], None
    for _ in range(3):
        asked = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = ok(town.cast.ada.get(PATH, **asked))
        paged += page["deliveries"]
        cursor = page["next_cursor"]
    assert paged == found["deliveries"]
    assert cursor is None
    assert ok(town.cast.ada.get(PATH, status="failed"))["deliveries"] == []


def test_what_was_given_up_can_be_tried_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.post, "at_rcpt", lambda self, to: "550 5.1.1 no such mailbox")
    town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
    town.rests()
    [failed] = ok(town.cast.ada.get(PATH, status="failed"))["deliveries"]
    monkeypatch.undo()
    monkeypatch.setattr(town.post, "at_rcpt", lambda self, to: "250 OK")
    again = ok(town.cast.ada.post(f"{PATH}/{failed['id']}/retry"), 202)
    assert (again["status"], again["error"]) == ("queued", None)
    [mail] = town.mails("carol@example.com")
    url = next(word for word in words_of(mail).split() if "/customer/chat?" in word)
    assert town.cast.opens({"url": url}).view()["job"]["id"] == town.cast.boiler.ref.id
    refused(town.cast.ada.post(f"{PATH}/{failed['id']}/retry"), 409, "not_failed")


def test_an_admin_sends_oneself_a_test(town: Town) -> None:
    sent = ok(town.cast.ada.post(f"{PATH}/test", {"channel": "email"}), 202)
    assert (sent["kind"], sent["to"]) == ("test", "ada@example.com")
    [mail] = town.mails()
    assert "This is a test" in words_of(mail)
    assert "A test by e-mail" in str(mail["Subject"])


@pytest.mark.parametrize(
    ("channel", "wanting"), [("sms", "telephone number"), ("push", "device that shows notices")]
)
def test_a_test_goes_nowhere_as_long_as_one_has_not_said_where(
    town: Town, channel: str, wanting: str
) -> None:
    problem = refused(town.cast.ada.post(f"{PATH}/test", {"channel": channel}), 422, "invalid")
    assert problem["errors"] == [{"field": "channel", "message": f"your account has no {wanting}"}]
    assert ok(town.cast.ada.get(PATH))["deliveries"] == []


def test_a_test_by_text_goes_to_ones_own_number_unless_that_wants_no_texts(town: Town) -> None:
    ok(town.cast.ada.patch("/api/auth/preferences", {"phone": "+12025550142"}))
    sent = ok(town.cast.ada.post(f"{PATH}/test", {"channel": "sms"}), 202)
    assert (sent["kind"], sent["to"]) == ("test", "+12025550142")
    town.rests()
    assert statuses(town) == [("+12025550142", "sent")]
    [text] = texts_to(town, "+12025550142")
    assert "this is a test" in text
    said = Actor(None, "", "")
    about = audit.About("number", None)
    town.cast.serving.write(
        lambda tx: consent.change(
            tx, said, "+12025550142", ConsentState.STOPPED, ConsentHow.KEYWORD, "STOP", about
        )
    )
    ok(town.cast.ada.post(f"{PATH}/test", {"channel": "sms"}), 202)
    town.rests()
    assert statuses(town) == [("+12025550142", "failed"), ("+12025550142", "sent")]
    assert texts_to(town, "+12025550142") == [text]


def statuses(town: Town) -> list[tuple[str, str]]:
    return [(one["to"], one["status"]) for one in ok(town.cast.ada.get(PATH))["deliveries"]]


def texts_to(town: Town, number: str) -> list[str]:
    return [text.text for text in town.texts() if text.to == number]


# --- for those who run the server -----------------------------------------------------------------


def test_a_stuck_queue_is_told_and_the_server_is_ready_all_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    anyone = town.cast.stranger()
    assert ok(anyone.get("/readyz")) == {"status": "ready", "deliveries": "ok"}
    monkeypatch.setattr(town.post, "at_rcpt", lambda self, to: "451 4.3.0 later")
    town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
    town.passes(seconds=16 * 60)
    assert ok(anyone.get("/readyz")) == {"status": "ready", "deliveries": "stuck"}
    lines = anyone.get("/metrics").text.splitlines()
    [age] = [line.split()[1] for line in lines if line.startswith("jobthread_oldest_delivery_seconds ")]
    assert 960 <= float(age) < 1100


def test_a_worker_that_dies_is_begun_anew_and_that_is_told() -> None:
    lives: list[int] = []
    restarted: list[str] = []

    async def story() -> None:
        stopping = asyncio.Event()

        async def dies_twice() -> None:
            lives.append(len(lives))
            if len(lives) == 1:
                raise KeyError("no such thing")
            if len(lives) == 3:
                stopping.set()

        async with asyncio.timeout(10):
            await kept_alive("deliveries", dies_twice, stopping, restarted.append)

    with pytest.MonkeyPatch.context() as quickly, capture_logs() as logs:
        quickly.setattr("jobthread.supervision.PAUSE_SECONDS", 0.01)
        asyncio.run(story())
    assert lives == [0, 1, 2]
    assert restarted == ["deliveries", "deliveries"]
    # A server that runs beside this may have its say, too.
    assert [line["error"] for line in logs if line["event"] == "worker_died"] == ["KeyError", "ended"]


def test_a_server_whose_worker_dies_sends_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    async def stillborn_once(*given: Any, **more: Any) -> None:
        begun.append(1)
        if len(begun) == 1:
            raise RuntimeError("stillborn")
        await deliver_forever(*given, **more)

    monkeypatch.setattr(worker, "deliver_forever", stillborn_once)
    url = f"sqlite:///{tmp_path}/jobthread.db"
    with town_server(url, tmp_path) as (running, post):
        town = Town(gather(running), post, tmp_path)
        town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
        assert town.told() == ["carol@example.com"]
    assert len(begun) == 2
