"""Logs: one line for each event, JSON or readable, and no secret in any of them.

`set_up_logs` leads structlog and the standard library's logging into one chain. Its last step before the
writing cleans every value, so that a slip elsewhere (a token in a URL, a row that an error quotes) stays out.
"""

import functools
import logging
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from traceback import TracebackException
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

HIDDEN = "[hidden]"
LONGEST_VALUE = 2_000
LONGEST_EXCEPTION = 20_000
_DEEPEST = 4

# A key that holds one of these, in whatever company: set_cookie, current_password, query_string, magic_token.
_SECRET_KEY = re.compile(r"(?i)token|passw|cookie|body|authorization|query|secret|credential|api_?key|param")

# The patterns look ahead only so far and start nowhere twice: their time grows with the text, not its square.
_PLAIN = re.compile(r"[A-Za-z0-9./-]{0,42}")
_WORD = re.compile(r"[^\s\"'<>]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SECRETS = (
    (re.compile(r"(?i)(cookie|authorization)([\"']?\s{0,4}[:=]).+"), rf"\1\2 {HIDDEN}"),
    (re.compile(r"(?i)\b(bearer\s{1,4})[^\s\"',;]+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:token|passw|secret|api_?key)\w{0,20}[\"']?\s{0,4}[:=]\s{0,4})(\"[^\"]*\"|'[^']*'|[^\s&;,]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?<![A-Za-z0-9])jt_[A-Za-z0-9_-]{12,}"), HIDDEN),
    # As long as 256 bits in base64url: magic tokens, sessions, API keys, digests.
    (re.compile(r"[A-Za-z0-9_-]{43,}"), HIDDEN),
)


def set_up_logs(log_format: str, log_level: str, stream: TextIO | None = None) -> None:
    """Everything logged from now on goes to `stream` (stderr by default), as `json` or `readable` lines."""
    stream = stream or sys.stderr
    level = logging.getLevelNamesMapping()[log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _add_moment_and_name,
            _add_exception,
            clean,
            _renderer(log_format, colors=stream.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *name: _Lines(stream, *name),
        cache_logger_on_first_use=False,
    )
    _lead_in_standard_logging(level)


def clean(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The processor that keeps secrets, query strings and control characters out of every line."""
    return _clean_fields(event, 0)


def _clean_fields(fields: Mapping[Any, object], depth: int) -> dict[str, Any]:
    cleaned = {}
    for key, value in fields.items():
        name, is_secret = _clean_key(str(key))
        cleaned[name] = HIDDEN if is_secret else _clean_value(name, value, depth)
    return cleaned


@functools.lru_cache(1024)
def _clean_key(key: str) -> tuple[str, bool]:
    return _clean_text(key), bool(_SECRET_KEY.search(key))


def _clean_value(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if name == "exception" and isinstance(value, str):
        return "\n".join(map(_clean_text, value[:LONGEST_EXCEPTION].split("\n")))
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return _clean_fields(value, depth + 1)
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [_clean_value("", inner, depth + 1) for inner in value]
    return _clean_text(str(value) if isinstance(value, str) else _text_of(value))


def _clean_text(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    text = text[: 2 * LONGEST_VALUE]
    text = _without_query(text) if text.startswith("/") else _WORD.sub(_clean_word, text)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    text = _CONTROL.sub(_escaped, text)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _clean_word(word: re.Match[str]) -> str:
    """A path or an address without its query string and without a password before its host."""
    text = _without_query(word[0])
    scheme, mark, rest = text.partition("://")
    user, at, host = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}:{HIDDEN}@{host}" if mark and at and colon else text


def _without_query(text: str) -> str:
    path, _, _ = text.partition("?")
    return path if "/" in path else text


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()


def _text_of(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__} without a repr>"


def _add_moment_and_name(logger: "_Lines", _method: str, event: EventDict) -> EventDict:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    first = {"timestamp": now, "level": event.pop("level"), "event": event.pop("event", "")}
    return {**first, "logger": logger.name, **event} if logger.name else {**first, **event}


def _add_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if given is True:
        error = sys.exception()
    if error is not None:
        event["exception"] = "\n".join(_traceback(TracebackException.from_exception(error)))
    return event


def _traceback(told: TracebackException) -> Iterator[str]:
    """Only the first line of each message: a database's further lines quote the statement and whole rows."""
    earlier = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    if earlier is not None:
        yield from _traceback(earlier)
        yield "Then:"
    yield from (line for frame in told.stack.format() for line in frame.rstrip("\n").split("\n"))
    yield "".join(told.format_exception_only()).split("\n", 1)[0]
    for inner in told.exceptions or ():
        yield from _traceback(inner)


def _renderer(log_format: str, *, colors: bool) -> Any:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=colors, timestamp_key="timestamp", exception_formatter=structlog.dev.plain_traceback
    )


class _Lines:
    """Where lines end up. A full disk or a closed pipe must not fail the request that a line tells of."""

    def __init__(self, stream: TextIO, name: str | None = None) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: str) -> None:
        try:
            with _one_line_at_a_time:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError):
            pass

    debug = info = warning = warn = error = exception = critical = fatal = failure = log = msg


_one_line_at_a_time = threading.Lock()


class _Standard(logging.Handler):
    """Hands what libraries log to the same chain."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # wrong arguments; the standard answer would print them
            text = str(record.msg)
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        structlog.get_logger().bind(logger=record.name).log(level, text, exc_info=record.exc_info)


def _lead_in_standard_logging(level: int) -> None:
    """Libraries never speak below INFO: what they tell when debugging holds headers and bodies."""
    root = logging.getLogger()
    root.handlers = [_Standard()]
    root.setLevel(max(level, logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # The app writes an access line of its own, without the query string.
    logging.getLogger("uvicorn.access").disabled = True
    # Seven lines at every start about nothing that anybody did.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
