"""Where nobody knows whether it went: a mail is repeated under its name, a text message is not."""

import asyncio

import pytest

from jobthread.deliver.outgoing import DeliveryFailed, Outgoing
from jobthread.entities import Channel, DeliveryStatus
from jobthread.store import links, outbox
from jobthread.store.database import Database
from tests.deliver.mail_server import MailServer, mail_server, never
from tests.deliver.post import (
    HOUR,
    Clock,
    as_it_stands,
    by_mail,
    has_status,
    invite,
    time_passes,
    until,
    working,
)

SENT, FAILED, QUEUED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.QUEUED


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
            async with working(db, by_mail(server.port), send_seconds=0.25) as worker:
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
                await db.write(lambda tx: links.revoke(tx, waiting.link_id))
                await time_passes(db, clock, worker, 20)
            error = (await as_it_stands(db, waiting)).error
            assert error is not None
            assert error.endswith("; it is unknown whether an earlier attempt arrived")

    asyncio.run(story())


def test_an_attempt_ends_at_its_deadline_though_the_client_does_not_hear_of_it(db: Database) -> None:
    """The greeting comes in the very turn of the loop in which the time is over."""

    async def story() -> None:
        talking: list[asyncio.StreamWriter] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talking.append(writer)
            over = asyncio.get_running_loop().time() + 1.1
            await asyncio.sleep(0.1)
            writer.write(b"220 mail.example.com\r\n")
            blocked(until=over)
            while line := await reader.readline():
                heard.append(line[:4])
                # The sender's address is never answered.
                if line[:4] != b"MAIL":
                    writer.write(b"250 OK\r\n")
            writer.close()

        heard: list[bytes] = []
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with working(db, by_mail(port), send_seconds=1.0) as worker:
            waiting = await invite(db)
            await until(lambda: bool(worker.ends), "the attempt has ended", seconds=5)
            assert b"MAIL" in heard, "the client heard of it: this test shows nothing"
            assert (
                await as_it_stands(db, waiting)
            ).error == "it is unknown whether it arrived; it is repeated"
            await until(talking[0].is_closing, "the connection is closed", seconds=5)
        server.close()

    asyncio.run(story())


def blocked(until: float) -> None:
    """Nothing else gets its turn: what is due by then comes all at once."""
    while asyncio.get_running_loop().time() < until:
        pass


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
            other = await invite(db, "+15550101", channel)
            await has_status(db, other, SENT)
            assert len(sent) == 1, "what another worker holds was sent as well"
            sent.clear()
            await until(lambda: bool(worker.ends), "the observer was told")
            worker.ends.clear()
            clock.advance(61)
            worker.wake.set()
            await until(lambda: bool(worker.ends), "it was looked at anew")
            delivery = await as_it_stands(db, waiting)
            if channel is Channel.EMAIL:
                assert delivery.status is SENT
            else:
                assert sent == []
                assert delivery.status is FAILED
                assert delivery.error == "it is unknown whether this text arrived; ask, or try again"

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
            assert delivery.error == "it is unknown whether this text arrived; ask, or try again"

    asyncio.run(story())
