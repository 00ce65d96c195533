"""Where text messages go, as the settings say it: a folder, Twilio, Vonage, or any other by a template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HIDDEN = "********"


@dataclass(frozen=True)
class Folder:
    path: Path

    def __str__(self) -> str:
        return f"file://{self.path}"


@dataclass(frozen=True)
class Twilio:
    """`sender` is a number, or a Messaging Service (MG…)."""

    api: str
    sid: str
    token: str = field(repr=False)
    sender: str

    def __str__(self) -> str:
        return f"Twilio at {self.api}, account {self.sid}, from {self.sender}, token {HIDDEN}"


@dataclass(frozen=True)
class Vonage:
    """The Messages API. Without `signature`, the secret of signed webhooks, nothing is taken in."""

    api: str
    key: str
    secret: str = field(repr=False)
    sender: str
    signature: str | None = field(repr=False)

    def __str__(self) -> str:
        return f"Vonage at {self.api}, key {self.key}, from {self.sender}, secret {HIDDEN}"


@dataclass(frozen=True)
class Template:
    """Any provider with an HTTP API. `{to}`, `{text}` and `{id}` are filled in where they stand.

    `id_at` leads through the JSON answer to the provider's name for the message: `messages.0.id`.
    """

    url: str = field(repr=False)
    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    success: tuple[int, ...]
    """Statuses; none: any 2xx."""
    id_at: tuple[str, ...]
    secret: str | None = field(repr=False)
    """What its webhooks must bear; None takes nothing in."""

    def __str__(self) -> str:
        return f"a provider told by a template, {self.method}, address and secrets {HIDDEN}"


Account = Folder | Twilio | Vonage | Template
