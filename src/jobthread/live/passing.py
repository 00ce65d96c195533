"""Who is told what: each piece of news put to each pair of ears, by the rights of this very moment."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from jobthread.entities import (
    EventType,
    JobChanged,
    Message,
    MessageKind,
    News,
    Reader,
    ReadMoved,
    RowsWritten,
    SenderKind,
    Thread,
    ThreadChanged,
    Typing,
)
from jobthread.live.audience import Audience
from jobthread.live.looking import Seen, SeenAgain
from jobthread.live.stream import Stream
from jobthread.live.wording import Wording
from jobthread.policy import sees

Numbered = tuple[int, News]
Told = dict[Stream, list[tuple[int, bytes]]]


@dataclass(slots=True)
class Occasion:
    """A piece of news of one thread, and who may care to hear it."""

    position: int
    news: News
    thread: Thread
    ears: set[Stream]
    showing: set[Stream]
    """Who is shown the thread as they find it now."""
    rows: Sequence[Message] = ()
    joined: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()

    def before(self, now: Thread) -> Thread:
        """As to who took part, before it happened."""
        if not (self.joined or self.left):
            return now
        return replace(now, participant_ids=(now.participant_ids - self.joined) | self.left)


def without_repeats(numbered: Iterable[Numbered]) -> list[Numbered]:
    """Of marks that moved twice, and of somebody who types on, the latest says all."""
    kept: dict[News, Numbered] = {}
    for position, news in numbered:
        kept.pop(news, None)
        kept[news] = (position, news)
    return list(kept.values())


def occasions(
    numbered: Iterable[Numbered], seen: Seen, audience: Audience, only: Collection[Stream] | None
) -> list[Occasion]:
    found = []
    for position, news in numbered:
        for thread_id in _threads_of(news, seen):
            if (thread := seen.threads.get(thread_id)) is not None:
                occasion = _occasion(position, news, thread, seen, audience)
                if only is not None:
                    occasion.ears.intersection_update(only)
                    occasion.showing.intersection_update(only)
                if occasion.ears:
                    found.append(occasion)
    return found


def _threads_of(news: News, seen: Seen) -> Iterable[int]:
    if isinstance(news, JobChanged):
        return seen.threads_of.get(news.job_id, ())
    return [news.thread_id] if isinstance(news, RowsWritten | ReadMoved | ThreadChanged | Typing) else ()


def _occasion(position: int, news: News, thread: Thread, seen: Seen, audience: Audience) -> Occasion:
    if isinstance(news, RowsWritten):
        rows = seen.between(news)
        joined, left = _moves(rows)
        ears = audience.perhaps(thread, left)
        showing = ears if any(row.kind is MessageKind.EVENT for row in rows) else set()
        return Occasion(position, news, thread, set(ears), set(showing), rows, joined, left)
    ears = audience.perhaps(thread, ())
    if isinstance(news, ThreadChanged):
        ears = {ear for ear in ears if ear.staff_id is not None}
        return Occasion(position, news, thread, ears, set(ears))
    if isinstance(news, ReadMoved):
        reader = (news.reader_kind, news.reader_id)
        return Occasion(position, news, thread, ears, {ear for ear in ears if ear.reader == reader})
    return Occasion(position, news, thread, ears, set(ears) if isinstance(news, JobChanged) else set())


def _moves(rows: Sequence[Message]) -> tuple[frozenset[int], frozenset[int]]:
    """Who came and who went, by the rows that say so."""
    joined: set[int] = set()
    left: set[int] = set()
    for row in rows:
        people = {person.id for person in row.event_people}
        if row.event_type in (EventType.CREATED, EventType.JOINED):
            joined |= people
            left -= people
        elif row.event_type is EventType.LEFT:
            left |= people
            joined -= people
    return frozenset(joined), frozenset(left)


def readers_to_show(found: Iterable[Occasion]) -> dict[int, set[Reader]]:
    readers: dict[int, set[Reader]] = {}
    for occasion in found:
        if occasion.showing:
            readers.setdefault(occasion.thread.id, set()).update(ear.reader for ear in occasion.showing)
    return readers


def told(
    found: Iterable[Occasion],
    seen: Seen,
    again: SeenAgain,
    wording: Wording,
    may_hear: Callable[[Stream], bool],
) -> Told:
    """What each stream is told, in order, each piece with its news' number."""
    heard: Told = {}
    for occasion in found:
        now = again.threads.get(occasion.thread.id, occasion.thread)
        before = occasion.before(now)
        for ear in occasion.ears:
            if may_hear(ear):
                for body in _bodies(occasion, ear, now, before, seen, again, wording):
                    heard.setdefault(ear, []).append((occasion.position, body))
    return heard


def _bodies(
    occasion: Occasion,
    ear: Stream,
    now: Thread,
    before: Thread,
    seen: Seen,
    again: SeenAgain,
    wording: Wording,
) -> Iterator[bytes]:
    news, for_customer = occasion.news, ear.job_id is not None
    if not sees(ear.sight, now):
        if sees(ear.sight, before):
            yield wording.removed(now.id)
        return
    own = isinstance(news, ReadMoved) and ear.reader == (news.reader_kind, news.reader_id)
    if isinstance(news, ReadMoved) and (own or not for_customer):
        mark = (news.thread_id, news.reader_kind, news.reader_id)
        yield wording.read(news, seen.marks.get(mark, 0))
    if isinstance(news, Typing):
        typist = (news.typist_kind, news.typist_id)
        if ear.reader != typist and typist in seen.names:
            yield wording.typing(news, seen.names[typist])
    view = again.views.get((now.id, ear.reader))
    if ear in occasion.showing and view is not None:
        new = bool(occasion.rows) and (occasion.rows[0].seq == 1 or not sees(ear.sight, before))
        yield wording.thread("thread.created" if new else "thread.updated", view, for_customer)
    for row in occasion.rows:
        yield wording.message(row, for_customer)


def badges(found: Iterable[Occasion]) -> set[int]:
    """Staff whose unread count may be another now."""
    moved: set[int] = set()
    for occasion in found:
        news = occasion.news
        if isinstance(news, RowsWritten):
            moved |= occasion.thread.participant_ids | occasion.joined | occasion.left
        elif isinstance(news, ReadMoved) and news.reader_kind is SenderKind.STAFF:
            moved.add(news.reader_id)
    return moved
