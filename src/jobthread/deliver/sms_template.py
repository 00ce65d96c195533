"""Text messages through any provider with an HTTP API, as a template tells it."""

import json
import re
from urllib.parse import quote
from xml.sax.saxutils import escape

from jobthread.deliver.outgoing import Outgoing, Send
from jobthread.deliver.sms_accounts import Template
from jobthread.deliver.sms_http import Answer, OutcomeUnknown, ask, check_status, refused

_PLACE = re.compile(r"\{(to|text|id)\}")


def sender(account: Template) -> Send:
    async def send(outgoing: Outgoing) -> str:
        values = {
            "to": outgoing.to,
            "text": outgoing.text,
            "id": f"{outgoing.delivery_id}-{outgoing.queued_at}",
        }
        headers = {name: _filled(value, values, "id only") for name, value in account.headers.items()}
        content = _filled(account.body, values, _kind_of(account)).encode()
        url = _filled(account.url, values, "form")
        return _name_of(account, await ask(account.method, url, headers=headers, content=content))

    return send


def _name_of(account: Template, answer: Answer) -> str:
    if answer.status in account.success or (not account.success and 200 <= answer.status < 300):
        return f"generic:{answer.at(*account.id_at)[:200]}" if account.id_at else "generic:"
    if 200 <= answer.status < 300:
        raise OutcomeUnknown
    check_status(answer.status)
    raise refused(f"the SMS provider refused this text (HTTP {answer.status})", "")


def _kind_of(account: Template) -> str:
    told = {name.lower(): value for name, value in account.headers.items()}.get("content-type", "").lower()
    for kind in ("json", "form", "xml"):
        if kind in told:
            return kind
    return "plain"


def _filled(template: str, values: dict[str, str], kind: str) -> str:
    """In one go, so that what a text says is never taken for a place; quoted as the place demands."""
    return _PLACE.sub(lambda place: _quoted(place[0], values[place[1]], kind), template)


def _quoted(place: str, value: str, kind: str) -> str:
    if kind == "json":
        return json.dumps(value)[1:-1]
    if kind == "form":
        return quote(value, safe="")
    if kind == "xml":
        return escape(value, {'"': "&quot;", "'": "&apos;"})
    # Text in a header could begin another header.
    return value if kind == "plain" or place == "{id}" else place
