"""What a mail server is answered: 250 only when nothing can be lost any more, 4xx where it may try again."""

import asyncio
import os
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from structlog.testing import capture_logs

from jobthread import app, mail_in
from jobthread.deliver import reply_address
from jobthread.entities import SenderKind
from jobthread.receive import keeping, listener, taking
from jobthread.store import engines
from jobthread.supervision import kept_alive
from tests import postgres
from tests import serving as servers
from tests.cast import Cast, gather
from tests.receive.post import (
    REPLY_ADDRESS,
    bodies,
    by_lmtp,
    by_smtp,
    came_in,
    carols,
    connection,
    customers_thread,
    free_port,
    mail,
    outcomes,
)
from tests.serving import Serving, wait_until

ROOT = Path(__file__).parents[2]
ASKED = "When are you at home?"


# --- what is said first ---------------------------------------------------------------------------


def test_it_says_how_large_a_mail_may_be_in_both_tongues(cast: Cast) -> None:
    with connection(cast.serving) as smtp, connection(cast.serving, smtplib.LMTP) as lmtp:
        for client in (smtp, lmtp):
            assert client.ehlo()[0] == 250
            assert client.esmtp_features["size"] == str(taking.LARGEST)
            assert "starttls" not in client.esmtp_features
            assert "auth" not in client.esmtp_features


def test_it_relays_nothing(cast: Cast) -> None:
    with connection(cast.serving) as client:
        client.ehlo()
        client.mail("carol@example.com")
        for to in ("mallory@example.com", REPLY_ADDRESS, "reply+@chat.example.com", "postmaster", '"a b"@c'):
            assert client.rcpt(to)[0] in (550, 553), to
        assert client.docmd("DATA")[0] == 503


def test_a_connection_too_many_is_told_to_come_again(cast: Cast) -> None:
    clients = [connection(cast.serving) for _ in range(listener.AT_ONCE)]
    try:
        with pytest.raises(smtplib.SMTPConnectError) as refusal:
            connection(cast.serving)
        assert refusal.value.smtp_code == 421
    finally:
        for client in clients:
            client.close()

    def served_again() -> bool:
        try:
            connection(cast.serving).close()
        except smtplib.SMTPConnectError:
            return False
        return True

    wait_until(served_again)


