"""Mails as they came: files named by their hash, for the owner's eyes, and gone when their time is over."""

import asyncio
import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

import structlog

from jobthread.entities import Micros
from jobthread.store import incoming
from jobthread.store.database import Database

log = structlog.get_logger()

SWEEP_SECONDS = 3600.0
DAY: Micros = 86_400_000_000


def put(folder: Path, raw: bytes) -> str:
    """Write it so that it outlives a crash; answers its name. Raises `OSError` where the disk is full."""
    name = hashlib.sha256(raw).hexdigest()
    file = folder / name
    if file.exists():
        return name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    half_written = folder / f".{name}.{os.getpid()}"
    try:
        with open(half_written, "wb", opener=_for_the_owner) as writing:
            writing.write(raw)
            writing.flush()
            os.fsync(writing.fileno())
        half_written.replace(file)
        _sync(folder)
    finally:
        with suppress(OSError):
            half_written.unlink()
    return name


def drop(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)


async def keep_for(db: Database, folder: Path, days: int) -> None:
    """Forget what is older, once an hour, until cancelled. An error is logged and never ends the loop."""
    while True:
        try:
            names = await db.write(lambda tx: incoming.forget(tx, tx.now - days * DAY))
            await asyncio.to_thread(_tidy, folder, names, days)
        except Exception as error:
            log.error("mail_sweep_failed", error=type(error).__name__)
        await asyncio.sleep(SWEEP_SECONDS)


def _tidy(folder: Path, names: list[str], days: int) -> None:
    for name in names:
        drop(folder, name)
    if not folder.is_dir():
        return
    # What a crash left behind has no row that would end it: a day more than any row lives.
    too_old = time.time() - (days + 1) * 86_400
    for file in folder.iterdir():
        with suppress(OSError):
            if file.stat().st_mtime < too_old:
                file.unlink()


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
