"""A mail says what it should to whom it should, whatever stands in names and titles."""

import asyncio
import datetime
import re
from dataclasses import replace
from email.header import decode_header
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from jobthread.deliver.compose import composer, in_words
from jobthread.deliver.email import Sender, SmtpServer, sender, through, written
from jobthread.deliver.one_line import one_line
from jobthread.deliver.outgoing import DeliveryFailed, Invitation, Outgoing
from jobthread.deliver.wording import WORDINGS
from jobthread.entities import Channel, Delivery, DeliveryStatus, Language, Micros
from jobthread.tokens import new_token
from tests.deliver.mail_server import parsed, text_of
from tests.deliver.post import COMPOSE, KEY, SENDER, link_to

AT: Micros = 1_795_000_000_000_000
HEADERS = [
    *("Content-Type", "MIME-Version", "From", "To", "Subject", "Date", "Message-ID"),
    *("Auto-Submitted", "X-Auto-Response-Suppress"),
]
TRAP = "=?utf-8?q?a=0ABcc=3A_x=40y?="
NESTED = "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0ABcc=3A=5Fx=3D40y=3F=3D?="


def encoded(text: str) -> str:
    return "=?utf-8?q?" + "".join(f"={byte:02X}" for byte in text.encode()) + "?="


DEEP = encoded(encoded(encoded("a\nBcc: x@y")))
DEEPER = encoded(DEEP)
ODD_CHARACTERS = '\r\n\x00\x0b\x0c\x1c\x85\u2028\u2029\u202e\t =?_",;:<>@()[]\\.éß漢🙂'


def odd_text() -> st.SearchStrategy[str]:
    """Any text, and text out of the pieces that mail libraries stumble over."""
    pieces = st.sampled_from(
        [TRAP, NESTED, "\r\nBcc: x@y", "\nTo: x@y", "=?utf-8?b?DQpCY2M6IHhAeQ==?=", "a, b"]
    )
    return st.one_of(
        st.text(max_size=200),
        st.text(alphabet=ODD_CHARACTERS, max_size=60),
        st.lists(st.one_of(pieces, st.text(max_size=10)), max_size=6).map("".join),
    )


def invitation(
    title: str = "Boiler service",
    name: str = "Carol",
    *,
    language: Language = Language.EN,
    number: int = 7,
    queued_at: Micros = AT,
    attempts: int = 1,
) -> Invitation:
    channel, status = Channel.EMAIL, DeliveryStatus.SENDING
    to = "carol@example.com"
    delivery = Delivery(number, channel, to, status, 3, 123, attempts, queued_at, queued_at, None, None)
    return Invitation(delivery, new_token(), name, language, title, AT + 7 * 86_400_000_000)


def mail(what: Invitation, sender: Sender = SENDER) -> bytes:
    return written(COMPOSE(what), sender)


# --- what it says ---------------------------------------------------------------------------------


def test_a_mail_says_who_writes_about_what_and_until_when() -> None:
    what = invitation()
    received = parsed(mail(what))
    assert received["From"] == "Acme Plumbing <chat@acme.example.com>"
    assert received["To"] == "Carol <carol@example.com>"
    assert received["Subject"] == "Your chat about Boiler service with Acme Plumbing"
    assert received["Date"].datetime == datetime.datetime.fromtimestamp(AT / 1e6, datetime.UTC)
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["X-Auto-Response-Suppress"] == "All"
    assert received.keys() == HEADERS
    until = "Wednesday, 25 November 2026, 11:06 UTC"
    for kind in ("plain", "html"):
        text = text_of(received, kind)
        for words in ("Carol", "Acme Plumbing", "Boiler service", until, "personal"):
            assert words in text
        assert "Please answer in the chat." in text


def test_who_speaks_spanish_is_invited_in_spanish() -> None:
    received = parsed(mail(invitation("Caldera", "Carol", language=Language.ES)))
    assert received["Subject"] == "Su chat sobre Caldera con Acme Plumbing"
    for kind in ("plain", "html"):
        text = text_of(received, kind)
        for words in (
            "Hola Carol,",
            "Aquí tiene su chat con",
            "hasta el miércoles 25 de noviembre de 2026, 11:06 UTC.",
            "El enlace es personal",
            "Conteste en el chat. Una respuesta a este correo no llega a nadie.",
        ):
            assert words in text
    page = text_of(received, "html")
    assert "<title>Su chat con Acme Plumbing</title>" in page
    assert ">Abrir el chat</a>" in page
    assert "Si el botón no funciona, abra esta dirección:" in page