def test_no_line_of_the_log_tells_what_came_or_from_whom(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    thread = customers_thread(cast)
    to = carols(cast, thread)
    caplog.set_level("DEBUG")
    with capture_logs() as lines:
        by_smtp(cast.serving, mail(to, "A secret word"), to)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            by_smtp(cast.serving, mail(to), "reply+guess@chat.example.com")
    told = (str(lines) + caplog.text).lower()
    assert not [word for word in ("secret", "carol", to.lower(), "guess", "nine") if word in told]


# --- addresses ------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    kind=st.sampled_from([SenderKind.STAFF, SenderKind.CUSTOMER]),
    reader=st.integers(1, 2**40),
    thread=st.integers(1, 2**40),
    data=st.data(),
)
def test_no_change_of_any_character_of_an_address_leads_anywhere(
    kind: SenderKind, reader: int, thread: int, data: st.DataObject
) -> None:
    key = b"k" * 32
    address = reply_address.make(key, REPLY_ADDRESS, (kind, reader), thread)
    assert reply_address.read(key, REPLY_ADDRESS, address) is not None
    place = data.draw(st.integers(0, len(address) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567890189+-_.@=é\x00 ﬀKſ"))
    forged = data.draw(
        st.sampled_from(
            [
                address[:place] + letter + address[place + 1 :],
                address[:place] + letter + address[place:],
                address[:place] + address[place + 1 :],
            ]
        )
    )
    if forged.lower() != address:
        assert reply_address.read(key, REPLY_ADDRESS, forged) is None


def test_forged_addresses_are_unknown_to_the_listener(cast: Cast) -> None:
    thread = customers_thread(cast)
    address = carols(cast, thread)
    local, _, domain = address.partition("@")
    with connection(cast.serving) as client:
        client.ehlo()
        client.mail("carol@example.com")
        for place in range(len("reply+"), len(local)):
            other = "a" if local[place] != "a" else "b"
            assert client.rcpt(f"{local[:place]}{other}{local[place + 1 :]}@{domain}")[0] == 550
        assert client.rcpt(address)[0] == 250


def test_no_header_in_an_address_or_a_name_gets_through(cast: Cast) -> None:
    thread = customers_thread(cast)
    to = carols(cast, thread)
    with connection(cast.serving) as client:
        client.ehlo()
        client.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<" + to.encode() + b"\r\nX-Evil: 1>\r\n")
        answers = [client.getreply()[0] for _ in range(3)]
    assert answers[2] == 500
    evil = b"From: =?utf-8?q?Carol=0D=0AX-Evil=3A_1?= <carol@example.com>"
    raw = mail(to).replace(b"From: Carol <carol@example.com>", evil)
    by_smtp(cast.serving, raw, to)
    assert outcomes(cast.serving) == [("refused", "other_sender")]


# --- nothing is lost, and nothing stands twice -----------------------------------------------------


@contextmanager
def dying_server(cast: Cast, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    serving = cast.serving
    folder, key = serving.settings.data_dir / "mails", app.reply_key(serving.settings).hex()
    command = [sys.executable, "-m", "tests.receive.dying_process", serving.settings.database_url]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = subprocess.Popen(
        [*command, str(port), str(folder), key], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: answers_on(port))
        yield process
    finally:
        process.kill()
        process.wait()


def answers_on(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_a_server_killed_between_commit_and_answer_has_the_mail_and_takes_it_once(cast: Cast) -> None:
    thread = customers_thread(cast)
    raw, to = mail("x@y"), carols(cast, thread)
    port = free_port()
    with dying_server(cast, port) as process:
        with pytest.raises(smtplib.SMTPServerDisconnected), smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("carol@example.com", [to], raw)
        assert process.wait(20) == -9
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]
    [kept] = came_in(cast.serving)
    assert (cast.serving.settings.data_dir / "mails" / kept.raw_name).stat().st_size == kept.size
    assert by_lmtp(cast.serving, raw, to) == [250]
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]
    assert outcomes(cast.serving) == [("landed", None)]


@contextmanager
def database_held(serving: Serving) -> Iterator[None]:
    """Somebody holds what every write needs, and the server is less patient than usual."""
    patience, serving.db.patience = serving.db.patience, 0.3
    engine = engines.for_writing(serving.settings.database_url)
    sqlite = serving.db.dialect == "sqlite"
    try:
        with engine.connect() as conn:
            # SQLite's only write lock is taken by whatever comes first.
            conn.execute(text("SELECT 1" if sqlite else "LOCK TABLE incoming_mails IN ACCESS EXCLUSIVE MODE"))
            yield
            conn.rollback()
    finally:
        serving.db.patience = patience
        engine.dispose()


def test_while_the_database_does_not_answer_the_sender_is_told_to_come_again(cast: Cast) -> None:
    thread = customers_thread(cast)
    raw, to = mail("x@y"), carols(cast, thread)
    with database_held(cast.serving):
        assert by_lmtp(cast.serving, raw, to) == [451]
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            by_smtp(cast.serving, raw, to)
        assert refusal.value.smtp_code == 451
    wait_until(lambda: by_lmtp(cast.serving, raw, to) == [250])
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]


def test_a_database_that_crashes_and_comes_back_costs_no_mail(tmp_path: Path) -> None:
    cluster = postgres.start_server()
    try:
        at = f"127.0.0.1:{free_port()}"
        url = postgres.new_database(cluster)
        running = servers.serve(url, tmp_path, REPLY_ADDRESS=REPLY_ADDRESS, MAIL_LISTEN=at)
        try:
            cast = gather(running)
            thread = customers_thread(cast)
            raw, to = mail("x@y"), carols(cast, thread)
            postgres.stop(cluster, "immediate")
            assert by_lmtp(running, raw, to) == [451]
            postgres.start(cluster)
            wait_until(lambda: by_lmtp(running, raw, to) == [250])
            assert bodies(cast, thread) == [ASKED, "At nine is fine."]
        finally:
            running.stop()
    finally:
        postgres.remove(cluster)


def test_a_full_disk_is_told_and_nothing_lands(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = customers_thread(cast)

    def full(folder: Path, raw: bytes) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "put", full)
        assert by_lmtp(cast.serving, mail("x@y"), carols(cast, thread)) == [452]
    assert bodies(cast, thread) == [ASKED]
    assert came_in(cast.serving) == []


def test_a_sender_who_hangs_up_early_leaves_nothing_behind(cast: Cast) -> None:
    thread = customers_thread(cast)
    client = connection(cast.serving)
    client.ehlo()
    client.mail("carol@example.com")
    client.rcpt(carols(cast, thread))
    client.docmd("DATA")
    client.send(b"From: carol@example.com\r\n\r\nHalf a ma")
    client.close()
    by_smtp(cast.serving, mail("x@y", "Whole"), carols(cast, thread))
    assert bodies(cast, thread) == [ASKED, "Whole"]


# --- its life -------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_tried_again_and_told(cast: Cast) -> None:
    serving = cast.serving
    means = mail_in.means_of(serving.settings, serving.db, app.reply_key(serving.settings), "x")
    restarts: list[str] = []

    async def story(port: int, held: socket.socket) -> None:
        stopping = asyncio.Event()
        run = kept_alive(
            "mail listener",
            lambda: listener.listen(means, "127.0.0.1", port, stopping),
            stopping,
            restarts.append,
        )
        task = asyncio.create_task(run)
        await asyncio.to_thread(wait_until, lambda: restarts)
        held.close()
        await asyncio.to_thread(wait_until, lambda: answers_on(port))
        began = time.monotonic()
        stopping.set()
        await task
        assert time.monotonic() - began < 2
        assert not answers_on(port)

    with socket.create_server(("127.0.0.1", 0)) as held, capture_logs() as lines:
        asyncio.run(story(held.getsockname()[1], held))
    assert {line["event"] for line in lines} == {"worker_died", "mail_listening"}


def test_it_does_not_wait_for_idle_connections_at_the_end(cast: Cast) -> None:
    serving = cast.serving
    means = mail_in.means_of(serving.settings, serving.db, app.reply_key(serving.settings), "x")

    async def story(port: int) -> float:
        stopping = asyncio.Event()
        task = asyncio.create_task(listener.listen(means, "127.0.0.1", port, stopping))
        await asyncio.to_thread(wait_until, lambda: answers_on(port))
        client = await asyncio.to_thread(smtplib.SMTP, "127.0.0.1", port)
        began = time.monotonic()
        stopping.set()
        await task
        client.close()
        return time.monotonic() - began

    assert asyncio.run(story(free_port())) < 2
