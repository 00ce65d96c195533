"""What the database keeps: every value of every table, to look for what must not be there."""

from pathlib import Path

from sqlalchemy import inspect, text
from tests.serving import Serving

from jobthread.store.database import Reading


def at_rest(serving: Serving) -> bytes:
    """All that is stored, one value after the other; on SQLite the bytes of its files as well."""
    return b"\n".join([*serving.read(_values), *_files(serving)])


def rows_at_rest(serving: Serving) -> dict[str, list[str]]:
    """Every row of every table, to compare before and after."""
    return serving.read(_rows)


def _values(tx: Reading) -> list[bytes]:
    return [
        value if isinstance(value, bytes) else str(value).encode()
        for table in _tables(tx)
        for row in tx.conn.execute(text(f'SELECT * FROM "{table}"'))
        for value in row
    ]


def _rows(tx: Reading) -> dict[str, list[str]]:
    # The audit trail is sealed a moment after its rows are written: that is no change of theirs.
    left_out = {"position", "hash", "mac"}
    return {
        table: sorted(
            repr({name: value for name, value in row.items() if name not in left_out})
            for row in tx.conn.execute(text(f'SELECT * FROM "{table}"')).mappings()
        )
        for table in _tables(tx)
    }


def _tables(tx: Reading) -> list[str]:
    return inspect(tx.conn).get_table_names()


def _files(serving: Serving) -> list[bytes]:
    folder: Path = serving.settings.data_dir
    return [file.read_bytes() for file in sorted(folder.glob("jobthread.db*"))]
