"""An answer by mail lands where its signed address says, once, and only for whom it was signed."""

import base64
import os
import smtplib
from typing import Any

import pytest

from jobthread import app, mail_in
from jobthread.actions import replies
from jobthread.api import fields
from jobthread.deliver import reply_address
from jobthread.entities import SenderKind
from tests.cast import Cast, ok, refused
from tests.receive.post import (
    address_of,
    bodies,
    by_lmtp,
    by_smtp,
    came_in,
    carols,
    customers_thread,
    mail,
    of_staff,
    outcomes,
    refusals,
)

ASKED = "When are you at home?"


def last(cast: Cast, thread: dict[str, Any]) -> dict[str, Any]:
    return cast.ada.reads(thread)[-1]


def test_a_customers_answer_lands_in_her_thread_as_her_message(cast: Cast) -> None:
    thread = customers_thread(cast)
    by_smtp(cast.serving, mail(carols(cast, thread)), carols(cast, thread))
    said = last(cast, thread)
    assert said["sender"] == {"kind": "customer", "id": cast.boiler.customer.id, "name": "Carol"}
    assert (said["body"], said["via"]) == ("At nine is fine.", "email")
    seen = ok(cast.dora.get(f"/api/chat/threads/{thread['id']}"))
    assert (seen["needs_reply"], seen["unread_count"]) == (True, 1)
    assert outcomes(cast.serving) == [("landed", None)]


def test_what_was_quoted_and_signed_stays_out(cast: Cast) -> None:
    thread = customers_thread(cast)
    text = f"At nine.\n\nOn Mon, 23 Nov 2026 at 10:01, Warm <reply@chat.example.com> wrote:\n> {ASKED}\n"
    by_smtp(cast.serving, mail(carols(cast, thread), text), carols(cast, thread))
    assert bodies(cast, thread) == [ASKED, "At nine."]


def test_the_addresss_letters_may_come_in_capitals_and_the_senders_too(cast: Cast) -> None:
    thread = customers_thread(cast)
    by_smtp(cast.serving, mail("x@y", sender="CAROL@Example.COM"), carols(cast, thread).upper())
    assert outcomes(cast.serving) == [("landed", None)]


def test_a_technicians_answer_lands_as_theirs(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    to = of_staff(cast, cast.tom, thread)
    by_smtp(cast.serving, mail(to, "On my way", sender="tom@example.com"), to)
    said = last(cast, thread)
    assert (said["sender"]["name"], said["body"], said["via"]) == ("Tom", "On my way", "email")


def test_a_mail_handed_over_again_stands_once(cast: Cast) -> None:
    thread = customers_thread(cast)
    raw = mail(carols(cast, thread))
    for _ in range(3):
        by_smtp(cast.serving, raw, carols(cast, thread))
    by_smtp(cast.serving, b"Received: by another way\r\n" + raw, carols(cast, thread))
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]
    assert outcomes(cast.serving) == [("landed", None)]


def test_a_mail_without_a_message_id_stands_once_too(cast: Cast) -> None:
    thread = customers_thread(cast)
    raw = b"\r\n".join(
        line for line in mail(carols(cast, thread)).split(b"\r\n") if not line.startswith(b"Message-ID")
    )
    for way in (b"", b"Received: by another way\r\n"):
        by_smtp(cast.serving, way + raw, carols(cast, thread))
    assert bodies(cast, thread) == [ASKED, "At nine is fine."]


def test_one_mail_to_two_threads_lands_in_both(cast: Cast) -> None:
    one = customers_thread(cast)
    other = customers_thread(cast, subject="The bill")
    to = [carols(cast, one), carols(cast, other)]
    assert by_lmtp(cast.serving, mail(", ".join(to)), *to) == [250, 250]
    assert bodies(cast, one)[1:] == bodies(cast, other)[1:] == ["At nine is fine."]


def test_an_answer_opens_a_closed_thread_again(cast: Cast) -> None:
    thread = customers_thread(cast)
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    by_smtp(cast.serving, mail(carols(cast, thread)), carols(cast, thread))
    assert ok(cast.dora.get(f"/api/chat/threads/{thread['id']}"))["status"] == "open"


# --- refusals -------------------------------------------------------------------------------------


def test_a_mail_from_another_address_goes_nowhere_and_nobody_is_told(cast: Cast) -> None:
    thread = customers_thread(cast)
    for sender in (
        "mallory@example.com",
        "carol@example.com.example.org",
        '"carol@example.com" <mallory@example.com>',
        "=?utf-8?q?carol=40example=2Ecom?= <mallory@example.com>",
        "carol@example.com, mallory@example.com",
        "mallory@example.com (carol@example.com)",
    ):
        raw = mail("x@y").replace(b"From: Carol <carol@example.com>", b"From: " + sender.encode())
        assert by_smtp(cast.serving, raw, carols(cast, thread)) == {}
    by_smtp(cast.serving, b"From: mallory@example.com\r\n" + mail("x@y"), carols(cast, thread))
    assert bodies(cast, thread) == [ASKED]
    assert set(refusals(cast.serving)) == {"other_sender"}
    assert len(refusals(cast.serving)) == 7


