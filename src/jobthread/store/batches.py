"""Many rows in one JSON parameter: one statement a batch, compiled once, and few trips to the database."""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    JSON,
    ColumnElement,
    Executable,
    FromClause,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

from jobthread.store import engines
from jobthread.store.transactions import Reading

AnswerT = TypeVar("AnswerT")
Answer = Callable[[], AnswerT]
"""What was asked for, to be called once the `at_once` around it has ended."""


class Rows:
    """The rows of the parameter `rows`, a JSON array of arrays, as something to select from."""

    def __init__(self, dialect: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        sqlite = dialect == "sqlite"
        parameter: ColumnElement[str] = bindparam("rows")
        source = (
            # The rows stay as they were parsed: json_each makes each of them text, to be parsed once more.
            func.jsonb_each(parameter)
            if sqlite
            else func.json_array_elements(cast(cast(parameter, Text), JSON))
        )
        self.table: FromClause = source.table_valued("value", name="given")
        value = self.table.c.value
        # Places are written out: as parameters they cost SQLite a fifth of the statement.
        self.columns: dict[str, ColumnElement[Any]] = {
            name: func.json_extract(value, literal_column(f"'$[{place}]'"), type_=kind)
            if sqlite
            else cast(value.op("->>")(literal_column(str(place))), kind)
            for place, (name, kind) in enumerate(columns.items())
        }

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self.columns[name]


def as_json(rows: Any) -> str:
    return msgspec.json.encode(rows).decode()


# --- asking ---------------------------------------------------------------------------------------


@contextmanager
def at_once(tx: Reading) -> Iterator[None]:
    """What is asked for inside goes to PostgreSQL together: it waits for one trip, not for one each.

    Each statement still sees what those before it did, and what was committed before its own beginning. Only
    for what this module sends: SQLAlchemy's own calls look at their answers too soon.
    """
    if tx.dialect == "sqlite":
        yield
        return
    try:
        with _driver(tx).pipeline() as pipeline:
            pipeline._exit_gen = partial(_ended, pipeline)
            yield
    except _driver_error(tx) as error:
        raise engines.translated(tx.conn, error) from error


def _ended(pipeline: Any) -> Iterator[Any]:
    """As the driver ends it, less the Flush that it sends after the Sync.

    At a Flush alone PostgreSQL forgets `idle_in_transaction_session_timeout` until the next statement, and
    whoever freezes just then keeps its locks for good.
    """
    try:
        pipeline._enqueue_sync()
        yield from pipeline._communicate_gen()
    finally:
        yield from pipeline._fetch_gen(flush=False)


def run(tx: Reading, statement: Callable[[str], Executable], **given: Any) -> None:
    """Run the statement that `statement(dialect)` makes, compiled once for ever.

    For the hot path: SQLAlchemy looks a statement up in its cache and makes a result each time, which costs
    more than a small statement itself. Values come as the driver has them: SQLite's booleans are ints.
    """
    _executed(tx, _compiled(statement, tx.conn.dialect), given)


def count_changed(tx: Reading, statement: Callable[[str], Executable], **given: Any) -> int:
    """The same, and how many rows it changed. Not inside `at_once`."""
    changed: int = _executed(tx, _compiled(statement, tx.conn.dialect), given).rowcount
    return changed


def fetch(tx: Reading, statement: Callable[[str], Executable], **given: Any) -> list[Any]:
    """The rows of a SELECT, with names."""
    return ask_named(tx, statement, **given)()


def ask_named(tx: Reading, statement: Callable[[str], Executable], **given: Any) -> Answer[list[Any]]:
    compiled = _compiled(statement, tx.conn.dialect, _SHAPES[tx.dialect])
    rows = _asked(tx, compiled, Any, given)
    return lambda: [compiled.row(values) for values in rows()]


def ask(tx: Reading, statement: Callable[[str], Executable], kind: Any, **given: Any) -> Answer[list[Any]]:
    """The rows of a SELECT, or on PostgreSQL of a RETURNING, each made into a `kind`: some type of tuple."""
    return _asked(tx, _compiled(statement, tx.conn.dialect, _SHAPES[tx.dialect]), kind, given)


def _asked(tx: Reading, compiled: "_Compiled", kind: Any, given: Mapping[str, Any]) -> Answer[list[Any]]:
    cursor = _executed(tx, compiled, given)
    if tx.dialect == "sqlite":
        (together,) = cursor.fetchone()
        found = _decoder(kind).decode(together)
        return lambda: found
    return lambda: _converted(_rows(tx, cursor), kind)


def _executed(tx: Reading, compiled: "_Compiled", given: Mapping[str, Any]) -> Any:
    cursor = _driver(tx).cursor()
    try:
        cursor.execute(compiled.sql, compiled.parameters(given))
    except _driver_error(tx) as error:
        raise engines.translated(tx.conn, error) from error
    return cursor


def _rows(tx: Reading, cursor: Any) -> list[tuple[Any, ...]]:
    try:
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    except _driver_error(tx) as error:
        raise engines.translated(tx.conn, error) from error
    return rows


def _driver(tx: Reading) -> Any:
    """The driver's own connection, in the transaction that SQLAlchemy began."""
    return tx.conn.connection.dbapi_connection


def _driver_error(tx: Reading) -> Any:
    return tx.conn.dialect.loaded_dbapi.Error


# --- compiling ------------------------------------------------------------------------------------


def _in_one_row(statement: Any) -> Any:
    """SQLite hands rows over one by one, and the interpreter to other threads in between.

    Under load that costs more than the rows themselves: here they come as one, as JSON.
    """
    if not isinstance(statement, Select):
        return statement
    rows = statement.subquery()
    return select(func.json_group_array(func.json_array(*rows.columns)))


def _as_it_is(statement: Any) -> Any:
    return statement


_SHAPES: dict[str, Callable[[Any], Any]] = {"sqlite": _in_one_row, "postgresql": _as_it_is}


class _Compiled:
    def __init__(self, statement: Any, shaped: Any, dialect: Dialect) -> None:
        compiled: Any = shaped.compile(dialect=dialect)
        self.sql = str(compiled)
        self._fixed: dict[str, Any] = compiled.params
        self._order: Sequence[str] | None = compiled.positiontup
        names = (
            [str(column.key) for column in statement.selected_columns]
            if isinstance(statement, Select)
            else []
        )
        row: Any = namedtuple("Row", names)  # type: ignore[misc]
        self.row: Callable[[Sequence[Any]], Any] = row._make

    def parameters(self, given: Mapping[str, Any]) -> Any:
        values = {**self._fixed, **given}
        return values if self._order is None else tuple([values[name] for name in self._order])


@cache
def _compiled(
    statement: Callable[[str], Any], dialect: Dialect, shape: Callable[[Any], Any] = _as_it_is
) -> _Compiled:
    made = statement(dialect.name)
    return _Compiled(made, shape(made), dialect)


# Neither is strict: SQLite's booleans are 0 and 1.


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[kind], strict=False)


def _converted(rows: list[tuple[Any, ...]], kind: Any) -> list[Any]:
    converted: list[Any] = msgspec.convert({"rows": rows}, _holder(kind), strict=False).rows
    return converted


@cache
def _holder(kind: Any) -> Any:
    """A struct around the rows: msgspec keeps what it found out about a struct, and about nothing else."""
    return msgspec.defstruct("Holder", [("rows", list[kind])])
