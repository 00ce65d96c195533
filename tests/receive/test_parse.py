# ruff: noqa: E501
"""Mails as they come in real life and worse: whatever they are, reading them ends and breaks nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobthread.api import fields
from jobthread.receive import parse

HEAD = b"From: carol@example.com\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"


def text(raw: bytes) -> str:
    return parse.read(raw, "name", "chat.example.com").text


def mixed(*parts: bytes, kind: bytes = b"mixed") -> bytes:
    inner = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return b'Content-Type: multipart/%s; boundary="b"\r\n\r\n%s--b--\r\n' % (kind, inner)


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nAt nine"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>At <b>nine</b></p>"


def photo(name: bytes = b'"photo.jpg"', size: int = 30_000, more: bytes = b"") -> bytes:
    return b"Content-Type: image/jpeg; name=%s\r\n%s\r\n%s" % (name, more, b"A" * size)


@pytest.mark.parametrize(
    ("charset", "written"),
    [
        ("utf-8", "Mañana a las 9".encode()),
        ("iso-8859-1", "Mañana a las 9".encode("latin-1")),
        ("windows-1252", "Mañana a las 9".encode("cp1252")),
        ("no-such-thing", "Mañana a las 9".encode()),
        ("utf-8", "Mañana a las 9".encode("cp1252")),
        ("us-ascii", "Mañana a las 9".encode()),
        ("utf-16", "Mañana a las 9".encode("utf-16")),
        ("unicode_escape", "Mañana a las 9".encode()),
        ("punycode", "Mañana a las 9".encode()),
        ("base64", "Mañana a las 9".encode()),
    ],
)
def test_charsets_right_and_wrong(charset: str, written: bytes) -> None:
    raw = HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + written
    assert text(raw) == "Mañana a las 9"


@pytest.mark.parametrize("encoding", [b"quoted-printable", b"QUOTED-PRINTABLE"])
def test_transfer_encodings(encoding: bytes) -> None:
    raw = HEAD + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\nMa=C3=B1ana a =\r\nlas 9"
    assert (
        text(raw.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", 1))
        == "Mañana a las 9"
    )
    plain = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nTWHDsWFuYQ=!="
    )
    assert text(HEAD + plain) == "Mañana"


def test_plain_text_is_preferred_and_html_read_where_it_is_alone() -> None:
    assert text(HEAD + mixed(HTML, PLAIN, kind=b"alternative")) == "At nine"
    assert text(HEAD + HTML) == "At nine"
    empty = b"Content-Type: text/plain\r\n\r\n  \r\n"
    assert text(HEAD + mixed(empty, HTML, kind=b"alternative")) == "At nine"


def test_attachments_are_named() -> None:
    assert text(HEAD + mixed(PLAIN, photo())) == "At nine\n\n[1 attachment: photo.jpg]"
    assert (
        text(HEAD + mixed(PLAIN, photo(), photo(b'"plan.pdf"')))
        == "At nine\n\n[2 attachments: photo.jpg, plan.pdf]"
    )
    assert text(HEAD + mixed(photo(), PLAIN, photo())) == "At nine\n\n[2 attachments: photo.jpg, photo.jpg]"
    assert text(HEAD + mixed(photo())) == "[1 attachment: photo.jpg]"
    many = text(HEAD + mixed(PLAIN, *[photo()] * 9))
    assert many.endswith("[9 attachments: " + "photo.jpg, " * 5 + "…]")


def test_a_photo_alone_does_not_bring_the_quote_with_it() -> None:
    quoted = b"Content-Type: text/plain\r\n\r\nOn Mon, 23 Nov 2026, Dora wrote:\r\n> When?\r\n"
    assert text(HEAD + mixed(quoted, photo())) == "[1 attachment: photo.jpg]"


def test_names_of_attachments_are_one_clean_line() -> None:
    names = {
        b'"=?utf-8?q?ma=C3=B1ana=2Ejpg?="': "mañana.jpg",
        b'"=?utf-8?q?a=0D=0AX-Evil=3A_1?="': "a X-Evil: 1",
        b'"a]b[c.jpg"': "a b c.jpg",
        b'"' + b"x" * 300 + b'"': "x" * 79 + "…",
        b'"=?no-such?q?x?="': "",
    }
    for written, shown in names.items():
        expected = f"At nine\n\n[1 attachment: {shown}]" if shown else "At nine\n\n[1 attachment]"
        assert text(HEAD + mixed(PLAIN, photo(written))) == expected
    rfc2231 = b"Content-Type: image/jpeg\r\nContent-Disposition: attachment; filename*=utf-8''ma%C3%B1ana.jpg\r\n\r\nA"
    assert text(HEAD + mixed(PLAIN, rfc2231)) == "At nine\n\n[1 attachment: mañana.jpg]"


def test_the_small_pictures_of_a_signature_are_not_worth_naming() -> None:
    logo = photo(b'"image001.png"', 2_000, b"Content-ID: <logo>\r\nContent-Disposition: inline\r\n")
    pasted = photo(b'"image002.png"', 90_000, b"Content-ID: <pasted>\r\nContent-Disposition: inline\r\n")
    assert text(HEAD + mixed(HTML, logo, kind=b"related")) == "At nine"
    assert text(HEAD + mixed(HTML, pasted, kind=b"related")) == "At nine\n\n[1 attachment: image002.png]"


def test_a_mail_inside_a_mail_is_an_attachment() -> None:
    inner = (
        b"Content-Type: message/rfc822\r\n\r\nFrom: x@example.com\r\nContent-Type: text/plain\r\n\r\nNot mine"
    )
    assert text(HEAD + mixed(PLAIN, inner)) == "At nine\n\n[1 attachment]"


def test_lines_broken_for_the_way_are_put_together() -> None:
    raw = (
        HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\nAt nine \r\nis fine.\r\n\r\n-- \r\nCarol\r\n"
    )
    assert text(raw) == "At nine is fine."


def test_nothing_gets_in_that_a_message_must_not_hold() -> None:
    raw = HEAD + b"\r\n" + bytes(range(256)) * 3
    assert fields.body(text(raw)) == text(raw)


# --- senders --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("carol@example.com", "carol@example.com"),
        ("Carol <carol@example.com>", "carol@example.com"),
        ('"Weaver, Carol" <carol@example.com>', "carol@example.com"),
        ("=?utf-8?q?Mar=C3=ADa?= <carol@example.com>", "carol@example.com"),
        ("Carol\r\n <carol@example.com>", "carol@example.com"),
        ('"carol@example.com" <mallory@example.com>', "mallory@example.com"),
        ("carol@example.com <mallory@example.com>", None),
        ("carol@example.com, mallory@example.com", None),
        ("Friends: carol@example.com;", None),
        ("carol@example.com (Carol)", "carol@example.com"),
        ("mallory@example.com (carol@example.com)", "mallory@example.com"),
        ("<carol@example.com> <mallory@example.com>", None),
        ("", None),
        ("carol", None),
        ("<>", None),
        ("carol@example.com" * 200, None),
    ],
)
def test_who_a_mail_comes_from(written: str, address: str | None) -> None:
    raw = f"From: {written}\r\n\r\nHello".encode()
    assert parse.read(raw, "name", "chat.example.com").sender == address


def test_two_senders_are_none() -> None:
    raw = b"From: carol@example.com\r\nFrom: mallory@example.com\r\n\r\nHello"
    assert parse.read(raw, "name", "chat.example.com").sender is None


# --- worse ----------------------------------------------------------------------------------------


@given(st.binary(max_size=400))
def test_whatever_bytes_they_are(raw: bytes) -> None:
    for given_bytes in (raw, HEAD + raw, HEAD + b"\r\n" + raw, HEAD + mixed(raw, PLAIN)):
        parse.recipients(given_bytes)
        found = parse.read(given_bytes, "name", "chat.example.com")
        assert not found.text or fields.body(found.text[: fields.LONGEST_BODY]).strip()


NAMES = [
    "From",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Message-ID",
    "To",
    "Content-Disposition",
    "Precedence",
]
PIECES = [*"abc@<>=?;:\"'\\/()[]*%é,._- \t", "multipart/mixed", "boundary=b", "=?utf-8?q?"]
HEADERS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(PIECES)).map("".join)), max_size=6
)


@given(HEADERS, st.binary(max_size=100))
def test_whatever_headers_they_have(headers: list[tuple[str, str]], body: bytes) -> None:
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n" + body
    parse.recipients(raw)
    parse.read(raw, "name", "chat.example.com")


def test_a_mail_nested_too_deep_is_not_read() -> None:
    started = time.monotonic()
    for depth in (30, 99, 5_000):
        raw = HEAD
        for level in range(depth):
            raw += b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level)
        raw += PLAIN
        assert text(raw) in ("", "[1 attachment]")
    assert time.monotonic() - started < 10


def test_heads_and_bodies_without_end_take_little_time() -> None:
    started = time.monotonic()
    for raw in (
        b"X: " + b"a" * 20_000_000,
        b"X: a\r\n" * 2_000_000,
        HEAD + b"\r\n" + b"a\r\n" * 5_000_000,
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 2_000_000,
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 2_000_000,
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a b='" * 2_000_000,
        HEAD + b"Content-Type: text/html\r\n\r\n<" + b"a" * 2_000_000,
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<script><?" * 500_000,
        HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"aZ-9" * 500_000,
        HEAD + b"To: " + b"a@" * 100_000 + b"\r\n\r\nHello",
        b"From: " + b"(" * 1_900 + b"\r\n\r\nHello",
    ):
        parse.recipients(raw)
        parse.read(raw, "name", "chat.example.com")
    assert time.monotonic() - started < 30
