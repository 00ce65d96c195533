"""What one can do with a thread: open it, close it, bring people in, read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobthread import policy
from jobthread.actions.writing import Pen
from jobthread.entities import (
    AccessEnded,
    Actor,
    AuditAction,
    EventType,
    ReadMoved,
    SeenThread,
    Staff,
    ThreadChanged,
    ThreadStatus,
    ThreadView,
    Visibility,
)
from jobthread.errors import Forbidden, Invalid, NotAuthenticated, NotFound, NothingWaits
from jobthread.policy import job_sight_of, sight_of
from jobthread.store import audit, jobs, notifications, people, reads, threads, views, waiting
from jobthread.store.database import Reading, Writing


@dataclass(frozen=True, slots=True)
class ThreadDraft:
    visibility: Visibility
    subject: str
    participant_ids: Sequence[int]
    job_id: int | None
    first_message: str | None = None
    client_msg_id: str | None = None


def create(tx: Writing, by: Actor, draft: ThreadDraft) -> ThreadView:
    creator = staff_of(tx, by)
    if not policy.may_create(creator, draft.visibility):
        raise Forbidden
    if draft.visibility is Visibility.CUSTOMER_VISIBLE and draft.job_id is None:
        raise Invalid("job_id", "a customer-visible thread needs a job")
    _check_job(tx, creator, draft.job_id)
    colleagues = colleagues_of(tx, draft.participant_ids, "participant_ids")
    new = threads.NewThread(draft.subject, draft.visibility, draft.job_id, creator.id)
    thread = _opened(tx, by, threads.add(tx, new), [creator, *colleagues])
    pen = Pen()
    sheet = pen.sheet(thread)
    if draft.first_message is not None:
        pen.message(sheet, by, draft.first_message, draft.client_msg_id)
    pen.put_down(tx)
    return view(tx, by, thread.id)


def _opened(tx: Writing, by: Actor, thread_id: int, members: Sequence[Staff]) -> SeenThread:
    """The first row of a thread: created, by whom, with whom."""
    threads.add_participants(tx, [(thread_id, member.id) for member in _distinct(members)])
    thread = threads.get_seen(tx, sight_of(staff_of(tx, by)), thread_id)
    pen = Pen()
    others = [people.person(member) for member in _distinct(members)[1:]]
    pen.event(pen.sheet(thread), by, EventType.CREATED, others)
    pen.put_down(tx)
    about = audit.About("thread", thread.id, job_id=thread.job_id, thread_id=thread.id)
    with_whom = sorted(thread.participant_ids)
    audit.add(tx, by, AuditAction.THREAD_CREATED, about, visibility=thread.visibility, participants=with_whom)
    return threads.get_seen(tx, sight_of(staff_of(tx, by)), thread_id)


def set_status(tx: Writing, by: Actor, thread_id: int, status: ThreadStatus) -> ThreadView:
    """Close or reopen; doing it twice does it once."""
    caller = staff_of(tx, by)
    thread = threads.get_seen(tx, sight_of(caller), thread_id)
    if not policy.may_close(caller, thread):
        raise Forbidden
    if thread.status is not status:
        pen = Pen()
        pen.status(pen.sheet(thread), by, status)
        pen.put_down(tx)
    return view(tx, by, thread_id)


def add_participants(tx: Writing, by: Actor, thread_id: int, user_ids: Sequence[int]) -> ThreadView:
    caller = staff_of(tx, by)
    thread = threads.get_seen(tx, sight_of(caller), thread_id)
    if not policy.may_change_participants(caller, thread):
        raise Forbidden
    pen = Pen()
    pen.join(pen.sheet(thread), by, colleagues_of(tx, user_ids, "user_ids"))
    pen.put_down(tx)
    return view(tx, by, thread_id)


def remove_participant(tx: Writing, by: Actor, thread_id: int, user_id: int) -> None:
    caller = staff_of(tx, by)
    thread = threads.get_seen(tx, sight_of(caller), thread_id)
    if not policy.may_remove(caller, thread, user_id):
        raise Forbidden
    if user_id not in thread.participant_ids:
        raise NotFound
    pen, leaving = Pen(), people.get_staff(tx, user_id)
    pen.leave(pen.sheet(thread), by, people.person(leaving))
    pen.put_down(tx)
    let_go(tx, by, leaving)
    tx.tell(AccessEnded(staff_id=user_id))


def claim(tx: Writing, by: Actor, thread_id: int) -> ThreadView:
    """'I have it', where a customer waits; what a colleague has passes to whoever says so next.

    Doing it twice does it once. Raises `NothingWaits`.
    """
    caller, thread = _claimable(tx, by, thread_id)
    if thread.waiting_since is None:
        raise NothingWaits
    if waiting.claim(tx, thread_id, caller.id):
        _tell_claim(tx, by, AuditAction.THREAD_CLAIMED, thread.id, thread.job_id)
    return view(tx, by, thread_id)


def give_back(tx: Writing, by: Actor, thread_id: int) -> ThreadView:
    """Nobody has it any more. Colleagues may say so too: they may take it over, after all."""
    _, thread = _claimable(tx, by, thread_id)
    if waiting.drop_claim(tx, thread_id):
        _tell_claim(tx, by, AuditAction.CLAIM_DROPPED, thread.id, thread.job_id)
    return view(tx, by, thread_id)


def let_go(tx: Writing, by: Actor, staff: Staff) -> None:
    """What they had and do not see any more is nobody's: else everybody would rely on them."""
    for thread_id, job_id in waiting.drop_claims_out_of_sight(tx, staff):
        _tell_claim(tx, by, AuditAction.CLAIM_DROPPED, thread_id, job_id)


