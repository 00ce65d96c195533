"""What was queued goes out, once; what cannot go is tried again, and given up where all can see it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from jobthread.deliver import worker as worker_module
from jobthread.deliver.attempt import pause_after
from jobthread.deliver.outgoing import DeliveryFailed, Invitation, Outgoing
from jobthread.entities import AuditAction, Channel, DeliveryStatus, JobStatus
from jobthread.errors import Unavailable
from jobthread.store import jobs, links, outbox
from jobthread.store.database import Database, Writing
from jobthread.tokens import Seal
from tests.deliver.post import (
    COMPOSE,
    HOUR,
    Clock,
    MailServer,
    as_it_stands,
    by_mail,
    has_status,
    invite,
    mail_server,
    sealed_tokens_left,
    text_of,
    time_passes,
    trail,
    until,
    working,
)

SENT, FAILED, QUEUED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.QUEUED


async def never(*_: object) -> str:
    await asyncio.Event().wait()
    return "250 OK"


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
            assert worker.ends == [(Channel.EMAIL, SENT)]
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


# --- it does not go -------------------------------------------------------------------------------


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
            assert [line["event"] for line in logs] == ["delivery_failed"]
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
            delivery = await as_it_stands(db, waiting)
            assert delivery.status is FAILED
            assert delivery.error is not None
            assert delivery.error.startswith(f"given up after {delivery.attempts} attempts: ")
            assert "452 4.2.2 mailbox full" in delivery.error
            assert len(await trail(db, AuditAction.DELIVERY_FAILED)) == 1
            assert logs[-1]["event"] == "delivery_failed"
            assert worker.ends[-1] == (Channel.EMAIL, FAILED)

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


# --- nobody knows whether it went -----------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["hangs", "hangs up"])
def test_a_mail_whose_end_is_unknown_is_repeated_under_the_same_message_id(
    db: Database, clock: Clock, trouble: str
) -> None:
    async def story() -> None:
        async def first_time(server: MailServer, mail: bytes) -> str:
            if len(server.offered) > 1:
                return "250 OK"
            if trouble == "hangs up":
                server.cut()
            return await never()

        async with mail_server(at_data=first_time) as server:
            async with working(db, by_mail(server.port), send_seconds=0.5) as worker:
                waiting = await invite(db)
                await until(lambda: bool(worker.ends), "the first attempt has ended")
                delivery = await as_it_stands(db, waiting)
                assert delivery.error == "it is unknown whether it arrived; it is repeated"
                await time_passes(db, clock, worker, 20)
                await has_status(db, waiting, SENT)
            first, second = server.offered
            assert first == second

    asyncio.run(story())


def test_a_connection_lost_before_the_text_is_a_definite_failure(db: Database) -> None:
    async def story() -> None:
        async def hang_up(server: MailServer, to: str) -> str:
            server.cut()
            return await never()

        async with mail_server(at_rcpt=hang_up) as server, working(db, by_mail(server.port)) as worker:
            waiting = await invite(db)
            await until(lambda: bool(worker.ends), "the first attempt has ended")
            delivery = await as_it_stands(db, waiting)
            assert delivery.status is QUEUED
            assert delivery.error is not None
            assert delivery.error.startswith("the mail server did not take the recipient: ")

    asyncio.run(story())


def test_a_mail_that_may_have_arrived_ten_times_is_not_sent_an_eleventh(db: Database, clock: Clock) -> None:
    async def story() -> None:
        async with mail_server(at_data=never) as server:
            async with working(db, by_mail(server.port), send_seconds=0.05) as worker:
                waiting = await invite(db)
                await time_passes(db, clock, worker, 4 * HOUR, step=600)
            delivery = await as_it_stands(db, waiting)
            assert delivery.status is FAILED
            assert delivery.error == "given up after 10 attempts of which it is unknown whether they arrived"
            assert len(server.offered) == 10

    asyncio.run(story())


def test_a_server_that_was_away_and_comes_back_slow_still_gets_its_mail(db: Database, clock: Clock) -> None:
    async def story() -> None:
        async def slow_at_first(server: MailServer, mail: bytes) -> str:
            return await never() if len(server.offered) == 1 else "250 OK"

        async with mail_server() as server:
            port = server.port
        async with working(db, by_mail(port), send_seconds=0.2) as worker:
            waiting = await invite(db)
            await time_passes(db, clock, worker, 3 * HOUR, step=600)
            assert (await as_it_stands(db, waiting)).attempts > 10
            async with mail_server(port, at_data=slow_at_first) as server:
                await time_passes(db, clock, worker, HOUR, step=600)
                assert (await as_it_stands(db, waiting)).status is SENT
                assert len(server.offered) == 2

    asyncio.run(story())


def test_a_withdrawn_link_that_may_have_arrived_is_told_of_as_such(db: Database, clock: Clock) -> None:
    async def story() -> None:
        async with mail_server(at_data=never) as server:
            async with working(db, by_mail(server.port), send_seconds=0.2) as worker:
                waiting = await invite(db)
                await until(lambda: bool(worker.ends), "the first attempt has ended")
                await db.write(lambda tx: links.revoke(tx, waiting.delivery.link_id))
                await time_passes(db, clock, worker, 20)
            error = (await as_it_stands(db, waiting)).error
            assert error is not None
            assert error.endswith("; it is unknown whether an earlier attempt arrived")

    asyncio.run(story())


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_worker_that_vanished_leaves_mail_to_repeat_but_no_text_message(
    db: Database, clock: Clock, channel: Channel
) -> None:
    async def story() -> None:
        waiting = await invite(db, "+15550100", channel)
        (claimed,) = await db.write(lambda tx: outbox.claim(tx, 8, 60_000_000))
        assert claimed.unknown_ends == 0
        sent: list[Outgoing] = []

        async def send(outgoing: Outgoing) -> str:
            sent.append(outgoing)
            return "1"

        async with working(db, {channel: send}) as worker:
            await asyncio.sleep(0.05)
            assert sent == []
            clock.advance(61)
            worker.wake.set()
            await until(lambda: bool(worker.ends), "it was looked at anew")
            delivery = await as_it_stands(db, waiting)
            if channel is Channel.EMAIL:
                assert delivery.status is SENT
            else:
                assert sent == []
                assert delivery.status is FAILED
                assert delivery.error == "it is unknown whether this text arrived; send a new link if needed"

    asyncio.run(story())


def test_a_text_message_is_repeated_where_it_surely_failed_and_not_where_it_timed_out(
    db: Database, clock: Clock
) -> None:
    async def story() -> None:
        tries = 0

        async def send(outgoing: Outgoing) -> str:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise DeliveryFailed("the provider is busy", permanent=False)
            return await never()

        async with working(db, {Channel.SMS: send}, send_seconds=0.05) as worker:
            waiting = await invite(db, "+15550100", Channel.SMS)
            await until(lambda: bool(worker.ends), "the first attempt has ended")
            assert (await as_it_stands(db, waiting)).status is QUEUED
            await time_passes(db, clock, worker, HOUR, step=600)
            delivery = await as_it_stands(db, waiting)
            assert (delivery.status, tries) == (FAILED, 2)
            assert delivery.error == "it is unknown whether this text arrived; send a new link if needed"

    asyncio.run(story())


# --- it may not go any more -----------------------------------------------------------------------


def test_a_link_withdrawn_meanwhile_is_not_sent(db: Database) -> None:
    async def story() -> None:
        waiting = await invite(db)
        await db.write(lambda tx: links.revoke(tx, waiting.delivery.link_id))
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
            standing = links.get(tx, waiting.delivery.link_id)
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


# --- the worker lives on --------------------------------------------------------------------------


def test_a_delivery_that_cannot_be_worded_fails_alone(db: Database) -> None:
    async def story() -> None:
        def compose(invitation: Invitation) -> Outgoing:
            if invitation.job_title == "Poison":
                raise KeyError("poison")
            return COMPOSE(invitation)

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
        assert [line["event"] for line in logs] == ["delivery_delayed", "delivery_failed"]
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
