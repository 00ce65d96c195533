"""What providers of text messages call: a text came in, or what became of one that went out."""

import re
from typing import Any

from litestar import Response

from jobthread import texting
from jobthread.actions import texts
from jobthread.actions.texts import Incoming, Receipt
from jobthread.api import sms_shapes as shapes
from jobthread.api.calls import FORM, Asked, Calls, Nothing, Who, answer, no_content
from jobthread.business_hours import closed_until
from jobthread.deliver import sms_twilio, sms_vonage
from jobthread.deliver.one_line import one_line
from jobthread.entities import DeliveryStatus, Language, Micros
from jobthread.errors import RateLimited, Unavailable
from jobthread.store.database import Writing
from jobthread.texting import Keyword

calls = Calls()

TWIML = "text/xml"
NOTHING_TO_SAY = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""Answers go out as texts of their own, through the one channel that asks the consent ledger."""
MEDIA = "(A picture or file came with this text; it cannot be shown here.)"
EMPTY = "(An empty text message.)"
ANSWERED = (texts.Outcome.STOPPED, texts.Outcome.HELP)
_SENT, _DELIVERED, _FAILED = DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED
_TWILIO = {
    **dict.fromkeys(("accepted", "queued", "sending", "sent"), _SENT),
    **dict.fromkeys(("delivered", "read"), _DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), _FAILED),
}
_VONAGE = {
    "submitted": _SENT,
    **dict.fromkeys(("delivered", "read"), _DELIVERED),
    **dict.fromkeys(("undeliverable", "rejected"), _FAILED),
}
_REFERENCE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


# --- Twilio ---------------------------------------------------------------------------------------


@calls.add(
    "POST",
    "/api/sms/twilio/incoming",
    Who.PROVIDER,
    body=shapes.TwilioText,
    takes=FORM,
    answers={200: str},
    errors=(RateLimited, Unavailable),
    media_type=TWIML,
)
async def twilio_text(asked: Asked[shapes.TwilioText, Nothing]) -> Response[bytes]:
    """A text came in: a word that stops or starts, or an answer that lands in the customer's thread."""
    new = asked.body
    # Twilio has answered these itself where its Advanced Opt-Out is on, in words of the account's choosing.
    known = {"STOP": Keyword.STOP, "START": Keyword.START, "HELP": Keyword.HELP}.get(new.opt_out_type)
    body = _with_media(new.body) if new.num_media not in ("", "0") else new.body
    await _take_in(asked, "twilio", new.message_sid, new.sender, body, known)
    return Response(NOTHING_TO_SAY, media_type=TWIML)


@calls.add(
    "POST",
    "/api/sms/twilio/status",
    Who.PROVIDER,
    body=shapes.TwilioReceipt,
    takes=FORM,
    query=shapes.TwilioQuery,
    answers={204: None},
    errors=(Unavailable,),
)
async def twilio_receipt(asked: Asked[shapes.TwilioReceipt, shapes.TwilioQuery]) -> Response[bytes]:
    """What became of a text that went out; never moves a delivery backwards."""
    told, code = asked.body, asked.body.error_code.removeprefix("0")
    if (status := _TWILIO.get(told.status)) is not None:
        words, stopped = sms_twilio.words_of(code), code in sms_twilio.OPTED_OUT
        name, ours = f"twilio:{told.message_sid}", _named(asked.query.delivery)
        await _receive(asked, Receipt(name, ours, status, words, f"error {code}", stopped))
    return no_content()


def _with_media(body: str) -> str:
    return f"{body}\n{MEDIA}" if body.strip() else MEDIA


# --- Vonage ---------------------------------------------------------------------------------------