def test_an_address_of_one_reader_lets_no_other_write(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    to = of_staff(cast, cast.tom, thread)
    by_smtp(cast.serving, mail(to, sender="dora@example.com"), to)
    assert refusals(cast.serving) == ["other_sender"]


def test_a_technician_who_was_removed_writes_no_more(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    to = of_staff(cast, cast.tom, thread)
    ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)
    assert by_smtp(cast.serving, mail(to, sender="tom@example.com"), to) == {}
    assert bodies(cast, thread) == []
    assert refusals(cast.serving) == ["not_found"]


def test_a_colleague_who_was_deactivated_writes_no_more(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    to = of_staff(cast, cast.tom, thread)
    ok(cast.ada.patch(f"/api/users/{cast.tom.id}", {"active": False}))
    by_smtp(cast.serving, mail(to, sender="tom@example.com"), to)
    assert (bodies(cast, thread), refusals(cast.serving)) == ([], ["not_authenticated"])


def test_nobody_writes_about_a_job_that_is_closed(cast: Cast) -> None:
    thread = customers_thread(cast)
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"status": "closed"}))
    by_smtp(cast.serving, mail(carols(cast, thread)), carols(cast, thread))
    assert (bodies(cast, thread), refusals(cast.serving)) == ([ASKED], ["job_inactive"])


