"""Twilio, Vonage and any other provider: their documented requests, and what each answer leads to."""

import asyncio
import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from jobthread import sms_settings
from jobthread.api.texting_accounts import channel
from jobthread.deliver import sms_twilio, sms_vonage
from jobthread.deliver.outgoing import DeliveryFailed, Outgoing, Send
from jobthread.deliver.sms_accounts import Vonage
from jobthread.deliver.sms_allowed import only_where_allowed
from jobthread.deliver.sms_http import OptedOut, OutcomeUnknown
from jobthread.entities import AuditAction, Channel, ConsentHow, DeliveryStatus
from jobthread.store import consent
from jobthread.store.database import Database
from tests.deliver import providers as p
from tests.deliver.post import (
    HOUR,
    Clock,
    as_it_stands,
    has_status,
    invite,
    sent,
    time_passes,
    trail,
    working,
)
from tests.deliver.providers import Provider, Says

CAROL = "+12025550101"
AT = 1_795_000_000_000_000
US = "https://chat.example.com"


def text(body: str = "Acme: your chat: https://chat.example.com/x", to: str = CAROL) -> Outgoing:
    return Outgoing(7, "key", AT, to, "", "", body)


@pytest.fixture
def twilio() -> Iterator[Provider]:
    with p.playing(p.twilio) as provider:
        yield provider


@pytest.fixture
def vonage() -> Iterator[Provider]:
    with p.playing(p.vonage) as provider:
        yield provider


@pytest.fixture
def generic() -> Iterator[Provider]:
    with p.playing(p.generic) as provider:
        yield provider


def by_twilio(provider: Provider, reached_at: str | None = US, **more: str) -> Send:
    return channel(sms_settings.account(p.twilio_url(provider, **more)), reached_at)


def by_vonage(provider: Provider, reached_at: str | None = US) -> Send:
    return channel(sms_settings.account(p.vonage_url(provider)), reached_at)


def by_template(told: str) -> Send:
    return channel(sms_settings.template(tomllib.loads(told)), US)


# --- the requests ---------------------------------------------------------------------------------


def test_twilio_is_asked_as_its_documents_say(twilio: Provider) -> None:
    name = sent(by_twilio(twilio), text())
    [asked] = twilio.asked
    assert name.startswith("twilio:SM")
    assert asked.form == {
        "To": CAROL,
        "From": p.OUR_NUMBER,
        "Body": text().text,
        "StatusCallback": f"{US}/api/sms/twilio/status?delivery=7-{AT}",
    }


def test_a_messaging_service_stands_in_the_place_of_a_number(twilio: Provider) -> None:
    sent(by_twilio(twilio, **{"from": "MG0123456789abcdef"}), text())
    [asked] = twilio.asked
    assert asked.form["MessagingServiceSid"] == "MG0123456789abcdef"
    assert "From" not in asked.form


def test_a_server_that_providers_cannot_reach_asks_for_no_receipts(
    twilio: Provider, vonage: Provider
) -> None:
    sent(by_twilio(twilio, None), text())
    sent(by_vonage(vonage, None), text())
    assert "StatusCallback" not in twilio.asked[0].form
    assert "webhook_url" not in vonage.asked[0].json


def test_vonage_is_asked_as_its_documents_say(vonage: Provider) -> None:
    name = sent(by_vonage(vonage), text())
    [asked] = vonage.asked
    assert name.startswith("vonage:aaaaaaaa-")
    assert asked.json == {
        "channel": "sms",
        "message_type": "text",
        "to": "12025550101",
        "from": "12025550100",
        "text": text().text,
        "client_ref": f"7-{AT}",
        "webhook_url": f"{US}/api/sms/vonage/status",
        "webhook_version": "v1",
    }


def test_any_other_provider_is_asked_as_the_template_says(generic: Provider) -> None:
    body = 'Say "yes" \\ or {id} and {to}\nthank you'
    name = sent(by_template(p.template_toml(generic)), text(body))
    [asked] = generic.asked
    assert asked.json == {"recipient": CAROL, "message": body, "ref": f"7-{AT}"}
    assert name.removeprefix("generic:").isdigit()


@pytest.mark.parametrize(
    ("kind", "template", "arrives"),
    [
        (
            "application/x-www-form-urlencoded",
            "t={to}&m={text}",
            "t=%2B12025550101&m=a%26b%3D%3Cc%3E%20%7Bto%7D",
        ),
        ("application/xml", "<m t='{to}'>{text}</m>", "<m t='+12025550101'>a&amp;b=&lt;c&gt; {to}</m>"),
        ("text/plain", "{to} {text}", "+12025550101 a&b=<c> {to}"),
    ],
)
def test_what_a_text_says_is_quoted_as_the_place_demands(
    generic: Provider, kind: str, template: str, arrives: str
) -> None:
    generic.answer = lambda asked: Says(200, {})
    told = {"url": f"http://{generic.host}/", "body": template, "headers": {"Content-Type": kind}}
    sent(channel(sms_settings.template(told), US), text("a&b=<c> {to}"))
    assert generic.asked[0].body.decode() == arrives


