"""A process with the real worker in it, to be killed. Arguments: database URL, SMTP port, seconds ahead."""

import asyncio
import sys

from jobthread.deliver.worker import deliver_forever
from jobthread.store.database import Database, wall_clock
from tests.deliver.post import COMPOSE, SEAL, SECOND, by_mail


async def work(url: str, port: int, seconds_ahead: int) -> None:
    db = Database(url, lambda: wall_clock() + seconds_ahead * SECOND)
    await deliver_forever(db, SEAL, by_mail(port), COMPOSE, asyncio.Event(), asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
