"""What callers stand on: the secret that each came with. Asked anew for as long as somebody listens."""

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum

from msgspec import Struct

from jobthread.entities import Caller, Micros
from jobthread.store import links, people, sessions
from jobthread.store.database import Reading

AT_ONCE = 500


class GroundKind(StrEnum):
    SESSION = "session"
    API_KEY = "api_key"
    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105


class Ground(Struct, frozen=True):
    kind: GroundKind
    token_hash: bytes


class Held(Struct, frozen=True):
    """Whom a ground stands for by now. `until`: when a session runs out, unless it is used meanwhile."""

    caller: Caller
    until: Micros | None = None


def standing(tx: Reading, grounds: Iterable[Ground]) -> dict[Ground, Held]:
    """Those that still hold."""
    by_kind: dict[GroundKind, list[bytes]] = {}
    for ground in set(grounds):
        by_kind.setdefault(ground.kind, []).append(ground.token_hash)
    return {
        Ground(kind, token_hash): held
        for kind, hashes in by_kind.items()
        for start in range(0, len(hashes), AT_ONCE)
        for token_hash, held in _HOLDS[kind](tx, hashes[start : start + AT_ONCE]).items()
    }


def _of_sessions(tx: Reading, hashes: Collection[bytes]) -> dict[bytes, Held]:
    found = sessions.find_many(tx, hashes)
    return {token_hash: Held(session.staff, session.expires_at) for token_hash, session in found.items()}


def _of_api_keys(tx: Reading, hashes: Collection[bytes]) -> dict[bytes, Held]:
    return {token_hash: Held(staff) for token_hash, staff in people.staff_of_api_keys(tx, hashes).items()}


def _visitors(tx: Reading, found: dict[bytes, links.Standing]) -> dict[bytes, Held]:
    return {
        token_hash: Held(link.visitor)
        for token_hash, link in found.items()
        if links.refusal_of(tx, link) is None
    }


_HOLDS: dict[GroundKind, Callable[[Reading, Collection[bytes]], dict[bytes, Held]]] = {
    GroundKind.SESSION: _of_sessions,
    GroundKind.API_KEY: _of_api_keys,
    GroundKind.COOKIE: lambda tx, hashes: _visitors(tx, links.of_cookies(tx, hashes)),
    GroundKind.TOKEN: lambda tx, hashes: _visitors(tx, links.of_tokens(tx, hashes)),
}