def test_no_word_of_one_language_stands_in_an_invitation_of_another() -> None:
    parts = {
        language: {
            line
            for kind in ("plain", "html")
            for line in _sentences(text_of(parsed(mail(invitation(language=language))), kind))
        }
        for language in Language
    }
    assert parts[Language.EN] & parts[Language.ES] == {"Acme Plumbing"}


def _sentences(text: str) -> set[str]:
    """Without markup and links: whatever stands between tags or line ends."""
    return {
        part.strip() for part in re.split(r"<[^>]*>|[\r\n]+", text) if part.strip() and "http" not in part
    }


@pytest.mark.parametrize("language", Language)
def test_a_page_says_which_language_it_is_in(language: Language) -> None:
    page = text_of(parsed(mail(invitation(language=language))), "html")
    assert re.findall(r"<html[^>]*>", page) == [f'<html lang="{language.value}">']


def test_where_answers_reach_nobody_an_invitation_says_so() -> None:
    what = invitation()
    about_a_thread = replace(what, delivery=structs.replace(what.delivery, thread_id=7))
    received = parsed(mail(about_a_thread))
    assert received["Reply-To"] is None
    for kind in ("plain", "html"):
        assert "A reply to this e-mail does not reach anybody." in text_of(received, kind)


def test_the_moment_is_told_in_words_with_its_zone() -> None:
    english, spanish = WORDINGS[Language.EN], WORDINGS[Language.ES]
    assert in_words(english, AT) == "Wednesday, 18 November 2026, 11:06 UTC"
    assert in_words(spanish, AT) == "miércoles 18 de noviembre de 2026, 11:06 UTC"


def test_the_days_and_months_are_those_of_the_calendar() -> None:
    for month in range(12):
        moment = datetime.datetime(2026, month + 1, 1 + month, 9, 5, tzinfo=datetime.UTC)
        told = in_words(WORDINGS[Language.EN], int(moment.timestamp()) * 1_000_000)
        assert told == f"{moment:%A}, {moment.day} {moment:%B} 2026, 09:05 UTC"


def test_the_link_survives_the_way_in_both_parts() -> None:
    for _ in range(50):
        what = invitation()
        link = link_to(123, what.token)
        content = mail(what)
        assert link.encode() not in content, "the encoding no longer breaks the link up: the test is idle"
        received = parsed(content)
        assert text_of(received).replace("\r\n", "\n").count(f"\n\n{link}\n\n") == 1
        page = Page()
        page.feed(text_of(received, "html"))
        assert page.links == [link, link]
        assert link in page.text


def test_the_page_loads_nothing_from_anywhere() -> None:
    page = Page()
    page.feed(text_of(parsed(mail(invitation())), "html"))
    assert page.tags.isdisjoint({"img", "link", "script", "style", "iframe", "object", "base", "form"})
    assert not re.search(r"url\(|@import|src=", text_of(parsed(mail(invitation())), "html"))


def test_names_are_text_and_never_markup() -> None:
    what = invitation(title='<img src="https://evil.example/x">', name="<b>Carol</b>")
    html = text_of(parsed(mail(what)), "html")
    assert "<img" not in html
    assert "<b>" not in html


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_data(self, data: str) -> None:
        self.text += data


# --- its name -------------------------------------------------------------------------------------


def test_every_attempt_at_a_delivery_makes_the_very_same_mail() -> None:
    first = invitation()
    assert mail(first) == mail(replace(invitation(attempts=5), token=first.token))


def test_the_message_id_is_of_one_delivery_in_one_database() -> None:
    ids = {
        parsed(content)["Message-ID"]
        for content in (
            mail(invitation()),
            mail(invitation(number=8)),
            mail(invitation(queued_at=AT + 1)),
            written(composer("Acme Plumbing", link_to, b"another key")(invitation()), SENDER),
        )
    }
    assert len(ids) == 4
    for message_id in ids:
        assert re.fullmatch(r"<[0-9a-f]{32}@chat\.acme\.example\.com>", message_id)


@pytest.mark.parametrize(
    ("base_url", "domain"),
    [
        ("https://chat.acme.example.com", "chat.acme.example.com"),
        ("http://localhost:8080", "localhost"),
        ("http://192.0.2.7:8080", "[192.0.2.7]"),
        ("http://[2001:db8::7]", "[IPv6:2001:db8::7]"),
    ],
)
def test_the_domain_of_message_ids_is_the_host_that_people_reach(base_url: str, domain: str) -> None:
    assert sender("chat@acme.example.com", "Acme", base_url) == Sender(
        "Acme", "chat@acme.example.com", domain
    )


def test_a_sender_with_a_name_of_its_own_keeps_it() -> None:
    assert sender('"Acme, Chat" <chat@acme.example.com>', "Acme", "http://localhost").name == "Acme, Chat"


