"""When the office is open: by the rules as people say them, and against a count minute by minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobthread.business_hours import (
    DAYS,
    MINUTE,
    BusinessHours,
    closed_until,
    open_at,
    open_time_ago,
    open_time_between,
    opens_next,
    week_of,
)

OFFICE = "Mon-Fri 08:00-17:00, Sat 09:00-12:00"
ZONES = ("UTC", "Europe/Madrid", "America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
MOST_MINUTES = 3 * 24 * 60


def hours(text: str = OFFICE, zone: str = "UTC") -> BusinessHours:
    return BusinessHours(week_of(text), ZoneInfo(zone))


def at(text: str) -> int:
    """A moment in UTC. The 23rd of November 2026 is a Monday."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


# --- as people say it -----------------------------------------------------------------------------


def test_the_office_opens_and_closes_on_the_minute() -> None:
    assert not open_at(hours(), at("2026-11-23 07:59:59"))
    assert open_at(hours(), at("2026-11-23 08:00"))
    assert open_at(hours(), at("2026-11-23 16:59:59"))
    assert not open_at(hours(), at("2026-11-23 17:00"))
    assert not open_at(hours(), at("2026-11-22 10:00"))


def test_after_closing_it_opens_next_morning_and_after_saturday_on_monday() -> None:
    assert opens_next(hours(), at("2026-11-23 17:00")) == at("2026-11-24 08:00")
    assert opens_next(hours(), at("2026-11-28 12:00")) == at("2026-11-30 08:00")
    assert closed_until(hours(), at("2026-11-28 12:00")) == at("2026-11-30 08:00")
    assert closed_until(hours(), at("2026-11-30 08:00")) is None


def test_it_is_the_clock_on_the_offices_wall_that_counts() -> None:
    chicago = hours(zone="America/Chicago")
    assert opens_next(chicago, at("2026-11-23 08:00")) == at("2026-11-23 14:00")
    # Summer time ends on the first of November: the same hour on the wall is another one in UTC.
    assert opens_next(chicago, at("2026-10-30 23:00")) == at("2026-10-31 14:00")
    assert opens_next(chicago, at("2026-10-31 20:00")) == at("2026-11-02 14:00")


def test_an_hour_that_the_clock_shows_twice_is_open_twice() -> None:
    night = hours("Sun 01:00-03:00", "America/Chicago")
    assert open_time_between(night, at("2026-11-01 00:00"), at("2026-11-02 00:00")) == 180 * MINUTE


def test_an_hour_that_the_clock_skips_is_not_open() -> None:
    night = hours("Sun 02:00-03:00", "America/Chicago")
    assert open_time_between(night, at("2026-03-08 00:00"), at("2026-03-09 00:00")) == 0
    assert opens_next(night, at("2026-03-08 00:00")) == at("2026-03-15 07:00")


def test_nights_and_weekends_count_for_nothing() -> None:
    assert open_time_between(hours(), at("2026-11-27 16:50"), at("2026-11-28 09:10")) == 20 * MINUTE
    assert open_time_between(hours(), at("2026-11-28 12:00"), at("2026-11-30 08:00")) == 0
    assert open_time_between(hours(), at("2026-11-30 09:00"), at("2026-11-30 08:00")) == 0


def test_an_office_that_never_closes_is_always_open() -> None:
    always, now = hours("always"), at("2026-11-22 03:00")
    assert open_at(always, now)
    assert opens_next(always, now) == now
    assert closed_until(always, now) is None
    assert open_time_between(always, now, now + 7) == 7
    assert open_time_ago(always, now, 7) == now - 7


