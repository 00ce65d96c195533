"""Events as they go over the wire: encoded once for all who hear the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from jobthread.entities import Message, ReadMoved, ThreadView, Typing


@dataclass(frozen=True)
class Shapes:
    """What a message or a thread looks like to one kind of reader: an allow-list, handed in."""

    message: Callable[[Message], Any]
    thread: Callable[[ThreadView], Any]


def event(name: str, data: Any) -> bytes:
    """Without its end, which is the line with its id."""
    return b"event: %b\ndata: %b\n" % (name.encode(), msgspec.json.encode(data))


RESYNC = event("resync", {})


class Wording:
    """The events of one look at things: whoever is told the same is handed the same bytes."""

    def __init__(self, for_staff: Shapes, for_customers: Shapes) -> None:
        self._shapes = {False: for_staff, True: for_customers}
        self._made: dict[Any, bytes] = {}

    def message(self, message: Message, for_customer: bool) -> bytes:
        shape = self._shapes[for_customer].message
        return self._once(
            ("message", message.id, for_customer),
            lambda: event("message.created", {"thread_id": message.thread_id, "message": shape(message)}),
        )

    def thread(self, name: str, view: ThreadView, for_customer: bool) -> bytes:
        shape = self._shapes[for_customer].thread
        alike = (name, view.id, view.last_seq, view.last_read_seq, view.unread_count, for_customer)
        return self._once(alike, lambda: event(name, {"thread": shape(view)}))

    def removed(self, thread_id: int) -> bytes:
        return self._once(("removed", thread_id), lambda: event("thread.removed", {"thread_id": thread_id}))

    def read(self, moved: ReadMoved, last_read_seq: int) -> bytes:
        told = {
            "thread_id": moved.thread_id,
            "kind": moved.reader_kind,
            "user_id": moved.reader_id,
            "last_read_seq": last_read_seq,
        }
        return self._once(("read", moved, last_read_seq), lambda: event("read", told))

    def typing(self, typing: Typing, name: str) -> bytes:
        told = {"thread_id": typing.thread_id, "name": name}
        return self._once(typing, lambda: event("typing", told))

    def _once(self, key: Any, made: Callable[[], bytes]) -> bytes:
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = made()
        return found


def unread(count: int) -> bytes:
    return event("unread", {"unread_count": count})
