"""Many rows in one JSON parameter: one statement a batch and one trip through the driver."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    ColumnElement,
    CursorResult,
    Executable,
    FromClause,
    Select,
    Text,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

from jobthread.store.database import Reading


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
        self.columns: dict[str, ColumnElement[Any]] = {
            name: func.json_extract(value, f"$[{place}]", type_=kind)
            if sqlite
            else cast(value.op("->>")(place), kind)
            for place, (name, kind) in enumerate(columns.items())
        }

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self.columns[name]


def as_json(rows: Any) -> str:
    return msgspec.json.encode(rows).decode()


def run(tx: Reading, statement: Callable[[str], Executable], **given: Any) -> CursorResult[*tuple[Any, ...]]:
    """Run the statement that `statement(dialect)` makes, compiled once for ever.

    For the hot path: SQLAlchemy looks a statement up in its cache each time, which costs as much as a small
    statement itself. Values come as the driver has them: SQLite's booleans are ints.
    """
    compiled = _compiled(statement, tx.conn.dialect)
    return tx.conn.exec_driver_sql(compiled.sql, compiled.parameters(given))


def fetch(tx: Reading, statement: Callable[[str], Select[Any]], **given: Any) -> Sequence[Any]:
    """The rows of a SELECT, through `run`.

    SQLite hands them over one by one, and the interpreter to other threads in between: under load that costs
    more than the rows themselves. So there they come as one, as JSON.
    """
    if tx.dialect != "sqlite":
        return run(tx, statement, **given).all()
    compiled = _compiled(statement, tx.conn.dialect, _in_one_row)
    together = tx.conn.exec_driver_sql(compiled.sql, compiled.parameters(given)).scalar_one()
    return [compiled.row(values) for values in msgspec.json.decode(together)]


def _in_one_row(statement: Select[Any]) -> Select[Any]:
    rows = statement.subquery()
    return select(func.json_group_array(func.json_array(*rows.columns)))


def _as_it_is(statement: Executable) -> Executable:
    return statement


class _Compiled:
    def __init__(self, statement: Executable, shaped: Executable, dialect: Dialect) -> None:
        compiled: Any = shaped.compile(dialect=dialect)  # type: ignore[attr-defined]
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
        return values if self._order is None else tuple(values[name] for name in self._order)


@cache
def _compiled(
    statement: Callable[[str], Any], dialect: Dialect, shape: Callable[[Any], Any] = _as_it_is
) -> _Compiled:
    made = statement(dialect.name)
    return _Compiled(made, shape(made), dialect)
