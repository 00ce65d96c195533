"""`kill -9` of the worker at each step, for every kind beside invitations: nothing lost, no text twice."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobthread.deliver.attempt import Means, attempt
from jobthread.deliver.outgoing import Outgoing
from jobthread.deliver.worker import LEASE
from jobthread.entities import Channel, ConsentHow, ConsentState, Delivery, DeliveryStatus
from jobthread.store import audit, consent, deliveries, outbox
from jobthread.store.database import Database, Writing
from tests.deliver import providers as p
from tests.deliver.devices import push_service
from tests.deliver.kinds import NOBODY, NUMBER, Kind, queue
from tests.deliver.mail_server import mail_server
from tests.deliver.post import COMPOSE, SEAL, until

ROOT = Path(__file__).parents[2]
A_LEASE = LEASE // 1_000_000 + 5
SENT, FAILED, SENDING = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.SENDING
UNSURE = "it is unknown whether this text arrived; ask, or try again"


@contextmanager
def worker(url: str, *given: object) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.deliver.dying_worker", url, *map(str, given)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def killed(url: str, *given: object) -> None:
    with worker(url, *given) as process:
        await until(lambda: process.poll() is not None, "the worker has killed itself")
        assert process.returncode == -9


async def ends(url: str, db: Database, waiting: int, status: DeliveryStatus, *given: object) -> Delivery:
    async def has_ended() -> bool:
        return (await standing(db, waiting)).status is status

    with worker(url, *given):
        await until(has_ended, f"it is {status}")
    return await standing(db, waiting)


async def standing(db: Database, waiting: int) -> Delivery:
    return (await db.read(lambda tx: deliveries.get(tx, waiting))).delivery


@pytest.mark.parametrize("kind", [Kind.STAFF_MAIL, Kind.CUSTOMER_MAIL, Kind.ESCALATION, Kind.AWAY_MAIL])
def test_a_mail_arrives_once_and_where_that_is_unknown_once_more_under_one_name(url: str, kind: Kind) -> None:
    async def story() -> None:
        db = Database(url)
        try:
            waiting = await db.write(lambda tx: queue(tx, kind))
            async with mail_server() as server:
                await killed(url, server.port, "file:///nowhere", 0, "worded")
                assert ((await standing(db, waiting)).status, server.sessions) == (SENDING, 0)
                await killed(url, server.port, "file:///nowhere", A_LEASE, "taken")
                assert ((await standing(db, waiting)).status, len(server.accepted)) == (SENDING, 1)
                await ends(url, db, waiting, SENT, server.port, "file:///nowhere", 2 * A_LEASE, "nowhere")
                first, second = server.accepted
                assert first == second
                assert len(set(server.message_ids())) == 1
        finally:
            db.close()

    asyncio.run(story())


def test_a_notice_on_a_device_is_repeated_in_the_place_of_the_one_before(url: str) -> None:
    async def story() -> None:
        db = Database(url)
        try:
            with push_service() as service:
                waiting = await db.write(lambda tx: queue(tx, Kind.STAFF_PUSH, service.url))
                await killed(url, 9, "file:///nowhere", 0, "worded")
                assert ((await standing(db, waiting)).status, service.pushed) == (SENDING, [])
                await killed(url, 9, "file:///nowhere", A_LEASE, "taken")
                assert ((await standing(db, waiting)).status, len(service.pushed)) == (SENDING, 1)
                await ends(url, db, waiting, SENT, 9, "file:///nowhere", 2 * A_LEASE, "nowhere")
                first, second = service.pushed
                assert first.headers["Topic"] == second.headers["Topic"]
        finally:
            db.close()

    asyncio.run(story())


@pytest.mark.parametrize("kind", [Kind.CUSTOMER_TEXT, Kind.AWAY_TEXT])
@pytest.mark.parametrize(("dies", "texts"), [("worded", 0), ("taken", 1)])
def test_a_text_message_is_never_repeated_and_says_that_its_end_is_unknown(
    url: str, dies: str, texts: int, kind: Kind
) -> None:
    async def story() -> None:
        db = Database(url)
        try:
            with p.playing(p.twilio) as provider:
                waiting = await db.write(lambda tx: queue(tx, kind))
                await killed(url, 9, p.twilio_url(provider), 0, dies)
                assert ((await standing(db, waiting)).status, len(provider.texts)) == (SENDING, texts)
                ended = await ends(url, db, waiting, FAILED, 9, p.twilio_url(provider), A_LEASE, "nowhere")
                assert (ended.error, len(provider.texts)) == (UNSURE, texts)
        finally:
            db.close()

    asyncio.run(story())


def test_a_number_that_was_stopped_meanwhile_is_not_even_worded(db: Database) -> None:
    """The channel asks the ledger as well; here it is one that does not."""
    handed: list[Outgoing] = []

    async def send(outgoing: Outgoing) -> str:
        handed.append(outgoing)
        return "1"

    def stopped(tx: Writing) -> None:
        about = audit.About("number", None)
        consent.change(tx, NOBODY, NUMBER, ConsentState.STOPPED, ConsentHow.KEYWORD, "STOP", about)

    async def story() -> None:
        waiting = await db.write(lambda tx: queue(tx, Kind.CUSTOMER_TEXT))
        await db.write(stopped)
        [claimed] = await db.write(lambda tx: outbox.claim(tx, 1, LEASE))
        means = Means(db, SEAL, {Channel.SMS: send}, COMPOSE, lambda channel, status: None, 5)
        await attempt(means, claimed)
        ended = await standing(db, waiting)
        assert (ended.status, ended.error) == (FAILED, "this number has asked for no more texts")
        assert handed == []

    asyncio.run(story())
