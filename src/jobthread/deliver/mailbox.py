"""The folder that collects what is sent where no server is set up: written here, and read for a page."""

import email.policy
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from jobthread.deliver.outgoing import DeliveryFailed, Outgoing
from jobthread.entities import Channel, Micros

_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-\d{1,19}\.(eml|txt)", re.ASCII)
_LINK = re.compile(r"https?://\S+")
_WHEN = "%Y%m%dT%H%M%S.%fZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """One mail or text message as it would have arrived."""

    name: str
    channel: Channel
    to: str
    subject: str
    at: Micros
    text: str
    links: tuple[str, ...]


# --- writing --------------------------------------------------------------------------------------


def put(folder: Path, outgoing: Outgoing, kind: str, content: bytes) -> str:
    """Write a file that is whole or not there, for the owner's eyes alone; answers its name.

    The name says when it was queued, so a delivery that is tried again meets its own file.
    """
    queued_at = _EPOCH + timedelta(microseconds=outgoing.queued_at)
    name = f"{queued_at.strftime(_WHEN)}-{outgoing.delivery_id}.{kind}"
    half_written = folder / f".{name}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(half_written, "wb", opener=_for_the_owner) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half_written.replace(folder / name)
    except OSError as error:
        with suppress(OSError):
            half_written.unlink()
        raise DeliveryFailed(f"the outbox folder cannot be written ({error.strerror})", False) from error
    return name


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


# --- reading --------------------------------------------------------------------------------------


def recent(folder: Path, limit: int) -> list[Item]:
    """Newest first."""
    names = sorted((path.name for path in _files(folder)), reverse=True)
    found = (one(folder, name) for name in names[:limit])
    return [item for item in found if item is not None]


def one(folder: Path, name: str) -> Item | None:
    """The item of that name. `name` may come from anybody: only names that `put` gives are looked for."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        return None
    read = _mail if parts[2] == "eml" else _text_message
    try:
        at = datetime.strptime(parts[1], _WHEN).replace(tzinfo=UTC) - _EPOCH
        with open(folder / name, "rb", opener=_and_no_other) as file:
            return read(name, at // timedelta(microseconds=1), file.read())
    except (OSError, ValueError, LookupError):
        # Gone meanwhile, or written by somebody else: no such item.
        return None


def _and_no_other(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def _mail(name: str, at: Micros, content: bytes) -> Item:
    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(content)
    body = mail.get_body(("plain",))
    text = str(body.get_content()).replace("\r\n", "\n") if body else ""
    return Item(name, Channel.EMAIL, str(mail["To"]), str(mail["Subject"]), at, text, _links(text))


def _text_message(name: str, at: Micros, content: bytes) -> Item:
    to, _, text = content.decode(errors="replace").partition("\n\n")
    text = text.rstrip("\n")
    return Item(name, Channel.SMS, to.removeprefix("To: "), "", at, text, _links(text))


def _links(text: str) -> tuple[str, ...]:
    return tuple(_LINK.findall(text))
