"""A text message says what it is, ends with the link, and costs no more than it must."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobthread.deliver import sms
from jobthread.deliver.compose import composer
from jobthread.deliver.gsm7 import segments, written
from jobthread.deliver.mailbox import recent
from jobthread.deliver.outgoing import Invitation, Outgoing
from jobthread.deliver.wording import WORDINGS
from jobthread.entities import Channel, Delivery, DeliveryStatus, Language
from jobthread.tokens import new_token
from tests.deliver.post import KEY, link_to, sent

AT = 1_795_000_000_000_000
LINK = link_to(123, "T" * 43)
OF_THE_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€\f"
)


BOTH = pytest.mark.parametrize("language", Language)


def text_message(
    company: str = "Acme Plumbing",
    title: str = "Boiler service",
    language: Language = Language.EN,
    *,
    days: int = 7,
) -> Outgoing:
    delivery = Delivery(7, Channel.SMS, "+15550100", DeliveryStatus.SENDING, 3, 123, 1, AT, AT, None, None)
    expires_at = AT + days * 86_400_000_000
    invitation = Invitation(delivery, new_token(), "Carol", language, title, expires_at)
    return composer(company, link_to, KEY)(invitation)


def test_a_text_message_says_who_writes_and_until_when_and_ends_with_the_link() -> None:
    outgoing = text_message()
    assert outgoing.text.startswith("Acme Plumbing: your ")
    assert "until 25 Nov 11:06 UTC" in outgoing.text
    assert outgoing.text.split(" ")[-1].startswith(
        "https://chat.acme.example.com/customer/chat?jobId=123&token="
    )


def test_who_speaks_spanish_gets_it_in_spanish() -> None:
    text = text_message(language=Language.ES).text
    told, link = text.split("https://")
    assert told == "Acme Plumbing: su chat, hasta el 25 nov 11:06 UTC: "
    assert len(link) == len(LINK.removeprefix("https://"))


@BOTH
def test_nothing_is_promised_that_is_not_so(language: Language) -> None:
    assert "STOP" not in text_message(language=language).text.upper()


SHORT, LONG = (
    "https://a.example/c?" + "t" * 20,
    "https://" + "long." * 12 + "example/customer/chat?jobId=123&token=" + "t" * 43,
)


@pytest.mark.parametrize(
    ("language", "link", "messages", "words"),
    [
        (Language.EN, SHORT, 1, "please do not pass on"),
        (Language.EN, LINK, 1, "until"),
        (Language.EN, LONG, 2, "please do not pass on"),
        (Language.ES, SHORT, 1, "no lo comparta"),
        (Language.ES, LINK, 1, "hasta"),
        (Language.ES, LONG, 2, "no lo comparta"),
    ],
)
def test_the_fullest_wording_is_taken_that_costs_no_further_message(
    language: Language, link: str, messages: int, words: str
) -> None:
    text = sms.worded(WORDINGS[language], "Acme Plumbing", "Boiler service", "25 Nov 11:06 UTC", link)
    assert segments(text) == messages
    assert words in text


@BOTH
@pytest.mark.parametrize("company", ["A company of thirty letters, X", "Ñ" * 30, "Acme", "漢字"])
@pytest.mark.parametrize("title", ["Caldera", "Ñ" * 100, "漢字"])
def test_it_costs_one_message_in_any_month_in_any_language(
    company: str, title: str, language: Language
) -> None:
    for days in range(0, 360, 30):
        text = text_message(company, title, language, days=days).text
        assert text == written(text)
        assert segments(text) == 1, text


@BOTH
def test_each_wording_is_of_the_phones_alphabet_and_shorter_than_the_one_before(language: Language) -> None:
    told = {"company": "Acme", "title": "Boiler service", "until": "25", "link": LINK}
    texts = [one.format(**told) for one in WORDINGS[language].invitation.text_messages]
    assert list(map(written, texts)) == texts
    assert [text.split(" ")[-1] for text in texts] == [LINK] * len(texts)
    assert sorted(texts, key=len, reverse=True) == texts


@given(company=st.text(max_size=80), title=st.text(max_size=200), language=st.sampled_from(Language))
def test_whatever_the_names_it_is_of_the_phones_alphabet_and_two_messages_at_most(
    company: str, title: str, language: Language
) -> None:
    text = text_message(company, title, language).text
    assert OF_THE_ALPHABET.issuperset(text)
    assert segments(text) <= 2
    assert text.isprintable()


def test_names_are_written_as_near_as_the_alphabet_allows() -> None:
    assert written("“Łódź – O’Brien & Søn…” Çağ") == '"Lodz - O\'Brien & Søn..." Çag'
    for language, beginning in (
        (Language.EN, 'Your service company: your chat about "your job"'),
        (Language.ES, 'Su empresa de servicios: su chat sobre "su trabajo"'),
    ):
        text = sms.worded(WORDINGS[language], "漢字", "漢字", "25", "https://a.example/c")
        assert text.startswith(beginning)


def test_messages_are_counted_as_phones_count_them() -> None:
    assert [segments("a" * places) for places in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [segments("€" * places) for places in (80, 81)] == [1, 2]


def test_without_a_provider_text_messages_are_collected_in_a_folder(tmp_path: Path) -> None:
    outgoing = text_message()
    name = sent(sms.into_folder(tmp_path / "outbox"), outgoing)
    (item,) = recent(tmp_path / "outbox", 10)
    assert (item.name, item.channel, item.to, item.text) == (name, Channel.SMS, "+15550100", outgoing.text)
    assert item.links == (outgoing.text.split(" ")[-1],)
