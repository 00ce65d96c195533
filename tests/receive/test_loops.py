"""Machines that answer mails get no answer and no message: vacation notes, lists, bounces, ourselves."""

import pytest

from jobthread.actions import replies
from jobthread.receive import parse
from tests.cast import Cast, ok
from tests.receive.post import (
    bodies,
    by_lmtp,
    by_smtp,
    came_in,
    carols,
    customers_thread,
    mail,
    outcomes,
    refusals,
)

OURS = "127.0.0.1"
AUTOMATIC = {
    "Auto-Submitted: auto-replied": "auto_submitted",
    "Auto-Submitted: auto-generated; owner-email=x": "auto_submitted",
    "Precedence: bulk": "precedence",
    "Precedence: junk": "precedence",
    "precedence: LIST": "precedence",
    "X-Autoreply: yes": "autoreply",
    "X-Autorespond: yes": "autorespond",
    "X-Auto-Response-Suppress: All": "auto_response_suppress",
    "List-Id: <plumbers.example.com>": "list_id",
    "Return-Path: <>": "bounce",
}


def with_header(raw: bytes, header: str) -> bytes:
    return header.encode() + b"\r\n" + raw


@pytest.mark.parametrize("header", list(AUTOMATIC))
def test_an_automatic_answer_is_dropped(header: str) -> None:
    raw = with_header(mail("x@y"), header)
    assert parse.read(raw, "name", OURS).automatic == AUTOMATIC[header]


@pytest.mark.parametrize("header", ["Auto-Submitted: no", "Precedence: first-class", "X-Mailer: Phone"])
def test_what_a_person_writes_is_not(header: str) -> None:
    assert parse.read(with_header(mail("x@y"), header), "name", OURS).automatic is None


def test_a_report_of_a_mail_server_is_dropped() -> None:
    raw = mail("x@y").replace(b"text/plain", b"multipart/report; report-type=delivery-status; boundary=b")
    assert parse.read(raw, "name", OURS).automatic == "report"


def test_our_own_mails_coming_back_are_dropped() -> None:
    ours = mail("x@y", Message_ID=f"<{'0a' * 16}@chat.example.com>")
    assert parse.read(ours, "name", "chat.example.com").automatic == "our_own"
    assert parse.read(ours, "name", "other.example.com").automatic is None


def test_a_vacation_note_is_kept_and_not_shown(cast: Cast) -> None:
    thread = customers_thread(cast)
    raw = with_header(mail("x@y", "I am away"), "Auto-Submitted: auto-replied")
    assert by_lmtp(cast.serving, raw, carols(cast, thread)) == [250]
    assert bodies(cast, thread) == ["When are you at home?"]
    assert outcomes(cast.serving) == [("automatic", "auto_submitted")]
    [listed] = ok(cast.ada.get("/api/incoming-mails"))["mails"]
    assert cast.ada.get(f"/api/incoming-mails/{listed['id']}/raw").content.endswith(raw)


def test_a_bounce_comes_from_nobody(cast: Cast) -> None:
    thread = customers_thread(cast)
    assert by_lmtp(cast.serving, mail("x@y"), carols(cast, thread), sender="") == [250]
    by_smtp(cast.serving, mail("x@y"), carols(cast, thread), sender="<>")
    assert outcomes(cast.serving) == [("automatic", "bounce")] * 2


def test_two_machines_that_answer_each_other_come_to_an_end(cast: Cast) -> None:
    thread, other = customers_thread(cast), customers_thread(cast, subject="The bill")
    burst = replies.MAILS.burst
    for number in range(burst + 5):
        by_smtp(cast.serving, mail("x@y", f"Mail {number}"), carols(cast, thread))
    assert len(bodies(cast, thread)) == burst + 1
    assert refusals(cast.serving) == ["rate_limited"]
    kept = {one.raw_name for one in came_in(cast.serving)}
    files = {file.name for file in (cast.serving.settings.data_dir / "mails").iterdir()}
    assert len(kept) == burst
    assert kept <= files
    # Other threads are not held up, and an hour later neither is this one.
    by_smtp(cast.serving, mail("x@y", "About the bill"), carols(cast, other))
    cast.serving.clock.pass_time(hours=1)
    by_smtp(cast.serving, mail("x@y", "Later"), carols(cast, thread))
    assert (bodies(cast, other)[-1], bodies(cast, thread)[-1]) == ("About the bill", "Later")


def test_what_comes_too_often_is_not_kept_on_disk(cast: Cast) -> None:
    thread = customers_thread(cast)
    for _ in range(replies.MAILS.burst):
        by_smtp(cast.serving, mail("x@y", sender="mallory@example.com"), carols(cast, thread))
    before = set((cast.serving.settings.data_dir / "mails").iterdir())
    by_smtp(cast.serving, mail("x@y", sender="mallory@example.com"), carols(cast, thread))
    assert set((cast.serving.settings.data_dir / "mails").iterdir()) == before
