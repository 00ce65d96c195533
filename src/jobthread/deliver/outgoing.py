"""What is handed to a channel, and how a channel says that it did not go."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from jobthread.entities import Delivery, Language, Message, Micros


@dataclass(frozen=True, slots=True)
class Invitation:
    """A magic link that waits to be sent, with all that its text tells."""

    delivery: Delivery
    token: str = field(repr=False)
    customer_name: str = field(repr=False)
    language: Language
    job_title: str
    expires_at: Micros


@dataclass(frozen=True, slots=True)
class Notice:
    """Word of messages that wait to be read. A customer's has a token, and with it a link."""

    delivery: Delivery
    token: str = field(repr=False)
    name: str = field(repr=False)
    language: Language
    subject: str = field(repr=False)
    """Of the thread."""
    thread_made_at: Micros
    count: int
    messages: tuple[Message, ...] = field(repr=False)
    """The first of them."""
    unread: int
    """Of all threads."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An admin's question whether anything arrives."""

    delivery: Delivery
    name: str = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Away:
    """Word to a customer who has answered by mail or by text that the office is closed."""

    delivery: Delivery
    name: str = field(repr=False)
    language: Language
    subject: str = field(repr=False)
    """Of the thread."""
    thread_made_at: Micros
    opens_at: Micros


Letter = Invitation | Notice | Trial | Away


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail or text message, ready to go. Every attempt at one delivery makes the very same."""

    delivery_id: int
    key: str
    """Names this delivery and no other, of whatever database: letters and digits."""
    queued_at: Micros
    to: str = field(repr=False)
    to_name: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    conversation: str = ""
    """Names what it belongs to: mail programs show all mails of one conversation together."""
    reply_to: str = field(default="", repr=False)
    unsubscribe: str = field(default="", repr=False)
    """The address that ends such mails, by one POST."""
    auto_submitted: str = "auto-generated"
    """What a mail says of how it came about (RFC 3834): machines answer neither word."""
    path: str = ""
    """Where a tap on a notice leads."""
    badge: int = 0
    """Unread messages of its reader, over all threads."""


Send = Callable[[Outgoing], Awaitable[str]]
"""One channel: sends, and answers with the name by which the provider knows it.

Raises `DeliveryFailed` where it surely did not go. Whatever else it raises, or where it is cut off,
the outcome counts as unknown.
"""

Compose = Callable[[Letter], Outgoing]


class DeliveryFailed(Exception):
    """It did not go. `message` is for staff to read; a permanent failure is not tried again."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
