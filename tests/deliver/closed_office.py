"""An office that is open from eight to five in Madrid, Carol who answers it, and what goes back to her."""

import asyncio
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import select

from jobthread.actions import jobs, messages, people, replies, texts, threads
from jobthread.actions.texts import Incoming
from jobthread.business_hours import closed_until, hours_of
from jobthread.deliver.attempt import Means, attempt
from jobthread.deliver.compose import composer
from jobthread.deliver.outgoing import Outgoing
from jobthread.deliver.sms_allowed import only_where_allowed
from jobthread.deliver.worker import LEASE
from jobthread.entities import Actor, Channel, Delivery, Reader, Role, SeenJob, SenderKind, Staff, Visibility
from jobthread.store import limits, links, outbox
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.incoming import Mail, Taken
from jobthread.store.tables import deliveries
from jobthread.texting import keyword
from jobthread.tokens import hash_of, new_token
from tests.deliver.post import COMPANY, KEY, SEAL, SECOND, Clock, link_to

T = TypeVar("T")
CAROL, NUMBER = "carol@example.com", "+12025550101"
HOURS = hours_of("Mon-Fri 08:00-17:00", "Europe/Madrid")
FRIDAY_EVENING, MONDAY_MORNING = "2026-11-27T16:30:00", "2026-11-30T09:00:00"
MONDAY_EVENING = "2026-11-30T18:00:00"
NOBODY = Actor(None, "", "")
COMPOSE = composer(
    COMPANY,
    link_to,
    KEY,
    base_url="https://chat.acme.example.com",
    reply_address="reply@acme.example.com",
    reply_key=b"replies",
    unsubscribe_key=b"unsubscribing",
    time_zone="Europe/Madrid",
)
_names = itertools.count(1)


@dataclass
class Office:
    """Tables with Dora in them, and Carol's boiler; channels that take whatever they are handed."""

    db: Database
    clock: Clock
    dora: Staff = field(init=False)
    job: SeenJob = field(init=False)
    thread_id: int = field(init=False)
    handed: list[Outgoing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.it_is(FRIDAY_EVENING)
        self.dora, self.job, self.thread_id = self.write(_opened)

    def it_is(self, text: str) -> None:
        """In UTC."""
        self.clock.now = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND

    def write(self, fn: Callable[[Writing], T]) -> T:
        return asyncio.run(self.db.write(fn))

    @property
    def by(self) -> Actor:
        return Actor(self.dora, "", "")

    @property
    def customer_id(self) -> int:
        return self.job.customer.id

    # --- what comes in ----------------------------------------------------------------------------

    def a_text(self, body: str = "Nine is fine", name: str = "") -> Callable[[Writing], object]:
        text = Incoming("test", name or f"in:{next(_names)}", NUMBER, body, keyword(body))
        return lambda tx: texts.take_in(tx, NOBODY, limits.OFF, text, closed_until(HOURS, tx.now))

    def a_mail(
        self, reader: Reader | None = None, sender: str = CAROL, automatic: str | None = None
    ) -> Callable[[Writing], Taken]:
        name = hashlib.sha256(str(next(_names)).encode()).digest()
        mail = Mail(name, sender, automatic, "Nine is fine", 100, "raw")
        who = reader or (SenderKind.CUSTOMER, self.customer_id)
        return lambda tx: replies.take_in(tx, mail, who, self.thread_id, closed_until(HOURS, tx.now))

    def dora_writes(self) -> None:
        said = messages.Send(self.by, self.thread_id, "I am still here", None)
        [sent] = self.write(lambda tx: messages.send_all(tx, [said]))
        assert isinstance(sent, messages.Sent)

    # --- what goes out ----------------------------------------------------------------------------

    def queued(self) -> list[Delivery]:
        """Everything that ever was, oldest first."""
        return asyncio.run(self.db.read(_all_deliveries))

    def kinds(self) -> list[tuple[str, str]]:
        return [(one.kind.value, one.channel.value) for one in self.queued()]

    def ends(self) -> list[tuple[str, str | None]]:
        """How each stands after the worker looked at what is due."""
        asyncio.run(self._worked())
        return [(one.status.value, one.error) for one in self.queued()]

    async def _worked(self) -> None:
        async def take(outgoing: Outgoing) -> str:
            self.handed.append(outgoing)
            return str(len(self.handed))

        channels = {Channel.SMS: only_where_allowed(self.db, take), Channel.EMAIL: take}
        means = Means(self.db, SEAL, channels, COMPOSE, lambda channel, status: None, 5)
        for claimed in await self.db.write(lambda tx: outbox.claim(tx, 50, LEASE)):
            await attempt(means, claimed)


def _opened(tx: Writing) -> tuple[Staff, SeenJob, int]:
    dora = people.enrol(tx, NOBODY, "Dora", "dora@example.com", Role.DISPATCHER, None)
    by = Actor(dora, "", "")
    job = jobs.create(tx, by, jobs.NewJob("Boiler off", jobs.NewCustomer("Carol", CAROL, NUMBER)))
    draft = threads.ThreadDraft(Visibility.CUSTOMER_VISIBLE, "Your boiler", [dora.id], job.ref.id)
    return dora, job, threads.create(tx, by, draft).id


def _all_deliveries(tx: Reading) -> list[Delivery]:
    return [outbox.made(row) for row in tx.conn.execute(select(deliveries).order_by(deliveries.c.id))]


def link_of(tx: Writing, office: Office) -> int:
    """A link to Carol's job, as Dora might hand it over."""
    expires_at = tx.now + 7 * 24 * 3600 * SECOND
    return links.add(tx, office.job.ref.id, office.customer_id, hash_of(new_token()), None, expires_at)
