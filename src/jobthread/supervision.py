"""What goes on by itself does not end by itself: whatever stops it, it is begun anew, and that is told."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

log = structlog.get_logger()

PAUSE_SECONDS = 1.0


async def kept_alive(
    name: str, run: Callable[[], Awaitable[None]], stopping: asyncio.Event, restarted: Callable[[str], None]
) -> None:
    """Run it until `stopping` is set; an end before that, by an error or without one, is no end."""
    while True:
        try:
            await run()
            error = "ended"
        except Exception as died:
            error = type(died).__name__
        if stopping.is_set():
            return
        log.error("worker_died", worker=name, error=error)
        restarted(name)
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await stopping.wait()
