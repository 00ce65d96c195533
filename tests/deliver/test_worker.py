"""What was queued goes out, once; the worker outlives what goes wrong, and tells no secrets."""

import asyncio

import pytest
from structlog.testing import capture_logs

from jobthread.deliver import worker as worker_module
from jobthread.deliver.outgoing import Invitation, Letter, Outgoing
from jobthread.entities import AuditAction, Channel, DeliveryStatus
from jobthread.errors import Unavailable
from jobthread.store.database import Database
from tests.deliver.mail_server import MailServer, mail_server, never, text_of
from tests.deliver.post import (
    COMPOSE,
    Clock,
    as_it_stands,
    by_mail,
    events_of_deliveries,
    has_status,
    invite,
    sealed_tokens_left,
    time_passes,
    trail,
    until,
    working,
)

SENT, FAILED, QUEUED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.QUEUED


# --- it goes --------------------------------------------------------------------------------------


def test_a_queued_link_arrives_at_once_and_its_sealed_token_is_gone(db: Database) -> None:
    async def story() -> None:
        async with mail_server() as server, working(db, by_mail(server.port)) as worker:
            waiting = await invite(db)
            await until(lambda: bool(server.accepted), "the mail has arrived", seconds=3)
            await has_status(db, waiting, SENT)
            (mail,) = server.mails()
            assert server.recipients == ["carol@example.com"]
            assert waiting.link in text_of(mail)
            assert await sealed_tokens_left(db) == 0
            delivery = await as_it_stands(db, waiting)
            assert delivery.sent_at == db.clock()
            assert delivery.attempts == 1
            await until(lambda: worker.ends == [(Channel.EMAIL, SENT)], "the observer was told")
            (entry,) = await trail(db, AuditAction.DELIVERY_SENT)
            assert (entry.subject_kind, entry.subject_id) == ("delivery", delivery.id)
            assert entry.job_id == delivery.job_id

    asyncio.run(story())


def test_what_was_queued_while_nobody_worked_is_sent_when_work_begins(db: Database) -> None:
    async def story() -> None:
        waiting = [await invite(db, f"carol{number}@example.com") for number in range(20)]
        async with mail_server() as server, working(db, by_mail(server.port)):
            for one in waiting:
                await has_status(db, one, SENT)
            assert sorted(server.recipients) == sorted(one.delivery.to for one in waiting)

    asyncio.run(story())


def test_what_another_process_queued_is_found_without_being_woken(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.1)

    async def story() -> None:
        async with mail_server() as server, working(db, by_mail(server.port)):
            await asyncio.sleep(0)
            db.on_commit = lambda happenings: None
            await has_status(db, await invite(db), SENT)
            assert len(server.accepted) == 1

    asyncio.run(story())


def test_two_workers_on_one_database_never_send_the_same_thing_twice(postgres_url: str, clock: Clock) -> None:
    async def story() -> None:
        databases = [Database(postgres_url, clock) for _ in range(2)]
        try:
            async with mail_server() as server:
                waiting = [await invite(databases[0], f"carol{number}@example.com") for number in range(80)]
                async with (
                    working(databases[0], by_mail(server.port)) as one,
                    working(databases[1], by_mail(server.port)) as other,
                ):
                    await until(lambda: len(server.accepted) >= len(waiting), "all have arrived")
                    for each in waiting:
                        await has_status(databases[0], each, SENT)
                assert len(server.accepted) == len(waiting)
                assert len(set(server.message_ids())) == len(waiting)
                assert one.ends
                assert other.ends, "the second worker never got anything to do"
        finally:
            for database in databases:
                database.close()

    asyncio.run(story())


# --- the worker lives on --------------------------------------------------------------------------


def test_a_delivery_that_cannot_be_worded_fails_alone(db: Database) -> None:
    async def story() -> None:
        def compose(letter: Letter) -> Outgoing:
            if isinstance(letter, Invitation) and letter.job_title == "Poison":
                raise KeyError("poison")
            return COMPOSE(letter)

        async with mail_server() as server, working(db, by_mail(server.port), compose=compose):
            poison = await invite(db, title="Poison")
            good = await invite(db)
            await has_status(db, poison, FAILED)
            await has_status(db, good, SENT)
            assert (await as_it_stands(db, poison)).error == "its text could not be written"

    asyncio.run(story())


