"""Keyset pages and their opaque cursors; newest first, but for those that rise."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, Subquery, and_, false, select, tuple_, union_all

from jobthread.errors import Invalid
from jobthread.store.database import AnyRow, Reading
from jobthread.store.words import asked_for

T = TypeVar("T")
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Page(Generic[T]):
    items: list[T]
    next_cursor: str | None


def page_of(
    tx: Reading,
    chosen: Select[Any],
    keys: Sequence[ColumnElement[int]],
    cursor: str | None,
    limit: int,
    made: Callable[[AnyRow], T],
) -> Page[T]:
    """One page of `chosen` by falling `keys`, which must be among its columns and unique together."""
    return _cut(tx, _falling(chosen, keys, cursor), keys, limit, made)


def first_of_each(
    parts: Sequence[Select[Any]], keys: Sequence[ColumnElement[int]], cursor: str | None, limit: int
) -> Subquery:
    """What of these parts can be on one page by falling `keys`; each is read no further than for its own.

    For an index has each part in its order; all of them together would be read to their end, and sorted.
    """
    first = [_falling(part, keys, cursor).limit(limit + 1).subquery() for part in parts]
    return union_all(*(select(part) for part in first)).subquery()


def _falling(chosen: Select[Any], keys: Sequence[ColumnElement[int]], cursor: str | None) -> Select[Any]:
    if cursor is not None:
        after = decoded(cursor, len(keys))
        chosen = chosen.where(tuple_(*keys) < tuple_(*after) if len(keys) > 1 else keys[0] < after[0])
    return chosen.order_by(*(key.desc() for key in keys))


def rising_page_of(
    tx: Reading,
    chosen: Select[Any],
    keys: Sequence[ColumnElement[int]],
    cursor: str | None,
    limit: int,
    made: Callable[[AnyRow], T],
) -> Page[T]:
    """The same the other way round: the oldest first, the longest first."""
    if cursor is not None:
        chosen = chosen.where(tuple_(*keys) > tuple_(*decoded(cursor, len(keys))))
    return _cut(tx, chosen.order_by(*keys), keys, limit, made)


def _cut(
    tx: Reading,
    ordered: Select[Any],
    keys: Sequence[ColumnElement[int]],
    limit: int,
    made: Callable[[AnyRow], T],
) -> Page[T]:
    rows = tx.conn.execute(ordered.limit(limit + 1)).all()
    shown = rows[:limit]
    more = len(rows) > limit
    names = [str(key.key) for key in keys]
    next_cursor = encoded([getattr(shown[-1], name) for name in names]) if more else None
    return Page([made(row) for row in shown], next_cursor)


def encoded(values: Sequence[int]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decoded(cursor: str, length: int) -> list[int]:
    """Raises `Invalid` for anything that `encoded` did not make."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = msgspec.json.decode(raw, type=list[int])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise Invalid("cursor", "is not a cursor of this list") from error
    if len(values) != length or any(abs(value) > LARGEST for value in values):
        raise Invalid("cursor", "is not a cursor of this list")
    return values


def like_words(column: ColumnElement[str], query: str) -> ColumnElement[bool]:
    """Each word of `query` begins some word of the folded `column`; an empty query finds everything."""
    if not query.strip():
        return and_(True)
    words = asked_for(query)
    if not words:
        return false()
    # Folded words hold letters and digits only, so there is nothing to escape in them.
    return and_(*((" " + column).like(f"% {word}%") for word in words))
