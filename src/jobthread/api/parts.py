"""The parts that calls work with, handed in by the app as plain values."""

from dataclasses import dataclass
from pathlib import Path

from jobthread.actions.links import Issuing
from jobthread.api.callers import Callers
from jobthread.api.limits import MessageLimits, TypingLimits
from jobthread.api.texting import Texting
from jobthread.business_hours import BusinessHours
from jobthread.live.hub import Hub
from jobthread.store.database import Database
from jobthread.store.limits import Limits


@dataclass(frozen=True)
class Parts:
    db: Database
    callers: Callers
    issuing: Issuing
    limits: Limits
    """On sign-ins and links: counted in the database, shared by all processes."""
    message_limits: MessageLimits
    typing_limits: TypingLimits
    hours: BusinessHours
    hub: Hub
    company: str
    country: str
    """Two letters: how phone numbers without a country code are read."""
    session_days: int
    base_url: str
    push_key: str
    """What browsers subscribe to notices with."""
    unsubscribe_key: bytes
    """Signs the addresses that end mails."""
    mails_folder: Path
    """Mails that came in, as they came."""
    demo: bool
    """It serves the demo company: sign-ins and mails are there for anyone to see."""
    texting: Texting | None = None
    """Whose webhooks about text messages are taken in, and how they are answered."""

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")