@calls.add(
    "POST",
    "/api/sms/vonage/incoming",
    Who.PROVIDER,
    body=shapes.VonageText,
    answers={200: shapes.Received},
    errors=(RateLimited, Unavailable),
)
async def vonage_text(asked: Asked[shapes.VonageText, Nothing]) -> Response[bytes]:
    """A text came in: a word that stops or starts, or an answer that lands in the customer's thread."""
    new = asked.body
    body = new.text or "" if new.message_type == "text" else _with_media(new.text or "")
    await _take_in(asked, "vonage", new.message_uuid, new.sender, body)
    return answer(shapes.Received())


@calls.add(
    "POST",
    "/api/sms/vonage/status",
    Who.PROVIDER,
    body=shapes.VonageReceipt,
    answers={200: shapes.Received},
    errors=(Unavailable,),
)
async def vonage_receipt(asked: Asked[shapes.VonageReceipt, Nothing]) -> Response[bytes]:
    """What became of a text that went out; never moves a delivery backwards."""
    told = asked.body
    if (status := _VONAGE.get(told.status)) is not None:
        code = sms_vonage.code_in(told.error.type, str(told.error.title)) if told.error else ""
        words, stopped = sms_vonage.words_of(code), code in sms_vonage.OPTED_OUT
        name, ours = f"vonage:{told.message_uuid}", _named(told.client_ref or "")
        await _receive(asked, Receipt(name, ours, status, words, f"error {code}", stopped))
    return answer(shapes.Received())


# --- any other provider ---------------------------------------------------------------------------


@calls.add(
    "POST",
    "/api/sms/generic/incoming",
    Who.PROVIDER,
    body=shapes.GenericText,
    answers={200: shapes.Received},
    errors=(RateLimited, Unavailable),
)
async def generic_text(asked: Asked[shapes.GenericText, Nothing]) -> Response[bytes]:
    """A text came in: a word that stops or starts, or an answer that lands in the customer's thread."""
    new = asked.body
    await _take_in(asked, "generic", new.id, new.sender, new.text)
    return answer(shapes.Received())


@calls.add(
    "POST",
    "/api/sms/generic/status",
    Who.PROVIDER,
    body=shapes.GenericReceipt,
    answers={200: shapes.Received},
    errors=(Unavailable,),
)
async def generic_receipt(asked: Asked[shapes.GenericReceipt, Nothing]) -> Response[bytes]:
    """What became of a text that went out; never moves a delivery backwards."""
    told = asked.body
    words = one_line(told.error, 200) or "it did not arrive"
    name, ours = f"generic:{told.id}", _named(told.ref)
    receipt = Receipt(name, ours, DeliveryStatus(told.status), words, "receipt", told.opted_out)
    await _receive(asked, receipt)
    return answer(shapes.Received())


# --- what they have in common ---------------------------------------------------------------------


async def _take_in(
    asked: Asked[Any, Any],
    provider: str,
    provider_id: str,
    sender: str,
    body: str,
    answered: Keyword | None = None,
) -> None:
    """`answered` is the word that the provider has recognised, and has answered itself."""
    parts = asked.parts
    assert parts.texting is not None  # noqa: S101 - or the caller had not been let in
    word = answered or texting.keyword(body)
    text = Incoming(provider, provider_id, sender, texting.cleaned(body) or EMPTY, word)

    def taken(tx: Writing) -> tuple[texts.Outcome, Language | None]:
        outcome = texts.take_in(tx, asked.by, parts.limits, text, closed_until(parts.hours, tx.now))
        return outcome, texts.spoken(tx, sender) if outcome in ANSWERED else None

    outcome, language = await parts.db.write(taken)
    parts.texting.observe(outcome)
    number = texting.of_provider(sender)
    if number is not None and language is not None and answered is None:
        parts.texting.answer(outcome, number, language)


async def _receive(asked: Asked[Any, Any], receipt: Receipt) -> None:
    await asked.parts.db.write(lambda tx: texts.receive_receipt(tx, receipt))


def _named(reference: str) -> tuple[int, Micros] | None:
    found = _REFERENCE.fullmatch(reference)
    return (int(found[1]), int(found[2])) if found else None