def _claimable(tx: Writing, by: Actor, thread_id: int) -> tuple[Staff, SeenThread]:
    caller = staff_of(tx, by)
    thread = threads.get_seen(tx, sight_of(caller), thread_id)
    if not policy.may_claim(caller, thread):
        raise Forbidden
    return caller, thread


def _tell_claim(tx: Writing, by: Actor, action: AuditAction, thread_id: int, job_id: int | None) -> None:
    audit.add(tx, by, action, audit.About("thread", thread_id, job_id=job_id, thread_id=thread_id))
    tx.tell(ThreadChanged(thread_id))


def mark_read(tx: Writing, by: Actor, thread_id: int, up_to_seq: int | None) -> tuple[int, int]:
    """(last_read_seq, unread_count) afterwards; never moves back."""
    caller = by.caller
    if caller is None:
        raise NotFound
    thread = threads.get_seen(tx, sight_of(caller), thread_id)
    reader = views.reader_of(caller)
    if reads.move(tx, thread, reader, up_to_seq):
        tx.tell(ReadMoved(thread_id, *reader))
    last_read_seq, unread = reads.standing(tx, thread, reader)
    if unread:
        notifications.read_a_part(tx, reader, thread.id)
    return last_read_seq, unread


def view(tx: Reading, by: Actor, thread_id: int) -> ThreadView:
    """The thread as the caller finds it."""
    caller = by.caller
    if caller is None:
        raise NotFound
    return views.view(tx, threads.get_seen(tx, sight_of(caller), thread_id), views.reader_of(caller))


def staff_of(tx: Reading, by: Actor) -> Staff:
    """The member of staff who acts, as the database has them now; customers have no business here.

    Whoever was let in at another server's door may have been deactivated or demoted since.
    """
    if not isinstance(by.caller, Staff):
        raise Forbidden
    staff = people.staff_by_id(tx, [by.caller.id]).get(by.caller.id)
    if staff is None or not staff.active:
        raise NotAuthenticated
    return staff


def colleagues_of(tx: Reading, user_ids: Sequence[int], field: str) -> list[Staff]:
    """Active people by id, in the order given. Raises `Invalid` for anyone else."""
    found = people.staff_by_id(tx, user_ids)
    for user_id in user_ids:
        staff = found.get(user_id)
        if staff is None or not staff.active or staff.service:
            raise Invalid(field, f"{user_id} is not an active colleague")
    return [found[user_id] for user_id in dict.fromkeys(user_ids)]


def _check_job(tx: Writing, caller: Staff, job_id: int | None) -> None:
    if job_id is None:
        return
    try:
        jobs.get_seen(tx, job_sight_of(caller), job_id)
    except NotFound:
        raise Invalid("job_id", "there is no such job") from None


def _distinct(members: Sequence[Staff]) -> list[Staff]:
    return list({member.id: member for member in members}.values())