# --- what it will not be talked into --------------------------------------------------------------


@given(company=odd_text(), title=odd_text(), name=odd_text())
@example(company=TRAP, title=TRAP, name=TRAP)
@example(company=NESTED, title=NESTED, name=NESTED)
@example(company=DEEP, title=DEEP, name=DEEP)
@example(company=DEEPER, title=DEEPER, name=DEEPER)
@example(company="Acme", title=encoded(NESTED), name=encoded(NESTED))
@example(company='x@evil.example, "é', title="x" * 200, name="evil@example.net, Ünï" + "ß" * 60)
@example(company="a\r\nBcc: x@y", title="a\u2028Bcc: x@y", name="a\x85Bcc: x@y")
def test_no_name_or_title_adds_a_header_or_a_recipient(company: str, title: str, name: str) -> None:
    what = invitation(title, name)
    compose = composer(company, link_to, KEY)
    content = written(
        compose(what), sender("chat@acme.example.com", company, "https://chat.acme.example.com")
    )
    assert names_of_headers(content) == HEADERS
    received = parsed(content)
    assert received.keys() == HEADERS
    assert [address.addr_spec for address in received["To"].addresses] == ["carol@example.com"]
    assert [address.addr_spec for address in received["From"].addresses] == ["chat@acme.example.com"]
    assert link_to(123, what.token) in text_of(received)
    assert not received.defects
    for value in (once_decoded(content, "Subject"), once_decoded(content, "To")):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", value)


def names_of_headers(content: bytes) -> list[str]:
    """As a server sees them: whatever begins a line before the first empty one."""
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    assert "\r" not in head.replace("\r\n", "")
    assert "\n" not in head.replace("\r\n", "")
    return [line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"]


def once_decoded(content: bytes, header: str) -> str:
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    (value,) = re.findall(rf"(?m)^{header}: ([^\r]*(?:\r\n[ \t][^\r]*)*)", head)
    parts = decode_header(re.sub(r"\r\n[ \t]", " ", value))
    return "".join(
        part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in parts
    )


def test_a_title_that_came_encoded_is_read_before_it_is_sent() -> None:
    received = parsed(mail(invitation(title=TRAP)))
    assert received["Subject"] == "Your chat about a Bcc: x@y with Acme Plumbing"


def test_what_looks_encoded_to_the_last_is_sent_as_the_text_that_it_is() -> None:
    content = written(replace(COMPOSE(invitation()), subject=DEEPER, to_name=DEEPER), SENDER)
    for header in ("Subject", "To"):
        assert once_decoded(content, header).startswith("=?utf-8?q?=61=0A")


@given(text=odd_text())
@example(text=DEEP)
def test_a_title_made_fit_for_one_line_stays_as_it_is(text: str) -> None:
    line = one_line(text, 100)
    assert len(line) <= 100
    assert one_line(line, 100) == line or "=?" in line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", line)


def test_ordinary_names_reach_the_reader_unchanged() -> None:
    for name in (
        "Müller & Söhne GmbH",
        "Smith, Jones",
        'The "Best" Plumbers',
        "漢字商店",
        "O'Brien",
        "50 % = half?",
    ):
        received = parsed(
            written(composer(name, link_to, KEY)(invitation(name, name)), Sender(name, "a@b.example", "b"))
        )
        assert received["From"].addresses[0].display_name == name
        assert received["To"].addresses[0].display_name == name
        assert received["Subject"] == f"Your chat about {name} with {name}"


@pytest.mark.parametrize(
    "to",
    [
        "carol@example.com\r\nBcc: x@y",
        "carol@example.com, x@y.example",
        "ca rol@example.com",
        "carøl@example.com",
        "",
    ],
)
def test_an_address_that_is_none_is_a_failure_and_no_crash(to: str) -> None:
    async def send() -> None:
        outgoing = replace(COMPOSE(invitation()), to=to)
        await through(SmtpServer("127.0.0.1", 9, None, None, "off"), SENDER)(outgoing)

    with pytest.raises(DeliveryFailed) as failed:
        asyncio.run(send())
    assert failed.value.permanent


def test_an_address_that_looks_encoded_is_left_as_it_is() -> None:
    address = "=?utf-8?q?a=0ABcc=3Ax?=@example.com"
    content = written(replace(COMPOSE(invitation()), to=address, to_name=""), SENDER)
    assert names_of_headers(content) == HEADERS
    assert f"To: {address}\r\n".encode() in content


def test_a_token_shows_in_no_repr() -> None:
    what = invitation()
    assert what.token not in repr(what)
    outgoing: Outgoing = COMPOSE(what)
    assert what.token not in repr(outgoing)
