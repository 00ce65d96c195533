"""What may not go any more does not go, and staff can read why."""

import asyncio

from jobthread.entities import Channel, DeliveryStatus, JobStatus
from jobthread.store import jobs, links
from jobthread.store.database import Database, Writing
from jobthread.tokens import Seal
from tests.deliver.mail_server import mail_server
from tests.deliver.post import (
    HOUR,
    Clock,
    as_it_stands,
    by_mail,
    has_status,
    invite,
    sealed_tokens_left,
    until,
    working,
)

SENT, FAILED, QUEUED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.QUEUED


def test_a_link_withdrawn_meanwhile_is_not_sent(db: Database) -> None:
    async def story() -> None:
        waiting = await invite(db)
        await db.write(lambda tx: links.revoke(tx, waiting.link_id))
        async with mail_server() as server, working(db, by_mail(server.port)):
            await has_status(db, waiting, FAILED)
            assert (await as_it_stands(db, waiting)).error == "the link was withdrawn before it was sent"
            assert server.sessions == 0
            assert await sealed_tokens_left(db) == 0

    asyncio.run(story())


def test_a_link_that_expired_while_the_server_was_away_is_not_sent(db: Database, clock: Clock) -> None:
    async def story() -> None:
        async with mail_server() as server:
            port = server.port
        async with working(db, by_mail(port)) as worker:
            waiting = await invite(db, hours=1)
            await until(lambda: bool(worker.ends), "the first attempt has ended")
            async with mail_server(port) as server:
                clock.advance(HOUR)
                worker.wake.set()
                await has_status(db, waiting, FAILED)
                assert (await as_it_stands(db, waiting)).error == "the link expired before it could be sent"
                assert server.sessions == 0

    asyncio.run(story())


def test_a_link_to_a_job_closed_meanwhile_is_not_sent(db: Database) -> None:
    async def story() -> None:
        waiting = await invite(db)

        def close_job(tx: Writing) -> None:
            standing = links.get(tx, waiting.link_id)
            job = jobs.get_for_visitor(tx, standing.visitor)
            closed = jobs.JobDraft(
                job.ref.reference, job.ref.title, JobStatus.CLOSED, job.customer, job.scheduled_at, None
            )
            jobs.change(tx, job.ref.id, closed)

        await db.write(close_job)
        async with mail_server() as server, working(db, by_mail(server.port)):
            await has_status(db, waiting, FAILED)
            assert (await as_it_stands(db, waiting)).error == "the job was closed before the link was sent"
            assert server.sessions == 0

    asyncio.run(story())


def test_a_link_sealed_with_another_key_fails_with_a_word_about_it(db: Database) -> None:
    async def story() -> None:
        waiting = await invite(db)
        async with mail_server() as server:
            async with working(db, by_mail(server.port), seal=Seal("another secret key altogether")):
                await has_status(db, waiting, FAILED)
            error = (await as_it_stands(db, waiting)).error
            assert error == "the secret key was changed meanwhile; send a new link"

    asyncio.run(story())


def test_a_text_message_without_a_way_to_send_it_fails_with_a_word_about_it(db: Database) -> None:
    async def story() -> None:
        async with mail_server() as server, working(db, by_mail(server.port)):
            waiting = await invite(db, "+15550100", Channel.SMS)
            await has_status(db, waiting, FAILED)
            assert (await as_it_stands(db, waiting)).error == "no way to send by sms is set up"

    asyncio.run(story())
