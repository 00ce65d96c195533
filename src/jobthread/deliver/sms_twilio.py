"""Text messages through Twilio's Messages API: sent, signed, and its errors in plain words."""

import base64
import hmac
from urllib.parse import parse_qsl, urlencode

from jobthread.deliver.outgoing import DeliveryFailed, Outgoing, Send
from jobthread.deliver.sms_accounts import Twilio
from jobthread.deliver.sms_http import Answer, OptedOut, ask, check_status, not_let_in, refused
from jobthread.texting import STOPPED

OPTED_OUT = frozenset({"21610"})
BUSY = frozenset({"14107", "20429", "21611", "30001"})
OURS_TO_PUT_RIGHT = frozenset({"20003", "20404", "21212", "21603", "21606", "21609", "21659", "21703"})
_WORDS = {
    "21211": "this is not a valid telephone number",
    "21214": "this number cannot be reached by text",
    "21217": "this is not a valid telephone number",
    "21408": "the provider's account may not send texts to that country",
    "21602": "the text was empty",
    "21610": STOPPED,
    "21612": "this number cannot be reached by text",
    "21614": "this number takes no texts: it is a landline",
    "21617": "the text is too long",
    "30002": "the provider has suspended the account",
    "30003": "the phone cannot be reached: switched off or out of range",
    "30004": "the phone or its carrier blocks this text",
    "30005": "this number is not in service",
    "30006": "this number takes no texts: it is a landline, or its carrier cannot be reached",
    "30007": "the carrier filtered this text as unwanted",
    "30008": "it did not arrive, and the carrier does not say why",
    "30032": "our toll-free number is not verified yet",
    "30034": "our number is not registered for texts to the United States",
    "30410": "the carrier took too long",
}


def sender(account: Twilio, callback: str | None) -> Send:
    """The channel. `callback` is where receipts go; None where Twilio could not reach it."""
    url = f"{account.api}/2010-04-01/Accounts/{account.sid}/Messages.json"

    async def send(outgoing: Outgoing) -> str:
        form = {"To": outgoing.to, "Body": outgoing.text}
        form["MessagingServiceSid" if account.sender.startswith("MG") else "From"] = account.sender
        if callback is not None and outgoing.delivery_id:
            form["StatusCallback"] = f"{callback}?delivery={outgoing.delivery_id}-{outgoing.queued_at}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        content = urlencode(form).encode()
        answer = await ask("POST", url, headers=headers, content=content, auth=(account.sid, account.token))
        return _name_of(answer)

    return send


def _name_of(answer: Answer) -> str:
    code = answer.at("code")
    if 200 <= answer.status < 300:
        return f"twilio:{answer.at('sid')[:200]}"
    if code in OPTED_OUT:
        raise OptedOut(code)
    if code in BUSY:
        raise DeliveryFailed("the SMS provider takes no more texts just now", permanent=False)
    if code in OURS_TO_PUT_RIGHT:
        raise not_let_in(f"error {code}")
    check_status(answer.status)
    raise refused(_WORDS.get(code) or answer.at("message") or "the provider refused this text", code)


def words_of(code: str) -> str:
    """For staff: why a text did not arrive."""
    said = _WORDS.get(code, "it did not arrive")
    return f"{said} (error {code})" if code else said


def is_signed(token: str, url: str, body: bytes, signature: str) -> bool:
    """Base64 of HMAC-SHA1, with the account's token, over the address and the sorted form fields."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=300)
    except (UnicodeDecodeError, ValueError):
        return False
    told = url + "".join(name + value for name, value in sorted(set(pairs)))
    right = base64.b64encode(hmac.digest(token.encode(), told.encode("utf-8", "replace"), "sha1"))
    return hmac.compare_digest(right, signature.encode("utf-8", "replace"))
