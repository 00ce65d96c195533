"""Who listens here, found by what they may hear of: the cost of an event grows with its audience alone."""

from collections.abc import Hashable, Iterable
from typing import Any

from jobthread.entities import Caller, Thread, Visibility
from jobthread.live.stream import Stream


class Audience:
    def __init__(self) -> None:
        self.all: set[Stream] = set()
        self._by: dict[Hashable, set[Stream]] = {}

    def add(self, stream: Stream) -> None:
        self.all.add(stream)
        for key in _keys(stream):
            self._by.setdefault(key, set()).add(stream)

    def remove(self, stream: Stream) -> None:
        if stream not in self.all:
            return
        self.all.discard(stream)
        for key in _keys(stream):
            found = self._by[key]
            found.discard(stream)
            if not found:
                del self._by[key]

    def changed(self, stream: Stream, caller: Caller) -> None:
        self.remove(stream)
        stream.be(caller)
        self.add(stream)

    def counts(self) -> dict[str, int]:
        customers = sum(stream.job_id is not None for stream in self.all)
        return {"staff": len(self.all) - customers, "customers": customers}

    def of_staff(self, staff_id: int) -> Iterable[Stream]:
        return self._by.get(("staff", staff_id), ())

    def of_job(self, job_id: int) -> Iterable[Stream]:
        """Its customers'."""
        return self._by.get(("job", job_id), ())

    def perhaps(self, thread: Thread, others: Iterable[int]) -> set[Stream]:
        """Whoever may see the thread is among them: put each one's sight to it. `others` are staff by id."""
        found = set(self._by.get(thread.visibility, ()))
        for staff_id in {*thread.participant_ids, *others}:
            found.update(self.of_staff(staff_id))
        if thread.visibility is Visibility.CUSTOMER_VISIBLE and thread.job_id is not None:
            found.update(self.of_job(thread.job_id))
        return found


def _keys(stream: Stream) -> list[Any]:
    if stream.job_id is not None:
        return [("job", stream.job_id)]
    return [("staff", stream.staff_id), *stream.sight.every]
