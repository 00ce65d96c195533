"""Two servers on one database, or one that died on the way: everybody is told, and nobody twice."""

import asyncio
from collections import Counter

from sqlalchemy import select

from jobthread.actions import people, threads
from jobthread.actions.links import Issuing
from jobthread.actions.notifications import AT_ONCE, decide, look
from jobthread.entities import Actor, Role, Visibility
from jobthread.store import limits, notifications
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.tables import deliveries, notices_sown
from tests.deliver.post import SEAL, SECOND, Clock

HOW = Issuing("https://chat.acme.example.com", 24, SEAL, limits.OFF)
HERE = Actor(None, "", "")
AFTER = 60 * SECOND
CREW = 2 * AT_ONCE + 10


def crew_with_something_unread(tx: Writing) -> None:
    """More of them than are looked at in one go. The tests' clock stands before the migration's."""
    tx.conn.execute(notices_sown.delete())
    dora, *crew = [
        people.enrol(tx, HERE, f"Person {n}", f"person{n}@example.com", Role.TECHNICIAN, None)
        for n in range(CREW + 1)
    ]
    draft = threads.ThreadDraft(Visibility.INTERNAL, "Tyres", [one.id for one in crew], None, "Which day?")
    threads.create(tx, Actor(dora, "", ""), draft)


def told(tx: Reading) -> Counter[str]:
    return Counter(tx.conn.execute(select(deliveries.c.recipient)).scalars())


def everybody_once() -> Counter[str]:
    return Counter(f"person{n}@example.com" for n in range(1, CREW + 1))


async def look_until_done(db: Database) -> None:
    while True:
        await look(db, HOW, AFTER)
        next_at = await db.read(notifications.next_look)
        if next_at is None or next_at > db.clock():
            return


def test_two_servers_on_one_database_tell_everybody_once(postgres_url: str, clock: Clock) -> None:
    async def story() -> None:
        databases = [Database(postgres_url, clock) for _ in range(2)]
        try:
            await databases[0].write(crew_with_something_unread)
            await asyncio.gather(*map(look_until_done, databases))
            clock.advance(61)
            await asyncio.gather(*map(look_until_done, databases))
            assert await databases[0].read(told) == everybody_once()
        finally:
            for database in databases:
                database.close()

    asyncio.run(story())


def test_a_server_that_died_in_between_is_followed_by_one_that_goes_on(url: str, clock: Clock) -> None:
    async def story() -> None:
        first = Database(url, clock)
        await first.write(crew_with_something_unread)
        await look(first, HOW, AFTER)
        clock.advance(61)
        await first.write(lambda tx: decide(tx, HOW, AFTER))
        first.close()
        second = Database(url, clock)
        try:
            assert 0 < len(await second.read(told)) < CREW
            await look_until_done(second)
            assert await second.read(told) == everybody_once()
        finally:
            second.close()

    asyncio.run(story())


def test_a_clock_that_was_put_back_leaves_nobody_unaware(db: Database, clock: Clock) -> None:
    async def story() -> None:
        await db.write(crew_with_something_unread)
        await db.write(lambda tx: notifications.sown(tx, tx.now + 86_400 * SECOND))
        await look_until_done(db)
        clock.advance(61)
        await look_until_done(db)
        assert await db.read(told) == everybody_once()

    asyncio.run(story())


def test_a_server_that_was_off_for_days_tells_what_was_left_unread(db: Database, clock: Clock) -> None:
    async def story() -> None:
        await db.write(crew_with_something_unread)
        clock.advance(3 * 86_400)
        await look_until_done(db)
        assert await db.read(told) == everybody_once()

    asyncio.run(story())
