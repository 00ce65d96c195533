"""Who may see and do what: the contract's table, pure. Nothing here reads or writes anything."""

from msgspec import Struct

from jobthread.entities import Caller, Role, Staff, Thread, Visibility, Visitor

OFFICE = frozenset({Role.ADMIN, Role.DISPATCHER})


class Sight(Struct, frozen=True):
    """What a caller may see of threads, as data: read by `sees`, written as SQL by `store.visible`."""

    every: frozenset[Visibility]
    """All threads of these kinds,"""
    joined_by: int | None
    """and those this person takes part in,"""
    within_job: int | None
    """but only within this job (customers)."""


class JobSight(Struct, frozen=True):
    """What a caller may see of jobs."""

    every: bool
    assigned_or_joined_by: int | None


NOTHING = Sight(every=frozenset(), joined_by=None, within_job=None)


def sight_of(caller: Caller) -> Sight:
    if isinstance(caller, Visitor):
        return Sight(frozenset({Visibility.CUSTOMER_VISIBLE}), None, caller.job_id)
    if not caller.active:
        return NOTHING
    if caller.role is Role.ADMIN:
        return Sight(frozenset(Visibility), None, None)
    if caller.role is Role.DISPATCHER:
        return Sight(frozenset({Visibility.CUSTOMER_VISIBLE}), caller.id, None)
    return Sight(frozenset(), caller.id, None)


def sees(sight: Sight, thread: Thread) -> bool:
    if sight.within_job is not None and thread.job_id != sight.within_job:
        return False
    return thread.visibility in sight.every or sight.joined_by in thread.participant_ids


def job_sight_of(staff: Staff) -> JobSight:
    if not staff.active:
        return JobSight(every=False, assigned_or_joined_by=None)
    if staff.role in OFFICE:
        return JobSight(every=True, assigned_or_joined_by=None)
    return JobSight(every=False, assigned_or_joined_by=staff.id)


def may_create(caller: Caller, visibility: Visibility) -> bool:
    if isinstance(caller, Visitor) or not caller.active:
        return False
    return visibility is Visibility.INTERNAL or caller.role in OFFICE


def may_write(caller: Caller, thread: Thread) -> bool:
    """Whoever sees a thread may write in it; staff who do not take part join by writing."""
    return sees(sight_of(caller), thread)


def may_change_participants(caller: Caller, thread: Thread) -> bool:
    return _office(caller) and sees(sight_of(caller), thread)


def may_remove(caller: Caller, thread: Thread, user_id: int) -> bool:
    """The office removes whom it likes; everyone may leave."""
    if isinstance(caller, Visitor) or not sees(sight_of(caller), thread):
        return False
    return caller.role in OFFICE or user_id == caller.id


def may_close(caller: Caller, thread: Thread) -> bool:
    """Close and reopen: the office where they see, a technician what they created."""
    if isinstance(caller, Visitor) or not sees(sight_of(caller), thread):
        return False
    return caller.role in OFFICE or thread.created_by == caller.id


def may_claim(caller: Caller, thread: Thread) -> bool:
    """Say that one answers, in the place of a colleague who said so too; and give it back."""
    return isinstance(caller, Staff) and sees(sight_of(caller), thread)


def may_invite_customers(caller: Caller) -> bool:
    """Customer threads, magic links and their revoking."""
    return _office(caller)


def may_edit_jobs(caller: Caller) -> bool:
    """Create and edit jobs and customers."""
    return _office(caller)


def may_administer(caller: Caller) -> bool:
    """Staff accounts, API keys, webhooks, audit log."""
    return isinstance(caller, Staff) and caller.active and caller.role is Role.ADMIN


def _office(caller: Caller) -> bool:
    return isinstance(caller, Staff) and caller.active and caller.role in OFFICE
