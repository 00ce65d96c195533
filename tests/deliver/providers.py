"""Providers of text messages, played by a real HTTP server on loopback with their documented requests.

What it took stands in `texts`; how it answers is in the test's hand: it takes texts, refuses them with the
provider's own errors, is busy, hangs, or hangs up before or after it took the text.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

SID, TOKEN = "AC0123456789abcdef0123456789abcdef", "twilio's auth token"
KEY, SECRET, SIGNATURE = "abcd1234", "vonage's api secret", "vonage's signature secret of 32 letters"
GENERIC_SECRET = "a secret of the template"
OUR_NUMBER = "+12025550100"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def credentials(self) -> str:
        scheme, _, told = self.headers.get("authorization", "").partition(" ")
        assert scheme == "Basic"
        return base64.b64decode(told).decode()


@dataclass(frozen=True)
class Says:
    status: int
    value: Any


@dataclass
class Provider:
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """(number, text) of all that it took, in order."""
    answer: Callable[[Asked], Says | None] = lambda asked: Says(500, {})
    """None: hangs up without an answer."""
    at_door: Callable[[], None] = lambda: None
    """What happens right before an answer, in the provider's own thread."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def takes_again(self) -> None:
        self.answer = self.usual

    usual: Callable[[Asked], Says | None] = lambda asked: Says(500, {})

    def wait(self) -> None:
        self.released.wait(30)

    def hang(self, asked: Asked) -> Says | None:
        """No answer while the test lasts."""
        self.wait()
        return None


@contextmanager
def playing(kind: Callable[[Provider], Callable[[Asked], Says | None]]) -> Iterator[Provider]:
    provider = Provider()
    provider.usual = provider.answer = kind(provider)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    server.daemon_threads = True
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(size))
            provider.asked.append(asked)
            provider.at_door()
            said = provider.answer(asked)
            if said is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = json.dumps(said.value).encode() if said.value is not None else b"<html>"
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler


# --- Twilio ---------------------------------------------------------------------------------------


def twilio(provider: Provider) -> Callable[[Asked], Says | None]:
    def answer(asked: Asked) -> Says:
        assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert asked.credentials == f"{SID}:{TOKEN}"
        provider.texts.append((asked.form["To"], asked.form["Body"]))
        return Says(201, {"sid": f"SM{secrets.token_hex(16)}", "status": "queued", "error_code": None})

    return answer


def twilio_error(code: int, status: int = 400) -> Callable[[Asked], Says]:
    """As its documents show errors."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    told = {"code": code, "message": f"Error {code}", "more_info": more, "status": status}
    return lambda asked: Says(status, told)


def twilio_url(provider: Provider, **more: str) -> str:
    options = urlencode({"from": OUR_NUMBER, "tls": "off"} | more).replace("%2B", "+")
    return f"twilio://{SID}:{TOKEN.replace(' ', '%20')}@{provider.host}?{options}"


def twilio_signature(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    """As its documents tell it: the address, then each field's name and value, sorted by name."""
    told = url
    for name in sorted(form):
        told += name + form[name]
    return base64.b64encode(hmac.new(token.encode(), told.encode(), hashlib.sha1).digest()).decode()


# --- Vonage ---------------------------------------------------------------------------------------


def vonage(provider: Provider) -> Callable[[Asked], Says | None]:
    def answer(asked: Asked) -> Says:
        assert (asked.method, asked.path) == ("POST", "/v1/messages")
        assert asked.headers["content-type"] == "application/json"
        assert asked.credentials == f"{KEY}:{SECRET}"
        told = asked.json
        assert (told["channel"], told["message_type"]) == ("sms", "text")
        provider.texts.append(("+" + told["to"], told["text"]))
        return Says(202, {"message_uuid": f"aaaaaaaa-bbbb-4ccc-8ddd-{secrets.token_hex(6)}"})

    return answer


def vonage_error(code: int, status: int = 422) -> Callable[[Asked], Says]:
    told = {
        "type": f"https://developer.vonage.com/api-errors/messages#{code}",
        "title": str(code),
        "detail": f"Error {code}",
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    }
    return lambda asked: Says(status, told)


def vonage_url(provider: Provider) -> str:
    told = urlencode({"from": OUR_NUMBER, "signature": SIGNATURE, "tls": "off"}).replace("+", "%20")
    return f"vonage://{KEY}:{SECRET.replace(' ', '%20')}@{provider.host}?{told}"


def vonage_bearer(body: bytes, secret: str = SIGNATURE, **claims: Any) -> str:
    """A JWT as its signed webhooks bear it."""
    head = {"alg": "HS256", "typ": "JWT"}
    told = {
        "iat": 1_795_000_000,
        "jti": secrets.token_hex(8),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": KEY,
    } | claims
    unsigned = f"{_part(head)}.{_part(told)}"
    signature = hmac.new(secret.encode(), unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


# --- any other ------------------------------------------------------------------------------------


def generic(provider: Provider) -> Callable[[Asked], Says | None]:
    def answer(asked: Asked) -> Says:
        told = asked.json
        assert asked.headers["authorization"] == "Bearer the provider's key"
        provider.texts.append((told["recipient"], told["message"]))
        return Says(202, {"messages": [{"id": secrets.randbelow(10**9), "state": "accepted"}]})

    return answer


def template_toml(provider: Provider) -> str:
    return f"""
url = "http://{provider.host}/v2/send"
body = '{{"recipient": "{{to}}", "message": "{{text}}", "ref": "{{id}}"}}'
success = [202]
id = "messages.0.id"
secret = "{GENERIC_SECRET}"

[headers]
Authorization = "Bearer the provider's key"
Content-Type = "application/json"
"""
