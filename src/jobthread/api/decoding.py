"""From bytes to typed values, strictly: what does not fit is refused with the field's name."""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from jobthread.errors import BadJson, BodyTooLarge, Invalid, WrongContentType

LIMIT_KEY = "max_body"
READ_KEY = "read_body"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def body_decoder(
    kind: Any, optional: bool, takes: str = JSON
) -> Callable[[Request[Any, Any, Any]], Awaitable[Any]]:
    """Decodes a JSON body, or a form; calls without a body ignore what is sent."""
    if kind is None:
        return _no_body
    if takes == FORM:
        return _form_decoder(kind)
    decoder = msgspec.json.Decoder(kind)

    async def decode(request: Request[Any, Any, Any]) -> Any:
        raw = await read(request)
        if not raw and optional:
            return kind()
        _check_content_type(request, raw)
        return _decoded(decoder, raw)

    return decode


def query_decoder(kind: type[msgspec.Struct]) -> Callable[[bytes], Any]:
    nothing = kind()

    def decode(query: bytes) -> Any:
        return _query(kind, query) if query else nothing

    return decode


async def _no_body(request: Request[Any, Any, Any]) -> None:
    return None


def _form_decoder(kind: Any) -> Callable[[Request[Any, Any, Any]], Awaitable[Any]]:
    async def decode(request: Request[Any, Any, Any]) -> Any:
        raw = await read(request)
        _check_content_type(request, raw, FORM)
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=300)
        except ValueError as error:
            raise Invalid("", "the form is not well formed") from error
        try:
            return msgspec.convert(dict(pairs), kind)
        except msgspec.ValidationError as error:
            raise _invalid(str(error)) from error

    return decode


async def read(request: Request[Any, Any, Any]) -> bytes:
    """The body, of which never more than the limit is kept; read once, also to check its signature."""
    if READ_KEY not in request.scope:
        request.scope[READ_KEY] = await _read(request)  # type: ignore[literal-required]
    body: bytes = request.scope[READ_KEY]  # type: ignore[literal-required]
    return body


async def _read(request: Request[Any, Any, Any]) -> bytes:
    most: int = request.app.state[LIMIT_KEY]
    if int(request.headers.get("content-length") or 0) > most:
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise BodyTooLarge
            chunks.append(chunk)
    except InternalServerException as error:
        # Its sender has hung up: nobody hears the answer, and nothing here has failed.
        raise BadJson("the body broke off") from error
    return b"".join(chunks)


def _check_content_type(request: Request[Any, Any, Any], raw: bytes, takes: str = JSON) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != takes and (raw or kind):
        raise WrongContentType(f"Send {takes}")


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadJson from error


def _query(kind: type[msgspec.Struct], query: bytes) -> Any:
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=False,
            errors="surrogateescape",
            max_num_fields=50,
        )
    except ValueError as error:
        raise Invalid("", "the query string is not well formed") from error
    _check_utf8(pairs)
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Invalid(_doubled([name for name, _ in pairs]), "is given more than once")
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    _check_null(found, given)
    return found


def _check_null(found: msgspec.Struct, given: Iterable[str]) -> None:
    """msgspec reads the word null as None: a filter that a client's mistake wrote so would filter nothing."""
    for name in given:
        if getattr(found, name) is None:
            raise Invalid(name, "is null: leave it out instead")


def _check_utf8(pairs: list[tuple[str, str]]) -> None:
    for name, value in pairs:
        if not _is_utf8(name):
            raise Invalid("", "a key of the query string is not UTF-8")
        if not _is_utf8(value):
            raise Invalid(name, "is not UTF-8")


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= char <= "\udcff" for char in text)


def _doubled(names: list[str]) -> str:
    return next(name for name in names if names.count(name) > 1)


_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_NAMED = re.compile(r"(?:unknown|required) field `(?P<name>[^`]*)`")


def _invalid(message: str) -> Invalid:
    """msgspec's words, with the field taken out of them."""
    path = match["path"] if (match := _PATH.search(message)) else ""
    plain = _PATH.sub("", message)
    if named := _NAMED.search(plain):
        path = f"{path}.{named['name']}" if path else named["name"]
    return Invalid(path, plain)
