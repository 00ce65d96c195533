"""When quiet hours end, in the zone of whoever wants them."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from jobthread.entities import Micros, Preferences

MINUTE: Micros = 60_000_000
_START = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def time_zones() -> frozenset[str]:
    """The names that this machine knows."""
    return frozenset(available_timezones())


def end_of_quiet(wanted: Preferences, now: Micros) -> Micros | None:
    """The moment at which the person may be told; None where they may be now."""
    begin, end = wanted.quiet_from, wanted.quiet_until
    if begin is None or end is None or begin == end:
        return None
    zone = ZoneInfo(wanted.time_zone) if wanted.time_zone in time_zones() else UTC
    here = (_START + timedelta(microseconds=now)).astimezone(zone)
    minute = here.hour * 60 + here.minute
    quiet = begin <= minute < end if begin < end else not end <= minute < begin
    if not quiet:
        return None
    day = here.date() if minute < end else here.date() + timedelta(days=1)
    ends_at = datetime.combine(day, time(end // 60, end % 60), zone)
    # Where clocks are put back, an hour comes twice, and its end may lie behind us already.
    return max((ends_at - _START) // timedelta(microseconds=1), now + MINUTE)
