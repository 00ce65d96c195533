"""Mails handed over by a mail server: LMTP (RFC 2033) and SMTP on one port, for signed addresses alone.

The answer 250 means that the mail is on disk and the transaction committed. Nothing here is encrypted:
it listens on loopback, or in a network that is trusted with the mails anyway.
"""

import asyncio
import logging
from typing import Any, cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from jobthread.entities import MailOutcome
from jobthread.receive.taking import LARGEST, Means, Signed, take

log = structlog.get_logger()

AT_ONCE = 20
"""Connections: each may hold a mail of the largest size."""
SILENCE_SECONDS = 120.0
LONGEST_LINE = 256 * 1024
MOST_RECIPIENTS = 50
LATER = "451 4.3.0 Not now, try again later"
NO_ROOM = "452 4.3.1 No room for the mail, try again later"
UNKNOWN = "550 5.1.1 No such address here"
UNREADABLE = "554 5.6.0 There is nothing in it that can be read"
TAKEN = "250 2.0.0 Taken"


async def listen(
    means: Means, host: str, port: int, stopping: asyncio.Event, *, shared: bool = False
) -> None:
    """Until `stopping` is set. Raises `OSError` where the port cannot be had.

    `shared` where several processes of one server listen on the same port.
    """
    # It would log every line of the dialogue, addresses and mails included.
    logging.getLogger("mail.log").disabled = True
    loop = asyncio.get_running_loop()
    connections: set[_Connection] = set()

    def connected() -> asyncio.Protocol:
        return _Connection(means, connections) if len(connections) < AT_ONCE else _Busy()

    server = await loop.create_server(connected, host, port, reuse_port=shared or None)
    log.info("mail_listening", port=server.sockets[0].getsockname()[1])
    try:
        await stopping.wait()
    finally:
        server.close()
        for connection in list(connections):
            connection.hang_up()
        await server.wait_closed()


class _Busy(asyncio.Protocol):
    """To a connection too many: come again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports say nothing of what they are.
        cast(asyncio.Transport, transport).write(b"421 4.3.2 Too many connections, try again later\r\n")
        transport.close()


class _Connection(SMTP):
    """One connection. With `LHLO` it speaks LMTP: after the mail one answer for each of its addresses."""

    line_length_limit = LONGEST_LINE

    def __init__(self, means: Means, connections: "set[_Connection]") -> None:
        super().__init__(
            _Answers(means),
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="jobthread",
            ident="ready",
            timeout=SILENCE_SECONDS,
            loop=asyncio.get_running_loop(),
        )
        self._connections = connections
        self._lmtp = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str) -> None:
        await super().smtp_EHLO(hostname)
        self._lmtp = True
        if self.session is not None:
            self.session.lmtp = True  # type: ignore[attr-defined]

    async def smtp_DATA(self, arg: str) -> None:
        addresses = len(self.envelope.rcpt_tos) if self.envelope is not None else 0
        self._answered = False
        await super().smtp_DATA(arg)
        # The base class refuses what is too large in one line; in LMTP each address waits for its own.
        if self._lmtp and not self._answered and addresses > 1 and not arg:
            for _ in range(addresses - 1):
                await self.push("552 5.3.4 Too large")

    async def _call_handler_hook(self, command: str, *args: Any) -> Any:
        if command == "DATA":
            self._answered = True
            # However long the database takes: the sender is not silent, we are.
            self._reset_timeout(600)
        return await super()._call_handler_hook(command, *args)


class _Answers:
    """What is answered to each command. aiosmtpd finds these by their names."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._to: list[Signed] = []

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._to = []
        # A bounce comes from nobody, which the base class would take for no sender given at all.
        envelope.mail_from = address or "<>"
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        signed = self._means.addressed(address)
        if signed is None:
            log.info("mail_address_unknown")
            return UNKNOWN
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        self._to.append(signed)
        return "250 2.1.5 OK"

    async def handle_RSET(self, server: Any, session: Session, envelope: Envelope) -> str:
        self._to = []
        return "250 2.0.0 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        """Once it is here it is seen to its end, whether the sender waits for the answer or not."""
        to, self._to = self._to, []
        answers = await asyncio.shield(asyncio.ensure_future(self._taken(_with_path(envelope), to)))
        if getattr(session, "lmtp", False):
            return "\r\n".join(answers)
        # SMTP has one answer for all: a repeat does no harm to what has landed.
        return min(answers, key=_urgency)

    async def _taken(self, raw: bytes, to: list[Signed]) -> list[str]:
        try:
            return [_answer(outcome) for outcome in await take(self._means, raw, to)]
        except OSError as error:
            log.error("mail_not_kept", error=type(error).__name__)
            return [NO_ROOM] * len(to)

    async def handle_exception(self, error: Exception) -> str:
        log.error("mail_dialogue_failed", error=type(error).__name__)
        return LATER


def _with_path(envelope: Envelope) -> bytes:
    """Who it came from on its way is said at the end of it (RFC 5321, 4.4)."""
    content = envelope.content
    assert isinstance(content, bytes)  # noqa: S101
    sender = (envelope.mail_from or "").strip("<>").encode("utf-8", "surrogateescape")
    return b"Return-Path: <" + sender + b">\r\n" + content


def _answer(outcome: MailOutcome | Exception) -> str:
    """Of a mail that was refused or dropped nobody is told: that would be an answer to whoever sent it."""
    if isinstance(outcome, Exception):
        return LATER
    return UNREADABLE if outcome is MailOutcome.UNREADABLE else TAKEN


def _urgency(answer: str) -> int:
    return {"4": 0, "2": 1, "5": 2}[answer[0]]
