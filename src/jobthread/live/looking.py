"""How things stand when something has happened: read once for all who listen here, and read afresh."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jobthread.entities import (
    JobChanged,
    Message,
    News,
    Reader,
    ReadMoved,
    RowsWritten,
    SenderKind,
    Thread,
    ThreadChanged,
    ThreadView,
    Typing,
)
from jobthread.store import grounds, messages, people, reads, threads, views
from jobthread.store.database import Reading
from jobthread.store.grounds import Ground, Held

Mark = tuple[int, SenderKind, int]


@dataclass(slots=True)
class Seen:
    """What the news are about, to be shown to nobody whose sight was not put to it."""

    rows: dict[int, list[Message]] = field(default_factory=dict)
    """By thread, in rising seq."""
    marks: dict[Mark, int] = field(default_factory=dict)
    threads_of: dict[int, list[int]] = field(default_factory=dict)
    """By job."""
    names: dict[Reader, str] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)

    def between(self, written: RowsWritten) -> list[Message]:
        return [
            row
            for row in self.rows.get(written.thread_id, ())
            if written.first_seq <= row.seq <= written.last_seq
        ]


def look(tx: Reading, news: Iterable[News]) -> Seen:
    """Threads come last: a right that ended while we read has ended."""
    seen = Seen()
    news = list(news)
    written = [one for one in news if isinstance(one, RowsWritten)]
    moved = [one for one in news if isinstance(one, ReadMoved)]
    typing = [one for one in news if isinstance(one, Typing)]
    if written:
        spans = {(one.thread_id, one.first_seq, one.last_seq) for one in written}
        found = {message.id: message for message in messages.between(tx, spans)}
        for message in sorted(found.values(), key=lambda message: message.seq):
            seen.rows.setdefault(message.thread_id, []).append(message)
    if moved:
        asked = {(one.thread_id, one.reader_kind, one.reader_id) for one in moved}
        seen.marks = reads.last_read(tx, list(asked))
    if jobs := {one.job_id for one in news if isinstance(one, JobChanged)}:
        for job_id, thread_id in threads.of_jobs(tx, jobs):
            seen.threads_of.setdefault(job_id, []).append(thread_id)
    if typing:
        seen.names = people.names(tx, {(one.typist_kind, one.typist_id) for one in typing})
    asked_for = {one.thread_id for one in written}
    asked_for |= {one.thread_id for one in moved} | {one.thread_id for one in typing}
    asked_for |= {one.thread_id for one in news if isinstance(one, ThreadChanged)}
    seen.threads = threads.as_they_are(tx, asked_for.union(*seen.threads_of.values()))
    return seen


@dataclass(slots=True)
class SeenAgain:
    views: Mapping[tuple[int, Reader], ThreadView]
    threads: Mapping[int, Thread]
    held: Mapping[Ground, Held]


def look_again(
    tx: Reading,
    readers: Mapping[int, Collection[Reader]],
    thread_ids: Collection[int],
    asked: Sequence[Ground],
) -> SeenAgain:
    """Threads as these readers find them; and, read after that, who may see them.

    A view holds the thread's last message: it may be younger than the look that chose its readers.
    """
    found = views.as_found_by(tx, readers)
    as_they_are = threads.as_they_are(tx, thread_ids)
    return SeenAgain(found, as_they_are, grounds.standing(tx, asked))
