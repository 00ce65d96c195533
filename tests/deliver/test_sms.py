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
from jobthread.entities import Channel, Delivery, DeliveryStatus
from jobthread.tokens import new_token
from tests.deliver.post import KEY, link_to, sent

AT = 1_795_000_000_000_000
LINK = link_to(123, "T" * 43)
OF_THE_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€\f"
)


def text_message(company: str = "Acme Plumbing", title: str = "Boiler service") -> Outgoing:
    delivery = Delivery(7, Channel.SMS, "+15550100", DeliveryStatus.SENDING, 3, 123, 1, AT, AT, None, None)
    invitation = Invitation(delivery, new_token(), "Carol", title, AT + 7 * 86_400_000_000)
    return composer(company, link_to, KEY)(invitation)


def test_a_text_message_says_who_writes_and_until_when_and_ends_with_the_link() -> None:
    outgoing = text_message()
    assert outgoing.text.startswith("Acme Plumbing: your ")
    assert "until 25 Nov 11:06 UTC" in outgoing.text
    assert outgoing.text.split(" ")[-1].startswith(
        "https://chat.acme.example.com/customer/chat?jobId=123&token="
    )


def test_nothing_is_promised_that_is_not_so() -> None:
    assert "STOP" not in text_message().text.upper()


@pytest.mark.parametrize(
    ("link", "messages", "words"),
    [
        ("https://a.example/c?" + "t" * 20, 1, "please do not pass on"),
        (LINK, 1, "until"),
        (
            "https://" + "long." * 12 + "example/customer/chat?jobId=123&token=" + "t" * 43,
            2,
            "please do not pass on",
        ),
    ],
)
def test_the_fullest_wording_is_taken_that_costs_no_further_message(
    link: str, messages: int, words: str
) -> None:
    text = sms.worded("Acme Plumbing", "Boiler service", "25 Nov 11:06 UTC", link)
    assert segments(text) == messages
    assert words in text


@given(company=st.text(max_size=80), title=st.text(max_size=200))
def test_whatever_the_names_it_is_of_the_phones_alphabet_and_two_messages_at_most(
    company: str, title: str
) -> None:
    text = text_message(company, title).text
    assert OF_THE_ALPHABET.issuperset(text)
    assert segments(text) <= 2
    assert text.isprintable()


def test_names_are_written_as_near_as_the_alphabet_allows() -> None:
    assert written("“Łódź – O’Brien & Søn…” Çağ") == '"Lodz - O\'Brien & Søn..." Çag'
    assert sms.worded("漢字", "漢字", "25 Nov", "https://a.example/c").startswith(
        "Your service company: your chat"
    )


def test_messages_are_counted_as_phones_count_them() -> None:
    assert [segments("a" * places) for places in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [segments("€" * places) for places in (80, 81)] == [1, 2]


def test_without_a_provider_text_messages_are_collected_in_a_folder(tmp_path: Path) -> None:
    outgoing = text_message()
    name = sent(sms.into_folder(tmp_path / "outbox"), outgoing)
    (item,) = recent(tmp_path / "outbox", 10)
    assert (item.name, item.channel, item.to, item.text) == (name, Channel.SMS, "+15550100", outgoing.text)
    assert item.links == (outgoing.text.split(" ")[-1],)
