"""Names and titles made fit for one line: nothing in them can begin another line or header."""

import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_DEPTH = 3
"""How often an encoded word is looked for inside a decoded one."""


def one_line(text: str, longest: int) -> str:
    """`text` without control characters, decoded where it came encoded, and cut to `longest` characters.

    Mail libraries decode `=?utf-8?q?a=0ABcc=3A_x=40y?=` on their way, some after they looked for line
    ends: so it is decoded here, before anything is looked for.
    """
    for _ in range(_DEPTH):
        text = _without_controls(text)
        if "=?" not in text:
            break
        text = _decoded(text)
    text = " ".join(_without_controls(text).split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _decoded(text: str) -> str:
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def _without_controls(text: str) -> str:
    """Line ends become spaces; other controls, lone surrogates and marks that turn the direction go."""
    return "".join(
        " " if _ends_a_line(character) else character for character in text if _may_stand(character)
    )


def _ends_a_line(character: str) -> bool:
    return character in "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"


def _may_stand(character: str) -> bool:
    if _ends_a_line(character):
        return True
    turns = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return not turns and unicodedata.category(character) not in ("Cc", "Cs")