def test_the_worker_outlives_a_database_that_does_not_answer(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with mail_server() as server, working(db, by_mail(server.port)) as worker:
            await asyncio.sleep(0)

            async def away(*_: object) -> None:
                raise Unavailable

            with monkeypatch.context() as patch, capture_logs() as logs:
                patch.setattr(db, "read", away)
                worker.wake.set()
                await until(lambda: bool(logs), "the trouble was logged")
            assert logs[0]["event"] == "delivery_look_failed"
            assert logs[0]["error"] == "Unavailable"
            await has_status(db, await invite(db), SENT)

    asyncio.run(story())


def test_the_worker_stops_within_seconds_and_the_next_one_takes_over(db: Database, clock: Clock) -> None:
    async def story() -> None:
        async def hang_at_first(server: MailServer, mail: bytes) -> str:
            return await never() if len(server.offered) == 1 else "250 OK"

        async with mail_server(at_data=hang_at_first) as server:
            async with working(db, by_mail(server.port), send_seconds=30.0) as worker:
                waiting = await invite(db)
                await until(lambda: bool(server.offered), "the mail is under way")
                async with asyncio.timeout(4):
                    await worker.stop()
            assert (await as_it_stands(db, waiting)).status is DeliveryStatus.SENDING
            clock.advance(61)
            async with working(db, by_mail(server.port)):
                await has_status(db, waiting, SENT)
            first, second = server.offered
            assert first == second

    asyncio.run(story())


def test_a_worker_that_stops_finishes_what_ends_in_time(db: Database) -> None:
    async def story() -> None:
        going = asyncio.Event()

        async def slowly(server: MailServer, mail: bytes) -> str:
            await going.wait()
            return "250 OK"

        async with mail_server(at_data=slowly) as server, working(db, by_mail(server.port)) as worker:
            waiting = await invite(db)
            await until(lambda: bool(server.offered), "the mail is under way")
            worker.stopping.set()
            asyncio.get_running_loop().call_later(0.2, going.set)
            await worker.task
            assert (await as_it_stands(db, waiting)).status is SENT

    asyncio.run(story())


# --- what it gives away ---------------------------------------------------------------------------


def test_no_log_line_names_a_recipient_a_link_or_a_word_of_the_mail(db: Database, clock: Clock) -> None:
    async def story() -> None:
        def differ(server: MailServer, mail: bytes) -> str:
            first = len(server.offered) == 1
            return f"451 4.3.0 not now, carol@example.com: {mail!r}" if first else "554 5.7.1 no, carol"

        with capture_logs() as logs:
            async with mail_server(at_data=differ) as server, working(db, by_mail(server.port)) as worker:
                waiting = await invite(db)
                await until(lambda: bool(worker.ends), "the first attempt has ended")
                await time_passes(db, clock, worker, 20)
                await has_status(db, waiting, FAILED)
        told = str(logs)
        assert events_of_deliveries(logs) == ["delivery_delayed", "delivery_failed"]
        for secret in (waiting.token, "carol", "Carol", "Boiler", "4.3.0"):
            assert secret not in told

    asyncio.run(story())


def test_a_server_that_quotes_the_link_does_not_bring_it_into_the_database(db: Database) -> None:
    async def story() -> None:
        waiting = await invite(db)

        def quote(server: MailServer, mail: bytes) -> str:
            return f"554 5.7.1 this address is on our list: {waiting.link}"

        async with mail_server(at_data=quote) as server, working(db, by_mail(server.port)):
            await has_status(db, waiting, FAILED)
            error = (await as_it_stands(db, waiting)).error
            assert error is not None
            assert "this address is on our list" in error
            assert waiting.token not in error
            (entry,) = await trail(db, AuditAction.DELIVERY_FAILED)
            assert waiting.token not in str(entry)

    asyncio.run(story())
