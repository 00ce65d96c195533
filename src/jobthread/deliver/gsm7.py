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
ALONE_OTHERWISE = 70
JOINED_OTHERWISE = 67
"""The same where a single letter is not of the alphabet: then all of them are UTF-16."""


def written(text: str) -> str:
    """`text` in that alphabet, as near as it can be; what has no likeness in it is left out."""
    return "".join(map(_written_as, text.translate(_INSTEAD)))


def segments(text: str) -> int:
    """How many messages carry `text`, which must be of the alphabet."""
    places = sum(2 if character in _EXTENDED else 1 for character in text)
    return 1 if places <= ALONE else -(-places // JOINED)


def pieces(text: str) -> int:
    """How many messages carry `text`, of whatever letters."""
    if all(map(_is_of_the_alphabet, text)):
        return segments(text)
    places = len(text.encode("utf-16-be", "surrogatepass")) // 2
    return 1 if places <= ALONE_OTHERWISE else -(-places // JOINED_OTHERWISE)


def _written_as(character: str) -> str:
    if _is_of_the_alphabet(character):
        return character
    plain = unicodedata.normalize("NFKD", character)
    return "".join(part for part in plain if _is_of_the_alphabet(part))


def _is_of_the_alphabet(character: str) -> bool:
    return character in _BASIC or character in _EXTENDED
