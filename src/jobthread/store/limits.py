"""How often one may try: GCRA counters in the database, so that all processes and restarts share them."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import Micros
from jobthread.errors import RateLimited
from jobthread.store.database import Writing
from jobthread.store.tables import rate_limits

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, and one more each `every` microseconds."""

    burst: int
    every: Micros


def next_full_at(full_at: Micros, now: Micros, rate: Rate) -> Micros:
    """GCRA (ITU-T I.371): the moment at which the allowance is whole again, after one more use.

    Raises `RateLimited` with the seconds to wait where there is no allowance left.
    """
    following = max(full_at, now) + rate.every
    if (over := following - now - rate.burst * rate.every) > 0:
        raise RateLimited(-(-over // SECOND))
    return following


@dataclass(frozen=True, slots=True)
class Limits:
    """How tries are counted: `ON` in real life, `OFF` where a setting turns all limits off."""

    spend: Callable[[Writing, str, Rate], None]
    """Use one of the allowance. Raises `RateLimited`, and then uses nothing."""
    check: Callable[[Writing, str, Rate], None]
    """Raise `RateLimited` where `spend` would, but use nothing."""


def _spend(tx: Writing, key: str, rate: Rate) -> None:
    _put(tx, key, next_full_at(_full_at(tx, key), tx.now, rate))


def _check(tx: Writing, key: str, rate: Rate) -> None:
    next_full_at(_full_at(tx, key), tx.now, rate)


def _free(tx: Writing, key: str, rate: Rate) -> None:
    return None


ON = Limits(_spend, _check)
OFF = Limits(_free, _free)


def network_of(ip: str) -> str:
    """What one household or attacker holds as one address: an IPv4 address, or an IPv6 /64."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if address.version == 4:
        return ip
    # Behind some proxies an IPv4 address comes in IPv6's clothes: all of IPv4 is not one household.
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def restore(tx: Writing, key: str) -> None:
    tx.conn.execute(delete(rate_limits).where(rate_limits.c.key == key))


def sweep(tx: Writing) -> None:
    """Forget counters that are whole again."""
    tx.conn.execute(delete(rate_limits).where(rate_limits.c.full_at < tx.now))


def _full_at(tx: Writing, key: str) -> Micros:
    row = select(rate_limits.c.full_at).where(rate_limits.c.key == key).with_for_update()
    return tx.conn.execute(row).scalar() or 0


def _put(tx: Writing, key: str, full_at: Micros) -> None:
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = insert(rate_limits).values(key=key, full_at=full_at)
    tx.conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"full_at": full_at}))
