"""What the database keeps: every value of every table, to look for what must not be there."""

from pathlib import Path
from typing import Any

from sqlalchemy import Select, inspect, select, table, text

from jobthread.store.database import Reading
from tests.serving import Serving

_NOTED_LATER = ("notices", "notices_sown")
"""Who may have to be told of what is noted a moment after it was said: no call writes here."""


def at_rest(serving: Serving) -> bytes:
    """All that is stored, one value after the other; on SQLite the bytes of its files as well."""
    return b"\n".join([*serving.read(_values), *_files(serving)])


def rows_at_rest(serving: Serving) -> dict[str, list[str]]:
    """Every row of every table, to compare before and after."""
    return serving.read(_rows)


def _values(tx: Reading) -> list[bytes]:
    return [
        value if isinstance(value, bytes) else str(value).encode()
        for name in _tables(tx)
        for row in tx.conn.execute(_all_of(name))
        for value in row
    ]


def _rows(tx: Reading) -> dict[str, list[str]]:
    # The audit trail is sealed a moment after its rows are written: that is no change of theirs.
    left_out = {"position", "hash", "mac"}
    return {
        name: sorted(
            repr({column: value for column, value in row.items() if column not in left_out})
            for row in tx.conn.execute(_all_of(name)).mappings()
        )
        for name in _tables(tx)
        if name not in _NOTED_LATER
    }


def _all_of(name: str) -> Select[Any]:
    return select(text("*")).select_from(table(name))


def _tables(tx: Reading) -> list[str]:
    return inspect(tx.conn).get_table_names()


def _files(serving: Serving) -> list[bytes]:
    folder: Path = serving.settings.data_dir
    return [file.read_bytes() for file in sorted(folder.glob("jobthread.db*"))]
