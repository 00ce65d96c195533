"""From the text of a setting to its value: one function for each kind.

Each raises ValueError saying what is expected, and never repeats the text, which may be a secret.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit
from zoneinfo import ZoneInfo

import phonenumbers

from jobthread.business_hours import week_of

Network = IPv4Network | IPv6Network
HIDDEN = "********"
LONGEST_REPLY_NAME = 12
"""Of the 64 characters that may stand before an @, a token takes up to 51."""
Encryption = Literal["implicit", "required", "try", "off"]

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_USUAL_PORTS = {"http": 80, "https": 443, "smtp": 587, "smtps": 465, "imap": 143, "imaps": 993}


@dataclass(frozen=True)
class SmtpUrl:
    """A mail server; `implicit` encryption is TLS from the first byte, the others are about STARTTLS."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    encryption: Encryption

    def __str__(self) -> str:
        """The URL without the password, for people to read."""
        user = f"{quote(self.username, safe='')}:{HIDDEN}@" if self.username else ""
        name = f"[{self.host}]" if ":" in self.host else self.host
        if self.encryption == "implicit":
            return f"smtps://{user}{name}:{self.port}"
        return f"smtp://{user}{name}:{self.port}?starttls={self.encryption}"


@dataclass(frozen=True)
class Listen:
    """An address of this machine to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ImapUrl:
    """A mailbox on a mail server; `implicit` encryption is TLS from the first byte, `required` STARTTLS."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str
    encryption: Encryption

    def __str__(self) -> str:
        """The URL without the password, for people to read."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{quote(self.username, safe='')}:{HIDDEN}@"
        scheme = "imaps" if self.encryption == "implicit" else "imap"
        starttls = "" if scheme == "imaps" else f"?starttls={self.encryption}"
        return f"{scheme}://{user}{name}:{self.port}/{quote(self.folder)}{starttls}"


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Reads decimal digits within these bounds, both included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(text)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """Reads one of these words, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(" or ".join((", ".join(words[:-1]), words[-1])))
        return text.lower()

    return read


def switch(text: str) -> bool:
    return one_of("on", "off")(text) == "on"


def line(shortest: int, longest: int) -> Callable[[str], str]:
    """Reads one line of text of so many characters, spaces around it not counted."""

    def read(text: str) -> str:
        text = text.strip()
        if not shortest <= len(text) <= longest or _CONTROL.search(text):
            raise ValueError(f"one line of {shortest} to {longest} characters")
        return text

    return read


def folder(text: str) -> Path:
    """An absolute path, so that a later change of the working directory moves nothing."""
    if "\0" in text or "?" in text:
        raise ValueError("the path of a folder, without a question mark")
    return Path(text).expanduser().absolute()


def host(text: str) -> str:
    """An address to listen on or a host's name, in small letters."""
    text = text.lower()
    if not is_address(text) and (not _HOST_NAME.fullmatch(text) or re.fullmatch(r"[0-9.]+", text)):
        raise ValueError("an IP address or a host name, without a port")
    return text


