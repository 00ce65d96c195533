"""What callers stand on: the secret that each came with. Asked anew for as long as somebody listens."""

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from jobthread.entities import Caller
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


def standing(tx: Reading, grounds: Iterable[Ground]) -> dict[Ground, Caller]:
    """Those that still hold, and whom each stands for by now."""
    by_kind: dict[GroundKind, list[bytes]] = {}
    for ground in set(grounds):
        by_kind.setdefault(ground.kind, []).append(ground.token_hash)
    return {
        Ground(kind, token_hash): caller
        for kind, hashes in by_kind.items()
        for start in range(0, len(hashes), AT_ONCE)
        for token_hash, caller in _HOLDS[kind](tx, hashes[start : start + AT_ONCE]).items()
    }


def _visitors(tx: Reading, found: dict[bytes, links.Standing]) -> dict[bytes, Caller]:
    return {
        token_hash: link.visitor for token_hash, link in found.items() if links.refusal_of(tx, link) is None
    }


_HOLDS: dict[GroundKind, Callable[[Reading, Collection[bytes]], Any]] = {
    GroundKind.SESSION: sessions.find_many,
    GroundKind.API_KEY: people.staff_of_api_keys,
    GroundKind.COOKIE: lambda tx, hashes: _visitors(tx, links.of_cookies(tx, hashes)),
    GroundKind.TOKEN: lambda tx, hashes: _visitors(tx, links.of_tokens(tx, hashes)),
}
