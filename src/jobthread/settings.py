"""Every setting in one frozen object, read once: from arguments, else environment, else file, else default.

A mistake is a SettingsError of one line that names the setting and says what is expected.
"""

import difflib
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jobthread import setting_values as read
from jobthread import sms_settings
from jobthread.business_hours import ALWAYS
from jobthread.deliver.sms_accounts import Account

PREFIX = "JOBTHREAD_"

Default = str | Callable[[dict[str, Any]], str | None] | None


class SettingsError(Exception):
    """A setting that cannot be: its text is the one line to show."""


def _own_url(above: dict[str, Any]) -> str:
    name = "localhost" if read.is_local(above["host"]) else above["host"]
    return f"http://[{name}]:{above['port']}" if ":" in name else f"http://{name}:{above['port']}"


def _own_address(above: dict[str, Any]) -> str:
    name = urlsplit(above["base_url"]).hostname or "localhost"
    return f"jobthread@[{name}]" if read.is_address(name) else f"jobthread@{name}"


def _own_format(_: dict[str, Any]) -> str:
    return "readable" if sys.stderr.isatty() else "json"


def setting(
    says: str, value_of: Callable[[str], Any], default: Default = None, *, secret: bool = False
) -> Any:
    """A field of Settings; its default is what a person would write, or made from the fields above."""
    about = {"says": says, "value_of": value_of, "default": default, "secret": secret}
    return field(repr=not secret, metadata=about)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is in force. `origins` tells for each name where its value came from."""

    host: str = setting("Address to listen on", read.host, "127.0.0.1")
    port: int = setting("Port to listen on", read.whole_number(1, 65535), "8080")
    workers: int = setting(
        "Processes that serve on that port; more than one needs PostgreSQL", read.whole_number(1, 64), "1"
    )
    base_url: str = setting("Address that people reach the server at, as in links", read.base_url, _own_url)
    data_dir: Path = setting("Folder for the database, files and the secret key", read.folder, "./data")
    database_url: str = setting(
        "The database: a SQLite file (jobthread.db in the data directory by default) or PostgreSQL",
        read.database_url,
        lambda above: f"sqlite:///{str(above['data_dir']).replace('%', '%25')}/jobthread.db",
        secret=True,
    )
    listen_url: str | None = setting(
        "PostgreSQL itself, where the database's address is a pooler's, which passes no notices on",
        read.postgresql_url,
        secret=True,
    )
    secret_key: str | None = setting(
        "Seals what must not rest in the clear; made at first start where none is set",
        read.secret_key,
        secret=True,
    )
    company: str = setting("Name of the company, as customers read it", read.line(1, 80), "Jobthread")
    country: str = setting(
        "Country of telephone numbers written without +, as two letters", read.country, "US"
    )
    business_hours: str = setting(
        "When the office is open, like Mon-Fri 08:00-17:00, Sat 09:00-12:00; or always",
        read.business_hours,
        ALWAYS,
    )
    time_zone: str = setting("Time zone of the office, like Europe/Madrid", read.time_zone, "UTC")
    answer_minutes: int = setting(
        "Minutes of business hours that a customer may wait before dispatchers are told; 0: nobody is",
        read.whole_number(0, 1440),
        "30",
    )
    trusted_proxies: tuple[read.Network, ...] = setting(
        "Addresses of the proxies in front, whose word on a caller's address is taken", read.networks, ""
    )
    link_days: int = setting("Days that a customer's link lasts", read.whole_number(1, 90), "7")
    session_days: int = setting("Days that a login of staff lasts", read.whole_number(1, 365), "30")
    smtp_url: read.SmtpUrl | None = setting(
        "The mail server: smtp://user:password@host:port?starttls=required|try|off, or smtps://",
        read.smtp_url,
        secret=True,
    )
    mail_from: str = setting("Sender of mails", read.mail_address, _own_address)
    sms_url: Account | None = setting(
        "Where text messages go: twilio://, vonage://, template:///file.toml, or a file:///folder",
        sms_settings.account,
        secret=True,
    )
    notify_after: int = setting(
        "Seconds that a message may stay unread before somebody who is not there is told of it",
        read.whole_number(1, 86_400),
        "60",
    )
    notify_quotes: bool = setting(
        "Whether mails that tell of messages quote them: on or off", read.switch, "on"
    )
    reply_address: str | None = setting(
        "Where answers to mails come in, as reply@example.com; mails are answered to reply+…@example.com",
        read.plain_mail_address,
    )
    mail_listen: read.Listen | None = setting(
        "Where a mail server hands answers over by LMTP or SMTP: host:port, or a port of this machine alone",
        read.listen,
    )
    imap_url: read.ImapUrl | None = setting(
        "The mailbox that answers come into: imaps://user:password@host/INBOX",
        read.imap_url,
        secret=True,
    )
    mail_keep_days: int = setting(
        "Days that mails that came in are kept as they came", read.whole_number(1, 3650), "30"
    )
    rate_limits: bool = setting("Whether too many requests are refused: on or off", read.switch, "on")
    max_body_kb: int = setting("Largest body of a request, in KiB", read.whole_number(128, 65536), "256")
    metrics: bool = setting("Whether /metrics answers Prometheus: on or off", read.switch, "off")
    log_format: str = setting(
        "json or readable (by default readable on a terminal)", read.one_of("json", "readable"), _own_format
    )
    log_level: str = setting(
        "Least severe log line written: debug, info, warning or error",
        read.one_of("debug", "info", "warning", "error"),
        "info",
    )
    origins: Mapping[str, str] = field(repr=False, compare=False)


SETTINGS: dict[str, Field[Any]] = {one.name: one for one in fields(Settings) if one.metadata}


class _Given(NamedTuple):
    text: str
    label: str  # how a mistake names it
    origin: str


def variable(name: str) -> str:
    """The environment variable of that setting."""
    return PREFIX + name.upper()


def load_settings(
    environ: Mapping[str, str], config: Path | None = None, arguments: Mapping[str, str | None] | None = None
) -> Settings:
    """Everything that is set, checked; `arguments` holds settings by name from the command line, or None."""
    given = {**_from_file(config), **_from_environment(environ), **_from_arguments(arguments or {})}
    values: dict[str, Any] = {}
    for name, one in SETTINGS.items():
        values[name] = _value(one, given.get(name), values)
    for name in ("mail_listen", "imap_url"):
        if values[name] is not None and values["reply_address"] is None:
            raise SettingsError(f"{given[name].label}: expected together with {variable('reply_address')}")
    origins = {name: given[name].origin if name in given else "default" for name in SETTINGS}
    return Settings(**values, origins=origins)


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """Each setting's variable, its value with secrets hidden, and where it came from."""
    return [
        (variable(name), _shown(one, getattr(settings, name)), settings.origins[name])
        for name, one in SETTINGS.items()
    ]


