"""How one wants to be told, and whether one is there to see it for oneself."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from jobthread.actions.threads import staff_of
from jobthread.entities import Actor, Caller, Micros, Preferences, SenderKind, Visitor
from jobthread.errors import Invalid, NotAuthenticated, NotFound
from jobthread.policy import sight_of
from jobthread.store import notifications, people, presence, threads, views
from jobthread.store import preferences as store
from jobthread.store.database import Reading, Writing
from jobthread.store.jobs import get_for_visitor

SECOND: Micros = 1_000_000
VISIBLE_FOR = 90 * SECOND
"""The page says it again every 45 seconds: one that was lost ends nothing."""


def own(tx: Reading, by: Actor) -> tuple[Preferences, list[int]]:
    """And the threads that one has muted."""
    staff = staff_of(tx, by)
    return store.of_staff(tx, staff.id), store.muted(tx, staff.id)


def change(tx: Writing, by: Actor, changes: Mapping[str, Any]) -> tuple[Preferences, list[int]]:
    staff = staff_of(tx, by)
    wanted = replace(store.of_staff(tx, staff.id), **changes)
    if (wanted.quiet_from is None) != (wanted.quiet_until is None):
        missing = "quiet_from" if wanted.quiet_from is None else "quiet_until"
        raise Invalid(missing, "quiet hours have a beginning and an end")
    store.put(tx, staff.id, wanted)
    notifications.hurry(tx, (SenderKind.STAFF, staff.id))
    return own(tx, by)


def mute(tx: Writing, by: Actor, thread_id: int) -> None:
    staff = staff_of(tx, by)
    store.mute(tx, staff.id, threads.get_seen(tx, sight_of(staff), thread_id).id)


def unmute(tx: Writing, by: Actor, thread_id: int) -> None:
    staff = staff_of(tx, by)
    store.unmute(tx, staff.id, threads.get_seen(tx, sight_of(staff), thread_id).id)


# --- presence -------------------------------------------------------------------------------------


def show(tx: Writing, caller: Caller | None, place: str, visible: bool) -> None:
    """Say that the page is before one's eyes, or is not any more. `place` is one's browser."""
    if caller is None:
        raise NotAuthenticated
    reader, job_id = views.reader_of(caller), caller.job_id if isinstance(caller, Visitor) else 0
    presence.put(tx, reader, job_id, place, tx.now + VISIBLE_FOR if visible else tx.now)
    if not visible:
        notifications.hurry(tx, reader)


# --- by a signed word, without a session ----------------------------------------------------------


def no_more_mails(tx: Writing, reader_id: int, job_id: int) -> None:
    """For a member of staff (`job_id` 0), or for a customer about one job; twice does it once."""
    if job_id == 0:
        staff = people.get_staff(tx, reader_id)
        store.put(tx, staff.id, replace(store.of_staff(tx, staff.id), email=False))
        return
    if get_for_visitor(tx, Visitor(reader_id, "", job_id, 0, 0)).customer.id != reader_id:
        raise NotFound
    store.customer_wants_email(tx, reader_id, job_id, False)
