"""Pieces of work for the group commit, and a writer kept busy so that they become one batch."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import insert, select

from jobthread.entities import Happening
from jobthread.errors import JobthreadError, NotFound
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.tables import facts

SOON_SECONDS = 20.0


def put(name: str) -> Callable[[Writing], str]:
    def written(tx: Writing) -> str:
        tx.conn.execute(insert(facts).values(name=name, value="here"))
        return name

    return written


def put_and_fail(name: str, error: Exception) -> Callable[[Writing], str]:
    def failed(tx: Writing) -> str:
        put(name)(tx)
        raise error

    return failed


def put_all(tx: Writing, names: Sequence[str]) -> list[str | JobthreadError]:
    """As many in one go; what is called `nothing` is refused, `poison` spoils the whole batch."""
    if "poison" in names:
        raise ValueError("poison")
    good = [name for name in names if name != "nothing"]
    if good:
        tx.conn.execute(insert(facts), [{"name": name, "value": "here"} for name in good])
    return [NotFound() if name == "nothing" else name for name in names]


def names_in(db: Database) -> list[str]:
    return asyncio.run(db.read(names))


def names(tx: Reading) -> list[str]:
    return list(tx.conn.execute(select(facts.c.name).order_by(facts.c.name)).scalars())


def run(story: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(story)


@contextmanager
def busy_writer(db: Database) -> Iterator[None]:
    """The writer is kept at something else; what is asked for meanwhile becomes one batch."""
    begun, released = threading.Event(), threading.Event()

    def hold(tx: Writing) -> None:
        begun.set()
        assert released.wait(SOON_SECONDS)

    other = threading.Thread(target=run, args=(db.write(hold),))
    other.start()
    try:
        assert begun.wait(SOON_SECONDS)
        yield
    finally:
        released.set()
        other.join(SOON_SECONDS)


async def until_waiting(db: Database, count: int) -> None:
    while db.waiting_writes < count:  # noqa: ASYNC110 - nothing tells of a write that waits
        await asyncio.sleep(0)


def together(db: Database, *asked: Coroutine[Any, Any, Any]) -> list[Any]:
    """The outcomes of what one batch holds; errors stand in their places."""

    async def story() -> list[Any]:
        with busy_writer(db):
            tasks = [asyncio.create_task(one) for one in asked]
            await until_waiting(db, len(tasks))
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes: list[Any] = run(story())
    return outcomes


def telling(happening: Happening, name: str, error: Exception | None = None) -> Callable[[Writing], str]:
    def told(tx: Writing) -> str:
        tx.tell(happening)
        put(name)(tx)
        if error is not None:
            raise error
        return name

    return told
