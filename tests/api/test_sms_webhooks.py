"""Texts that come in: they land in the right thread, words stop and start, receipts move, strangers fail."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from jobthread.actions import jobs as job_actions
from jobthread.actions import texts
from jobthread.deliver import sms_answers
from jobthread.deliver.gsm7 import segments, written
from jobthread.entities import Actor, Language, SeenJob
from jobthread.errors import RateLimited
from jobthread.store import consent, limits, preferences
from jobthread.store.tables import chat_messages, sms_incoming
from jobthread.texting import keyword
from tests import serving
from tests.api.sms_line import CAROL, US, Line, as_json, served
from tests.cast import gather, ok, refused
from tests.conftest import DATABASES, database_url
from tests.deliver import providers as p
from tests.deliver.providers import Provider
from tests.live.listening import listening
from tests.serving import Serving, browser, wait_until

CHRIS = "+12025550102"
STRANGER = "+12025550199"
STOPPED = "this number has asked for no more texts"


@pytest.fixture(scope="module", params=DATABASES)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Provider, Serving]]:
    folder = tmp_path_factory.mktemp("twilio")
    with p.playing(p.twilio) as provider:
        url = database_url(request.param, folder)
        with served(url, folder, provider, p.twilio_url(provider)) as server:
            yield provider, server


@pytest.fixture
def line(running: tuple[Provider, Serving]) -> Iterator[Line]:
    provider, server = running
    serving.empty(server)
    provider.takes_again()
    provider.at_door = lambda: None
    provider.texts.clear()
    provider.asked.clear()
    yield Line(provider, gather(server))
    server.close_browsers()


def another_job(line: Line, title: str) -> SeenJob:
    """For Carol."""
    new = job_actions.NewJob(title, line.cast.boiler.customer.id)
    return line.serving.write(lambda tx: job_actions.create(tx, line.cast.ada.by, new))


# --- landing --------------------------------------------------------------------------------------


def test_a_reply_lands_as_the_customers_message(line: Line, capfd: pytest.CaptureFixture[str]) -> None:
    line.sends_text(line.cast.boiler)
    answer = line.text("Nine is fine, thank you!", sid="SM" + "1" * 32)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
    [said] = line.said(line.cast.boiler)
    assert said["sender"] == {"kind": "customer", "id": line.cast.boiler.customer.id, "name": "Carol"}
    assert (said["body"], said["via"]) == ("Nine is fine, thank you!", "sms")
    assert said["client_msg_id"] == "sms:SM" + "1" * 32
    [thread] = ok(line.cast.dora.get("/api/chat/threads", needs_reply=True))["threads"]
    assert (thread["last_message"], thread["unread_count"]) == (said, 1)
    kept = line.serving.read(lambda tx: tx.conn.execute(select(chat_messages.c.user_agent)).scalars().all())
    assert f"SMS from {CAROL}" in kept
    assert len(line.provider.texts) == 1
    logged = capfd.readouterr()
    assert "route=/api/sms/twilio/incoming" in logged.out + logged.err
    assert "Nine is fine" not in logged.out + logged.err
    assert CAROL.lstrip("+") not in logged.out + logged.err


def test_a_reply_reopens_a_closed_thread(line: Line) -> None:
    line.sends_text(line.cast.boiler)
    [thread] = ok(line.cast.dora.get("/api/chat/threads"))["threads"]
    ok(line.cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    line.text("Wait!")
    [thread] = ok(line.cast.dora.get("/api/chat/threads"))["threads"]
    assert (thread["status"], thread["needs_reply"]) == ("open", True)


def test_of_several_jobs_the_one_is_meant_of_which_a_text_went_out_last(line: Line) -> None:
    gutter, boiler = another_job(line, "Gutter"), line.cast.boiler
    line.sends_text(gutter)
    line.sends_text(boiler)
    line.text("About the boiler")
    line.sends_text(gutter)
    line.text("About the gutter")
    assert [m["body"] for m in line.said(boiler)] == ["About the boiler"]
    assert [m["body"] for m in line.said(gutter)] == ["About the gutter"]
    ok(line.cast.dora.patch(f"/api/jobs/{gutter.ref.id}", {"status": "closed"}))
    line.text("The gutter is done")
    assert [m["body"] for m in line.said(boiler)] == ["About the boiler", "The gutter is done"]


def test_where_no_text_went_out_the_newest_active_job_is_meant_and_gets_a_thread(line: Line) -> None:
    gutter, tap = another_job(line, "Gutter"), another_job(line, "Tap drips")
    ok(line.cast.dora.patch(f"/api/jobs/{tap.ref.id}", {"status": "closed"}))
    line.text("Hello?")
    line.text("Anybody there?")
    assert [m["body"] for m in line.said(gutter)] == ["Hello?", "Anybody there?"]
    [thread] = ok(line.cast.dora.get("/api/chat/threads"))["threads"]
    assert (thread["subject"], thread["visibility"], thread["created_by"]) == (
        "Gutter",
        "customer_visible",
        None,
    )
    assert line.said(line.cast.boiler) == line.said(tap) == []


def test_a_customer_whose_jobs_are_all_closed_is_still_heard(line: Line) -> None:
    line.sends_text(line.cast.boiler)
    ok(line.cast.dora.patch(f"/api/jobs/{line.cast.boiler.ref.id}", {"status": "closed"}))
    line.text("It is off again")
    assert [m["body"] for m in line.said(line.cast.boiler)] == ["It is off again"]


def test_a_number_that_is_nobodys_goes_nowhere_and_is_noted(line: Line) -> None:
    before = ok(line.cast.ada.get("/api/chat/threads", status="all"))
    for sender in (STRANGER, "VERIFY", "22395"):
        assert ok_xml(line.text("A secret of mine", sender))
    assert ok(line.cast.ada.get("/api/chat/threads", status="all")) == before
    noted = line.audit("text_unplaced")
    assert [entry["details"]["number"] for entry in noted] == ["22395", "VERIFY", STRANGER]
    assert "secret of mine" not in str(noted)
    assert 'jobthread_texts_received_total{outcome="unplaced"}' in line.http().get("/metrics").text
    line.settled()
    assert line.provider.texts == []


def test_a_stranger_who_keeps_texting_does_not_fill_the_audit_trail(line: Line) -> None:
    for _ in range(6):
        line.text("Hello", STRANGER)
    assert len(line.audit("text_unplaced")) == 3


def test_the_number_that_was_on_file_before_is_nobodys(line: Line) -> None:
    line.sends_text(line.cast.boiler)
    ok(line.cast.dora.patch(f"/api/customers/{line.cast.boiler.customer.id}", {"phone": CHRIS}))
    line.text("I am not Carol", CAROL)
    line.text("I am Carol", CHRIS)
    assert [m["body"] for m in line.said(line.cast.boiler)] == ["I am Carol"]


def test_a_webhook_that_is_repeated_is_answered_the_same_and_lands_once(line: Line) -> None:
    first = line.text("Once", sid="SM1")
    again = line.text("Once", sid="SM1")
    other_words = line.text("Twice", sid="SM1")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert other_words.content == first.content
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: line.text("At once", sid="SM2"), range(8)))
    assert {(a.status_code, a.content) for a in answers} == {(200, first.content)}
    assert [m["body"] for m in line.said(line.cast.boiler)] == ["Once", "At once"]
    line.text("Once", sid="SM3")
    assert len(line.said(line.cast.boiler)) == 3


@pytest.mark.parametrize(
    ("body", "more", "lands"),
    [
        ("", {}, "(An empty text message.)"),
        (" \n ", {}, "(An empty text message.)"),
        ("", {"NumMedia": "1"}, "(A picture or file came with this text; it cannot be shown here.)"),
        (
            "Look:",
            {"NumMedia": "2", "MediaUrl0": "https://api.example.com/1"},
            "Look:\n(A picture or file came with this text; it cannot be shown here.)",
        ),
        ("a\r\nb\x00\x1b[31mc\u2028d", {}, "a\nb[31mc\nd"),
        ("¿Mañana? 😀 & +1=2%", {}, "¿Mañana? 😀 & +1=2%"),
    ],
)
def test_whatever_comes_is_made_fit_for_a_thread(
    line: Line, body: str, more: dict[str, str], lands: str
) -> None:
    assert ok_xml(line.text(body, **more))
    assert [m["body"] for m in line.said(line.cast.boiler)] == [lands]


def test_a_long_text_is_cut(line: Line) -> None:
    assert ok_xml(line.text("x" * 20_000))
    [said] = line.said(line.cast.boiler)
    assert (len(said["body"]), said["body"][-1]) == (10_000, "…")


def test_ids_that_no_message_could_bear_are_hashed() -> None:
    assert texts.message_id("SM12") == "sms:SM12"
    for odd in ("a" * 61, "ä", "a b", "1/2", "\udc80"):
        made = texts.message_id(odd)
        assert len(made) == 64
        assert made == texts.message_id(odd) != texts.message_id(odd + "x")


def test_one_number_writes_only_so_fast_but_may_always_stop(line: Line) -> None:
    def take_in(body: str, number: int) -> texts.Outcome:
        text = texts.Incoming("twilio", f"SM{number}", CAROL, body, keyword(body))
        by = Actor(None, "192.0.2.7", "")
        return line.serving.write(lambda tx: texts.take_in(tx, by, limits.ON, text, None))

    for number in range(texts.TEXTS.burst):
        assert take_in("Hello", number) is texts.Outcome.LANDED
    with pytest.raises(RateLimited):
        take_in("Hello", 100)
    assert take_in("STOP", 101) is texts.Outcome.STOPPED
    line.serving.clock.pass_time(seconds=10)
    # What was refused left no trace: the provider's repeat lands.
    assert take_in("Hello", 100) is texts.Outcome.LANDED


def ok_xml(answer: httpx2.Response) -> bool:
    return answer.status_code == 200


# --- words ----------------------------------------------------------------------------------------


def test_after_stop_nothing_goes_to_that_number_and_staff_see_it(line: Line) -> None:
    boiler = line.cast.boiler
    line.sends_text(boiler)
    assert line.job(boiler)["customer"]["sms_stopped"] is False
    line.text(" stop. ")
    line.settled()
    customer = line.job(boiler)["customer"]
    assert customer["sms_stopped"] is True
    assert customer["sms_stopped_since"] is not None
    assert line.said(boiler) == []
    for channels in (["sms"], ["email", "sms"]):
        link = line.cast.dora.sends_link(boiler, channels=channels)
        refusal = link["deliveries"][-1]
        assert (refusal["channel"], refusal["status"], refusal["error"]) == ("sms", "failed", STOPPED)
    assert [d["channel"] for d in line.cast.dora.sends_link(boiler)["deliveries"]] == ["email"]
    # The link before, and the one confirmation.
    assert [text for _, text in line.provider.texts[1:]] == [
        "Warm & Dry: you will get no more texts from us. Reply START to get them again."
    ]
    assert [entry["details"]["error"] for entry in line.audit("delivery_failed")] == [STOPPED, STOPPED]


def test_only_texts_that_failed_leave_no_word_in_the_thread_that_a_link_was_sent(line: Line) -> None:
    line.text("STOP")
    line.cast.dora.sends_link(line.cast.boiler, channels=["sms"])
    [thread] = ok(line.cast.dora.get("/api/chat/threads"))["threads"]
    assert [m["event"]["type"] for m in line.cast.dora.reads(thread) if m["event"]] == ["created"]


def test_what_waits_when_stop_comes_does_not_go(line: Line) -> None:
    line.provider.answer = p.twilio_error(20429, 429)
    line.cast.dora.sends_link(line.cast.boiler, channels=["sms"])
    wait_until(
        lambda: (line.delivery(line.cast.boiler)["error"] or "").startswith("the SMS provider takes no")
    )
    line.text("STOP")
    line.settled()
    line.provider.takes_again()
    asked = len(line.provider.asked)
    line.serving.clock.pass_time(seconds=700)
    wait_until(lambda: line.delivery(line.cast.boiler)["status"] == "failed")
    assert line.delivery(line.cast.boiler)["error"] == STOPPED
    assert len(line.provider.asked) == asked
    assert line.provider.texts == []


def test_stop_is_confirmed_once_however_often_it_comes(line: Line) -> None:
    for sid in ("SM1", "SM1", "SM2", "SM3"):
        line.text("STOP", sid=sid)
        line.settled()
    assert len(line.provider.texts) == 1
    assert len(line.audit("texts_stopped")) == 1


def test_who_speaks_spanish_is_answered_in_spanish(line: Line) -> None:
    customer, job_id = line.cast.boiler.customer, line.cast.boiler.ref.id
    line.serving.write(lambda tx: preferences.customer_speaks(tx, customer.id, job_id, Language.ES))
    for word in ("AYUDA", "ALTO"):
        line.text(word)
        line.settled()
    assert [text for _, text in line.provider.texts] == [
        "Warm & Dry: SMS sobre su trabajo. Responda para escribirnos o STOP para salir.",
        "Warm & Dry: no recibira mas SMS nuestros. Responda START para volver a recibirlos.",
    ]
    line.text("STOP", sender=STRANGER)
    line.settled()
    assert line.provider.texts[-1][1].startswith("Warm & Dry: you will get no more texts")


def test_each_answer_to_a_word_is_one_text_message_in_either_language() -> None:
    for language in Language:
        for text in (sms_answers.stopped("x" * 30, language), sms_answers.help_with("x" * 30, language)):
            assert segments(text) == 1
            assert text == written(text)


def test_start_lets_texts_go_again(line: Line) -> None:
    line.text("STOP")
    line.text("Start!")
    line.settled()
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is False
    line.sends_text(line.cast.boiler)
    assert len(line.provider.texts) == 2
    [entry] = line.audit("texts_started")
    assert entry["details"] == {"how": "keyword", "note": "Start!", "number": CAROL}


def test_yes_starts_again_after_stop_and_is_an_answer_otherwise(line: Line) -> None:
    line.text("Sí")
    assert [m["body"] for m in line.said(line.cast.boiler)] == ["Sí"]
    line.text("BAJA")
    line.text("Sí")
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is False
    assert len(line.said(line.cast.boiler)) == 1


def test_a_stopped_number_may_still_write_to_us(line: Line) -> None:
    line.text("STOP")
    line.text("But the boiler is still off")
    line.settled()
    assert [m["body"] for m in line.said(line.cast.boiler)] == ["But the boiler is still off"]
    assert len(line.provider.texts) == 1


def test_help_is_answered_with_the_companys_name(line: Line) -> None:
    line.text("Help?", sid="SM1")
    line.settled()
    line.text("Help?", sid="SM1")
    line.settled()
    [(to, text)] = line.provider.texts
    assert (to, text[:12]) == (CAROL, "Warm & Dry: ")
    assert "STOP" in text
    assert line.said(line.cast.boiler) == []


def test_two_machines_that_ask_each_other_for_help_come_to_an_end(line: Line) -> None:
    for _ in range(8):
        line.text("INFO")
        line.settled()
    assert len(line.provider.texts) == 2


def test_a_stopped_number_gets_no_help_by_text(line: Line) -> None:
    line.text("STOP")
    line.settled()
    line.text("HELP")
    line.settled()
    assert len(line.provider.texts) == 1


def test_a_word_that_twilio_has_answered_itself_is_not_answered_again(line: Line) -> None:
    line.text("Arret", OptOutType="STOP")
    line.settled()
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is True
    line.text("Aide", OptOutType="HELP")
    line.text("Oui", OptOutType="START")
    line.settled()
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is False
    assert line.provider.texts == []


def test_a_strangers_stop_counts_too(line: Line) -> None:
    line.text("STOP", CHRIS)
    ok(line.cast.dora.patch(f"/api/customers/{line.cast.roof.customer.id}", {"phone": CHRIS}))
    assert line.job(line.cast.roof)["customer"]["sms_stopped"] is True


def test_a_renewed_link_goes_to_no_number_that_stopped(line: Line) -> None:
    link = line.cast.dora.sends_link(line.cast.boiler, channels=[])
    line.text("STOP")
    line.settled()
    line.serving.clock.pass_time(days=8)
    asked = {"job_id": line.cast.boiler.ref.id, "token": link["url"].rpartition("token=")[2]}
    ok(line.http().post("/api/chat/customer/link", json=asked), 202)
    assert line.audit("link_renewed")[0]["details"]["sent_by"] == ["email"]
    assert len(line.provider.texts) == 1


# --- what staff may do ----------------------------------------------------------------------------


def test_staff_note_a_stop_and_only_the_customer_takes_it_back(line: Line) -> None:
    carol = f"/api/customers/{line.cast.boiler.customer.id}"
    stopped = ok(line.cast.dora.post(f"{carol}/sms-stop", {"note": "Asked on the phone"}))
    assert stopped["sms_stopped"] is True
    ok(line.cast.dora.post(f"{carol}/sms-stop", {"note": "Once more"}))
    line.text("START")
    entries = ok(line.cast.dora.get(f"{carol}/sms-consent"))["entries"]
    assert [(e["state"], e["how"], e["note"]) for e in entries] == [
        ("started", "keyword", "START"),
        ("stopped", "staff", "Asked on the phone"),
    ]
    assert entries[1]["by"] == {"id": line.cast.dora.id, "name": "Dora"}
    ok(line.cast.dora.post(f"{carol}/sms-stop", {"note": "Again"}))
    refused(line.cast.dora.patch(carol, {"sms_stopped": False}), 422, "invalid")
    refused(line.cast.dora.post(f"{carol}/sms-stop", {"note": " "}), 422, "invalid")
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is True


def test_taking_the_number_off_and_on_again_changes_nothing(line: Line) -> None:
    line.text("STOP")
    carol = f"/api/customers/{line.cast.boiler.customer.id}"
    ok(line.cast.dora.patch(carol, {"phone": None}))
    assert ok(line.cast.dora.patch(carol, {"phone": "(202) 555-0101"}))["sms_stopped"] is True


def test_a_stop_is_heard_by_staff_and_stands_on_each_thread_of_the_customer(line: Line) -> None:
    thread = line.cast.dora.opens_thread(job=line.cast.boiler, visibility="customer_visible")
    other = line.cast.dora.opens_thread(job=line.cast.roof, visibility="customer_visible")
    carol = line.cast.opens(line.cast.dora.sends_link(line.cast.boiler, channels=[]))
    assert (thread["sms_stopped"], thread["email_on_file"]) == (False, True)
    with listening(line.cast.tom) as tom, listening(line.cast.dora) as dora, listening(carol) as customer:
        line.text("STOP")
        told = dora.waits_for("thread.updated", lambda data: data["thread"]["id"] == thread["id"])
        assert told["thread"]["sms_stopped"] is True
        line.text("START")
        dora.waits_for("thread.updated", lambda data: not data["thread"]["sms_stopped"])
        line.cast.dora.writes(thread, "Good morning")
        customer.waits_for_body("Good morning")
        assert customer.heard("thread.updated") == tom.heard("thread.updated") == []
    line.text("STOP")
    listed = {one["id"]: one for one in ok(line.cast.dora.get("/api/chat/threads"))["threads"]}
    assert listed[thread["id"]]["sms_stopped"] is True
    assert listed[other["id"]]["sms_stopped"] is False
    ok(line.cast.dora.patch(f"/api/customers/{line.cast.boiler.customer.id}", {"email": None}))
    assert ok(line.cast.dora.get(f"/api/chat/threads/{thread['id']}"))["email_on_file"] is False


# --- receipts -------------------------------------------------------------------------------------


def test_receipts_move_a_text_forwards_and_never_back(line: Line) -> None:
    sid = line.sends_text(line.cast.boiler)
    for status in ("queued", "sent"):
        ok(line.receipt(sid, status), 204)
        assert line.delivery(line.cast.boiler)["status"] == "sent"
    for status in ("delivered", "sent", "undelivered", "failed", "delivered", "made up"):
        ok(line.receipt(sid, status, "30006"), 204)
        delivery = line.delivery(line.cast.boiler)
        assert (delivery["status"], delivery["error"]) == ("delivered", None)
    assert len(line.audit("delivery_confirmed")) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "30006",
            "this number takes no texts: it is a landline, or its carrier cannot be reached (error 30006)",
        ),
        ("30003", "the phone cannot be reached: switched off or out of range (error 30003)"),
        ("", "it did not arrive"),
    ],
)
def test_a_text_that_did_not_arrive_says_why(line: Line, code: str, words: str) -> None:
    sid = line.sends_text(line.cast.boiler)
    for status in ("undelivered", "delivered", "sent"):
        ok(line.receipt(sid, status, code), 204)
        delivery = line.delivery(line.cast.boiler)
        assert (delivery["status"], delivery["error"]) == ("failed", words)


def test_an_opt_out_in_a_receipt_is_written_into_the_ledger(line: Line) -> None:
    sid = line.sends_text(line.cast.boiler)
    ok(line.receipt(sid, "undelivered", "21610"), 204)
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is True
    assert line.delivery(line.cast.boiler)["error"] == f"{STOPPED} (error 21610)"


def test_a_receipt_that_is_quicker_than_the_answer_counts(line: Line) -> None:
    line.provider.released.clear()
    line.provider.at_door = lambda: line.provider.wait()
    line.cast.dora.sends_link(line.cast.boiler, channels=["sms"])
    wait_until(lambda: len(line.provider.asked) == 1)
    ref = line.provider.asked[0].form["StatusCallback"].partition("=")[2]
    ok(line.receipt("SM77", "delivered", ref=ref), 204)
    line.provider.released.set()
    wait_until(lambda: len(line.provider.texts) == 1)
    assert line.delivery(line.cast.boiler)["status"] == "delivered"
    assert line.provider_id(line.delivery(line.cast.boiler)["id"]) == "SM77"


def test_a_text_whose_answer_was_lost_is_known_to_have_arrived_by_its_receipt(line: Line) -> None:
    line.provider.answer = lambda asked: None
    line.cast.dora.sends_link(line.cast.boiler, channels=["sms"])
    wait_until(lambda: line.delivery(line.cast.boiler)["status"] == "failed")
    ref = line.provider.asked[0].form["StatusCallback"].partition("=")[2]
    ok(line.receipt("SM78", "sent", ref=ref), 204)
    assert line.delivery(line.cast.boiler)["status"] == "sent"
    ok(line.receipt("SM78", "delivered", ref=ref), 204)
    assert line.delivery(line.cast.boiler)["status"] == "delivered"


@pytest.mark.parametrize("ref", ["", "1-1", "0-0", "1", "x", "9" * 18 + "-1", "1-1-1"])
def test_a_receipt_for_nothing_of_ours_changes_nothing(line: Line, ref: str) -> None:
    line.sends_text(line.cast.boiler)
    ok(line.receipt("SMother", "undelivered", "21610", ref=ref), 204)
    assert line.delivery(line.cast.boiler)["status"] == "sent"
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is False


# --- strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("forged", ["none", "guessed", "another address", "another body", "another token"])
@pytest.mark.parametrize("call", ["incoming", "status"])
def test_a_wrong_signature_is_refused_and_changes_nothing(line: Line, forged: str, call: str) -> None:
    sid = line.sends_text(line.cast.boiler)
    form = {"MessageSid": sid, "MessageStatus": "failed", "From": CAROL, "Body": "STOP"}
    path = f"/api/sms/twilio/{call}"
    signature = {
        "none": "",
        "guessed": "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
        "another address": p.twilio_signature(f"{line.serving.url}{path}", form),
        "another body": p.twilio_signature(US + path, form | {"Body": "START"}),
        "another token": p.twilio_signature(US + path, form, "another"),
    }[forged]
    refused(
        line.http().post(path, data=form, headers={"X-Twilio-Signature": signature}), 403, "bad_signature"
    )
    assert line.delivery(line.cast.boiler)["status"] == "sent"
    assert line.job(line.cast.boiler)["customer"]["sms_stopped"] is False
    assert line.serving.read(lambda tx: tx.conn.execute(select(sms_incoming.c.id)).all()) == []
    [entry] = line.audit("webhook_refused")
    assert (entry["user_agent"], entry["details"]) == ("TwilioProxy/1.1", {"provider": "twilio"})


def test_the_signature_covers_the_query_of_the_address(line: Line) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "sent"}
    signature = p.twilio_signature(f"{US}/api/sms/twilio/status?delivery=1-1", form)
    headers = {"X-Twilio-Signature": signature}
    ok(line.http().post("/api/sms/twilio/status?delivery=1-1", data=form, headers=headers), 204)
    other = line.http().post("/api/sms/twilio/status?delivery=1-2", data=form, headers=headers)
    refused(other, 403, "bad_signature")


def test_a_signed_form_that_makes_no_sense_is_told_so(line: Line) -> None:
    refused(line.signed("incoming", {"From": CAROL, "Body": "No id"}), 422, "invalid")
    refused(line.signed("incoming", {"MessageSid": "x" * 201, "From": CAROL}), 422, "invalid")


def test_other_providers_have_no_way_in(line: Line) -> None:
    for path in ("/api/sms/vonage/incoming", "/api/sms/vonage/status", "/api/sms/generic/incoming"):
        refused(as_json(line.http(), path, {}), 404, "not_found")
    refused(line.http().get("/api/sms/twilio/incoming"), 405, "method_not_allowed")


# --- Vonage and any other provider ----------------------------------------------------------------


@pytest.fixture(params=[(kind, db) for kind in ("vonage", "generic") for db in DATABASES])
def other_line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Line]]:
    kind, database = request.param
    folder = tmp_path_factory.mktemp(kind)
    with p.playing(p.vonage if kind == "vonage" else p.generic) as provider:
        sms_url = p.vonage_url(provider)
        if kind == "generic":
            (folder / "sms.toml").write_text(p.template_toml(provider))
            sms_url = f"template://{folder}/sms.toml"
        with served(database_url(database, folder), folder, provider, sms_url) as server:
            yield kind, Line(provider, gather(server))


def told(kind: str, call: str, line: Line, **values: Any) -> httpx2.Response:
    """A webhook of that provider, signed as it signs."""
    body = json.dumps(values).encode()
    bearer = p.vonage_bearer(body) if kind == "vonage" else p.GENERIC_SECRET
    return as_json(line.http(), f"/api/sms/{kind}/{call}", values, Authorization=f"Bearer {bearer}")


def test_so_it_goes_with_vonage_and_any_other_provider(other_line: tuple[str, Line]) -> None:
    kind, line = other_line
    boiler = line.cast.boiler
    name = line.sends_text(boiler)
    key = "message_uuid" if kind == "vonage" else "id"
    sender = CAROL.lstrip("+") if kind == "vonage" else CAROL
    for _ in range(2):
        text = {key: "in-1", "from": sender, "text": "Nine is fine", "channel": "sms", "message_type": "text"}
        assert ok(told(kind, "incoming", line, **text)) == {"status": "ok"}
    assert [(m["body"], m["via"]) for m in line.said(boiler)] == [("Nine is fine", "sms")]

    for status in ("delivered", "submitted" if kind == "vonage" else "sent"):
        ok(told(kind, "status", line, **{key: name, "status": status}))
        assert line.delivery(boiler)["status"] == "delivered"

    for word, stopped in (("STOP", True), ("stop", True), ("START", False)):
        ok(told(kind, "incoming", line, **{key: f"in-{word}", "from": sender, "text": word}))
        line.settled()
        assert line.job(boiler)["customer"]["sms_stopped"] is stopped
    assert [text[:12] for _, text in line.provider.texts[1:]] == ["Warm & Dry: "]

    name = line.sends_text(boiler)
    failures: dict[str, dict[str, Any]] = {
        "vonage": {"status": "undeliverable", "error": {"type": "https://x.example.com#1240", "title": 1240}},
        "generic": {"status": "failed", "error": "no more\r\ntexts", "opted_out": True},
    }
    ok(told(kind, "status", line, **{key: name} | failures[kind]))
    assert line.delivery(boiler)["status"] == "failed"
    assert line.job(boiler)["customer"]["sms_stopped"] is True

    http = browser(line.serving, Authorization="Bearer a guess")
    for call in ("incoming", "status"):
        refused(
            as_json(http, f"/api/sms/{kind}/{call}", {key: "1", "from": sender, "text": "STOP"}),
            403,
            "bad_signature",
        )
    assert len(line.audit("webhook_refused")) == 2
    assert line.serving.read(lambda tx: consent.is_stopped(tx, CAROL))
