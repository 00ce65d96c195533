"""Words that stop and start texts, numbers, and texts that come from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobthread import texting
from jobthread.deliver.gsm7 import pieces, segments
from jobthread.texting import Keyword, keyword

STOPS = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "OPT-OUT",
    "ALTO",
    "PARAR",
    "BAJA",
    "CANCELAR",
]
STARTS = ["START", "UNSTOP", "INICIAR", "COMENZAR"]


@pytest.mark.parametrize("word", STOPS)
@pytest.mark.parametrize("around", ["{}", "  {}\n", "{}.", '"{}"', "¡{}!", "*{}*", "\u200e{}\u200b", "{} 🛑"])
def test_a_word_that_stops_stops_in_whatever_case_and_company_of_punctuation(word: str, around: str) -> None:
    for written in (word, word.lower(), word.capitalize()):
        assert keyword(around.format(written)) is Keyword.STOP


@pytest.mark.parametrize("word", STARTS)
def test_a_word_that_starts_starts(word: str) -> None:
    assert keyword(f" {word.lower()}! ") is Keyword.START


def test_yes_and_help_are_known_in_both_languages() -> None:
    assert {keyword(word) for word in ("YES", "si", "Sí.", "SÍ")} == {Keyword.YES}
    assert {keyword(word) for word in ("HELP", "info?", "¡Ayuda!")} == {Keyword.HELP}
    assert keyword("ＳＴＯＰ") is Keyword.STOP


@pytest.mark.parametrize(
    "body",
    [
        "stop it",
        "please stop",
        "don't stop",
        "stop by at nine",
        "st op",
        "yes please",
        "the end",
        "",
        "!?",
        "stopp",
    ],
)
def test_a_word_counts_only_as_the_whole_message(body: str) -> None:
    assert keyword(body) is None


@given(st.text(max_size=200))
def test_whatever_is_texted_is_read_without_a_fault_and_fit_for_a_thread(body: str) -> None:
    keyword(body)
    clean = texting.cleaned(body)
    assert clean == texting.cleaned(clean) == clean.strip()
    assert all(c in "\n\t" or c.isprintable() or not c.isascii() for c in clean)
    assert not any("\ud800" <= c <= "\udfff" for c in clean)


def test_a_long_text_is_cut_to_what_a_thread_takes() -> None:
    assert len(texting.cleaned("long " * 5_000)) <= 10_000
    assert texting.cleaned("long " * 5_000).endswith("…")
    assert texting.cleaned("a\r\nb\x00\x07c\x1b[0m\u2028d\x85e") == "a\nbc[0m\nd\ne"


@pytest.mark.parametrize(
    ("written", "number"),
    [("+12025550101", "+12025550101"), ("12025550101", "+12025550101"), ("447700900123", "+447700900123")],
)
def test_a_providers_number_is_read_with_and_without_its_plus(written: str, number: str) -> None:
    assert texting.of_provider(written) == number


@pytest.mark.parametrize(
    "written", ["VERIFY", "22395", "", "+", "1" * 16, "+1202555010x", "whatsapp:+12025550101"]
)
def test_names_and_short_codes_are_no_numbers(written: str) -> None:
    assert texting.of_provider(written) is None


def test_a_single_letter_outside_the_alphabet_halves_what_a_message_holds() -> None:
    assert [pieces("a" * 160), pieces("á" * 70), pieces("á" * 71), pieces("😀" * 36)] == [1, 1, 2, 2]
    assert pieces("a" * 161) == segments("a" * 161) == 2