def test_staff_reopen_nothing_by_mail(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    to = of_staff(cast, cast.tom, thread)
    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    by_smtp(cast.serving, mail(to, sender="tom@example.com"), to)
    assert refusals(cast.serving) == ["thread_closed"]


def test_a_customer_writes_by_mail_after_the_link_ran_out_but_not_after_it_was_withdrawn(cast: Cast) -> None:
    thread = customers_thread(cast)
    link = cast.dora.sends_link(cast.boiler, channels=[])
    cast.serving.clock.pass_time(days=30)
    by_smtp(cast.serving, mail(carols(cast, thread)), carols(cast, thread))
    assert outcomes(cast.serving) == [("landed", None)]
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    by_smtp(cast.serving, mail(carols(cast, thread)), carols(cast, thread))
    assert refusals(cast.serving) == ["link_revoked"]


def test_no_signature_lets_a_customer_into_an_internal_thread_or_anothers(cast: Cast) -> None:
    """Even an address that we signed ourselves, which we never do."""
    internal = cast.dora.opens_thread(cast.tom, job=cast.boiler)
    chriss = ok(cast.dora.post(f"/api/chat/jobs/{cast.roof.ref.id}/customer-thread"), 201)
    nowhere = {"id": 987_654}
    for thread in (internal, chriss, nowhere):
        by_smtp(cast.serving, mail(carols(cast, thread)), carols(cast, thread))
    assert refusals(cast.serving) == ["not_found"] * 3
    assert bodies(cast, internal) == bodies(cast, chriss) == []


def test_a_new_mail_address_of_the_customer_is_the_one_that_counts(cast: Cast) -> None:
    thread = customers_thread(cast)
    ok(cast.dora.patch(f"/api/customers/{cast.boiler.customer.id}", {"email": "carol@example.org"}))
    by_smtp(cast.serving, mail("x@y"), carols(cast, thread))
    by_smtp(cast.serving, mail("x@y", sender="carol@example.org"), carols(cast, thread))
    assert outcomes(cast.serving) == [("refused", "other_sender"), ("landed", None)]


def test_a_key_of_another_server_signs_nothing_here(cast: Cast) -> None:
    thread = customers_thread(cast)
    reader = (SenderKind.CUSTOMER, cast.boiler.customer.id)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        by_smtp(
            cast.serving,
            mail("x@y"),
            reply_address.make(b"another", "reply@chat.example.com", reader, thread["id"]),
        )
    [(code, _)] = refusal.value.recipients.values()
    assert code == 550
    assert came_in(cast.serving) == []


# --- texts ----------------------------------------------------------------------------------------


def test_a_text_too_long_is_cut_and_the_mail_kept_whole(cast: Cast) -> None:
    assert replies.LONGEST_BODY == fields.LONGEST_BODY
    thread = customers_thread(cast)
    by_smtp(cast.serving, mail("x@y", "All of it. " * 2_000), carols(cast, thread))
    body = bodies(cast, thread)[-1]
    assert len(body) <= fields.LONGEST_BODY
    assert body.endswith("\n[…]")
    [kept] = came_in(cast.serving)
    assert kept.size > 20_000


def test_a_mail_in_which_nothing_can_be_read_is_sent_back(cast: Cast) -> None:
    thread = customers_thread(cast)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        by_smtp(cast.serving, mail("x@y", "\n \n"), carols(cast, thread))
    assert refusal.value.smtp_code == 554
    assert outcomes(cast.serving) == [("unreadable", "nothing_to_read")]
    assert refusals(cast.serving) == ["nothing_to_read"]


def test_what_lands_passes_the_same_rules_as_what_is_typed(cast: Cast) -> None:
    thread = customers_thread(cast)
    text = b"Nul \x00, bell \x07, bad utf-8 \xff\xfe, a lone \xed\xa0\x80, \xe2\x80\xaeturned"
    raw = mail("x@y").partition(b"\r\n\r\n")[0].replace(b"7bit", b"8bit") + b"\r\n\r\n" + text
    by_smtp(cast.serving, raw, carols(cast, thread))
    body = bodies(cast, thread)[-1]
    assert fields.body(body) == body
    assert body.startswith("Nul , bell , bad utf-8")


# --- the mails themselves -------------------------------------------------------------------------


def test_admins_and_nobody_else_read_the_mail_as_it_came(cast: Cast) -> None:
    thread = customers_thread(cast)
    raw = mail(carols(cast, thread))
    by_smtp(cast.serving, raw, carols(cast, thread))
    [listed] = ok(cast.ada.get("/api/incoming-mails"))["mails"]
    assert listed["outcome"] == "landed"
    assert listed["message_id"] == last(cast, thread)["id"]
    assert listed["reader"] == {"kind": "customer", "id": cast.boiler.customer.id}
    assert listed["reader_name"] == "Carol"
    fetched = cast.ada.get(f"/api/incoming-mails/{listed['id']}/raw")
    assert fetched.content == b"Return-Path: <carol@example.com>\r\n" + raw
    assert fetched.headers["content-type"] == "message/rfc822"
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    for who in (cast.dora, cast.tom):
        refused(who.get("/api/incoming-mails"), 403, "forbidden")
        refused(who.get(f"/api/incoming-mails/{listed['id']}/raw"), 403, "forbidden")
    refused(cast.ada.get("/api/incoming-mails/987654/raw"), 404, "not_found")


def test_the_mails_are_for_the_owners_eyes(cast: Cast) -> None:
    thread = customers_thread(cast)
    by_smtp(cast.serving, mail("x@y"), carols(cast, thread))
    [kept] = came_in(cast.serving)
    file = cast.serving.settings.data_dir / "mails" / kept.raw_name
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert os.stat(file.parent).st_mode & 0o777 == 0o700


def test_a_mail_of_twenty_megabytes_lands_with_its_attachment_named(cast: Cast) -> None:
    thread = customers_thread(cast)
    photo = base64.encodebytes(os.urandom(15_000_000)).replace(b"\n", b"\r\n")
    raw = (
        b"From: carol@example.com\r\nMessage-ID: <large@example.com>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nLook\r\n'
        b'--b\r\nContent-Type: image/jpeg; name="photo.jpg"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + photo
        + b"\r\n--b--\r\n"
    )
    assert len(raw) > 20_000_000
    by_smtp(cast.serving, raw, carols(cast, thread))
    assert bodies(cast, thread)[-1] == "Look\n\n[1 attachment: photo.jpg]"
    [kept] = came_in(cast.serving)
    assert (cast.serving.settings.data_dir / "mails" / kept.raw_name).stat().st_size == kept.size


def test_a_mail_beyond_the_limit_is_refused_for_each_of_its_addresses(cast: Cast) -> None:
    one, other = customers_thread(cast), customers_thread(cast, subject="The bill")
    to = [carols(cast, one), carols(cast, other)]
    raw = mail("x@y") + (b"x" * 998 + b"\r\n") * 27_000
    assert by_lmtp(cast.serving, raw, *to) == [552, 552]
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        by_smtp(cast.serving, raw, *to)
    assert refusal.value.smtp_code == 552
    assert came_in(cast.serving) == []


def test_the_address_says_who_and_where_and_is_derived_from_the_secret_key(cast: Cast) -> None:
    thread = customers_thread(cast)
    means = mail_in.means_of(
        cast.serving.settings, cast.serving.db, app.reply_key(cast.serving.settings), "x"
    )
    reader = (SenderKind.STAFF, cast.dora.id)
    assert means.addressed(address_of(cast.serving, reader, thread)) == (reader, thread["id"])
    assert means.addressed("reply@chat.example.com") is None
