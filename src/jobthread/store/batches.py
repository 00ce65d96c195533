"""Many rows in one JSON parameter: one statement a batch and one trip through the driver."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, FromClause, Text, bindparam, cast, func
from sqlalchemy.types import TypeEngine


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