def test_a_template_may_put_it_all_into_the_address(generic: Provider) -> None:
    generic.answer = lambda asked: Says(200, None)
    told = {"url": f"http://{generic.host}/send?to={{to}}&text={{text}}", "method": "GET"}
    assert sent(channel(sms_settings.template(told), US), text("a b&to=x")) == "generic:"
    assert generic.asked[0].path == "/send?to=%2B12025550101&text=a%20b%26to%3Dx"


# --- the answers ----------------------------------------------------------------------------------

TWILIO_REFUSALS = [
    (21211, "this is not a valid telephone number (error 21211)"),
    (21614, "this number takes no texts: it is a landline (error 21614)"),
    (30006, "this number takes no texts: it is a landline, or its carrier cannot be reached (error 30006)"),
    (21408, "the provider's account may not send texts to that country (error 21408)"),
    (29999, "Error 29999 (error 29999)"),
]
VONAGE_REFUSALS = [
    (1170, "this is not a valid telephone number (error 1170)"),
    (1050, "the provider blocks this number (error 1050)"),
    (1260, "this number takes no texts: it is a landline, or its carrier cannot be reached (error 1260)"),
    (1999, "Error 1999 (error 1999)"),
]


@pytest.mark.parametrize(("code", "words"), TWILIO_REFUSALS)
def test_what_twilio_refuses_for_good_is_told_in_plain_words(twilio: Provider, code: int, words: str) -> None:
    twilio.answer = p.twilio_error(code)
    assert failure(by_twilio(twilio)) == (words, True)


@pytest.mark.parametrize(("code", "words"), VONAGE_REFUSALS)
def test_what_vonage_refuses_for_good_is_told_in_plain_words(vonage: Provider, code: int, words: str) -> None:
    vonage.answer = p.vonage_error(code)
    assert failure(by_vonage(vonage)) == (words, True)


def test_an_invalid_number_is_told_where_vonage_names_the_parameter(vonage: Provider) -> None:
    kind = "https://developer.vonage.com/api-errors#invalid-params"
    wrong = [{"name": "to", "reason": "Invalid"}]
    vonage.answer = lambda asked: Says(422, {"type": kind, "title": "x", "invalid_parameters": wrong})
    assert failure(by_vonage(vonage)) == ("this is not a valid telephone number", True)


@pytest.mark.parametrize(
    "answer",
    [
        p.twilio_error(20429, 429),
        p.twilio_error(30001, 400),
        lambda asked: Says(429, None),
        lambda asked: Says(500, {}),
        lambda asked: Says(503, None),
        p.twilio_error(20003, 401),
        lambda asked: Says(302, None),
    ],
)
def test_what_surely_did_not_go_is_tried_again(twilio: Provider, answer: Callable[[Any], Says]) -> None:
    twilio.answer = answer
    assert failure(by_twilio(twilio))[1] is False


@pytest.mark.parametrize(
    "answer", [p.vonage_error(1000, 429), lambda asked: Says(401, {"title": "Unauthorized"})]
)
def test_so_with_vonage(vonage: Provider, answer: Callable[[Any], Says]) -> None:
    vonage.answer = answer
    assert failure(by_vonage(vonage))[1] is False


def test_where_nobody_listens_it_surely_did_not_go() -> None:
    with p.playing(p.twilio) as gone:
        pass
    assert failure(by_twilio(gone)) == ("the SMS provider cannot be reached", False)


@pytest.mark.parametrize("answer", [lambda asked: None, lambda asked: Says(504, None)])
def test_a_lost_answer_leaves_it_unknown(twilio: Provider, answer: Callable[[Any], Says | None]) -> None:
    twilio.answer = answer
    with pytest.raises((OutcomeUnknown, httpx2.RemoteProtocolError, httpx2.ReadError)):
        sent(by_twilio(twilio), text())


def test_another_good_status_than_the_templates_leaves_it_unknown(generic: Provider) -> None:
    generic.answer = lambda asked: Says(200, {})
    with pytest.raises(OutcomeUnknown):
        sent(by_template(p.template_toml(generic)), text())


def test_a_taken_text_counts_as_sent_even_where_its_answer_makes_no_sense(twilio: Provider) -> None:
    twilio.answer = lambda asked: Says(201, None)
    assert sent(by_twilio(twilio), text()) == "twilio:"


@pytest.mark.parametrize("who", ["twilio", "vonage"])
def test_a_providers_own_opt_out_is_told_apart(twilio: Provider, vonage: Provider, who: str) -> None:
    twilio.answer, vonage.answer = p.twilio_error(21610), p.vonage_error(1240)
    with pytest.raises(OptedOut, match="this number has asked for no more texts"):
        sent(by_twilio(twilio) if who == "twilio" else by_vonage(vonage), text())


def failure(send: Send) -> tuple[str, bool]:
    with pytest.raises(DeliveryFailed) as raised:
        sent(send, text())
    return raised.value.message, raised.value.permanent


