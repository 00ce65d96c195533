"""A process that takes mails in, and kills itself after its first commit, before the answer goes out.

Arguments: database URL, port, folder for the mails, key of the addresses in hex.
"""

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

from jobthread.actions import replies
from jobthread.deliver import reply_address
from jobthread.receive.listener import listen
from jobthread.receive.taking import Means, Signed
from jobthread.store.database import Database
from tests.receive.post import REPLY_ADDRESS


async def take_in(url: str, port: int, folder: Path, key: bytes) -> None:
    db = Database(url)
    db.on_commit = lambda happenings: os.kill(os.getpid(), signal.SIGKILL)

    def addressed(written_to: str) -> Signed | None:
        found = reply_address.read(key, REPLY_ADDRESS, written_to)
        return (found.reader, found.thread_id) if found else None

    take = partial(replies.take_in, away_until=None)
    means = Means(db, folder, addressed, take, "chat.example.com")
    await listen(means, "127.0.0.1", port, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(take_in(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), bytes.fromhex(sys.argv[4])))
