"""Text as words to search by: folded alike for both databases, so that both find the same."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

LONGEST = 60
"""Characters; what is longer counts as several words. PostgreSQL refuses lexemes beyond 2,046 bytes."""
MOST_IN_A_QUERY = 12

LONGEST_EXCERPT = 160
"""Characters, with the marks where it is cut."""
BEFORE = 50
"""As many of them at most stand before the word found."""
CUT = "…"

_WORD = re.compile(rf"[^\W_]{{1,{LONGEST}}}")


def words_of(text: str) -> list[str]:
    """The distinct words, without case and accents, in the order in which they first stand."""
    return list(dict.fromkeys(_all_words(text)))


def _all_words(text: str) -> list[str]:
    if text.isascii():
        # What people write most, and every message is read for its words: half the time of the search below.
        words = text.encode().translate(_FOLDED_ASCII).decode().split()
        if len(max(words, key=len, default="")) <= LONGEST:
            return words
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _WORD.findall(bare.casefold())


_FOLDED_ASCII = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() else ord(" ") for byte in range(128)) * 2


def indexed(text: str) -> str:
    return " ".join(words_of(text))


def asked_for(query: str) -> list[str]:
    return words_of(query)[:MOST_IN_A_QUERY]


def excerpt(text: str, asked: Sequence[str]) -> str:
    """The text around the first word that begins with one of `asked`, on one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= LONGEST_EXCERPT:
        return line
    start, end = _first(line, asked) or (0, 0)
    room = LONGEST_EXCERPT - 2 * len(CUT)
    begin = max(0, min(start - BEFORE, len(line) - room))
    stop = min(len(line), begin + room)
    begin = _after_space(line, begin, start)
    stop = _before_space(line, end, stop)
    return (CUT if begin else "") + line[begin:stop] + (CUT if stop < len(line) else "")


def _after_space(line: str, begin: int, start: int) -> int:
    """Where a word begins, at or after `begin` and not after `start`; in one long word `begin` itself."""
    space = line.find(" ", begin - 1, start) if begin else -1
    return begin if space < 0 else space + 1


def _before_space(line: str, end: int, stop: int) -> int:
    """Where a word ends, at or before `stop` and not before `end`; in one long word `stop` itself."""
    space = line.rfind(" ", end, stop + 1) if stop < len(line) else -1
    return stop if space < 0 else space


def _first(line: str, asked: Sequence[str]) -> tuple[int, int] | None:
    """Where the first word that begins with one of `asked` stands, before any folding."""
    folded = [_folded(c) for c in line]
    for word in _WORD.finditer("".join(folded)):
        if word[0].startswith(tuple(asked)):
            ends = list(accumulate(map(len, folded)))
            return bisect_right(ends, word.start()), bisect_left(ends, word.end()) + 1
    return None


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """What `words_of` makes of one character, wherever it stands."""
    decomposed = unicodedata.normalize("NFKD", character.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