# --- behind the ledger, with the worker -----------------------------------------------------------


def test_a_busy_provider_gets_it_later_and_once(db: Database, clock: Clock, twilio: Provider) -> None:
    async def story() -> None:
        twilio.answer = p.twilio_error(20429, 429)
        send = only_where_allowed(db, by_twilio(twilio))
        async with working(db, {Channel.SMS: send}) as worker:
            waiting = await invite(db, CAROL, Channel.SMS)
            await time_passes(db, clock, worker, HOUR / 2, step=300)
            assert (await as_it_stands(db, waiting)).status is DeliveryStatus.QUEUED
            twilio.takes_again()
            await time_passes(db, clock, worker, HOUR, step=600)
            assert (await as_it_stands(db, waiting)).status is DeliveryStatus.SENT
        assert len(twilio.texts) == 1

    asyncio.run(story())


def test_a_provider_that_hangs_gets_no_second_copy(db: Database, clock: Clock, twilio: Provider) -> None:
    async def story() -> None:
        twilio.answer = twilio.hang
        send = only_where_allowed(db, by_twilio(twilio))
        async with working(db, {Channel.SMS: send}, send_seconds=0.3) as worker:
            waiting = await invite(db, CAROL, Channel.SMS)
            await has_status(db, waiting, DeliveryStatus.FAILED)
            await time_passes(db, clock, worker, HOUR, step=600)
        delivery = await as_it_stands(db, waiting)
        assert delivery.error == "it is unknown whether this text arrived; ask, or try again"
        assert len(twilio.asked) == 1

    asyncio.run(story())


def test_the_providers_opt_out_is_written_down_and_nothing_is_asked_of_it_again(
    db: Database, clock: Clock, twilio: Provider
) -> None:
    async def story() -> None:
        twilio.answer = p.twilio_error(21610)
        async with working(db, {Channel.SMS: only_where_allowed(db, by_twilio(twilio))}):
            first = await invite(db, CAROL, Channel.SMS)
            await has_status(db, first, DeliveryStatus.FAILED)
            second = await invite(db, CAROL, Channel.SMS)
            await has_status(db, second, DeliveryStatus.FAILED)
        for waiting in (first, second):
            assert (await as_it_stands(db, waiting)).error == "this number has asked for no more texts"
        assert len(twilio.asked) == 1
        [row] = await db.read(lambda tx: consent.history(tx, CAROL))
        assert (row.how, row.note) == (ConsentHow.PROVIDER, "error 21610")
        assert len(await trail(db, AuditAction.TEXTS_STOPPED)) == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("to", "body", "words"),
    [
        ("12", "Hello", "this is not a telephone number that could be dialled"),
        (CAROL, "long " * 400, "the text is too long for a text message"),
    ],
)
def test_what_no_phone_takes_is_not_even_asked_for(
    db: Database, twilio: Provider, to: str, body: str, words: str
) -> None:
    with pytest.raises(DeliveryFailed, match=words):
        sent(only_where_allowed(db, by_twilio(twilio)), text(body, to))
    assert twilio.asked == []


# --- signatures -----------------------------------------------------------------------------------


def test_twilios_signature_is_the_one_of_its_documents() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    body = (
        b"Digits=1234&To=%2B18005551212&From=%2B12349013030&Caller=%2B12349013030&CallSid=CA1234567890ABCDE"
    )
    right = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    assert sms_twilio.is_signed("12345", url, body, right)
    for token, other_url, other_body, signature in [
        ("12346", url, body, right),
        ("12345", url.replace("foo=1", "foo=2"), body, right),
        ("12345", url, body.replace(b"1234&", b"1235&"), right),
        ("12345", url, body, right.replace("0", "1")),
        ("12345", url, body, ""),
        ("12345", url, body, "é"),
        ("12345", url, b"\xff", right),
    ]:
        assert not sms_twilio.is_signed(token, other_url, other_body, signature)


def test_vonages_signature_holds_for_this_body_and_secret_alone() -> None:
    account = Vonage("https://api.example.com", p.KEY, "x", "1", p.SIGNATURE)
    body = json.dumps({"message_uuid": "1"}).encode()
    good = p.vonage_bearer(body)
    assert sms_vonage.is_signed(account, body, good)
    head, claims, _ = good.split(".")
    unsigned = p._part({"alg": "none"})
    for other in [
        p.vonage_bearer(body, secret="another secret"),
        p.vonage_bearer(b"another body"),
        p.vonage_bearer(body, api_key="another"),
        p.vonage_bearer(body, payload_hash=""),
        f"{unsigned}.{claims}.",
        f"{head}.{claims}.",
        f"{head}.{claims}",
        "",
        "é.é.é",
        "a.b.c.d",
    ]:
        assert not sms_vonage.is_signed(account, body, other)
    assert not sms_vonage.is_signed(
        Vonage("x", p.KEY, "x", "1", None), body, p.vonage_bearer(body, secret="")
    )
