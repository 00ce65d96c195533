"""What a piece of work is handed: a connection, and the moment that counts as now."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Row

from jobthread.entities import Happening, Micros
from jobthread.errors import JobthreadError

AnyRow = Row[*tuple[Any, ...]]
AnswerT = TypeVar("AnswerT", covariant=True)
OneT = TypeVar("OneT", contravariant=True)


def wall_clock() -> Micros:
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Reading:
    """A connection to read with, and the moment that counts as now."""

    conn: Connection
    now: Micros

    @property
    def dialect(self) -> str:
        return self.conn.dialect.name


@dataclass(frozen=True)
class Writing(Reading):
    """A transaction under way. What it brings about is told once it is on disk, and only then."""

    happenings: list[Happening] = field(default_factory=list)

    def tell(self, happening: Happening) -> None:
        self.happenings.append(happening)


class ManyAtOnce(Protocol[OneT, AnswerT]):
    """Writes all of a batch's items in a few statements. Answers each with a value or an error, in order."""

    def __call__(self, tx: Writing, items: Sequence[OneT], /) -> Sequence[AnswerT | JobthreadError]: ...
