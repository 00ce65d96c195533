"""Text messages through Vonage's Messages API: sent, signed, and its errors in plain words."""

import base64
import hashlib
import hmac
import json
from typing import Any

from jobthread.deliver.outgoing import DeliveryFailed, Outgoing, Send
from jobthread.deliver.sms_accounts import Vonage
from jobthread.deliver.sms_http import Answer, OptedOut, ask, check_status, not_let_in, refused
from jobthread.texting import STOPPED

OPTED_OUT = frozenset({"1240"})
BUSY = frozenset({"1000", "1030", "1100"})
OURS_TO_PUT_RIGHT = frozenset({"1060", "1070", "1080", "1120", "1140", "1160"})
_WORDS = {
    "1040": "this is not a valid telephone number",
    "1050": "the provider blocks this number",
    "1070": "the provider's account has no credit left",
    "1090": "the text is too long",
    "1170": "this is not a valid telephone number",
    "1180": "the phone cannot be reached: switched off or out of range",
    "1190": "this number is not in service",
    "1200": "this number has moved to another carrier, and cannot be reached",
    "1210": "the carrier filtered this text as unwanted",
    "1220": "the phone was busy",
    "1230": "the carrier's network failed",
    "1240": STOPPED,
    "1250": "the carrier did not understand the text",
    "1260": "this number takes no texts: it is a landline, or its carrier cannot be reached",
    "1270": "this number cannot be reached by text",
    "1280": "the carrier allows this text to grown-ups only",
    "1290": "the carrier blocks texts to this number",
    "1300": "the phone's prepaid card has run out",
}


def sender(account: Vonage, callback: str | None) -> Send:
    """The channel. `callback` is where receipts go; None leaves it to what is set at Vonage."""

    async def send(outgoing: Outgoing) -> str:
        told = {
            "channel": "sms",
            "message_type": "text",
            "to": outgoing.to.removeprefix("+"),
            "from": account.sender.removeprefix("+"),
            "text": outgoing.text,
        }
        if outgoing.delivery_id:
            told["client_ref"] = f"{outgoing.delivery_id}-{outgoing.queued_at}"
        if callback is not None:
            told |= {"webhook_url": callback, "webhook_version": "v1"}
        answer = await ask(
            "POST",
            f"{account.api}/v1/messages",
            headers={"Content-Type": "application/json"},
            content=json.dumps(told).encode(),
            auth=(account.key, account.secret),
        )
        return _name_of(answer)

    return send


def _name_of(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return f"vonage:{answer.at('message_uuid')[:200]}"
    code = code_in(answer.at("type"), answer.at("title"))
    if code in OPTED_OUT:
        raise OptedOut(code)
    if code in BUSY:
        raise DeliveryFailed("the SMS provider takes no more texts just now", permanent=False)
    if code in OURS_TO_PUT_RIGHT:
        raise not_let_in(f"error {code}")
    check_status(answer.status)
    said = _WORDS.get(code) or _invalid_parameter(answer) or answer.at("detail")
    raise refused(said or "the provider refused this text", code)


def _invalid_parameter(answer: Answer) -> str:
    """A 422 names what it cannot take."""
    if answer.at("invalid_parameters", "0", "name") == "to":
        return "this is not a valid telephone number"
    return ""


def code_in(kind: str, title: str) -> str:
    """The number of an error: what stands behind the # of its type, or its title."""
    code = kind.rpartition("#")[2]
    return code if code.isdigit() else title if title.isdigit() else ""


def words_of(code: str) -> str:
    """For staff: why a text did not arrive."""
    said = _WORDS.get(code, "it did not arrive")
    return f"{said} (error {code})" if code else said


def is_signed(account: Vonage, body: bytes, bearer: str) -> bool:
    """A JWT (HS256) with the account's signature secret, which holds the SHA-256 of the body."""
    head, _, rest = bearer.partition(".")
    claims, _, signature = rest.partition(".")
    if account.signature is None or not bearer.isascii():
        return False
    right = hmac.digest(account.signature.encode(), f"{head}.{claims}".encode(), "sha256")
    if not hmac.compare_digest(right, _bytes(signature)):
        return False
    told, meant = _claims(claims), hashlib.sha256(body).hexdigest()
    if _claims(head).get("alg") != "HS256" or told.get("api_key", account.key) != account.key:
        return False
    return hmac.compare_digest(meant, str(told.get("payload_hash", "")).lower())


def _claims(part: str) -> dict[str, Any]:
    try:
        told = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""
