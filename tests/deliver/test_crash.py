"""A worker that is killed, or loses its database, loses no mail; a mail sent twice bears one Message-ID."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobthread.deliver.worker import LEASE
from jobthread.entities import DeliveryStatus
from jobthread.store import schema
from jobthread.store.database import Database
from tests import postgres
from tests.deliver.mail_server import MailServer, mail_server
from tests.deliver.post import Waiting, as_it_stands, by_mail, has_status, invite, until, working

ROOT = Path(__file__).parents[2]
AFTER_THE_LEASE = LEASE // 1_000_000 + 5


@contextmanager
def worker_process(url: str, port: int, seconds_ahead: int = 0) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.deliver.worker_process", url, str(port), str(seconds_ahead)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def kill_at(point: str, process: "subprocess.Popen[bytes]", server: MailServer) -> None:
    """Have the server kill the worker, once, when their talk reaches `point`."""

    def killing_once() -> None:
        if process.poll() is None:
            process.kill()
            process.wait()

    def at_rcpt(_: MailServer, to: str) -> str:
        killing_once()
        return "250 OK"

    def at_data(_: MailServer, mail: bytes) -> str:
        killing_once()
        return "250 OK"

    if point == "before the text":
        server.at_rcpt = at_rcpt
    elif point == "before the answer":
        server.at_data = at_data
    else:
        server.at_quit = lambda _: killing_once()


@pytest.mark.parametrize(
    ("point", "copies"), [("before the text", 1), ("before the answer", 2), ("after the answer", 2)]
)
def test_a_worker_killed_around_the_sending_loses_nothing(url: str, point: str, copies: int) -> None:
    async def story() -> None:
        db = Database(url)
        try:
            async with mail_server() as server:
                waiting = await invite(db)
                with worker_process(url, server.port) as process:
                    kill_at(point, process, server)
                    await until(lambda: process.poll() is not None, "the worker was killed")
                assert (await as_it_stands(db, waiting)).status is DeliveryStatus.SENDING
                with worker_process(url, server.port, AFTER_THE_LEASE):
                    await has_status(db, waiting, DeliveryStatus.SENT)
                assert len(server.accepted) == copies
                assert len(set(server.message_ids())) == 1
                assert len(set(server.accepted)) == 1
        finally:
            db.close()

    asyncio.run(story())


def test_a_mail_taken_while_the_database_was_away_is_not_sent_again() -> None:
    """The database crashes between the sending and the mark, and comes back: the worker has insisted."""
    cluster = postgres.start_server()
    url = postgres.new_database(cluster)
    schema.migrate(url)

    async def story() -> None:
        db = Database(url)

        async def crash_first(server: MailServer, mail: bytes) -> str:
            if len(server.offered) == 1:
                await asyncio.to_thread(postgres.stop, cluster, "immediate")
                asyncio.get_running_loop().call_later(1.5, restarted.set)
            return "250 OK"

        restarted = asyncio.Event()
        try:
            async with mail_server(at_data=crash_first) as server:
                waiting: list[Waiting] = [await invite(db, "carol@example.com")]
                async with working(db, by_mail(server.port), send_seconds=20.0):
                    await restarted.wait()
                    await asyncio.to_thread(postgres.start, cluster)
                    await has_status(db, waiting[0], DeliveryStatus.SENT)
                    waiting.append(await invite(db, "chris@example.com"))
                    await has_status(db, waiting[1], DeliveryStatus.SENT)
                assert server.recipients == ["carol@example.com", "chris@example.com"]
        finally:
            db.close()

    try:
        asyncio.run(story())
    finally:
        postgres.remove(cluster)
