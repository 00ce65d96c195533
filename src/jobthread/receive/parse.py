"""A mail as it came → what was said, by whom, to which addresses. Whatever the mail looks like, this ends.

The old message class on purpose: the new one decodes headers while they are looked at, and raises at broken
ones. Only the sender's address goes through the new parser, which is the stricter one.
"""

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from typing import Any, TypeAlias

from jobthread.receive import html_text, quotes
from jobthread.store.incoming import Mail

LARGEST_HEAD = 256 * 1024
LONGEST_TEXT = 200_000
LONGEST_HEADER = 2_000
MOST_CONTAINERS = 100
"""Parts that hold parts: reading them takes time with their number, times the length of the mail."""
DEEPEST = 20
NAMED = 5
LONGEST_NAME = 80
DECORATION = 20_000
"""Bytes up to which a picture inside the text counts as part of a signature."""

_Part: TypeAlias = "Message[str, str]"
_CONTAINER = re.compile(rb"(?i)content-type:[ \t\r\n]{0,20}(?:multipart|message)/")
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}")
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
_OUR_ID = re.compile(r"<[0-9a-f]{32}@([^<>@\s]{1,250})>")
_ENDS = re.compile(r"\r\n|[\r\u2028\u2029\x0b\x0c\x85]")
_NOT_IN_A_BODY = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\u200b\ufeff]"
)
# Python's own codecs, of which one takes time with the square of its text.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"})
_ANSWERS_NOBODY = frozenset({"bulk", "junk", "list", "auto_reply"})


@dataclass
class _Found:
    text: str = ""
    files: list[str] = field(default_factory=list)
    unnamed: int = 0


# --- heads ----------------------------------------------------------------------------------------


def recipients(raw: bytes) -> list[str]:
    """Every address in the headers that say whom the mail is for, once each."""
    head = _head(raw)
    written = " ".join(_flat(value) for name in _RECIPIENTS for value in head.get_all(name, []))
    return list(dict.fromkeys(_ADDRESS.findall(written[:100_000])))


def read(raw: bytes, raw_name: str, own_domain: str) -> Mail:
    """`own_domain` stands in the Message-IDs that we make ourselves."""
    head = _head(raw)
    automatic = _automatic(head, own_domain)
    text = "" if automatic else _said(raw)
    return Mail(
        mail_hash=_hash(head, raw),
        sender=_sender(head),
        automatic=automatic,
        text=text,
        size=len(raw),
        raw_name=raw_name,
    )


def _head(raw: bytes) -> _Part:
    end = re.search(rb"\r?\n\r?\n", raw[:LARGEST_HEAD])
    return BytesHeaderParser(policy=policy.compat32).parsebytes(raw[: end.end() if end else LARGEST_HEAD])


def _flat(value: Any) -> str:
    """On one line; 8-bit headers come as objects."""
    return " ".join(str(value)[:LONGEST_HEADER].split())


def _hash(head: _Part, raw: bytes) -> bytes:
    """The Message-ID; of a mail without one all that does not change on its way."""
    told = _flat(head.get("Message-ID", ""))
    if not told:
        body = raw[re.search(rb"\r?\n\r?\n|\Z", raw).start() :]  # type: ignore[union-attr]
        told = "\n".join(
            [
                *(_flat(head.get(name, "")) for name in ("From", "Date", "Subject")),
                hashlib.sha256(body).hexdigest(),
            ]
        )
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).digest()


def _sender(head: _Part) -> str | None:
    """The one address in the one From; None where there is none or more than one."""
    values = head.get_all("From", [])
    if len(values) != 1 or len(str(values[0])) > LONGEST_HEADER:
        return None
    try:
        # As a header object: the parser that knows comments, quotes and encoded words.
        addresses = policy.default.header_factory("From", _flat(values[0])).addresses
        address = str(addresses[0].addr_spec) if len(addresses) == 1 else ""
    except Exception:
        # Whatever it trips over is no address of anybody's.
        return None
    return address if _is_all_there_is(address, _flat(values[0])) else None


def _is_all_there_is(address: str, written: str) -> bool:
    """`name@host`, or a name and `<name@host>`: what others might read otherwise is nobody's address."""
    plain = re.sub(r"\s*\([^()]*\)$", "", written.strip()).lower()
    own = address.lower()
    return "@" in own and (plain == own or (plain.endswith(f"<{own}>") and plain.count("<") == 1))


def _automatic(head: _Part, own_domain: str) -> str | None:
    """Why a machine wrote it, in a word; None where a person seems to have."""
    if _flat(head.get("Auto-Submitted", "no")).partition(";")[0].strip().lower() not in ("no", ""):
        return "auto_submitted"
    if _flat(head.get("Precedence", "")).strip().lower() in _ANSWERS_NOBODY:
        return "precedence"
    for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id", "List-Unsubscribe"):
        if name in head:
            return name.lower().removeprefix("x-").replace("-", "_")
    if any(_flat(path).strip() == "<>" for path in head.get_all("Return-Path", [])):
        return "bounce"
    if head.get_content_type() == "multipart/report":
        return "report"
    ours = _OUR_ID.fullmatch(_flat(head.get("Message-ID", "")))
    return "our_own" if ours and ours[1].lower() == own_domain.lower() else None


# --- bodies ---------------------------------------------------------------------------------------