def _from_arguments(arguments: Mapping[str, str | None]) -> dict[str, _Given]:
    labels = {name: "--" + name.replace("_", "-") for name in arguments}
    return {
        name: _Given(text, labels[name], labels[name]) for name, text in arguments.items() if text is not None
    }


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    """An empty variable counts as not set: a container's settings are often written so."""
    given: dict[str, _Given] = {}
    for key, text in environ.items():
        if not key.startswith(PREFIX):
            continue
        name, in_file = _setting_of(key)
        if name is None:
            raise SettingsError(f"{key}: there is no such setting{_nearest(key, map(variable, SETTINGS))}")
        if text and name in given:
            raise SettingsError(
                f"{variable(name)}: set together with {variable(name)}_FILE; keep one of them"
            )
        if text and in_file:
            given[name] = _Given(_secret_in(Path(text), key), key, f"file {text}")
        elif text:
            given[name] = _Given(text, key, "environment")
    return given


def _setting_of(key: str) -> tuple[str | None, bool]:
    """The setting that this variable stands for, and whether it names a file that holds it (secrets only)."""
    for name, one in SETTINGS.items():
        if key == variable(name):
            return name, False
        if key == variable(name) + "_FILE" and one.metadata["secret"]:
            return name, True
    return None, False


def _secret_in(path: Path, key: str) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(
            f"{key}: expected the path of a file that can be read, got {str(path)!r}"
        ) from problem
    if not text:
        raise SettingsError(f"{key}: the file {str(path)!r} is empty")
    return text


def _from_file(config: Path | None) -> dict[str, _Given]:
    if config is None:
        return {}
    try:
        table = tomllib.loads(config.read_text("utf-8"))
    except OSError as problem:
        raise SettingsError(f"{config}: cannot be read ({problem.strerror})") from problem
    except ValueError as problem:
        raise SettingsError(f"{config}: is not TOML ({problem})") from problem
    for key in table:
        if key not in SETTINGS:
            raise SettingsError(f"{config}: there is no setting {key!r}{_nearest(key.lower(), SETTINGS)}")
    labels = {key: f"{key} in {config}" for key in table}
    return {
        key: _Given(_text_in_toml(value, SETTINGS[key], labels[key]), labels[key], str(config))
        for key, value in table.items()
    }


def _text_in_toml(value: object, one: Field[Any], label: str) -> str:
    """As the environment would say it; TOML's types must fit, so that `port = "8080"` is no riddle later."""
    if one.type is int:
        if type(value) is int:
            return str(value)
        raise SettingsError(f"{label}: expected a whole number, without quotes")
    if one.type is bool and isinstance(value, bool):
        return "on" if value else "off"
    if (
        isinstance(value, list)
        and one.name == "trusted_proxies"
        and all(isinstance(part, str) for part in value)
    ):
        return ",".join(value)
    if not isinstance(value, str):
        raise SettingsError(f"{label}: expected a text in quotes")
    return value


def _value(one: Field[Any], given: _Given | None, above: dict[str, Any]) -> Any:
    default = one.metadata["default"]
    text = given.text if given else default(above) if callable(default) else default
    if text is None:
        return None
    try:
        return one.metadata["value_of"](text)
    except ValueError as expected:
        label = given.label if given else variable(one.name)
        got = "" if one.metadata["secret"] else f", got {text[:100]!r}"
        raise SettingsError(f"{label}: expected {expected}{got}") from None


def _shown(one: Field[Any], value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if one.metadata["secret"] and isinstance(value, str):
        return read.without_password(value) if "://" in value else read.HIDDEN
    return str(value)


def _nearest(word: str, known: Any) -> str:
    found = difflib.get_close_matches(word, list(known), 1, 0.7)
    return f"; did you mean {found[0]}?" if found else ""
