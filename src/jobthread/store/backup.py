"""A consistent copy of a live SQLite database, marked so that opening it ends its links and sessions."""

import os
import time
from pathlib import Path

import pysqlite3.dbapi2 as sqlite_module

from jobthread.store.opening import BACKUP_TAKEN, sqlite_file


class BackupError(Exception):
    """Why there is no backup: one line."""


def backup(url: str, target: Path) -> int:
    """Copy the database to `target`, which must not exist; answers its size in bytes."""
    source = sqlite_file(url)
    if source is None:
        raise BackupError("PostgreSQL is backed up with pg_dump; after restoring run `jobthread restored`.")
    if not source.exists():
        raise BackupError(f"There is no database at {source}.")
    if target.exists():
        raise BackupError(f"{target} exists already: a backup never overwrites anything.")
    partial = target.with_name(target.name + ".partial")
    try:
        _copy(source, partial)
        os.replace(partial, target)
        _sync_folder(target.parent)
    except (OSError, sqlite_module.Error) as error:
        raise BackupError(f"The backup failed: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: Path, partial: Path) -> None:
    partial.touch(mode=0o600)
    reading = sqlite_module.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    writing = sqlite_module.connect(str(partial), isolation_level=None)
    try:
        reading.execute("PRAGMA busy_timeout=10000")
        reading.backup(writing)
        taken_at = str(time.time_ns() // 1000)
        # One file, complete in itself: no journal beside it.
        writing.execute("PRAGMA journal_mode=DELETE")
        writing.execute("PRAGMA synchronous=FULL")
        writing.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (BACKUP_TAKEN, taken_at))
        found = writing.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise BackupError(f"The copy is damaged: {found}")
    finally:
        writing.close()
        reading.close()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
