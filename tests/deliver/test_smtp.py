"""The way to the mail server: encryption as it was asked for, and a login that is used."""

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP as ServerProtocol
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jobthread.deliver.email import SmtpServer, through
from jobthread.deliver.outgoing import DeliveryFailed, Outgoing
from tests.deliver.mail_server import MailServer
from tests.deliver.post import SENDER

MAIL = Outgoing(
    1, "0" * 32, 1_795_000_000_000_000, "carol@example.com", "Carol", "Hello", "Hello", "<p>Hello"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """One that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    signed = builder.sign(key, hashes.SHA256())
    file: Path = tmp_path_factory.mktemp("certificate") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


class Encrypted(MailServer):
    """Notes for each mail whether it came encrypted, and as whom."""

    notes: list[tuple[bool, object]]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.notes = [*getattr(self, "notes", []), (session.ssl is not None, session.auth_data)]
        return await super().handle_DATA(server, session, envelope)


async def send_once(tls: Any, login: tuple[str, str] | None = None, **server_options: Any) -> Encrypted:
    keeper = Encrypted()
    loop = asyncio.get_running_loop()

    def connected() -> asyncio.Protocol:
        return ServerProtocol(keeper, hostname="mail.example.com", loop=loop, **server_options)

    listening = await loop.create_server(connected, "127.0.0.1", 0)
    try:
        user, password = login or (None, None)
        port = listening.sockets[0].getsockname()[1]
        server = SmtpServer(
            "localhost" if server_options.get("tls_context") else "127.0.0.1", port, user, password, tls
        )
        await through(server, SENDER)(MAIL)
    finally:
        listening.close()
    return keeper


def test_encryption_that_is_required_and_not_offered_is_a_failure_to_try_again() -> None:
    with pytest.raises(DeliveryFailed, match="STARTTLS") as failed:
        asyncio.run(send_once("required"))
    assert not failed.value.permanent


def test_encryption_that_is_required_takes_no_certificate_of_a_stranger(certificate: ssl.SSLContext) -> None:
    with pytest.raises(DeliveryFailed, match="did not let us in") as failed:
        asyncio.run(send_once("required", tls_context=certificate))
    assert not failed.value.permanent


def test_encryption_that_is_tried_is_used_where_offered(certificate: ssl.SSLContext) -> None:
    assert asyncio.run(send_once("try", tls_context=certificate)).notes == [(True, None)]
    assert asyncio.run(send_once("try")).notes == [(False, None)]
    assert asyncio.run(send_once("off", tls_context=certificate)).notes == [(False, None)]


def test_a_login_is_used_and_a_wrong_one_is_a_failure_to_try_again() -> None:
    def known(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        right = isinstance(login, LoginPassword) and login.password == b"right"
        return AuthResult(success=right, handled=False, auth_data="acme" if right else None)

    options: dict[str, Any] = {"authenticator": known, "auth_require_tls": False}
    assert asyncio.run(send_once("off", ("acme", "right"), **options)).notes == [(False, "acme")]
    with pytest.raises(DeliveryFailed, match="did not let us in: 535") as failed:
        asyncio.run(send_once("off", ("acme", "wrong"), **options))
    assert not failed.value.permanent
    assert "wrong" not in failed.value.message


def test_a_password_shows_in_no_repr() -> None:
    assert "hush" not in repr(SmtpServer("mail.example.com", 587, "acme", "hush", "required"))
