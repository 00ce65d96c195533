"""What the deliveries' tests share: invitations that wait, mail servers that misbehave, a worker at work."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from jobthread.deliver.compose import composer
from jobthread.deliver.email import Sender, SmtpServer, through
from jobthread.deliver.outgoing import Outgoing, Send
from jobthread.deliver.worker import deliver_forever
from jobthread.entities import (
    AuditAction,
    AuditEntry,
    Channel,
    Delivery,
    DeliveryKind,
    DeliveryQueued,
    DeliveryStatus,
    Happening,
    JobStatus,
    Micros,
    SenderKind,
)
from jobthread.store import audit, jobs, links, outbox, people
from jobthread.store.database import Database, Writing
from jobthread.tokens import Seal, hash_of, new_token

SECRET_KEY = "0123456789abcdef0123456789abcdef"
SEAL = Seal(SECRET_KEY)
KEY = b"names of deliveries"
SENDER = Sender("Acme Plumbing", "chat@acme.example.com", "chat.acme.example.com")
COMPANY = "Acme Plumbing"
SECOND: Micros = 1_000_000
HOUR = 3600.0


def link_to(job_id: int, token: str) -> str:
    return f"https://chat.acme.example.com/customer/chat?jobId={job_id}&token={token}"


COMPOSE = composer(COMPANY, link_to, KEY)


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now: Micros = 1_795_000_000 * SECOND

    def __call__(self) -> Micros:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], what: str, seconds: float = 20
) -> None:
    """Wait for a condition; fails by its name."""
    deadline = time.monotonic() + seconds
    while True:
        met = condition()
        if await met if isinstance(met, Awaitable) else met:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        await asyncio.sleep(0.01)


# --- what waits to be sent ------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """A link that was queued; the test alone knows its token."""

    delivery: Delivery
    token: str

    @property
    def link(self) -> str:
        assert self.delivery.job_id is not None
        return link_to(self.delivery.job_id, self.token)

    @property
    def link_id(self) -> int:
        assert self.delivery.link_id is not None
        return self.delivery.link_id


async def invite(
    db: Database,
    to: str = "carol@example.com",
    channel: Channel = Channel.EMAIL,
    *,
    name: str = "Carol",
    title: str = "Boiler service",
    hours: float = 24 * 7,
) -> Waiting:
    """A customer, a job, a link, and its delivery."""
    token = new_token()

    def written(tx: Writing) -> Delivery:
        customer = people.add_customer(tx, name, to, None)
        draft = jobs.JobDraft(jobs.next_reference(tx), title, JobStatus.ACTIVE, customer, None, None)
        job_id = jobs.add(tx, draft)
        expires_at = tx.now + int(hours * 3600 * SECOND)
        link_id = links.add(tx, job_id, customer.id, hash_of(token), None, expires_at)
        tx.tell(DeliveryQueued())
        reader, sealed = (SenderKind.CUSTOMER, customer.id), SEAL.close(token)
        kind = DeliveryKind.INVITATION
        return outbox.add(tx, outbox.NewDelivery(kind, channel, to, reader, link_id, job_id, sealed))

    return Waiting(await db.write(written), token)


async def as_it_stands(db: Database, waiting: Waiting) -> Delivery:
    link_id = waiting.link_id
    return (await db.read(lambda tx: outbox.of_links(tx, [link_id])))[link_id][0]


async def has_status(db: Database, waiting: Waiting, status: DeliveryStatus) -> None:
    async def has() -> bool:
        return (await as_it_stands(db, waiting)).status is status

    await until(has, f"delivery {waiting.delivery.id} is {status}")


async def nothing_due(db: Database) -> None:
    """Until all that was due was tried."""

    async def none_due() -> bool:
        # Twice: in between, what is due may have become what is being sent, and the other way round.
        for _ in range(2):
            due_at = await db.read(outbox.next_due)
            counted = await db.read(outbox.counts)
            if counted.get(DeliveryStatus.SENDING) or (due_at is not None and due_at <= db.clock()):
                return False
        return True

    await until(none_due, "nothing is due any more")


async def trail(db: Database, action: AuditAction) -> list[AuditEntry]:
    wanted = audit.AuditFilter(action=action)
    return (await db.read(lambda tx: audit.page(tx, wanted, None, 100))).items


def events_of_deliveries(logs: Iterable[Mapping[str, Any]]) -> list[str]:
    """In order; a server of another test may log beside them."""
    return [line["event"] for line in logs if line["event"].startswith("delivery_")]


async def sealed_tokens_left(db: Database) -> int:
    left = "SELECT count(*) FROM deliveries WHERE sealed_token IS NOT NULL"
    return int(await db.read(lambda tx: tx.conn.execute(text(left)).scalar_one()))


# --- a worker -------------------------------------------------------------------------------------


@dataclass
class Worker:
    """A worker under way, and what it told its observer."""

    wake: asyncio.Event
    stopping: asyncio.Event
    task: "asyncio.Task[None]"
    ends: list[tuple[Channel, DeliveryStatus]]

    async def stop(self) -> None:
        self.stopping.set()
        await self.task


def by_mail(port: int) -> Mapping[Channel, Send]:
    return {Channel.EMAIL: through(SmtpServer("127.0.0.1", port, None, None, "off"), SENDER)}


@asynccontextmanager
async def working(db: Database, channels: Mapping[Channel, Send], **options: Any) -> AsyncIterator[Worker]:
    """The real worker, stopped at the end; it is woken by commits as in the application."""
    wake, stopping = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def woken(happenings: list[Happening]) -> None:
        loop.call_soon_threadsafe(wake.set)

    db.on_commit = woken
    ends: list[tuple[Channel, DeliveryStatus]] = []
    arguments: dict[str, Any] = {"seal": SEAL, "compose": COMPOSE, "send_seconds": 5.0} | options
    task = asyncio.create_task(
        deliver_forever(
            db,
            channels=channels,
            wake=wake,
            stopping=stopping,
            observe=lambda channel, status: ends.append((channel, status)),
            **arguments,
        )
    )
    worker = Worker(wake, stopping, task, ends)
    try:
        yield worker
    finally:
        await worker.stop()


async def time_passes(db: Database, clock: Clock, worker: Worker, seconds: float, step: float = 10) -> None:
    """Move the clock in steps, and let the worker do at each what is due by then."""
    for _ in range(int(seconds / step)):
        clock.advance(step)
        worker.wake.set()
        await nothing_due(db)


def sent(send: Send, outgoing: Outgoing) -> str:
    """What the channel answers, without a worker."""

    async def answered() -> str:
        return await send(outgoing)

    return asyncio.run(answered())
