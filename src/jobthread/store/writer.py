"""The writer: one thread writes whatever waits in one transaction, and answers when it is on disk."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from jobthread.entities import Happening, Micros
from jobthread.errors import JobthreadError, Taken, Unavailable
from jobthread.store import engines
from jobthread.store.transactions import Writing

log = structlog.get_logger()

BATCH = 512
QUEUE = 5_000
"""Writes that may wait: beyond this a client is told to come back, rather than to wait for minutes."""
ATTEMPTS = 3
LONGEST_GATHERING = 0.008
"""Seconds after which a batch begins even while more writes pour in."""
STEP_BACK_SECONDS = 0.05


@dataclass(slots=True)
class _Waiting:
    many: Callable[[Writing, Sequence[Any]], Sequence[Any]] | None
    item: Any
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"
    patience: asyncio.TimerHandle | None
    outcome: Any = None
    error: Exception | None = None


class Writer:
    """`on_commit` hears what happened, in the loop of one who wrote and before any of them is answered."""

    def __init__(
        self, engine: Engine, clock: Callable[[], Micros], on_commit: Callable[[list[Happening]], None]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._on_commit = on_commit
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._begin: SimpleQueue[None] = SimpleQueue()
        self._gathering: set[asyncio.AbstractEventLoop] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def put(self, many: Any, item: Any, patience: float | None) -> "asyncio.Future[Any]":
        """Have `item` written: by `many`, with all others that wait for the same, or called itself.

        The answer is `Unavailable` after `patience` seconds. Raises it where nothing more can wait.
        """
        if self._closed or self._queue.qsize() >= QUEUE:
            raise Unavailable("The server is stopping" if self._closed else "Too many writes are waiting")
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        # Not asyncio.timeout: it costs as much as everything else here together.
        timer = None if patience is None else loop.call_later(patience, _give_up, answer)
        self._queue.put(_Waiting(many, item, loop, answer, timer))
        if loop not in self._gathering:
            self._gathering.add(loop)
            loop.call_soon(self._begin_when_quiet, loop, self._queue.qsize(), loop.time() + LONGEST_GATHERING)
        return answer

    def close(self, patience: float) -> None:
        """Finish what waits, for so many seconds at most."""
        self._closed = True
        self._queue.put(None)
        self._begin.put(None)
        self._thread.join(timeout=patience)

    def _begin_when_quiet(self, loop: asyncio.AbstractEventLoop, seen: int, until: float) -> None:
        """Let the writer begin when a turn of the loop brought no further write.

        It and the loop share one interpreter: begun at the first of many writes, a batch would be small and
        slow. A lone writer pays one turn of an idle loop for it, some microseconds.
        """
        waiting = self._queue.qsize()
        if seen < waiting < BATCH and loop.time() < until:
            loop.call_soon(self._begin_when_quiet, loop, waiting, until)
        else:
            self._gathering.discard(loop)
            self._begin.put(None)

    # --- in the writer's own thread ---------------------------------------------------------------

    def _write_forever(self) -> None:
        for gathered in self._batches():
            # Whoever has given up would never hear of it: what has not begun is not written at all.
            batch = [waiting for waiting in gathered if not waiting.answer.done()]
            happenings = self._commit(batch) if batch else []
            for loop, of_loop in _by_loop(batch):
                # A loop may be gone by now, with all who waited in it.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._resolve, of_loop, happenings)
                    happenings = []

    def _batches(self) -> Iterator[list[_Waiting]]:
        """Whatever waits when a batch begins is in it; nothing waits for a timer."""
        ended = False
        while not ended:
            self._begin.get()
            batch: list[_Waiting] = []
            while len(batch) < BATCH and not ended:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    ended = True
                else:
                    batch.append(following)
            if len(batch) == BATCH:
                # There may be more, and whoever put it there has rung already.
                self._begin.put(None)
            if batch:
                yield batch

    def _commit(self, batch: list[_Waiting]) -> list[Happening]:
        """A batch that failed as a whole is written piece by piece: one bad piece must not fail the rest."""
        for _ in range(ATTEMPTS):
            try:
                return self._transaction(batch)
            except _NothingWritten as failure:
                error = failure.cause
                if len(batch) > 1 and not failure.connection_lost:
                    _step_back(error)
                    return self._commit_each(batch)
                if not (failure.connection_lost or _lost_a_race(error)):
                    break
                _step_back(error)
            except _OutcomeUnknown as failure:
                _fail(batch, failure.cause)
                # It may be there. Whoever hears of it looks for himself: a rumour harms less than silence.
                return failure.happenings
            except Exception as unforeseen:
                error = unforeseen
                break
        return _fail(batch, error)

    def _commit_each(self, batch: list[_Waiting]) -> list[Happening]:
        """Without those who have given up meanwhile: where each piece waits for a lock, that takes long."""
        return [
            happening
            for waiting in batch
            if not waiting.answer.done()
            for happening in self._commit([waiting])
        ]

    def _transaction(self, batch: list[_Waiting]) -> list[Happening]:
        """Write the batch and commit it."""
        happenings: list[Happening] = []
        now = self._clock()
        try:
            conn = self._engine.connect()
        except Exception as error:
            raise _NothingWritten(error, no_connection=True) from error
        with conn:
            try:
                conn.begin()
                for many, of_kind in _by_kind(batch):
                    happenings += (
                        _run_many(conn, now, many, of_kind) if many else _run_each(conn, now, of_kind)
                    )
                    engines.insist_on_transaction(conn)
            except Exception as error:
                raise _NothingWritten(error) from error
            try:
                conn.commit()
            except Exception as error:
                # SQLAlchemy takes it for ended: the next batch would get a connection that is in it still.
                with suppress(Exception):
                    conn.connection.rollback()
                raise _OutcomeUnknown(error, happenings) from error
        return happenings

    # --- back in the loop -------------------------------------------------------------------------

    def _resolve(self, batch: list[_Waiting], happenings: list[Happening]) -> None:
        for waiting in batch:
            if waiting.patience is not None:
                waiting.patience.cancel()
            if waiting.answer.done():
                continue
            if waiting.error is not None:
                waiting.answer.set_exception(waiting.error)
            else:
                waiting.answer.set_result(waiting.outcome)
        if happenings:
            self._on_commit(happenings)


def _give_up(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(Unavailable("The database takes too long"))


# --- one transaction ------------------------------------------------------------------------------


class _NothingWritten(Exception):
    """The transaction failed before its commit was asked for."""

    def __init__(self, cause: Exception, *, no_connection: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.connection_lost = no_connection or (
            isinstance(cause, DBAPIError) and cause.connection_invalidated
        )


class _OutcomeUnknown(Exception):
    """The commit itself failed: everything of it is there, or nothing."""

    def __init__(self, cause: Exception, happenings: list[Happening]) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.happenings = happenings


def _run_many(
    conn: Connection,
    now: Micros,
    many: Callable[[Writing, Sequence[Any]], Sequence[Any]],
    batch: list[_Waiting],
) -> list[Happening]:
    tx = Writing(conn, now)
    for waiting, outcome in zip(batch, many(tx, [waiting.item for waiting in batch]), strict=True):
        if isinstance(outcome, JobthreadError):
            waiting.outcome, waiting.error = None, outcome
        else:
            waiting.outcome, waiting.error = outcome, None
    return tx.happenings


def _run_each(conn: Connection, now: Micros, batch: list[_Waiting]) -> list[Happening]:
    return [happening for waiting in batch for happening in _run_one(conn, now, waiting)]


def _run_one(conn: Connection, now: Micros, waiting: _Waiting) -> list[Happening]:
    tx = Writing(conn, now)
    try:
        with conn.begin_nested():
            waiting.outcome, waiting.error = waiting.item(tx), None
    except IntegrityError:
        # Somebody else took the name between our look and our write: another process, on PostgreSQL.
        waiting.outcome, waiting.error = None, Taken()
    except DBAPIError:
        raise
    except Exception as error:
        waiting.outcome, waiting.error = None, error
    else:
        return tx.happenings
    return []


def _fail(batch: list[_Waiting], error: Exception) -> list[Happening]:
    log.error("write_failed", error=type(error).__name__, writes=len(batch))
    refusal = Unavailable() if isinstance(error, DBAPIError) else error
    for waiting in batch:
        waiting.outcome, waiting.error = None, refusal
    return []


def _by_kind(batch: list[_Waiting]) -> list[tuple[Any, list[_Waiting]]]:
    kinds: dict[Any, list[_Waiting]] = {}
    for waiting in batch:
        kinds.setdefault(waiting.many, []).append(waiting)
    # On PostgreSQL the sends lock their threads in id order: they go first, before single writes lock any.
    return sorted(kinds.items(), key=lambda kind: kind[0] is None)


def _by_loop(batch: list[_Waiting]) -> list[tuple[asyncio.AbstractEventLoop, list[_Waiting]]]:
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in batch:
        loops.setdefault(waiting.loop, []).append(waiting)
    return list(loops.items())


def _step_back(error: Exception) -> None:
    """Whoever won the race goes on first, or it would be lost once more."""
    if _lost_a_race(error):
        time.sleep(STEP_BACK_SECONDS)


def _lost_a_race(error: Exception) -> bool:
    """Deadlocks and lost serialisation: PostgreSQL ended one of two processes, which may try again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in {"40P01", "40001"}
