"""Customers who wait for too long: the dispatchers are told once, then the admins, by whichever process."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobthread.actions import escalation
from jobthread.actions.escalation import Patience, escalate
from jobthread.business_hours import BusinessHours, week_of
from jobthread.entities import Thread
from jobthread.store.database import Database, Writing
from tests import postgres, serving
from tests.cast import Cast, CustomerAtHome, gather, ok
from tests.live.listening import listening
from tests.serving import Serving, wait_until

Json = dict[str, Any]
ALWAYS = BusinessHours(None, ZoneInfo("UTC"))


@dataclass
class Told:
    """What `tell` was called with: level, thread, to whom."""

    calls: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)

    def __call__(self, tx: Writing, level: int, thread: Thread, staff_ids: Sequence[int]) -> None:
        self.calls.append((level, thread.id, tuple(staff_ids)))


@dataclass
class Waiting:
    """Carol, who has written something, and a clock in our hand."""

    cast: Cast
    thread: Json
    carol: CustomerAtHome
    told: Told = field(default_factory=Told)

    @property
    def dispatchers(self) -> tuple[int, int, tuple[int, ...]]:
        return 1, self.thread["id"], (self.cast.dora.id, self.cast.dan.id)

    @property
    def admins(self) -> tuple[int, int, tuple[int, ...]]:
        return 2, self.thread["id"], (self.cast.ada.id,)

    def after(self, minutes: float, hours: BusinessHours = ALWAYS) -> list[tuple[int, int, tuple[int, ...]]]:
        """Who was told by then, since the last time that one asked."""
        self.told.calls.clear()
        self.cast.serving.clock.pass_time(seconds=60 * minutes)
        self.cast.serving.write(lambda tx: escalate(tx, Patience(hours, 30), self.told))
        return list(self.told.calls)

    @property
    def claim(self) -> str:
        return f"/api/chat/threads/{self.thread['id']}/claim"

    @property
    def level(self) -> int:
        return int(ok(self.cast.dora.get(f"/api/chat/threads/{self.thread['id']}"))["escalated"])


@pytest.fixture
def waiting(cast: Cast) -> Waiting:
    return carol_waits(cast)


def carol_waits(cast: Cast) -> Waiting:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler, visibility="customer_visible")
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    carol.writes("Hello?")
    return Waiting(cast, thread, carol)


def test_the_dispatchers_are_told_after_the_set_time_and_the_admins_after_twice_that_once_each(
    waiting: Waiting,
) -> None:
    assert waiting.after(29) == []
    assert waiting.after(1.1) == [waiting.dispatchers]
    assert waiting.level == 1
    assert waiting.after(28) == []
    assert waiting.after(2) == [waiting.admins]
    assert waiting.level == 2
    assert waiting.after(10_000) == []


def test_who_writes_on_does_not_begin_to_wait_anew(waiting: Waiting) -> None:
    assert waiting.after(20) == []
    waiting.carol.writes("Hello??")
    assert waiting.after(11) == [waiting.dispatchers]


def test_an_answer_ends_it_and_the_next_question_begins_anew(waiting: Waiting) -> None:
    assert waiting.after(31) == [waiting.dispatchers]
    waiting.cast.tom.writes(waiting.thread, "Hello!")
    assert waiting.level == 0
    assert waiting.after(100) == []
    waiting.carol.writes("One more thing")
    assert waiting.after(29) == []
    assert waiting.after(2) == [waiting.dispatchers]


def test_closing_ends_it(waiting: Waiting) -> None:
    ok(waiting.cast.dora.post(f"/api/chat/threads/{waiting.thread['id']}/close"))
    assert waiting.after(100) == []


def test_nobody_is_told_of_what_somebody_has_until_it_is_given_back(waiting: Waiting) -> None:
    ok(waiting.cast.dora.post(waiting.claim))
    assert waiting.after(31) == []
    ok(waiting.cast.dora.delete(waiting.claim))
    assert waiting.after(0) == [waiting.dispatchers]
    ok(waiting.cast.dora.post(waiting.claim))
    assert waiting.after(31) == []
    ok(waiting.cast.dora.delete(waiting.claim))
    assert waiting.after(0) == [waiting.admins]


def test_after_a_long_stop_of_the_server_both_are_told_once(waiting: Waiting) -> None:
    assert waiting.after(1_000) == [waiting.dispatchers, waiting.admins]
    assert waiting.after(1_000) == []


def test_only_business_hours_count(waiting: Waiting) -> None:
    minute = waiting.cast.serving.clock() // 60_000_000 % 1440
    # Open for twenty minutes of each day, ten of which have passed.
    begin, end = (minute - 10) % 1440, (minute + 10) % 1440
    text = f"Mon-Sun {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
    hours = BusinessHours(week_of(text), ZoneInfo("UTC"))
    assert waiting.after(600, hours) == []
    assert waiting.after(840, hours) == []
    assert waiting.after(20, hours) == [], "ten minutes of the first day and twenty of the second, less some"
    assert waiting.after(1_440, hours) == [waiting.dispatchers]


def test_who_was_deactivated_is_not_told(waiting: Waiting) -> None:
    ok(waiting.cast.ada.patch(f"/api/users/{waiting.cast.dan.id}", {"active": False}))
    assert waiting.after(31) == [(1, waiting.thread["id"], (waiting.cast.dora.id,))]


def test_what_cannot_be_told_is_told_the_next_time(waiting: Waiting) -> None:
    def broken(tx: Writing, level: int, thread: Thread, staff_ids: Sequence[int]) -> None:
        raise RuntimeError("no way out")

    waiting.cast.serving.clock.pass_time(seconds=31 * 60)
    with pytest.raises(RuntimeError):
        waiting.cast.serving.write(lambda tx: escalate(tx, Patience(ALWAYS, 30), broken))
    assert waiting.level == 0
    assert waiting.after(0) == [waiting.dispatchers]


def test_staff_hear_of_it_at_once_and_the_customer_hears_nothing(waiting: Waiting) -> None:
    cast = waiting.cast
    with listening(cast.dan) as dan, listening(waiting.carol) as at_home:
        waiting.after(31)
        dan.waits_for("thread.updated", lambda data: data["thread"]["escalated"] == 1)
        cast.dora.writes(waiting.thread, "Hello!")
        at_home.waits_for_body("Hello!")
        assert [event.name for event in at_home.events] == ["message.created"]


# --- by itself ------------------------------------------------------------------------------------


def noted(cast: Cast) -> list[tuple[int, int, list[int]]]:
    """Level, thread and people, as the audit trail has them; oldest first."""
    entries = ok(cast.ada.get("/api/audit", action="thread_escalated"))["entries"]
    return [(e["details"]["level"], e["thread_id"], e["details"]["told"]) for e in reversed(entries)]


def test_the_server_tells_by_itself_and_leaves_it_in_the_audit_trail(fresh_url: str, tmp_path: Path) -> None:
    server = serving.serve(fresh_url, tmp_path, ANSWER_MINUTES="30")
    try:
        waiting = carol_waits(gather(server))
        server.clock.pass_time(seconds=31 * 60)
        wait_until(lambda: noted(waiting.cast))
        level, thread_id, told = waiting.dispatchers
        assert noted(waiting.cast) == [(level, thread_id, list(told))]
        [entry] = ok(waiting.cast.ada.get("/api/audit", action="thread_escalated"))["entries"]
        assert entry["actor"] == {"kind": "nobody", "id": None, "name": ""}
        assert entry["job_id"] == waiting.cast.boiler.ref.id
    finally:
        server.stop()


def test_the_task_that_tells_goes_on_after_an_error(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    waiting.cast.serving.clock.pass_time(seconds=31 * 60)
    monkeypatch.setattr(escalation, "LOOK_SECONDS", 0.01)
    failures = iter([RuntimeError("once"), RuntimeError("twice")])

    def tell(tx: Writing, level: int, thread: Thread, staff_ids: Sequence[int]) -> None:
        for failure in failures:
            raise failure
        waiting.told(tx, level, thread, staff_ids)

    async def until_told() -> None:
        keeping = asyncio.create_task(
            escalation.keep_escalating(waiting.cast.serving.db, Patience(ALWAYS, 30), tell)
        )
        await asyncio.to_thread(wait_until, lambda: waiting.told.calls)
        keeping.cancel()

    asyncio.run(asyncio.wait_for(until_told(), serving.PATIENCE_SECONDS))
    assert waiting.told.calls == [waiting.dispatchers]
    assert capfd.readouterr().out.count("escalation_failed") == 2


def test_with_no_minutes_set_it_tells_nobody(waiting: Waiting) -> None:
    waiting.cast.serving.clock.pass_time(days=3)
    asyncio.run(
        asyncio.wait_for(
            escalation.keep_escalating(waiting.cast.serving.db, Patience(ALWAYS, 0), waiting.told), 5
        )
    )
    assert waiting.level == 0


# --- by several processes -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Serving]]:
    url = postgres.new_database(postgres.postgres_server())
    one, other = (
        serving.serve(url, tmp_path_factory.mktemp(name), ANSWER_MINUTES="30") for name in ("one", "other")
    )
    yield one, other
    one.stop()
    other.stop()


def test_two_servers_on_one_postgresql_tell_once(servers: tuple[Serving, Serving]) -> None:
    serving.empty(servers[0])
    waiting = carol_waits(gather(servers[0]))
    expected = [waiting.dispatchers, waiting.admins]
    with listening(waiting.cast.dora, url=servers[1].url) as elsewhere:
        for _ in expected:
            for server in servers:
                server.clock.pass_time(seconds=31 * 60)
        wait_until(lambda: waiting.level == 2)
        elsewhere.waits_for("thread.updated", lambda data: data["thread"]["escalated"] == 2)
    assert noted(waiting.cast) == [(level, thread_id, list(told)) for level, thread_id, told in expected]


def test_however_many_look_at_the_same_moment_each_thread_is_told_of_once(cast: Cast) -> None:
    waiting = carol_waits(cast)
    for _ in range(60):
        thread = cast.dora.opens_thread(job=cast.boiler, visibility="customer_visible")
        waiting.carol.writes("Hello?", thread_id=thread["id"])
    cast.serving.clock.pass_time(seconds=31 * 60)
    others = [Database(cast.serving.settings.database_url, cast.serving.clock) for _ in range(3)]
    told = [Told() for _ in others]
    at_once = [looking(db, one) for db, one in zip(others, told, strict=True)]
    for process in at_once:
        process.start()
    for process in at_once:
        process.join(serving.PATIENCE_SECONDS)
    for db in others:
        db.close()
    calls = [call for one in told for call in one.calls]
    assert len(calls) == 61
    assert len({thread_id for _, thread_id, _ in calls}) == 61


def looking(db: Database, told: Told) -> threading.Thread:
    """Somebody else's process, looking again and again."""

    def look(tx: Writing) -> int:
        return escalate(tx, Patience(ALWAYS, 30), told)

    async def looks() -> None:
        for _ in range(6):
            await db.write(look)

    run: Callable[[], None] = lambda: asyncio.run(looks())  # noqa: E731
    return threading.Thread(target=run)
