"""A mailbox on a mail server, as imaplib knows it. All of this blocks: it belongs into a thread."""

import imaplib
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

SILENCE_SECONDS = 30.0
PROCESSED = "Processed"
FAILED = "Failed"
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where the mails are. `implicit` is TLS from the first byte, `required` STARTTLS."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str
    tls: Literal["implicit", "required", "off"]


class MailboxError(Exception):
    """The server did not do what it was asked. Its own words stay out: they may quote anything."""


class Visit:
    """One connection with the folder open."""

    def __init__(self, mailbox: Mailbox) -> None:
        context = ssl.create_default_context()
        if mailbox.tls == "implicit":
            self._imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                mailbox.host, mailbox.port, ssl_context=context, timeout=SILENCE_SECONDS
            )
        else:
            self._imap = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=SILENCE_SECONDS)
        try:
            if mailbox.tls == "required":
                self._imap.starttls(ssl_context=context)
            _ok(self._imap.login(mailbox.username, mailbox.password))
            _ok(self._imap.select(f'"{mailbox.folder}"'))
            self._made: set[str] = set()
        except BaseException:
            self.leave()
            raise

    def waiting(self) -> list[bytes]:
        """The UIDs of what is there, read or not: a person who looks into the mailbox hides nothing."""
        found = _ok(self._imap.uid("SEARCH", "UNDELETED"))
        return found[0].split() if found and found[0] else []

    def size(self, uid: bytes) -> int | None:
        """In bytes; None where it is not there any more."""
        for part in self._fetched(uid, "(RFC822.SIZE)"):
            if found := _SIZE.search(part[0] if isinstance(part, tuple) else part or b""):
                return int(found[1])
        return None

    def raw(self, uid: bytes) -> bytes | None:
        """The mail, which stays unread; None where it is not there any more."""
        for part in self._fetched(uid, "(BODY.PEEK[])"):
            if isinstance(part, tuple):
                return bytes(part[1])
        return None

    def put_away(self, uid: bytes, folder: str) -> None:
        """Read, and in that folder, which is made where it is missing."""
        _ok(self._imap.uid("STORE", uid.decode(), "+FLAGS.SILENT", "(\\Seen)"))
        self._make(folder)
        if "MOVE" in self._imap.capabilities:
            _ok(self._imap.uid("MOVE", uid.decode(), f'"{folder}"'))
            return
        _ok(self._imap.uid("COPY", uid.decode(), f'"{folder}"'))
        _ok(self._imap.uid("STORE", uid.decode(), "+FLAGS.SILENT", "(\\Deleted)"))
        if "UIDPLUS" in self._imap.capabilities:
            # Without it everything marked by anybody would go: then ours just stays marked.
            _ok(self._imap.uid("EXPUNGE", uid.decode()))

    def cut(self) -> None:
        """End all waiting, from whatever thread: what is under way there fails."""
        with suppress(OSError):
            # Of the socket below, also where TLS is on it: nothing here may wait for the other thread.
            socket.socket.shutdown(self._imap.sock, socket.SHUT_RDWR)

    def leave(self) -> None:
        with suppress(Exception):
            self._imap.shutdown()

    def _fetched(self, uid: bytes, what: str) -> list[Any]:
        return _ok(self._imap.uid("FETCH", uid.decode(), what))

    def _make(self, folder: str) -> None:
        if folder in self._made:
            return
        # It is there already most of the time, and says no then.
        self._imap.create(f'"{folder}"')
        self._made.add(folder)


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise MailboxError
    return data
