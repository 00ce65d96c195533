"""Who a token or cookie stands for, remembered for a moment, and forgotten the moment any right ends."""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from jobthread.entities import Micros, Staff
from jobthread.errors import JobthreadError
from jobthread.store import links, people, sessions
from jobthread.store.database import Database, Reading, Writing

T = TypeVar("T")
DAY: Micros = 86_400_000_000
REMEMBERED_SECONDS = 1.0
"""Other processes end rights too, and nothing tells this one: so long may a read be out of date."""
MOST = 20_000


class _Memory(Generic[T]):
    """Answers by token hash. Wrong tokens are never remembered, so a flood of them takes no room."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[float, T]] = {}
        self._generation = 0

    def get(self, key: bytes) -> T | None:
        known = self._known.get(key)
        return known[1] if known is not None and known[0] > time.monotonic() else None

    async def ask(self, key: bytes, look: Callable[[], Awaitable[T | None]]) -> T | None:
        generation = self._generation
        found = await look()
        # What was looked up before a right ended may be stale already: it is used once, and not kept.
        if found is not None and generation == self._generation:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = (time.monotonic() + REMEMBERED_SECONDS, found)
        return found

    def forget(self) -> None:
        self._generation += 1
        self._known.clear()


class Callers:
    def __init__(self, db: Database, session_days: int) -> None:
        self._db = db
        self._session_days = session_days
        # One memory for each kind of secret: what opens something in a header opens nothing as a cookie.
        self._sessions: _Memory[sessions.Session] = _Memory()
        self._api_keys: _Memory[Staff] = _Memory()
        self._tokens: _Memory[links.Standing] = _Memory()
        self._cookies: _Memory[links.Standing] = _Memory()

    def forget(self) -> None:
        """Some right ended: look everybody up anew."""
        for memory in (self._sessions, self._api_keys, self._tokens, self._cookies):
            memory.forget()

    async def staff_of_session(self, token_hash: bytes) -> Staff | None:
        session = self._sessions.get(token_hash) or await self._sessions.ask(
            token_hash, lambda: self._session(token_hash)
        )
        return session.staff if session is not None and session.expires_at > self._db.clock() else None

    async def staff_of_api_key(self, key_hash: bytes) -> Staff | None:
        return self._api_keys.get(key_hash) or await self._api_keys.ask(
            key_hash, lambda: self._db.read(lambda tx: people.staff_of_api_key(tx, key_hash))
        )

    async def link_of_token(self, token_hash: bytes) -> links.Standing | JobthreadError | None:
        return await self._link(self._tokens, token_hash, lambda tx: links.of_token(tx, token_hash))

    async def link_of_cookie(self, token_hash: bytes) -> links.Standing | JobthreadError | None:
        return await self._link(self._cookies, token_hash, lambda tx: links.of_cookie(tx, token_hash))

    async def _link(
        self,
        memory: _Memory[links.Standing],
        key: bytes,
        look: Callable[[Reading], links.Standing | None],
    ) -> links.Standing | JobthreadError | None:
        """A link in force, or why it no longer is."""
        standing = memory.get(key) or await memory.ask(key, lambda: self._db.read(look))
        if standing is None:
            return None
        return links.refusal_at(standing, self._db.clock()) or standing

    async def _session(self, token_hash: bytes) -> sessions.Session | None:
        session = await self._db.read(lambda tx: sessions.find(tx, token_hash))
        if session is not None and self._db.clock() - session.last_seen_at > DAY:
            return await self._db.write(lambda tx: self._extended(tx, token_hash))
        return session

    def _extended(self, tx: Writing, token_hash: bytes) -> sessions.Session | None:
        """A session in use lives on; once a day is often enough to write that down."""
        sessions.extend(tx, token_hash, tx.now + self._session_days * DAY)
        return sessions.find(tx, token_hash)
