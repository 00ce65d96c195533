"""When the office is open: pure arithmetic over weekdays, a time zone and its changes of the clock.

Moments are microseconds since 1970 in UTC. Open is what a clock on the office's wall shows, at any moment:
an hour that this clock shows twice is open twice, one that it skips is not open at all.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from jobthread.entities import Micros

MINUTE: Micros = 60_000_000
DAY: Micros = 24 * 60 * MINUTE
ALWAYS = "always"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_THURSDAY = 3
"""The weekday of the first of January 1970."""
_STEP: Micros = DAY // 4
"""So far one looks at once; a clock is never changed twice in it."""
_PART = re.compile(rf"({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))? (\d\d):(\d\d)-(\d\d):(\d\d)", re.IGNORECASE)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE_DAY = 24 * 60

Week = tuple[tuple[tuple[int, int], ...], ...]
"""For each weekday from Monday the stretches that are open, in minutes of that day, apart and rising."""


class BusinessHours(Struct, frozen=True):
    """`week` is None where the office never closes."""

    week: Week | None
    zone: ZoneInfo


def week_of(text: str) -> Week | None:
    """`Mon-Fri 08:00-17:00, Sat 09:00-12:00`, or `always`. What ends before it begins ends the next day.

    Raises ValueError.
    """
    if text.strip().lower() == ALWAYS:
        return None
    minutes: list[set[tuple[int, int]]] = [set() for _ in DAYS]
    for part in text.split(","):
        for day, begin, end in _stretches_of(part.strip()):
            minutes[day].add((begin, end))
    return tuple(_joined(day) for day in minutes)


def hours_of(week: str, zone: str) -> BusinessHours:
    """Of two settings. Raises ValueError, or `ZoneInfoNotFoundError`."""
    return BusinessHours(week_of(week), ZoneInfo(zone))


def _stretches_of(part: str) -> Iterator[tuple[int, int, int]]:
    """(weekday, first minute, minute after the last)"""
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(part)
    first, last = (_day(match[group] or match[1]) for group in (1, 2))
    begin, end = _minute(match[3], match[4]), _minute(match[5], match[6])
    if begin in (end, _WHOLE_DAY):
        raise ValueError(part)
    for day in range(first, first + (last - first) % 7 + 1):
        yield day % 7, begin, end if begin < end else _WHOLE_DAY
        if end < begin and end:
            yield (day + 1) % 7, 0, end


def _day(name: str) -> int:
    return DAYS.index(name.capitalize())


def _minute(hours: str, minutes: str) -> int:
    """24:00 is the end of a day."""
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or minute > _WHOLE_DAY:
        raise ValueError(f"{hours}:{minutes}")
    return minute


def _joined(stretches: set[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple(found)


# --- asking ---------------------------------------------------------------------------------------


def open_at(hours: BusinessHours, at: Micros) -> bool:
    return hours.week is None or any(True for _ in _open_stretches(hours, at, at + 1))


def opens_next(hours: BusinessHours, at: Micros) -> Micros:
    """The first moment from then on at which it is open; that very moment, where it is."""
    if hours.week is None:
        return at
    step = 8 * DAY
    while True:
        for begin, _ in _open_stretches(hours, at, at + step):
            return begin
        at += step


def closed_until(hours: BusinessHours, at: Micros) -> Micros | None:
    """When it opens next; None where it is open."""
    opens = opens_next(hours, at)
    return None if opens == at else opens


def open_time_between(hours: BusinessHours, begin: Micros, end: Micros) -> Micros:
    """For how long it was open from one moment until the other; 0 where that is no later."""
    if hours.week is None:
        return max(end - begin, 0)
    return sum(stop - start for start, stop in _open_stretches(hours, begin, end))


def open_time_ago(hours: BusinessHours, at: Micros, time: Micros) -> Micros:
    """The last moment since which it was open for `time`: who waits since then or before waits that long."""
    if hours.week is None or time <= 0:
        return at - max(time, 0)
    while True:
        stretches = list(_open_stretches(hours, at - _STEP, at))
        for begin, end in reversed(stretches):
            if end - begin >= time:
                return end - time
            time -= end - begin
        at -= _STEP


# --- the clock on the wall ------------------------------------------------------------------------


def _open_stretches(hours: BusinessHours, begin: Micros, end: Micros) -> Iterator[tuple[Micros, Micros]]:
    """What is open of that time, rising; pieces that touch are told apart."""
    for start, stop, ahead in _even_stretches(hours.zone, begin, end):
        for day in range((start + ahead) // DAY, (stop - 1 + ahead) // DAY + 1):
            midnight = day * DAY - ahead
            for first, last in (hours.week or ())[(day + _THURSDAY) % 7]:
                opens, closes = max(midnight + first * MINUTE, start), min(midnight + last * MINUTE, stop)
                if opens < closes:
                    yield opens, closes


def _even_stretches(zone: ZoneInfo, begin: Micros, end: Micros) -> Iterator[tuple[Micros, Micros, Micros]]:
    """That time in pieces in which the clock on the wall is ahead of UTC by the same."""
    edges = [*range(begin, max(begin, end), _STEP), end]
    for start, stop in pairwise(edges):
        ahead, later = _ahead(zone, start), _ahead(zone, stop - 1)
        if ahead == later:
            yield start, stop, ahead
        else:
            changed = _change_between(zone, start, stop - 1)
            yield start, changed, ahead
            yield changed, stop, later


def _change_between(zone: ZoneInfo, before: Micros, after: Micros) -> Micros:
    """The first moment of the new time."""
    old = _ahead(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _ahead(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _ahead(zone: ZoneInfo, at: Micros) -> Micros:
    offset = (_START + timedelta(microseconds=at)).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)
