"""Many rows in one JSON parameter: one statement a batch and one trip through the driver."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import JSON, ColumnElement, CursorResult, Executable, FromClause, Text, bindparam, cast, func
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

from jobthread.store.database import Reading


class Rows:
    """The rows of the parameter `rows`, a JSON array of arrays, as something to select from."""

    def __init__(self, dialect: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        sqlite = dialect == "sqlite"
        parameter: ColumnElement[str] = bindparam("rows")
        source = (
            func.json_each(parameter)
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


class _Compiled:
    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self.sql = str(compiled)
        self._fixed: dict[str, Any] = compiled.params
        self._order: Sequence[str] | None = compiled.positiontup

    def parameters(self, given: Mapping[str, Any]) -> Any:
        values = {**self._fixed, **given}
        return values if self._order is None else tuple(values[name] for name in self._order)


@cache
def _compiled(statement: Callable[[str], Executable], dialect: Dialect) -> _Compiled:
    return _Compiled(statement(dialect.name), dialect)
