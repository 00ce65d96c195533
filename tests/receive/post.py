"""Answers by mail, as the tests write and send them."""

import smtplib
import socket
from email.message import EmailMessage
from itertools import count
from typing import Any

from jobthread import app
from jobthread.deliver import reply_address
from jobthread.entities import AuditAction, IncomingMail, Reader, SenderKind
from jobthread.store import audit, incoming
from tests.cast import Cast, Colleague, ok
from tests.serving import Serving

REPLY_ADDRESS = "reply@chat.example.com"
_numbers = count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- addresses ------------------------------------------------------------------------------------


def address_of(serving: Serving, reader: Reader, thread: dict[str, Any]) -> str:
    key = app.reply_key(serving.settings)
    return reply_address.make(key, REPLY_ADDRESS, reader, thread["id"])


def carols(cast: Cast, thread: dict[str, Any]) -> str:
    """Where Carol answers to."""
    return address_of(cast.serving, (SenderKind.CUSTOMER, cast.boiler.customer.id), thread)


def of_staff(cast: Cast, who: Colleague, thread: dict[str, Any]) -> str:
    return address_of(cast.serving, (SenderKind.STAFF, who.id), thread)


def customers_thread(cast: Cast, **more: Any) -> dict[str, Any]:
    """Dora asks Carol something."""
    thread = ok(cast.dora.post(f"/api/chat/jobs/{cast.boiler.ref.id}/customer-thread", more or None), 201)
    cast.dora.writes(thread, "When are you at home?")
    found: dict[str, Any] = thread
    return found


# --- mails ----------------------------------------------------------------------------------------


def mail(
    to: str, text: str = "At nine is fine.", sender: str = "Carol <carol@example.com>", **headers: str
) -> bytes:
    """`headers` with `_` for `-`; each mail bears a Message-ID of its own unless one is given."""
    message = EmailMessage()
    given = {"Message_ID": f"<{next(_numbers)}@phone.example.com>", "Subject": "Re: Boiler off"} | headers
    for name, value in {"From": sender, "To": to, **given}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes().replace(b"\n", b"\r\n")


def by_smtp(
    serving: Serving, raw: bytes, *to: str, sender: str = "carol@example.com"
) -> dict[str, tuple[int, bytes]]:
    """Raises what smtplib raises where the mail as a whole is refused."""
    with connection(serving) as client:
        return client.sendmail(sender, list(to), raw)


def by_lmtp(serving: Serving, raw: bytes, *to: str, sender: str = "carol@example.com") -> list[int]:
    """The answer for each address."""
    with connection(serving, smtplib.LMTP) as client:
        client.ehlo()
        client.mail(sender)
        accepted = [client.rcpt(one)[0] for one in to]
        assert set(accepted) == {250}, accepted
        client.putcmd("data")
        assert client.getreply()[0] == 354
        client.send(smtplib._quote_periods(raw) + b".\r\n")  # type: ignore[attr-defined]
        return [client.getreply()[0] for _ in to]


def connection(serving: Serving, kind: type[smtplib.SMTP] = smtplib.SMTP) -> smtplib.SMTP:
    at = serving.settings.mail_listen
    assert at is not None
    return kind(at.host, at.port, local_hostname="mx.example.com", **_TIMEOUT)


_TIMEOUT: dict[str, Any] = {"timeout": 20}


# --- what became of them --------------------------------------------------------------------------


def bodies(cast: Cast, thread: dict[str, Any]) -> list[str]:
    """What was said in a thread, to an admin."""
    return [m["body"] for m in cast.ada.reads(thread) if m["kind"] == "message"]


def came_in(serving: Serving) -> list[IncomingMail]:
    """Oldest first."""
    return serving.read(lambda tx: incoming.page(tx, None, 100)).items[::-1]


def outcomes(serving: Serving) -> list[tuple[str, str | None]]:
    return [(one.outcome.value, one.reason) for one in came_in(serving)]


def refusals(serving: Serving) -> list[Any]:
    wanted = audit.AuditFilter(action=AuditAction.MAIL_REFUSED)
    entries = serving.read(lambda tx: audit.page(tx, wanted, None, 100)).items[::-1]
    return [entry.details["code"] for entry in entries]