def _said(raw: bytes) -> str:
    """The text and the names of what hung on it; nothing where it cannot be read."""
    if len(_CONTAINER.findall(raw)) > MOST_CONTAINERS:
        return ""
    try:
        found = _in(BytesParser(policy=policy.compat32).parsebytes(raw), 0)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError, IndexError, HeaderParseError):
        return ""
    text = _clean(found.text)
    hung_on = _named(found)
    written = quotes.top_of(text) if hung_on else quotes.cut(text)
    return "\n\n".join(part for part in (written, hung_on) if part)


def _in(part: _Part, depth: int) -> _Found:
    if depth > DEEPEST:
        return _Found(unnamed=1)
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        children: list[Any] = list(part.get_payload())
        inner = [_in(child, depth + 1) for child in children if isinstance(child, Message)]
        if part.get_content_subtype() == "alternative":
            return _best(inner, children)
        related = part.get_content_subtype() == "related"
        return _together(inner, [child for child in children if isinstance(child, Message)], related)
    if _is_text(part):
        return _Found(text=_text(part))
    name = _name(part)
    return _Found(files=[name]) if name else _Found(unnamed=1)


def _best(inner: list[_Found], children: list[Any]) -> _Found:
    """Of the same thing in several forms the plain one, else the first that says anything."""
    plain = [
        found
        for found, child in zip(inner, children, strict=False)
        if child.get_content_type() == "text/plain"
    ]
    chosen = next((found for found in [*plain, *inner] if found.text.strip()), _Found())
    # A form may bring files of its own: Apple puts pictures into the one that is HTML.
    files = list(dict.fromkeys(name for found in inner for name in found.files))
    return _Found(chosen.text, files, max((found.unnamed for found in inner), default=0))


def _together(inner: list[_Found], children: list[_Part], related: bool) -> _Found:
    whole = _Found()
    for found, child in zip(inner, children, strict=True):
        if related and not found.text and _is_decoration(child):
            continue
        whole.text = "\n".join(filter(None, (whole.text, found.text)))
        whole.files += found.files
        whole.unnamed += found.unnamed
    return whole


def _is_decoration(part: _Part) -> bool:
    small = len(part.get_payload(decode=True) or b"") < DECORATION
    return part.get_content_maintype() == "image" and "Content-ID" in part and small


def _is_text(part: _Part) -> bool:
    if part.get_content_type() not in ("text/plain", "text/html") or part.is_multipart():
        return False
    return part.get_content_disposition() != "attachment" and not part.get_filename()


def _text(part: _Part) -> str:
    charset = _charset(part)
    payload = part.get_payload(decode=True)
    decoded = _decoded(payload if isinstance(payload, bytes) else b"", charset)
    if part.get_content_type() == "text/html":
        return html_text.text_of(decoded)
    decoded = decoded[:LONGEST_TEXT]
    if str(part.get_param("format", "")).lower() == "flowed":
        return _unflowed(decoded, str(part.get_param("delsp", "")).lower() == "yes")
    return decoded


def _charset(part: _Part) -> str:
    """One that there is; the library decodes by what the part says, so what is none is taken out of it."""
    said = str(part.get_content_charset("utf-8"))
    try:
        if codecs.lookup(said).name.replace("-", "_") not in _NO_CHARSETS:
            return said
    except (LookupError, ValueError):
        pass
    part.del_param("charset")
    return "utf-8"


def _decoded(payload: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            return payload.decode(name)
        except (LookupError, ValueError):
            continue
    return payload.decode("cp1252", "replace")


def _unflowed(text: str, delete_space: bool) -> str:
    """Lines that were broken for the way, put together (RFC 3676); quoted ones stay as they are."""
    lines: list[str] = []
    flows = False
    for line in _ENDS.sub("\n", text).split("\n"):
        quoted = line.startswith(">")
        unstuffed = line.removeprefix(" ")
        if flows and not quoted:
            lines[-1] += unstuffed
        else:
            lines.append(unstuffed)
        flows = unstuffed.endswith(" ") and unstuffed != "-- " and not quoted
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def _clean(text: str) -> str:
    """As a message's body may be: newlines, tabs, and no other control."""
    text = _NOT_IN_A_BODY.sub("", _ENDS.sub("\n", text[:LONGEST_TEXT]).replace("\u00a0", " "))
    return re.sub(r"\n{4,}", "\n\n\n", text).strip()


# --- what hung on it ------------------------------------------------------------------------------


def _named(found: _Found) -> str:
    """`[2 attachments: photo.jpg, plan.pdf]`; nothing where there was none."""
    count = len(found.files) + found.unnamed
    if not count:
        return ""
    names = ", ".join(found.files[:NAMED]) + (
        ", …" if found.files and count > min(len(found.files), NAMED) else ""
    )
    counted = "1 attachment" if count == 1 else f"{count} attachments"
    return f"[{counted}: {names}]" if names else f"[{counted}]"


def _name(part: _Part) -> str:
    try:
        name = str(make_header(decode_header(part.get_filename("") or "")))
    except (HeaderParseError, LookupError, ValueError, TypeError):
        name = ""
    plain = " ".join("".join(_letters(name)).split())
    return plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME - 1] + "…"


def _letters(name: str) -> Iterator[str]:
    for letter in _NOT_IN_A_BODY.sub("", name):
        yield " " if letter in "[]\n\t" else letter
