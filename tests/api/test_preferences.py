"""How people want to be told: kept as they say it, refused where it makes no sense."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobthread.actions.quiet_hours import end_of_quiet, time_zones
from jobthread.entities import Preferences
from tests.cast import Cast, ok, refused

PATH = "/api/auth/preferences"
AT_FIRST: dict[str, object] = {
    "email": "on",
    "push": "on",
    "quiet_from": None,
    "quiet_until": None,
    "time_zone": "UTC",
    "language": "en",
    "phone": None,
    "muted_thread_ids": [],
}


def test_whoever_said_nothing_is_told_by_everything_at_any_time(cast: Cast) -> None:
    assert ok(cast.tom.get(PATH)) == AT_FIRST


def test_what_is_changed_is_kept_and_the_rest_stays(cast: Cast) -> None:
    quiet = {"quiet_from": "22:00", "quiet_until": "06:30", "time_zone": "Europe/Madrid"}
    assert ok(cast.tom.patch(PATH, quiet)) == AT_FIRST | quiet
    assert ok(cast.tom.patch(PATH, {"email": "off", "language": "es"})) == AT_FIRST | quiet | {
        "email": "off",
        "language": "es",
    }
    assert ok(cast.tom.get(PATH))["quiet_until"] == "06:30"
    assert ok(cast.tara.get(PATH)) == AT_FIRST


def test_ones_number_is_kept_as_it_is_dialled_and_taken_off_again(cast: Cast) -> None:
    assert ok(cast.ada.patch(PATH, {"phone": "(202) 555-0142"})) == AT_FIRST | {"phone": "+12025550142"}
    assert ok(cast.ada.patch(PATH, {"email": "off"}))["phone"] == "+12025550142"
    assert ok(cast.ada.patch(PATH, {"email": "on", "phone": None})) == AT_FIRST


def test_quiet_hours_end_where_both_ends_go(cast: Cast) -> None:
    ok(cast.tom.patch(PATH, {"quiet_from": "22:00", "quiet_until": "06:00"}))
    assert ok(cast.tom.patch(PATH, {"quiet_from": None, "quiet_until": None})) == AT_FIRST


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_until": "22:00"}, "quiet_from"),
        ({"quiet_from": "24:00", "quiet_until": "06:00"}, "quiet_from"),
        ({"quiet_from": "9:00", "quiet_until": "06:00"}, "quiet_from"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"language": "fr"}, "language"),
        ({"phone": "call me"}, "phone"),
        ({"email": True}, "email"),
        ({"mail": "on"}, "mail"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    cast: Cast, changes: dict[str, object], field: str
) -> None:
    problem = refused(cast.tom.patch(PATH, changes), 422, "invalid")
    assert problem["errors"][0]["field"] == field
    assert ok(cast.tom.get(PATH)) == AT_FIRST


def test_muting_twice_mutes_once_and_only_for_oneself(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    for _ in range(2):
        ok(cast.tom.http.put(f"/api/chat/threads/{thread['id']}/mute"), 204)
    assert ok(cast.tom.get(PATH))["muted_thread_ids"] == [thread["id"]]
    assert ok(cast.dora.get(PATH))["muted_thread_ids"] == []
    for _ in range(2):
        ok(cast.tom.delete(f"/api/chat/threads/{thread['id']}/mute"), 204)
    assert ok(cast.tom.get(PATH))["muted_thread_ids"] == []


# --- when quiet hours end -------------------------------------------------------------------------


def micros(year: int, month: int, day: int, hour: int, minute: int, zone: str) -> int:
    moment = datetime.datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * 1_000_000


NIGHT = Preferences(quiet_from=22 * 60, quiet_until=6 * 60, time_zone="Europe/Madrid")


@pytest.mark.parametrize(
    ("day", "hour", "ends"),
    [(3, 23, (4, 6)), (4, 0, (4, 6)), (4, 5, (4, 6)), (4, 6, None), (4, 12, None), (4, 21, None)],
)
def test_a_night_ends_in_the_morning(day: int, hour: int, ends: tuple[int, int] | None) -> None:
    found = end_of_quiet(NIGHT, micros(2026, 11, day, hour, 30, "Europe/Madrid"))
    assert found == (micros(2026, 11, ends[0], ends[1], 0, "Europe/Madrid") if ends else None)


def test_a_night_in_which_clocks_change_ends_in_the_morning_all_the_same() -> None:
    for month, day in ((3, 28), (10, 24)):
        begun = micros(2026, month, day, 23, 0, "Europe/Madrid")
        assert end_of_quiet(NIGHT, begun) == micros(2026, month, day + 1, 6, 0, "Europe/Madrid")


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(sorted(time_zones())),
    st.integers(1_700_000_000, 1_900_000_000),
)
def test_an_end_lies_ahead_and_within_a_day_or_so(begin: int, end: int, zone: str, second: int) -> None:
    now = second * 1_000_000
    found = end_of_quiet(Preferences(quiet_from=begin, quiet_until=end, time_zone=zone), now)
    assert found is None or now < found <= now + 27 * 3_600_000_000