def test_shifts_that_go_over_midnight_or_are_split_or_overlap_are_understood() -> None:
    night = hours("Sun 22:00-02:00")
    assert open_at(night, at("2026-11-22 23:59"))
    assert open_at(night, at("2026-11-23 01:59"))
    assert not open_at(night, at("2026-11-23 02:00"))
    assert week_of("Mon 08:00-12:00, Mon 13:00-17:00, mon 11:00-12:30") == (
        ((480, 750), (780, 1020)),
        *((),) * 6,
    )
    assert week_of("Sat-Mon 00:00-24:00") == (((0, 1440),), *((),) * 4, ((0, 1440),), ((0, 1440),))
    assert week_of("Mon 08:00-24:00, Tue 00:00-02:00") == week_of("Mon 08:00-02:00")


@pytest.mark.parametrize(
    "text",
    [
        *("", "Mon", "08:00-17:00", "Mon 8-17", "Mon 08:00-08:00", "Mon 08:60-09:00", "Mon 25:00-26:00"),
        *("Mon 24:00-08:00", "Mon-Fri 08:00-17:00,", "Mo 08:00-17:00", "Mon,Tue 08:00-17:00", "never"),
    ],
)
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the setting says what is expected
        week_of(text)


# --- against a count ------------------------------------------------------------------------------


@st.composite
def offices(draw: st.DrawFn) -> BusinessHours:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        first, last = draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))
        begin, end = draw(st.integers(0, 1439)), draw(st.integers(0, 1440))
        if begin != end:
            parts.append(f"{first}-{last} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}")
    return hours(", ".join(parts) or OFFICE, draw(st.sampled_from(ZONES)))


# Around the changes of 2026 in all of these zones, and anywhere in two years.
CHANGES = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01")
moments = st.one_of(
    st.sampled_from(CHANGES).flatmap(
        lambda day: st.integers(-2880, 2880).map(lambda minutes: at(day) + minutes * MINUTE)
    ),
    st.integers(0, 2 * 365 * 1440).map(lambda minutes: at("2026-01-01") + minutes * MINUTE),
)


def shows_open(office: BusinessHours, moment: int) -> bool:
    """As somebody sees who looks at the clock on the wall and at the sign on the door."""
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).astimezone(office.zone)
    assert office.week is not None
    minute = wall.hour * 60 + wall.minute
    return any(begin <= minute < end for begin, end in office.week[wall.weekday()])


@given(office=offices(), begin=moments, minutes=st.integers(0, MOST_MINUTES))
@example(hours("Sun 01:30-02:30", "America/Chicago"), at("2026-11-01 00:00"), 1440)
@example(hours("Sun 01:30-02:30", "Australia/Lord_Howe"), at("2026-04-04 12:00"), 1440)
def test_the_time_open_is_as_many_minutes_as_one_counts(
    office: BusinessHours, begin: int, minutes: int
) -> None:
    counted = sum(shows_open(office, begin + minute * MINUTE) for minute in range(minutes))
    assert open_time_between(office, begin, begin + minutes * MINUTE) == counted * MINUTE


@given(office=offices(), moment=moments, seconds=st.integers(0, 59))
def test_it_is_open_when_the_sign_on_the_door_says_so(
    office: BusinessHours, moment: int, seconds: int
) -> None:
    assert open_at(office, moment + seconds * 1_000_000) == shows_open(office, moment)


@given(office=offices(), moment=moments)
def test_it_opens_next_at_the_first_open_minute(office: BusinessHours, moment: int) -> None:
    opens = opens_next(office, moment)
    assert opens >= moment
    assert shows_open(office, opens)
    last = max(moment, opens - MOST_MINUTES * MINUTE)
    assert not any(shows_open(office, minute) for minute in range(last, opens, MINUTE))


@given(office=offices(), moment=moments, minutes=st.integers(1, 600))
def test_who_waits_since_then_waits_so_long_and_who_came_later_does_not(
    office: BusinessHours, moment: int, minutes: int
) -> None:
    since = open_time_ago(office, moment, minutes * MINUTE)
    assert open_time_between(office, since, moment) == minutes * MINUTE
    assert open_time_between(office, since + 1, moment) < minutes * MINUTE
