"""What text messages are about: numbers as E.164, the words that stop or start them, and clean bodies."""

import re
import unicodedata
from enum import StrEnum

import phonenumbers

LONGEST_BODY = 10_000
STOPPED = "this number has asked for no more texts"
"""Why nothing goes, as staff read it."""


class Keyword(StrEnum):
    """What a message of one known word asks for."""

    STOP = "stop"
    START = "start"
    YES = "yes"
    HELP = "help"


_WORDS: dict[Keyword, frozenset[str]] = {
    Keyword.STOP: frozenset(
        {
            *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
            *("ALTO", "PARAR", "PARE", "DETENER", "BAJA", "CANCELAR"),
        }
    ),
    Keyword.START: frozenset(
        {"START", "UNSTOP", "OPTIN", "SUBSCRIBE", "INICIAR", "COMENZAR", "EMPEZAR", "ALTA"}
    ),
    # Starts where texts were stopped; anywhere else it is an answer to what the office asked.
    Keyword.YES: frozenset({"YES", "SI"}),
    Keyword.HELP: frozenset({"HELP", "INFO", "AYUDA"}),
}
_KEYWORDS = {word: keyword for keyword, words in _WORDS.items() for word in words}


def keyword(body: str) -> Keyword | None:
    """What the message asks for, where it is that one word and nothing else.

    Case, accents, blanks and punctuation do not matter: `Stop.` and `opt-out` are such, `stop it` is not.
    """
    words = "".join(map(_blank_unless_letter, _folded(body))).split()
    joined = "".join(words)
    # `OPT OUT` and `STOP ALL` are two words that stand for one.
    alone = len(words) == 1 or joined in ("OPTOUT", "OPTIN", "STOPALL")
    return _KEYWORDS.get(joined) if alone else None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).upper())


def _blank_unless_letter(character: str) -> str:
    """Accents, invisible marks and hyphens part no word; all else that is no letter does."""
    category = unicodedata.category(character)
    if category[0] in "LN":
        return character
    hidden = category[0] in "MC" and not character.isspace()
    return "" if hidden or category in ("Pd", "Pc") else " "


def e164(text: str, country: str | None = None) -> str | None:
    """The number with + and nothing but digits; None where it is none that could be dialled.

    Without a country code it is read as one of `country`; with none of both it is none.
    """
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def of_provider(text: str) -> str | None:
    """A sender as providers write it: some leave the + out. Names and short codes are no numbers."""
    digits = text.strip().removeprefix("+")
    if not re.fullmatch(r"[0-9]{7,15}", digits):
        return None
    return e164("+" + digits)


def cleaned(body: str) -> str:
    """A message that came from outside, fit for a thread: no controls, at most as long as any message."""
    lines = re.sub(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]", "\n", body)
    plain = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    return plain if len(plain) <= LONGEST_BODY else plain[: LONGEST_BODY - 1].rstrip() + "…"
