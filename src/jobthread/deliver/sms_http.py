"""One request to a provider of text messages, and what its failing means: not sent, or nobody knows."""

import functools
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from jobthread.deliver.one_line import one_line
from jobthread.deliver.outgoing import DeliveryFailed
from jobthread.texting import STOPPED

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 25.0
LARGEST_ANSWER = 65_536
OURS_TO_PUT_RIGHT = frozenset({401, 402, 403, 404, 405, 407})


class OptedOut(DeliveryFailed):
    """The provider keeps this number on its own list of those who want no texts."""

    def __init__(self, code: str) -> None:
        super().__init__(STOPPED, permanent=True)
        self.code = code


class OutcomeUnknown(Exception):
    """The provider answered, but not what became of the text."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    value: Any
    """The JSON of it; None where it is none."""

    def at(self, *path: str) -> str:
        """What stands there, as text; empty where nothing does."""
        found = self.value
        for step in path:
            if isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, dict):
                found = found.get(step)
            else:
                return ""
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


async def ask(
    method: str, url: str, *, headers: Mapping[str, str], content: bytes, auth: tuple[str, str] | None = None
) -> Answer:
    """Raises `DeliveryFailed` where the request never got through. What else it raises, leaves it unknown."""
    patience = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    options: dict[str, Any] = {"timeout": patience, "verify": _tls(), "trust_env": False}
    told = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Jobthread"}
    try:
        async with (
            httpx2.AsyncClient(**options) as client,
            client.stream(method, url, headers=told | dict(headers), content=content, auth=auth) as response,
        ):
            return Answer(response.status_code, _decoded(await _read(response)))
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol) as error:
        raise DeliveryFailed("the SMS provider cannot be reached", permanent=False) from error


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            break
    return body


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def check_status(status: int) -> None:
    """Raises for those statuses that mean the same with every provider; the rest of 4xx is for it to read."""
    if status == 429:
        raise DeliveryFailed("the SMS provider takes no more texts just now", permanent=False)
    if status == 504:
        raise OutcomeUnknown
    if status >= 500 or status == 408:
        raise DeliveryFailed(f"the SMS provider has trouble of its own (HTTP {status})", permanent=False)
    if status in OURS_TO_PUT_RIGHT:
        raise not_let_in(f"HTTP {status}")
    if status < 200 or 300 <= status < 400:
        raise DeliveryFailed(f"the SMS provider answers oddly (HTTP {status})", permanent=False)


def refused(words: str, code: str) -> DeliveryFailed:
    words = one_line(words, 250)
    return DeliveryFailed(f"{words} (error {code})" if code else words, permanent=True)


def not_let_in(told: str) -> DeliveryFailed:
    """About account or sender, and not about this text: it goes once the setting is right."""
    return DeliveryFailed(
        f"the SMS provider does not take our account or number ({told}); check JOBTHREAD_SMS_URL",
        permanent=False,
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    """Read once: the system's certificates take 20 ms."""
    return ssl.create_default_context()
