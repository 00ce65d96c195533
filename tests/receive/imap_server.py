"""A small IMAP server on loopback: what imaplib asks of it, and mishaps at the test's word."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "answers", "hush-hush"


class HangUp(Exception):
    """The connection ends here, without a word."""


@dataclass
class Stored:
    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class ImapServer:
    port: int = 0
    capabilities: str = "IMAP4rev1 MOVE UIDPLUS"
    folders: dict[str, dict[int, Stored]] = field(default_factory=lambda: {"INBOX": {}})
    commands: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda command: None
    """Called with each command before it is done; may raise `HangUp`."""
    uids: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, raw: bytes, folder: str = "INBOX") -> int:
        with self.lock:
            self.uids += 1
            self.folders[folder][self.uids] = Stored(raw)
            return self.uids

    def raws(self, folder: str) -> list[bytes]:
        with self.lock:
            return [one.raw for one in self.folders.get(folder, {}).values()]

    def flags(self, folder: str) -> list[set[str]]:
        with self.lock:
            return [one.flags for one in self.folders.get(folder, {}).values()]

    def answer(self, command: str) -> Iterator[bytes]:
        """The untagged lines; the last is the status."""
        name, _, rest = command.partition(" ")
        if name == "UID":
            name, _, rest = rest.partition(" ")
        do = getattr(self, f"_{name.lower()}", None)
        if do is None:
            yield b"BAD unknown"
            return
        yield from do(rest)

    def _capability(self, _: str) -> Iterator[bytes]:
        yield f"* CAPABILITY {self.capabilities}".encode()
        yield b"OK done"

    def _login(self, rest: str) -> Iterator[bytes]:
        yield b"OK in" if rest == f'{USER} "{PASSWORD}"' else b"NO wrong"

    def _select(self, rest: str) -> Iterator[bytes]:
        if rest.strip('"') in self.folders:
            yield b"* %d EXISTS" % len(self.folders[rest.strip('"')])
            yield b"OK selected"
        else:
            yield b"NO no such folder"

    def _search(self, _: str) -> Iterator[bytes]:
        found = [str(uid) for uid, one in self.folders["INBOX"].items() if "\\Deleted" not in one.flags]
        yield f"* SEARCH {' '.join(found)}".encode()
        yield b"OK found"

    def _fetch(self, rest: str) -> Iterator[bytes]:
        uid, _, what = rest.partition(" ")
        one = self.folders["INBOX"].get(int(uid))
        if one is not None and "SIZE" in what:
            yield f"* 1 FETCH (UID {uid} RFC822.SIZE {len(one.raw)})".encode()
        elif one is not None:
            assert "BODY.PEEK[]" in what
            yield b"* 1 FETCH (UID %s BODY[] {%d}\r\n%s)" % (uid.encode(), len(one.raw), one.raw)
        yield b"OK fetched"

    def _store(self, rest: str) -> Iterator[bytes]:
        uid, _, what = rest.partition(" ")
        if (one := self.folders["INBOX"].get(int(uid))) is not None:
            one.flags |= set(re.findall(r"\\\w+", what))
        yield b"OK stored"

    def _create(self, rest: str) -> Iterator[bytes]:
        if rest.strip('"') in self.folders:
            yield b"NO [ALREADYEXISTS] it is there"
            return
        self.folders[rest.strip('"')] = {}
        yield b"OK made"

    def _copy(self, rest: str) -> Iterator[bytes]:
        uid, _, folder = rest.partition(" ")
        one = self.folders["INBOX"].get(int(uid))
        if one is None or folder.strip('"') not in self.folders:
            yield b"NO [TRYCREATE] nothing done"
            return
        self.uids += 1
        self.folders[folder.strip('"')][self.uids] = Stored(one.raw, set(one.flags))
        yield b"OK copied"

    def _move(self, rest: str) -> Iterator[bytes]:
        yield from self._copy(rest)
        self.folders["INBOX"].pop(int(rest.partition(" ")[0]), None)

    def _expunge(self, rest: str) -> Iterator[bytes]:
        self.folders["INBOX"].pop(int(rest), None)
        yield b"OK gone"

    def _logout(self, _: str) -> Iterator[bytes]:
        yield b"* BYE"
        yield b"OK bye"


@contextmanager
def imap_server(port: int = 0) -> Iterator[ImapServer]:
    keeper = ImapServer()

    class Dialogue(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            while line := self.rfile.readline():
                tag, _, command = line.decode().strip().partition(" ")
                keeper.commands.append(command)
                try:
                    keeper.before(command)
                    with keeper.lock:
                        *untagged, status = keeper.answer(command)
                except HangUp:
                    return
                self.wfile.write(
                    b"".join(one + b"\r\n" for one in untagged) + tag.encode() + b" " + status + b"\r\n"
                )

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The client went away."""

    with Server(("127.0.0.1", port), Dialogue) as server:
        keeper.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield keeper
        finally:
            server.shutdown()
            thread.join()
