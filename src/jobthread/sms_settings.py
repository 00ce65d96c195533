"""From JOBTHREAD_SMS_URL to an account: each mistake is one line that says what is expected."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from jobthread.deliver.sms_accounts import Account, Folder, Template, Twilio, Vonage
from jobthread.setting_values import is_local

EXPECTED = (
    "file:///folder, twilio://SID:TOKEN@api.twilio.com?from=+12025550123, "
    "vonage://KEY:SECRET@api.nexmo.com?from=12025550123&signature=SECRET or template:///file.toml"
)
_SENDER = re.compile(r"\+?[0-9]{3,15}|MG[0-9A-Za-z]{8,40}|[0-9A-Za-z ]{1,11}")
_PLACES = re.compile(r"\{(?:to|text)\}")


def account(text: str) -> Account:
    """Where text messages go. Raises `ValueError` with what is expected, and never repeats the text."""
    if re.search(r"[\x00-\x20\x7f-\x9f]", text):
        raise ValueError(EXPECTED)
    try:
        url = urlsplit(text)
        read = _KINDS[url.scheme]
    except (ValueError, KeyError) as problem:
        raise ValueError(EXPECTED) from problem
    return read(text, url)


def _folder(text: str, url: SplitResult) -> Folder:
    if not text.startswith("file:///") or len(url.path) < 2 or url.query or url.fragment:
        raise ValueError("file:///path/of/a/folder")
    return Folder(Path(unquote(url.path)))


def _twilio(_: str, url: SplitResult) -> Twilio:
    expected = "twilio://SID:TOKEN@api.twilio.com?from=+12025550123 (or from=MG…, a Messaging Service)"
    sid, token = _credentials(url, expected)
    if not re.fullmatch(r"AC[0-9A-Za-z]{4,40}", sid):
        raise ValueError("twilio:// with the Account SID, which begins with AC, in front of the colon")
    options = _options(url, {"from", "tls"}, expected)
    return Twilio(_api(url, options, expected), sid, token, _sender(options, expected))


def _vonage(_: str, url: SplitResult) -> Vonage:
    expected = "vonage://KEY:SECRET@api.nexmo.com?from=12025550123&signature=SECRET (that of signed webhooks)"
    key, secret = _credentials(url, expected)
    options = _options(url, {"from", "tls", "signature"}, expected)
    api = _api(url, options, expected)
    return Vonage(api, key, secret, _sender(options, expected), options.get("signature") or None)


def _credentials(url: SplitResult, expected: str) -> tuple[str, str]:
    if not url.username or not url.password or url.path not in ("", "/") or url.fragment:
        raise ValueError(expected)
    return unquote(url.username), unquote(url.password)


def _options(url: SplitResult, known: set[str], expected: str) -> dict[str, str]:
    try:
        # A + stands for itself here: numbers begin with it.
        options = dict(parse_qsl(url.query.replace("+", "%2B"), strict_parsing=True, keep_blank_values=True))
    except ValueError as problem:
        raise ValueError(expected) from problem
    if options.keys() - known:
        raise ValueError(f"{expected}, and no options but {', '.join(sorted(known))}")
    return options


def _api(url: SplitResult, options: Mapping[str, str], expected: str) -> str:
    """The address of the provider's API; without TLS only on this very machine."""
    try:
        host, port = url.hostname or "", url.port
    except ValueError as problem:
        raise ValueError(expected) from problem
    if not host or options.get("tls", "on") not in ("on", "off"):
        raise ValueError(expected)
    scheme = "http" if options.get("tls") == "off" else "https"
    if scheme == "http" and not is_local(host):
        raise ValueError("TLS: tls=off is for a provider on this very machine")
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + (f":{port}" if port else "")


def _sender(options: Mapping[str, str], expected: str) -> str:
    sender = options.get("from", "")
    if not _SENDER.fullmatch(sender):
        raise ValueError(expected)
    return sender


# --- any other provider ---------------------------------------------------------------------------


def _template(text: str, url: SplitResult) -> Template:
    if not text.startswith("template:///") or len(url.path) < 2 or url.query or url.fragment:
        raise ValueError("template:///path/of/a/file.toml")
    try:
        told = tomllib.loads(Path(unquote(url.path)).read_text("utf-8"))
    except OSError as problem:
        raise ValueError("template:/// with the path of a file that can be read") from problem
    except ValueError as problem:
        raise ValueError("a template that is TOML, in UTF-8") from problem
    return template(told)


def template(told: Mapping[str, Any]) -> Template:
    known = {"url", "method", "headers", "body", "success", "id", "secret"}
    if unknown := sorted(told.keys() - known):
        raise ValueError(f"a template with no keys but {', '.join(sorted(known))}; it has {unknown[0][:40]}")
    method = _one(told, "method", str, "POST").upper()
    if method not in ("POST", "PUT", "GET"):
        raise ValueError("a template whose method is POST, PUT or GET")
    headers = _one(told, "headers", dict, {})
    if not all(isinstance(value, str) and _is_header(name, value) for name, value in headers.items()):
        raise ValueError("a template whose headers are texts of one line")
    success = _one(told, "success", list, [])
    if not all(type(status) is int and 200 <= status < 300 for status in success):
        raise ValueError("a template whose success is a list of statuses from 200 to 299")
    path = _one(told, "id", str, "")
    secret = _one(told, "secret", str, "")
    if secret and len(secret) < 16:
        raise ValueError("a template whose secret has 16 characters or more")
    address, body = _address(_one(told, "url", str, "")), _one(told, "body", str, "")
    if set(_PLACES.findall(address + body)) != {"{to}", "{text}"}:
        raise ValueError("a template with {to} and {text} in its body or url")
    steps = tuple(path.split(".")) if path else ()
    return Template(address, method, dict(headers), body, tuple(success), steps, secret or None)


def _one(told: Mapping[str, Any], name: str, kind: type, otherwise: Any) -> Any:
    value = told.get(name, otherwise)
    if not isinstance(value, kind):
        words = {"str": "a text", "dict": "a table", "list": "a list"}
        raise ValueError(f"a template whose {name} is {words[kind.__name__]}")
    return value


def _is_header(name: str, value: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9-]{1,60}", name) and re.fullmatch(r"[\x20-\x7e]{0,2000}", value))


def _address(text: str) -> str:
    expected = "a template whose url is https:// with a host (http:// on this very machine alone)"
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        plain = url.scheme == "http" and is_local(host) and url.port != 0
    except ValueError as problem:
        raise ValueError(expected) from problem
    if not host or "@" in url.netloc or "{" in url.netloc or not (url.scheme == "https" or plain):
        raise ValueError(expected)
    return text


_KINDS: dict[str, Callable[[str, SplitResult], Account]] = {
    "file": _folder,
    "twilio": _twilio,
    "vonage": _vonage,
    "template": _template,
}
