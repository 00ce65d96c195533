"""Sight as SQL: the only place where seeing becomes a WHERE. `policy.sees` is its twin."""

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from jobthread.policy import JobSight, Sight
from jobthread.store.tables import chat_thread_participants, chat_threads, job_assignees, jobs


def where(sight: Sight) -> ColumnElement[bool]:
    """The condition on chat_threads."""
    seen: list[ColumnElement[bool]] = [false()]
    if sight.every:
        seen.append(chat_threads.c.visibility.in_(sorted(sight.every)))
    if sight.joined_by is not None:
        seen.append(chat_threads.c.id.in_(joined_by(sight.joined_by)))
    if sight.within_job is None:
        return or_(*seen)
    return and_(chat_threads.c.job_id == sight.within_job, or_(*seen))


def jobs_where(sight: JobSight) -> ColumnElement[bool]:
    """The condition on jobs."""
    if sight.every:
        return true()
    if sight.assigned_or_joined_by is None:
        return false()
    person = sight.assigned_or_joined_by
    assigned = select(job_assignees.c.job_id).where(job_assignees.c.user_id == person)
    talked_of = select(chat_threads.c.job_id).where(
        chat_threads.c.id.in_(joined_by(person)), chat_threads.c.job_id.is_not(None)
    )
    return or_(jobs.c.id.in_(assigned), jobs.c.id.in_(talked_of))


def joined_by(user_id: int) -> Select[int]:
    return select(chat_thread_participants.c.thread_id).where(chat_thread_participants.c.user_id == user_id)
