"""What texts, names and contacts must be like: trimmed, and without characters that do harm later."""

import re
from datetime import UTC, datetime, timedelta

from jobthread import texting
from jobthread.entities import Micros
from jobthread.errors import Invalid

LONGEST_BODY = 10_000
LONGEST_NAME = 200
# What a line in a log, a mail header or a file's name must not hold: controls and line separators.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_A_BODY = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


def body(text: str, field: str = "body") -> str:
    trimmed = text.strip()
    if not trimmed:
        raise Invalid(field, "is empty")
    if len(trimmed) > LONGEST_BODY:
        raise Invalid(field, f"is longer than {LONGEST_BODY} characters")
    if _NOT_IN_A_BODY.search(trimmed) or _surrogates(trimmed):
        raise Invalid(field, "holds control characters other than newline and tab")
    return trimmed


def line(text: str, field: str, longest: int = LONGEST_NAME) -> str:
    """A name, subject or title: one line."""
    trimmed = text.strip()
    if not trimmed:
        raise Invalid(field, "is empty")
    if len(trimmed) > longest:
        raise Invalid(field, f"is longer than {longest} characters")
    if _NOT_IN_A_LINE.search(trimmed) or _surrogates(trimmed):
        raise Invalid(field, "holds control characters")
    return trimmed


def email(text: str, field: str) -> str:
    trimmed = text.strip()
    local = trimmed.rpartition("@")[0]
    dots_astray = ".." in local or local.startswith(".") or local.endswith(".")
    if len(trimmed) > 254 or dots_astray or not _EMAIL.fullmatch(trimmed):
        raise Invalid(field, "is not an e-mail address")
    return trimmed


def phone(text: str, country: str, field: str) -> str:
    """The number as E.164; without a country code it is read as one of `country`."""
    number = texting.e164(text, country)
    if number is None:
        raise Invalid(field, "is not a telephone number")
    return number


def scheduled(at: datetime, field: str) -> Micros:
    if not 2000 <= at.year < 3000:
        raise Invalid(field, "is not between the years 2000 and 2999")
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _surrogates(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)