def base_url(text: str) -> str:
    """`scheme://host[:port]` as browsers send it in Origin: small letters, no usual port, no slash."""
    expected = "http:// or https:// with a host and perhaps a port, and nothing after it"
    url = _split(text, expected)
    if (
        url.scheme not in ("http", "https")
        or url.path not in ("", "/")
        or "@" in url.netloc
        or "?" in text
        or "#" in text
    ):
        raise ValueError(expected)
    name = _host_of(url, expected)
    bracketed = f"[{name}]" if ":" in name else name
    port = "" if url.port in (None, _USUAL_PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{bracketed}{port}"


def database_url(text: str) -> str:
    """A SQLAlchemy URL: a SQLite file, or PostgreSQL through psycopg."""
    expected = "sqlite:///path/of/a/file or postgresql://user:password@host:port/database"
    if text.startswith("sqlite:///"):
        # Readers and the writer are connections of their own, which a database in memory cannot give.
        if _CONTROL.search(text) or "?" in text or text.endswith((":memory:", "/")):
            raise ValueError(f"{expected} (SQLite in a file, without options)")
        return text
    url = _split(text, expected)
    # An @ in the path: a slash in a password that is not written as %2F, which others read otherwise.
    odd = not url.path.strip("/") or "@" in url.path or url.fragment
    if url.scheme not in ("postgresql", "postgresql+psycopg") or odd:
        raise ValueError(expected)
    return "postgresql+psycopg" + text[text.index(":") :]


def postgresql_url(text: str) -> str:
    """PostgreSQL through psycopg, and nothing else."""
    if text.startswith("sqlite"):
        raise ValueError("postgresql://user:password@host:port/database")
    return database_url(text)


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and ranges apart by commas; an address is a range of one."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as problem:
        raise ValueError("IP addresses or ranges like 10.0.0.0/8, apart by commas") from problem


def smtp_url(text: str) -> SmtpUrl:
    """`smtp://user:password@host:port?starttls=required|try|off`, or `smtps://`.

    Without a word about it STARTTLS is required, except on this very machine.
    """
    expected = "smtp:// or smtps:// with user:password@host:port (special characters as %40 and so on)"
    url = _split(text, expected)
    if url.scheme not in ("smtp", "smtps") or url.path not in ("", "/") or url.fragment:
        raise ValueError(expected)
    name = _host_of(url, expected)
    if (url.username is None) != (url.password is None):
        raise ValueError("a user with a password, or neither")
    return SmtpUrl(
        host=name,
        port=url.port or _USUAL_PORTS[url.scheme],
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        encryption=_encryption(url, name),
    )


def _encryption(url: SplitResult, name: str) -> Encryption:
    choices: dict[str, Encryption] = {"required": "required", "try": "try", "off": "off"}
    try:
        options = dict(parse_qsl(url.query, strict_parsing=True, keep_blank_values=True)) if url.query else {}
        starttls = options.pop("starttls", None)
        if options or (starttls and url.scheme == "smtps"):
            raise ValueError
        if url.scheme == "smtps":
            return "implicit"
        return choices[starttls] if starttls is not None else ("try" if _is_loopback(name) else "required")
    except (ValueError, KeyError) as problem:
        raise ValueError(
            "nothing after the port but ?starttls=required, try or off, on smtp:// alone"
        ) from problem


def mail_address(text: str) -> str:
    """`name@host`, or `Company <name@host>`; not by parseaddr, which reads otherwise in each Python."""
    text = text.strip()
    named = re.fullmatch(r"[^<>@]* <([^<>]*)>", text)
    local, _, domain = (named[1] if named else text).rpartition("@")
    literal = domain.startswith("[") and domain.endswith("]") and is_address(domain[1:-1])
    known_domain = literal or _HOST_NAME.fullmatch(domain.lower())
    if _CONTROL.search(text) or not _LOCAL_PART.fullmatch(local) or not known_domain:
        raise ValueError("a mail address like chat@example.com or Example Ltd <chat@example.com>")
    return text


def plain_mail_address(text: str) -> str:
    """`name@host` and nothing around it, with room for a token in its first part."""
    expected = "a mail address like reply@example.com, of at most 12 characters before the @"
    try:
        address = mail_address(text)
    except ValueError as problem:
        raise ValueError(expected) from problem
    local, _, domain = address.rpartition("@")
    if "<" in address or "+" in local or len(local) > LONGEST_REPLY_NAME or domain.startswith("["):
        raise ValueError(expected)
    return address


def business_hours(text: str) -> str:
    """When the office is open: weekdays with times, or `always`."""
    try:
        week_of(text)
    except ValueError as problem:
        raise ValueError("hours like Mon-Fri 08:00-17:00, Sat 09:00-12:00, or always") from problem
    return text.strip()


def time_zone(text: str) -> str:
    """An IANA name of a zone that is known here."""
    try:
        return ZoneInfo(text).key
    # The names of its folders, and of what else lies in them, are refused in as many ways.
    except (ValueError, LookupError, OSError) as problem:
        raise ValueError("the IANA name of a time zone, like Europe/Madrid or America/Chicago") from problem


def listen(text: str) -> Listen:
    """`host:port`; a port alone is of this machine."""
    expected = "host:port like 127.0.0.1:2525, or a port alone, which only this machine reaches"
    name, _, port = text.rpartition(":")
    try:
        number = whole_number(1, 65535)(port)
        return Listen(host(name.removeprefix("[").removesuffix("]")) if name else "127.0.0.1", number)
    except ValueError as problem:
        raise ValueError(expected) from problem


def imap_url(text: str) -> ImapUrl:
    """`imaps://user:password@host/FOLDER`, or `imap://` with STARTTLS, which loopback may go without."""
    expected = "imaps://user:password@host/INBOX (special characters as %40 and so on)"
    url = _split(text, expected)
    folder = unquote(url.path.removeprefix("/")) or "INBOX"
    # A mailbox name goes into the protocol's quotes: neither controls nor letters beyond ASCII belong there.
    fine = folder.isascii() and not _CONTROL.search(folder) and not {'"', "\\"} & set(folder)
    if url.scheme not in ("imap", "imaps") or url.fragment or not fine:
        raise ValueError(expected)
    name = _host_of(url, expected)
    if not url.username or not url.password:
        raise ValueError(expected)
    return ImapUrl(
        host=name,
        port=url.port or _USUAL_PORTS[url.scheme],
        username=unquote(url.username),
        password=unquote(url.password),
        folder=folder,
        encryption=_imap_encryption(url, name),
    )


def _imap_encryption(url: SplitResult, name: str) -> Encryption:
    """In the clear only on this very machine, or where somebody has written so."""
    if url.scheme == "imaps" and not url.query:
        return "implicit"
    if url.scheme == "imap" and url.query in ("", "starttls=required", "starttls=off"):
        wanted = url.query.removeprefix("starttls=") or ("off" if _is_loopback(name) else "required")
        return "off" if wanted == "off" else "required"
    raise ValueError("nothing after the folder but ?starttls=required or off, on imap:// alone")


def country(text: str) -> str:
    """The two letters of ISO 3166 of a country whose telephone numbers are known."""
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("the two letters of a country, like US or DE")
    return text.upper()


def secret_key(text: str) -> str:
    if len(text) < 32 or _CONTROL.search(text):
        raise ValueError("at least 32 characters, at best random ones")
    return text


def without_password(url: str) -> str:
    """That URL for people to read: a password in front of the host or among the options is hidden."""
    url = re.sub(r"^([^:/?#]+://[^:/?#]*:)[^/?#]*@", rf"\1{HIDDEN}@", url)
    return re.sub(r"(?i)([?&][a-z]*password=)[^&]*", rf"\1{HIDDEN}", url)


def _split(text: str, expected: str) -> SplitResult:
    """Refuses what urlsplit lets pass or quietly removes: spaces, controls, a port that is none."""
    try:
        url = urlsplit(text)
        if re.search(r"\s", text) or _CONTROL.search(text) or url.port == 0:
            raise ValueError
    except ValueError as problem:
        raise ValueError(expected) from problem
    return url


def _host_of(url: SplitResult, expected: str) -> str:
    try:
        return host(url.hostname or "")
    except ValueError as problem:
        raise ValueError(expected) from problem


def is_address(text: str) -> bool:
    """Whether that is an IP address, without brackets."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_local(name: str) -> bool:
    """Whether this very machine reaches itself by that host: loopback, or the address that stands for all."""
    return _is_loopback(name) or (is_address(name) and ip_address(name).is_unspecified)


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (is_address(name) and ip_address(name).is_loopback)
