"""What did not go is tried again, and given up where all can see it."""

import asyncio

from structlog.testing import capture_logs

from jobthread.deliver.attempt import pause_after
from jobthread.entities import AuditAction, Channel, DeliveryStatus
from jobthread.store.database import Database
from tests.deliver.mail_server import MailServer, mail_server
from tests.deliver.post import (
    HOUR,
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


def test_a_refused_recipient_is_final_and_all_can_see_it(db: Database) -> None:
    async def story() -> None:
        def refuse(server: MailServer, to: str) -> str:
            return "550 5.1.1 no such mailbox"

        async with mail_server(at_rcpt=refuse) as server, working(db, by_mail(server.port)) as worker:
            with capture_logs() as logs:
                waiting = await invite(db)
                await has_status(db, waiting, FAILED)
                await until(lambda: bool(worker.ends), "the observer was told")
            delivery = await as_it_stands(db, waiting)
            assert delivery.error == "the mail server did not take the recipient: 550 5.1.1 no such mailbox"
            (entry,) = await trail(db, AuditAction.DELIVERY_FAILED)
            assert entry.details["error"] == delivery.error
            assert worker.ends == [(Channel.EMAIL, FAILED)]
            assert events_of_deliveries(logs) == ["delivery_failed"]
            assert await sealed_tokens_left(db) == 0
            assert server.sessions == 1

    asyncio.run(story())


def test_a_mail_that_is_refused_after_its_text_is_final_too(db: Database) -> None:
    async def story() -> None:
        async with mail_server(at_data=lambda server, mail: "554 5.7.1 looks like spam") as server:
            async with working(db, by_mail(server.port)):
                waiting = await invite(db)
                await has_status(db, waiting, FAILED)
            assert len(server.offered) == 1

    asyncio.run(story())


def test_a_greylisted_mail_arrives_later_and_once(db: Database, clock: Clock) -> None:
    async def story() -> None:
        def not_at_first(server: MailServer, to: str) -> str:
            return "250 OK" if server.sessions > 1 else "451 4.7.1 come back later"

        async with mail_server(at_rcpt=not_at_first) as server, working(db, by_mail(server.port)) as worker:
            waiting = await invite(db)
            await until(lambda: bool(worker.ends), "the first attempt has ended")
            delivery = await as_it_stands(db, waiting)
            assert delivery.status is QUEUED
            assert delivery.error == "the mail server did not take the recipient: 451 4.7.1 come back later"
            await time_passes(db, clock, worker, 20)
            delivery = await as_it_stands(db, waiting)
            assert (delivery.status, delivery.attempts, delivery.error) == (SENT, 2, None)
            assert len(server.accepted) == 1

    asyncio.run(story())


def test_one_server_that_hangs_delays_no_other_mail(db: Database) -> None:
    async def story() -> None:
        released = asyncio.Event()

        async def hang_on_bad(server: MailServer, to: str) -> str:
            if to.startswith("bad"):
                await released.wait()
            return "250 OK"

        async with mail_server(at_rcpt=hang_on_bad) as server:
            bad = [await invite(db, f"bad{number}@example.com") for number in range(3)]
            good = [await invite(db, f"carol{number}@example.com") for number in range(30)]
            async with working(db, by_mail(server.port), send_seconds=30.0):
                await until(
                    lambda: len(server.accepted) == len(good), "all the others have arrived", seconds=5
                )
                for one in bad:
                    assert (await as_it_stands(db, one)).status is DeliveryStatus.SENDING
                released.set()

    asyncio.run(story())


def test_a_mail_server_that_was_away_for_an_hour_gets_everything_within_twelve_minutes_of_its_return(
    db: Database, clock: Clock
) -> None:
    async def story() -> None:
        async with mail_server() as server:
            port = server.port
        async with working(db, by_mail(port)) as worker:
            waiting = [await invite(db, f"carol{number}@example.com") for number in range(25)]
            await time_passes(db, clock, worker, HOUR, step=30)
            tried = [(await as_it_stands(db, one)).attempts for one in waiting]
            assert min(tried) >= 6
            assert max(tried) <= 40
            async with mail_server(port) as server:
                await time_passes(db, clock, worker, 12 * 60, step=30)
                for one in waiting:
                    assert (await as_it_stands(db, one)).status is SENT
                assert sorted(server.recipients) == sorted(one.delivery.to for one in waiting)

    asyncio.run(story())


def test_pauses_grow_to_ten_minutes_and_are_spread() -> None:
    seconds = {tries: [pause_after(tries) / 1_000_000 for _ in range(400)] for tries in (1, 2, 3, 4, 50)}
    for tries, longest in ((1, 10), (2, 40), (3, 160), (4, 600), (50, 600)):
        assert max(seconds[tries]) <= longest
        assert max(seconds[tries]) > longest * 0.9
        assert min(seconds[tries]) < longest * 0.1


def test_after_two_days_it_is_given_up_and_all_can_see_it(db: Database, clock: Clock) -> None:
    async def story() -> None:
        def later(server: MailServer, to: str) -> str:
            return "452 4.2.2 mailbox full"

        async with mail_server(at_rcpt=later) as server, working(db, by_mail(server.port)) as worker:
            waiting = await invite(db)
            await time_passes(db, clock, worker, 47 * HOUR, step=HOUR)
            assert (await as_it_stands(db, waiting)).status is QUEUED
            with capture_logs() as logs:
                await time_passes(db, clock, worker, 2 * HOUR, step=HOUR)
                await until(lambda: worker.ends[-1] == (Channel.EMAIL, FAILED), "the observer was told")
            delivery = await as_it_stands(db, waiting)
            assert delivery.status is FAILED
            assert delivery.error is not None
            assert delivery.error.startswith(f"given up after {delivery.attempts} attempts: ")
            assert "452 4.2.2 mailbox full" in delivery.error
            assert len(await trail(db, AuditAction.DELIVERY_FAILED)) == 1
            assert logs[-1]["event"] == "delivery_failed"

    asyncio.run(story())


def test_what_waited_three_days_for_the_program_itself_still_gets_ten_tries(
    db: Database, clock: Clock
) -> None:
    async def story() -> None:
        def at_the_eighth(server: MailServer, to: str) -> str:
            return "250 OK" if server.sessions >= 8 else "451 4.3.0 busy"

        waiting = await invite(db)
        clock.advance(72 * HOUR)
        async with mail_server(at_rcpt=at_the_eighth) as server, working(db, by_mail(server.port)) as worker:
            await time_passes(db, clock, worker, 2 * HOUR, step=600)
            assert (await as_it_stands(db, waiting)).status is SENT
            assert server.sessions == 8

    asyncio.run(story())
