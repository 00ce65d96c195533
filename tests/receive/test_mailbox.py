"""Answers out of a mailbox: each lands once and is put away after that, whatever happens in between."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from jobthread import app, mail_in
from jobthread.errors import Unavailable
from jobthread.receive import keeping, polling, taking
from jobthread.receive.imap import Mailbox
from jobthread.store.database import Writing
from jobthread.store.incoming import Taken
from tests import serving as servers
from tests.cast import Cast, gather
from tests.conftest import database_url
from tests.receive.imap_server import PASSWORD, USER, HangUp, ImapServer, imap_server
from tests.receive.post import REPLY_ADDRESS, bodies, carols, customers_thread, mail, outcomes
from tests.serving import Serving, wait_until

ASKED = "When are you at home?"


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    with imap_server() as server:
        yield server


def means_of(serving: Serving) -> taking.Means:
    key = app.reply_key(serving.settings)
    return mail_in.means_of(serving.settings, serving.db, key, app.own_domain(serving.settings))


def poll_until(
    serving: Serving,
    imap: ImapServer,
    true: Callable[[], Any],
    password: str = PASSWORD,
    means: taking.Means | None = None,
) -> None:
    """Look into the mailbox as the server does, but often."""
    mailbox = Mailbox("127.0.0.1", imap.port, USER, password, "INBOX", "off")

    async def story() -> None:
        stopping = asyncio.Event()
        taken_with = means or means_of(serving)
        looking = asyncio.create_task(polling.poll(taken_with, mailbox, stopping, every_seconds=0.05))
        try:
            await asyncio.to_thread(wait_until, true)
        finally:
            stopping.set()
            await looking

    asyncio.run(story())


def test_an_answer_lands_and_is_put_away_as_read(cast: Cast, imap: ImapServer) -> None:
    thread = customers_thread(cast)
    raw = mail(carols(cast, thread))
    imap.deliver(raw)
    poll_until(cast.serving, imap, lambda: imap.raws("Processed"))
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]
    assert (imap.raws("INBOX"), imap.raws("Processed"), imap.flags("Processed")) == ([], [raw], [{"\\Seen"}])


def test_the_address_may_stand_in_any_header_that_names_recipients(cast: Cast, imap: ImapServer) -> None:
    thread = customers_thread(cast)
    to = carols(cast, thread)
    imap.deliver(mail(f'"Warm & Dry" <{to}>', "One"))
    imap.deliver(mail("office@example.com", "Two", Cc=f"dan@example.com, {to.upper()}"))
    imap.deliver(b"Delivered-To: " + to.encode() + b"\r\n" + mail("office@example.com", "Three"))
    poll_until(cast.serving, imap, lambda: len(imap.raws("Processed")) == 3)
    assert bodies(cast, thread) == [ASKED, "One", "Two", "Three"]


def test_what_cannot_be_taken_is_put_where_people_see_it(cast: Cast, imap: ImapServer) -> None:
    thread = customers_thread(cast)
    to = carols(cast, thread)
    imap.deliver(mail(REPLY_ADDRESS, "To nobody"))
    imap.deliver(mail(to[:10] + ("b" if to[10] == "a" else "a") + to[11:], "Guessed"))
    imap.deliver(mail(to, "From a stranger", sender="mallory@example.com"))
    imap.deliver(mail(to, " "))
    imap.deliver(b"\xff\x00 no mail at all")
    imap.deliver(mail(to))
    poll_until(cast.serving, imap, lambda: not imap.raws("INBOX"))
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]
    assert (len(imap.raws("Failed")), len(imap.raws("Processed"))) == (5, 1)


def test_a_mail_that_is_too_large_is_not_even_fetched(cast: Cast, imap: ImapServer) -> None:
    imap.deliver(b"x" * (taking.LARGEST + 1))
    poll_until(cast.serving, imap, lambda: imap.raws("Failed"))
    assert not [command for command in imap.commands if "BODY" in command]


def test_a_server_without_move_does_as_well(cast: Cast, imap: ImapServer) -> None:
    imap.capabilities = "IMAP4rev1 UIDPLUS"
    thread = customers_thread(cast)
    imap.deliver(mail(carols(cast, thread)))
    poll_until(cast.serving, imap, lambda: imap.raws("Processed") and not imap.raws("INBOX"))


def test_a_server_with_neither_keeps_it_marked_and_it_lands_once(cast: Cast, imap: ImapServer) -> None:
    imap.capabilities = "IMAP4rev1"
    thread = customers_thread(cast)
    imap.deliver(mail(carols(cast, thread)))
    poll_until(cast.serving, imap, lambda: imap.flags("INBOX")[0] == {"\\Seen", "\\Deleted"})
    looks = len(imap.commands)
    poll_until(cast.serving, imap, lambda: len(imap.commands) > looks + 10)
    assert len(imap.raws("Processed")) == 1
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]


@pytest.mark.parametrize("point", ["UID STORE", "CREATE", "UID MOVE", "UID FETCH", "UID SEARCH", "SELECT"])
def test_a_connection_lost_at_any_point_lands_it_once(cast: Cast, imap: ImapServer, point: str) -> None:
    thread = customers_thread(cast)
    imap.deliver(mail(carols(cast, thread)))
    left = [2]

    def break_off(command: str) -> None:
        if command.startswith(point) and left[0]:
            left[0] -= 1
            raise HangUp

    imap.before = break_off
    poll_until(cast.serving, imap, lambda: imap.raws("Processed") and not imap.raws("INBOX"))
    assert left == [0]
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]
    assert outcomes(cast.serving) == [("landed", None)]


def test_a_mail_stays_where_it_is_while_the_disk_is_full(
    cast: Cast, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = customers_thread(cast)
    imap.deliver(mail(carols(cast, thread)))
    put, tries = keeping.put, [3]

    def full_at_first(folder: Path, raw: bytes) -> str:
        if tries[0]:
            tries[0] -= 1
            raise OSError(28, "No space left on device")
        return put(folder, raw)

    monkeypatch.setattr(keeping, "put", full_at_first)
    poll_until(cast.serving, imap, lambda: imap.raws("Processed"))
    assert tries == [0]
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]


def test_a_mail_stays_where_it_is_while_the_database_does_not_take_it(cast: Cast, imap: ImapServer) -> None:
    thread = customers_thread(cast)
    imap.deliver(mail(carols(cast, thread)))
    means, tries = means_of(cast.serving), [3]

    def away_at_first(tx: Writing, *given: Any) -> Taken:
        if tries[0]:
            tries[0] -= 1
            raise Unavailable
        return means.take_in(tx, *given)

    poll_until(
        cast.serving, imap, lambda: imap.raws("Processed"), means=replace(means, take_in=away_at_first)
    )
    assert (tries, imap.raws("Failed")) == ([0], [])
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]


def test_a_wrong_password_is_told_without_it(cast: Cast, imap: ImapServer) -> None:
    with capture_logs() as lines:
        poll_until(cast.serving, imap, lambda: len(imap.commands) > 6, password="hush-wrong")
    assert {line["event"] for line in lines} == {"mailbox_look_failed"}
    assert "hush" not in str(lines)


def test_no_line_of_the_log_tells_what_came_or_from_whom(cast: Cast, imap: ImapServer) -> None:
    thread = customers_thread(cast)
    to = carols(cast, thread)
    imap.deliver(mail(to, "A secret word"))
    imap.deliver(mail("reply+guessed@chat.example.com", "Another", sender="mallory@example.com"))
    with capture_logs() as lines:
        poll_until(cast.serving, imap, lambda: not imap.raws("INBOX"))
    assert {line["event"] for line in lines} >= {"mail_taken", "mail_address_unknown"}
    told = str(lines).lower()
    assert not [word for word in ("secret", "carol", "mallory", to.lower(), "hush") if word in told]


def test_a_mailbox_that_does_not_answer_does_not_hold_up_the_end(cast: Cast) -> None:
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mailbox = Mailbox("127.0.0.1", mute.getsockname()[1], USER, PASSWORD, "INBOX", "off")

        async def story() -> float:
            stopping = asyncio.Event()
            looking = asyncio.create_task(polling.poll(means_of(cast.serving), mailbox, stopping))
            connection, _ = await asyncio.to_thread(mute.accept)
            with connection:
                stopping.set()
                began = time.monotonic()
                await looking
                return time.monotonic() - began

        assert asyncio.run(story()) < 5


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_came_while_the_server_was_down_lands_when_it_is_back(
    tmp_path: Path, imap: ImapServer, kind: str
) -> None:
    url = database_url(kind, tmp_path)
    before = servers.serve(url, tmp_path, REPLY_ADDRESS=REPLY_ADDRESS)
    cast = gather(before)
    thread = customers_thread(cast)
    imap.deliver(mail(carols(cast, thread)))
    before.stop()
    at = f"imap://{USER}:{PASSWORD}@127.0.0.1:{imap.port}/INBOX"
    running = servers.serve(url, tmp_path, REPLY_ADDRESS=REPLY_ADDRESS, IMAP_URL=at, METRICS="on")
    try:
        wait_until(lambda: imap.raws("Processed"))
        assert outcomes(running) == [("landed", None)]
        anyone = servers.browser(running)
        wait_until(lambda: "\njobthread_mailbox_read_seconds 0.0" not in anyone.get("/metrics").text)
        assert "\njobthread_mailbox_read_seconds 1" in anyone.get("/metrics").text
    finally:
        running.stop()


def test_only_a_look_that_went_well_counts_as_one(cast: Cast, imap: ImapServer) -> None:
    looks: list[str] = []
    means = replace(means_of(cast.serving), looked=lambda: looks.append("looked"))
    failures = [line for line in _failed_looks(cast, imap, means) if line["event"] == "mailbox_look_failed"]
    assert (bool(failures), looks) == (True, [])
    poll_until(cast.serving, imap, lambda: looks, means=means)


def _failed_looks(cast: Cast, imap: ImapServer, means: taking.Means) -> list[Any]:
    with capture_logs() as logs:
        poll_until(cast.serving, imap, lambda: logs, password="wrong", means=means)
    return list(logs)
