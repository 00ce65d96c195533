"""Mails that come in, joined: which workers there are, and what they take mails in with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from jobthread.actions import replies
from jobthread.business_hours import closed_until, hours_of
from jobthread.deliver import reply_address
from jobthread.entities import Reader
from jobthread.receive import listener, polling
from jobthread.receive.imap import Mailbox
from jobthread.receive.taking import Means, Signed
from jobthread.settings import Settings
from jobthread.store.database import Database, Writing
from jobthread.store.incoming import Mail, Taken

Run = Callable[[], Awaitable[None]]


def folder(settings: Settings) -> Path:
    """Where mails are kept as they came."""
    return settings.data_dir / "mails"


def workers(
    settings: Settings,
    db: Database,
    key: bytes,
    own_domain: str,
    stopping: asyncio.Event,
    *,
    observe: Callable[[str, str], None],
    looked: Callable[[], None],
) -> dict[str, Run]:
    """By name; none where no mails are to come in. `key` signs the addresses that answers go to."""
    if settings.reply_address is None:
        return {}
    means = replace(means_of(settings, db, key, own_domain), observe=observe, looked=looked)
    found: dict[str, Run] = {}
    if (at := settings.mail_listen) is not None:
        shared = settings.workers > 1
        found["mail listener"] = partial(listener.listen, means, at.host, at.port, stopping, shared=shared)
    if (url := settings.imap_url) is not None:
        tls = url.encryption if url.encryption != "try" else "required"
        mailbox = Mailbox(url.host, url.port, url.username, url.password, url.folder, tls)
        found["mailbox"] = partial(polling.poll, means, mailbox, stopping)
    return found


def means_of(settings: Settings, db: Database, key: bytes, own_domain: str) -> Means:
    address = settings.reply_address or ""
    hours = hours_of(settings.business_hours, settings.time_zone)

    def addressed(written_to: str) -> Signed | None:
        found = reply_address.read(key, address, written_to)
        return (found.reader, found.thread_id) if found else None

    def take_in(tx: Writing, mail: Mail, reader: Reader, thread_id: int) -> Taken:
        return replies.take_in(tx, mail, reader, thread_id, closed_until(hours, tx.now))

    return Means(db, folder(settings), addressed, take_in, own_domain)
