"""Addresses that answers come back to: read as they were made, and by nobody made up."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobthread.deliver.reply_address import Answering, make, read
from jobthread.entities import Reader, SenderKind

KEY = b"a key for reply addresses"
ADDRESS = "reply@mail.example.com"

ids = st.integers(0, 2**63 - 1)
readers = st.tuples(st.sampled_from([SenderKind.STAFF, SenderKind.CUSTOMER]), ids)
keys = st.binary(min_size=1, max_size=64)


@given(readers, ids, keys)
def test_what_was_made_is_read_again(reader: Reader, thread_id: int, key: bytes) -> None:
    made = make(key, ADDRESS, reader, thread_id)
    assert read(key, ADDRESS, made) == Answering(reader, thread_id)


@given(readers, ids)
def test_mail_programs_may_write_it_in_capitals(reader: Reader, thread_id: int) -> None:
    made = make(KEY, ADDRESS, reader, thread_id)
    assert read(KEY, ADDRESS, made.upper()) == Answering(reader, thread_id)


@given(readers, ids)
def test_it_fits_into_an_envelope(reader: Reader, thread_id: int) -> None:
    local, _, domain = make(KEY, ADDRESS, reader, thread_id).rpartition("@")
    assert len(local) <= 64
    assert domain == "mail.example.com"
    assert local.removeprefix("reply+").isalnum()


@given(readers, ids, keys, keys)
def test_another_key_reads_nothing(reader: Reader, thread_id: int, key: bytes, other: bytes) -> None:
    # HMAC pads short keys with zeros: such keys are one.
    assume(key.rstrip(b"\0") != other.rstrip(b"\0"))
    assert read(other, ADDRESS, make(key, ADDRESS, reader, thread_id)) is None


@given(st.data(), readers, ids)
def test_no_change_of_any_letter_is_taken(data: st.DataObject, reader: Reader, thread_id: int) -> None:
    made = make(KEY, ADDRESS, reader, thread_id)
    place = data.draw(st.integers(len("reply+"), made.index("@") - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567="))
    assume(letter != made[place])
    assert read(KEY, ADDRESS, made[:place] + letter + made[place + 1 :]) is None


@given(st.data(), readers, ids, readers, ids)
def test_pieces_of_two_make_no_third(
    data: st.DataObject, one: Reader, in_one: int, other: Reader, in_other: int
) -> None:
    first, second = make(KEY, ADDRESS, one, in_one), make(KEY, ADDRESS, other, in_other)
    cut = data.draw(st.integers(len("reply+") + 1, min(first.index("@"), second.index("@")) - 1))
    mixed = first[:cut] + second[cut:]
    assume(mixed not in (first, second))
    assert read(KEY, ADDRESS, mixed) is None


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", max_size=58))
def test_nobody_guesses_one(token: str) -> None:
    assert read(KEY, ADDRESS, f"reply+{token}@mail.example.com") is None


@given(st.text(max_size=80), st.text(max_size=40))
def test_whatever_an_address_is_it_does_no_harm(local: str, domain: str) -> None:
    assert read(KEY, ADDRESS, f"{local}@{domain}") is None
    assert read(KEY, ADDRESS, f"reply+{local}@mail.example.com") is None


@pytest.mark.parametrize(
    "changed",
    [
        ("@mail.example.com", "@evil.example.com"),
        ("@mail.example.com", "@mail.example.com.evil.example"),
        ("reply+", "other+"),
        ("reply+", "reply"),
        ("reply+", "reply++"),
        ("@mail.example.com", "=@mail.example.com"),
        ("@mail.example.com", " @mail.example.com"),
    ],
)
def test_another_place_or_name_is_not_ours(changed: tuple[str, str]) -> None:
    made = make(KEY, ADDRESS, (SenderKind.STAFF, 7), 12)
    assert read(KEY, ADDRESS, made.replace(*changed)) is None


def test_who_may_answer_where_cannot_be_told_apart_by_padding() -> None:
    """Two readings of one address would be two rights from one signature."""
    found = {
        read(KEY, ADDRESS, make(KEY, ADDRESS, (SenderKind.STAFF, reader), thread))
        for reader in (0, 1, 127, 128, 16_384)
        for thread in (0, 1, 127, 128, 16_384)
    }
    assert len(found) == 25
