"""A real SMTP server on loopback that answers as the test says, and a reader of what it took."""

import asyncio
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Self

from aiosmtpd.smtp import SMTP as ServerProtocol
from aiosmtpd.smtp import Envelope, Session


@dataclass
class MailServer:
    """Answers as the test says; keeps what it accepted, and who knocked."""

    port: int = 0
    accepted: list[bytes] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    sessions: int = 0
    at_rcpt: Callable[[Self, str], Awaitable[str] | str] = lambda self, to: "250 OK"
    at_data: Callable[[Self, bytes], Awaitable[str] | str] = lambda self, mail: "250 OK"
    at_quit: Callable[[Self], None] = lambda self: None
    cut: Callable[[], None] = lambda: None
    """Drops the connection that is being answered."""

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = name
        return answers

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        self.cut = server.transport.abort
        answer = await _told(self.at_rcpt(self, to))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(to)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        self.cut = server.transport.abort
        mail = envelope.content
        assert isinstance(mail, bytes)
        self.offered.append(mail)
        answer = await _told(self.at_data(self, mail))
        if answer.startswith("250"):
            self.accepted.append(mail)
            self.recipients.extend(envelope.rcpt_tos)
        return answer

    async def handle_QUIT(self, server: Any, session: Session, envelope: Envelope) -> str:
        self.at_quit(self)
        return "221 Bye"

    def mails(self) -> list[EmailMessage]:
        return [parsed(mail) for mail in self.accepted]

    def message_ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails()]


@asynccontextmanager
async def mail_server(port: int = 0, **answers: Any) -> AsyncIterator[MailServer]:
    """A real SMTP server on loopback. `answers` are `at_rcpt`, `at_data` and `at_quit`."""
    server = MailServer(**answers)
    loop = asyncio.get_running_loop()

    def connected() -> asyncio.Protocol:
        return ServerProtocol(server, hostname="mail.example.com", loop=loop)

    listening = await loop.create_server(connected, "127.0.0.1", port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def parsed(mail: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mail)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def _told(answer: Awaitable[str] | str) -> str:
    return answer if isinstance(answer, str) else await answer


async def never(*_: object) -> str:
    """An answer that does not come."""
    await asyncio.Event().wait()
    return "250 OK"
