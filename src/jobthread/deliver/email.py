"""Mail: how it is written, and its two ways out, an SMTP server or a folder that collects it."""

import asyncio
import io
import re
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.charset import QP, Charset
from email.generator import BytesGenerator
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from jobthread.deliver import mailbox
from jobthread.deliver.one_line import one_line
from jobthread.deliver.outgoing import DeliveryFailed, Outgoing, Send

LONGEST_NAME = 60
LONGEST_SUBJECT = 200
STEP_SECONDS = 20.0
"""For each answer of the server before the mail itself is handed over."""
FAREWELL_SECONDS = 1.0
_ADDRESS = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@([a-zA-Z0-9.-]+|\[[a-zA-Z0-9.:]+\])")
"""What can stand in a header and in an envelope without quotes."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server. `implicit` is TLS from the first byte; the other words are about STARTTLS."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    tls: Literal["implicit", "required", "try", "off"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from, and the domain that their Message-IDs are made under."""

    name: str
    address: str
    domain: str


def sender(mail_from: str, company: str, base_url: str) -> Sender:
    """`mail_from` is `name@host`, or `Some Name <name@host>`, which then takes the place of the company's."""
    name, address = parseaddr(mail_from)
    host = urlsplit(base_url).hostname or "localhost"
    return Sender(one_line(name or company, LONGEST_NAME), address, _in_brackets_if_address(host))


def through(server: SmtpServer, sender: Sender) -> Send:
    """The channel that hands mails to an SMTP server, each on a connection of its own."""

    async def send(outgoing: Outgoing) -> str:
        mail = written(outgoing, sender)
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls == "implicit",
            start_tls={"required": True, "try": None}.get(server.tls, False),
            # Encryption that is merely tried cannot refuse a stranger: the way in the clear stands open too.
            validate_certs=server.tls != "try",
            local_hostname=sender.domain,
            timeout=STEP_SECONDS,
        )
        try:
            await _hand_over(client, sender.address, outgoing.to, mail)
        finally:
            client.close()
        return _message_id(outgoing, sender)

    return send


def into_folder(folder: Path, sender: Sender) -> Send:
    """The channel where no server is set up: each mail becomes a file."""

    async def send(outgoing: Outgoing) -> str:
        mail = written(outgoing, sender)
        return await asyncio.to_thread(mailbox.put, folder, outgoing, "eml", mail)

    return send


# --- handing over ---------------------------------------------------------------------------------


async def _hand_over(client: SMTP, come_from: str, to: str, mail: bytes) -> None:
    await _step("let us in", client.connect())
    await _step("take our address as sender", client.mail(come_from))
    await _step("take the recipient", client.rcpt(to), final=True)
    # From here on a lost connection tells nothing of what became of the mail: it is not caught.
    try:
        await client.data(mail, timeout=None)
    except SMTPResponseException as error:
        raise _refused("take the mail", error, final=True) from error
    with suppress(SMTPException, TimeoutError):
        await client.quit(timeout=FAREWELL_SECONDS)


async def _step(what: str, step: Awaitable[object], *, final: bool = False) -> None:
    try:
        await step
    except SMTPResponseException as error:
        raise _refused(what, error, final) from error
    except (SMTPException, OSError) as error:
        raise DeliveryFailed(f"the mail server did not {what}: {one_line(str(error), 250)}", False) from error
    except ValueError as error:
        raise DeliveryFailed("this e-mail address cannot be written to a mail server", True) from error


def _refused(what: str, error: SMTPResponseException, final: bool) -> DeliveryFailed:
    """A 5xx that is about this mail is final; one about greeting, login or sender is ours to put right."""
    answer = one_line(f"{error.code} {error.message}", 250)
    return DeliveryFailed(f"the mail server did not {what}: {answer}", final and 500 <= error.code < 600)


# --- writing --------------------------------------------------------------------------------------


def written(outgoing: Outgoing, sender: Sender) -> bytes:
    """The mail as it goes over the wire. Raises `DeliveryFailed` where it cannot be written down."""
    try:
        return _flat(_mail(outgoing, sender))
    except Exception as error:
        # Whatever the mail library trips over, it would trip over again.
        raise DeliveryFailed(f"the mail could not be written ({type(error).__name__})", True) from error


def _mail(outgoing: Outgoing, sender: Sender) -> MIMEMultipart:
    """The old message class on purpose: it takes a header as it stands; the new one decodes it first."""
    mail = MIMEMultipart("alternative", boundary=f"=_{outgoing.key}")
    mail["From"] = _mailbox(sender.name, sender.address)
    mail["To"] = _mailbox(outgoing.to_name, outgoing.to)
    mail["Subject"] = _words(one_line(outgoing.subject, LONGEST_SUBJECT), "Subject")
    mail["Date"] = format_datetime(
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=outgoing.queued_at)
    )
    mail["Message-ID"] = _message_id(outgoing, sender)
    if outgoing.conversation:
        mail["In-Reply-To"] = mail["References"] = f"<{outgoing.conversation}@{sender.domain}>"
    if outgoing.reply_to:
        mail["Reply-To"] = _mailbox(sender.name, outgoing.reply_to)
    if outgoing.unsubscribe:
        # RFC 8058: the mail program's own button, one POST without a session.
        mail["List-Unsubscribe"] = f"<{outgoing.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = outgoing.auto_submitted
    mail["X-Auto-Response-Suppress"] = "All"
    mail.attach(MIMEText(outgoing.text, "plain", _utf8()))  # type: ignore[arg-type]
    mail.attach(MIMEText(outgoing.html, "html", _utf8()))  # type: ignore[arg-type]
    return mail


def _flat(mail: MIMEMultipart) -> bytes:
    file = io.BytesIO()
    BytesGenerator(file, mangle_from_=False).flatten(mail, linesep="\r\n")
    return file.getvalue()


def _message_id(outgoing: Outgoing, sender: Sender) -> str:
    return f"<{outgoing.key}@{sender.domain}>"


def _mailbox(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError("not an address")
    name = one_line(name, LONGEST_NAME)
    if name.isascii() and "=?" not in name:
        return formataddr((name, address))
    return f"{_words(name, 'To')} <{address}>"


def _words(text: str, header: str) -> str:
    """Text for a header: as it is, or encoded where it is not plain or looks encoded already."""
    if text.isascii() and "=?" not in text:
        return text
    return Header(text, _utf8(), header_name=header).encode()


def _utf8() -> Charset:
    charset = Charset("utf-8")
    charset.header_encoding = charset.body_encoding = QP
    return charset


def _in_brackets_if_address(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"
