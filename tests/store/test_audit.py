"""The sealed trail: whatever is changed, taken out or put in afterwards is named at its first row."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from jobthread.actions import people
from jobthread.entities import Role
from jobthread.store import audit
from jobthread.store.audit import Verdict
from jobthread.store.database import Database, Writing
from jobthread.store.tables import audit_head, audit_log
from tests.cast import NOBODY, PASSWORD_HASH

KEY = b"the key that signs the head"
PEOPLE = ("Ada", "Dora", "Dan", "Tom", "Tara", "Theo")

_COLUMNS = "at, actor_kind, actor_id, actor_name, action, ip, user_agent, details"
_INSERTED = f"INSERT INTO audit_log ({_COLUMNS}, hash, position) SELECT {_COLUMNS}, hash"


@pytest.fixture
def trail(db: Database) -> Database:
    """Six rows, sealed."""
    for name in PEOPLE:
        write(db, enrol(name))
    assert write(db, lambda tx: audit.seal(tx, KEY)) == len(PEOPLE)
    return db


def enrol(name: str) -> Callable[[Writing], Any]:
    return lambda tx: people.enrol(tx, NOBODY, name, f"{name}@example.com", Role.DISPATCHER, PASSWORD_HASH)


def write(db: Database, act: Callable[[Writing], Any]) -> Any:
    return asyncio.run(db.write(act))


def verdict(db: Database, expected: str | None = None, key: bytes = KEY) -> Verdict:
    return asyncio.run(db.read(lambda tx: audit.verify(tx, key, expected)))


def tamper(db: Database, *statements: str) -> None:
    def tampered(tx: Writing) -> None:
        for statement in statements:
            tx.conn.execute(text(statement))

    write(db, tampered)


def head_of(db: Database) -> str:
    found = verdict(db)
    return f"{found.position}:{found.hash.hex()}"


def test_a_trail_as_it_was_written_is_whole(trail: Database) -> None:
    assert (verdict(trail).fault, verdict(trail).position, verdict(trail).unsealed) == (None, 6, 0)
    assert verdict(trail, expected=head_of(trail)).fault is None


def test_it_stays_whole_as_it_grows(trail: Database) -> None:
    noted = head_of(trail)
    write(trail, enrol("Theresa"))
    assert (verdict(trail).fault, verdict(trail).unsealed) == (None, 1)
    write(trail, lambda tx: audit.seal(tx, KEY))
    assert (verdict(trail).fault, verdict(trail).position) == (None, 7)
    assert verdict(trail, expected=noted).fault is None


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (
            ["UPDATE audit_log SET actor_name = 'Nobody' WHERE position = 3"],
            "row id {3} at position 3 was changed or inserted",
        ),
        (
            ["UPDATE audit_log SET at = at + 1 WHERE position IN (2, 5)"],
            "row id {2} at position 2 was changed or inserted",
        ),
        (
            ["UPDATE audit_log SET details = '{}' WHERE position = 6"],
            "row id {6} at position 6 was changed or inserted",
        ),
        (
            [
                "UPDATE audit_log SET hash = (SELECT hash FROM audit_head) WHERE position = 4",
            ],
            "row id {4} at position 4 was changed or inserted",
        ),
        (
            ["DELETE FROM audit_log WHERE position = 4"],
            "row at position 4 was removed (the next one there is has id {5})",
        ),
        (
            ["DELETE FROM audit_log WHERE position IN (1, 4)"],
            "row at position 1 was removed (the next one there is has id {2})",
        ),
        (
            ["DELETE FROM audit_log WHERE position > 4"],
            "row at position 5 was removed (the chain was sealed up to 6)",
        ),
        (["DELETE FROM audit_log"], "row at position 1 was removed (the chain was sealed up to 6)"),
        (
            [
                "UPDATE audit_log SET position = -position WHERE position >= 3",
                "UPDATE audit_log SET position = 1 - position WHERE position < 0",
                f"{_INSERTED}, 3 FROM audit_log WHERE position = 2",
            ],
            "row id {7} at position 3 was changed or inserted",
        ),
        (
            [f"{_INSERTED}, 7 FROM audit_log WHERE position = 2"],
            "row id {7} at position 7 was inserted (sealed up to 6)",
        ),
        (
            [
                "UPDATE audit_log SET position = 0 WHERE position = 2",
                "UPDATE audit_log SET position = 2 WHERE position = 3",
                "UPDATE audit_log SET position = 3 WHERE position = 0",
            ],
            "row id {3} at position 2 was changed or inserted",
        ),
        (["UPDATE audit_head SET position = 5"], "the head of the chain was not signed with this secret key"),
        (
            ["UPDATE audit_head SET hash = (SELECT hash FROM audit_log WHERE position = 5)"],
            "the head of the chain was not signed with this secret key",
        ),
        (
            [
                "DELETE FROM audit_log WHERE position > 4",
                "UPDATE audit_head SET position = 4, hash = (SELECT hash FROM audit_log WHERE position = 4)",
            ],
            "the head of the chain was not signed with this secret key",
        ),
    ],
)
def test_tampering_is_named_at_its_first_row(trail: Database, statements: list[str], fault: str) -> None:
    ids = ids_by_position(trail)
    tamper(trail, *statements)
    assert verdict(trail).fault == fault.format(0, *ids)


def ids_by_position(trail: Database) -> list[int]:
    """Of the six rows, and the id that comes next."""
    rows = text("SELECT id FROM audit_log ORDER BY position")
    found = asyncio.run(trail.read(lambda tx: list(tx.conn.execute(rows).scalars())))
    return [*found, found[-1] + 1]


def test_a_chain_rewritten_without_the_key_does_not_pass(trail: Database) -> None:
    """The whole chain is made anew, and right in itself: only the head's signature tells."""
    rewrite(trail, 4, b"some other key")
    assert verdict(trail).fault == "the head of the chain was not signed with this secret key"
    assert verdict(trail, key=b"some other key").fault is None


def rewrite(trail: Database, without: int, key: bytes) -> None:
    """Take out one row and chain all others anew."""

    def rewritten(tx: Writing) -> None:
        tx.conn.execute(delete(audit_log).where(audit_log.c.position == without))
        tx.conn.execute(update(audit_log).values(position=None))
        tx.conn.execute(update(audit_head).values(position=0, hash=audit.FIRST))
        audit.seal(tx, key)

    write(trail, rewritten)


def test_a_trail_put_back_to_an_earlier_day_lacks_the_head_noted_since(trail: Database) -> None:
    write(trail, enrol("Theresa"))
    write(trail, lambda tx: audit.seal(tx, KEY))
    noted = head_of(trail)
    rewrite(trail, 7, KEY)
    assert verdict(trail).fault is None
    assert verdict(trail, expected=noted).fault == "the head that was noted down is not in the chain"
