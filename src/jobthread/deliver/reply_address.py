"""Addresses that an answer by mail comes back to: who answers, and in which thread, signed.

`reply+<token>@example.com`. Mail programs may write the token in capitals. Nothing here reads or writes
anything; whether the reader may still write in the thread is for whoever takes the mail to ask.
"""

from dataclasses import dataclass

from jobthread.entities import Reader, SenderKind
from jobthread.tokens import signed, signed_numbers

_KINDS = (SenderKind.STAFF, SenderKind.CUSTOMER)
LONGEST = 254


@dataclass(frozen=True, slots=True)
class Answering:
    reader: Reader
    thread_id: int


def make(key: bytes, address: str, reader: Reader, thread_id: int) -> str:
    """`address` is the one that all answers come to: `reply@example.com`."""
    kind, reader_id = reader
    local, _, domain = address.rpartition("@")
    return f"{local}+{signed(key, [_KINDS.index(kind), reader_id, thread_id])}@{domain}"


def read(key: bytes, address: str, written_to: str) -> Answering | None:
    """Who answers where, by the address that a mail was sent to; None where we did not make it."""
    if len(written_to) > LONGEST:
        return None
    local, _, domain = address.lower().rpartition("@")
    their_local, _, their_domain = written_to.lower().rpartition("@")
    if their_domain != domain or not their_local.startswith(f"{local}+"):
        return None
    numbers = signed_numbers(key, their_local.removeprefix(f"{local}+"), 3)
    if numbers is None or numbers[0] >= len(_KINDS):
        return None
    return Answering((_KINDS[numbers[0]], numbers[1]), numbers[2])
