"""Words as both databases search by them, and the excerpt that shows where they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobthread.store import words
from jobthread.store.words import CUT, LONGEST_EXCERPT, excerpt, words_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MANY = "one two three four five six seven eight nine ten eleven twelve " * 20


@given(TEXTS)
def test_folding_letter_by_letter_finds_the_same_words_as_folding_at_once(text: str) -> None:
    folded = "".join(map(words._folded, text))
    assert list(dict.fromkeys(words._WORD.findall(folded))) == words_of(text)


@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_plain_letters_are_read_as_all_others_are(text: str) -> None:
    """They have a way of their own, for it is the shorter one."""
    assert words_of(text) == list(dict.fromkeys(words._WORD.findall(text.casefold())))


def test_capitals_that_only_folding_brings_forth_are_folded_too() -> None:
    assert words_of("℡ 555") == ["tel", "555"]


def test_a_word_beyond_all_measure_counts_as_several() -> None:
    assert words_of(f"a {'x' * 130} b") == ["a", "x" * 60, "x" * 10, "b"]


@given(st.lists(TEXTS, max_size=12).map(" ".join), st.data())
def test_an_excerpt_is_a_piece_of_the_text_that_holds_the_word(text: str, data: st.DataObject) -> None:
    text = text * 3
    asked = data.draw(st.sampled_from(words_of(text) or ["nothing"]))
    shown = excerpt(text, [asked])
    line = " ".join(text.split())
    assert len(shown) <= LONGEST_EXCERPT
    assert shown == line or CUT in (shown[0], shown[-1])
    begin = shown.startswith(CUT) and not line.startswith(shown[:-1])
    end = shown.endswith(CUT) and not line.endswith(shown[1:])
    assert shown[begin : len(shown) - end] in line
    if asked in words_of(text) and len(asked) < 40:
        assert any(word.startswith(asked) for word in words_of(shown))


def test_a_short_text_is_shown_whole_on_one_line() -> None:
    assert excerpt("  Copper\n\tpipe  ", ["pipe"]) == "Copper pipe"
    whole = "x" * 76 + " " + "y" * 83
    assert excerpt(whole, ["y"]) == whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("copper " + MANY, "copper one two"),
        (MANY + "copper " + MANY, "twelve copper one two"),
        (MANY + "copper", "twelve copper"),
        (MANY + "Röhre aus Kupfer, COPPERS! " + MANY, "Röhre aus Kupfer, COPPERS! one"),
    ],
)
def test_a_long_text_is_cut_between_words_around_the_first_word_found(text: str, shown: str) -> None:
    found = excerpt(text, ["copper"])
    assert shown in found
    assert 100 < len(found) <= LONGEST_EXCERPT
    assert found.startswith(CUT) == (not text.startswith("copper"))
    assert found.endswith(CUT) == (not text.endswith("copper"))
    assert set(found.strip(CUT).split()) <= set(text.split())


def test_a_text_without_spaces_is_cut_all_the_same() -> None:
    text = "水" * 400 + "、ボイラー、" + "火" * 400
    found = excerpt(text, ["ホイ"])
    assert "、ボイラー、" in found
    assert len(found) == LONGEST_EXCERPT


def test_letters_that_fold_into_several_leave_the_place_where_it_was() -> None:
    text = "ﬃ" * 30 + " " + "½ ß ﷺ " * 50 + "Straße " + "Ⅷ e\u0301 " * 50
    assert "Straße" in excerpt(text, ["strass"])
