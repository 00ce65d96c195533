"""Text as words to search by: folded alike for both databases, so that both find the same."""

import re
import unicodedata

LONGEST = 60
"""Characters; what is longer counts as several words. PostgreSQL refuses lexemes beyond 2,046 bytes."""
MOST_IN_A_QUERY = 12

_WORD = re.compile(rf"[^\W_]{{1,{LONGEST}}}")


def words_of(text: str) -> list[str]:
    """The distinct words, without case and accents, in the order in which they first stand."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return list(dict.fromkeys(_WORD.findall(text.casefold())))


def indexed(text: str) -> str:
    return " ".join(words_of(text))


def asked_for(query: str) -> list[str]:
    return words_of(query)[:MOST_IN_A_QUERY]
