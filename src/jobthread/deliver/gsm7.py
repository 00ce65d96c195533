"""The alphabet of text messages (GSM 03.38): outside it a message holds 70 characters instead of 160."""

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Each of these takes two places."""
_INSTEAD = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f\t", " "),
        **{
            "…": "...",
            "•": "-",
            "×": "x",
            "Ł": "L",
            "ł": "l",
            "Đ": "D",
            "đ": "d",
            "œ": "oe",
            "Œ": "OE",
            "ı": "i",
        },
    }
)
ALONE = 160
JOINED = 153
"""Places in a message that stands alone, and in each of several that are joined."""


def written(text: str) -> str:
    """`text` in that alphabet, as near as it can be; what has no likeness in it is left out."""
    return "".join(map(_written_as, text.translate(_INSTEAD)))


def segments(text: str) -> int:
    """How many messages carry `text`, which must be of the alphabet."""
    places = sum(2 if character in _EXTENDED else 1 for character in text)
    return 1 if places <= ALONE else -(-places // JOINED)


def _written_as(character: str) -> str:
    if _is_of_the_alphabet(character):
        return character
    plain = unicodedata.normalize("NFKD", character)
    return "".join(part for part in plain if _is_of_the_alphabet(part))


def _is_of_the_alphabet(character: str) -> bool:
    return character in _BASIC or character in _EXTENDED
