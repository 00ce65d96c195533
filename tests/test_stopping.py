"""A stop is heard at whatever moment it comes: what goes on by itself ends when it is told to, once."""

import asyncio
from typing import Any, cast

import pytest

from jobthread.actions.housekeeping import keep_sealed
from jobthread.store.database import Database


class NothingToSeal:
    async def write(self, fn: Any) -> int:
        return 0


@pytest.mark.parametrize("turns", range(5))
def test_the_sealing_hears_a_stop_that_meets_a_new_row_of_the_trail(turns: int) -> None:
    """Some turns of the loop after the row was told, which is when waiting by `wait_for` would miss it."""

    async def story() -> None:
        written = asyncio.Event()
        sealing = asyncio.create_task(keep_sealed(cast(Database, NothingToSeal()), b"", written))
        await asyncio.sleep(0.01)
        written.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        sealing.cancel()
        await asyncio.wait({sealing}, timeout=2)
        assert sealing.cancelled()

    asyncio.run(story())
