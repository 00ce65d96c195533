"""The pen of one transaction: collects rows for threads, numbers them, and writes all in a few statements."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from secrets import token_hex
from time import time_ns

from msgspec import Struct

from jobthread.entities import (
    Actor,
    AuditAction,
    Caller,
    EventType,
    Message,
    MessageKind,
    Micros,
    Person,
    RowsWritten,
    Sender,
    SenderKind,
    Staff,
    Thread,
    ThreadStatus,
)
from jobthread.store import audit, messages, reads, threads
from jobthread.store.batches import at_once
from jobthread.store.database import Writing
from jobthread.store.messages import NewRow


class Sheet(Struct):
    """What one locked thread will look like after this transaction."""

    thread_id: int
    status: ThreadStatus
    first_seq: int
    """Of those rows that this transaction writes."""
    last_seq: int
    message_count: int
    last_message_seq: int | None
    last_sender_kind: SenderKind | None
    job_id: int | None
    participant_ids: set[int]
    waits: bool
    """The customer, for an answer."""
    waiting_since: Micros | None
    """Null where that began in this transaction."""
    away_until: Micros | None


@dataclass(slots=True)
class Pen:
    sheets: dict[int, Sheet] = field(default_factory=dict)
    rows: list[NewRow] = field(default_factory=list)
    marks: dict[tuple[SenderKind, int, int], reads.Mark] = field(default_factory=dict)
    joined: list[tuple[int, int]] = field(default_factory=list)
    left: list[tuple[int, int]] = field(default_factory=list)
    trail: list[tuple[Actor, AuditAction, audit.About, dict[str, object]]] = field(default_factory=list)

    def sheet(self, thread: Thread) -> Sheet:
        """The sheet of a thread that is locked."""
        known = self.sheets.get(thread.id)
        if known is None:
            known = self.sheets[thread.id] = _as_it_stands(thread)
        return known

    def message(
        self, sheet: Sheet, by: Actor, body: str, client_msg_id: str | None, via: str | None = None
    ) -> NewRow:
        """What somebody says. The writer has read everything up to it."""
        sheet.message_count += 1
        row = self._row(sheet, by, MessageKind.MESSAGE, body, client_msg_id)
        row.via = via
        sheet.last_message_seq, sheet.last_sender_kind = row.seq, row.sender.kind
        reader = (row.sender.kind, row.sender.id or messages.SYSTEM_ID, sheet.thread_id)
        self.marks[reader] = (*reader, row.seq, row.number)
        if row.sender.kind is SenderKind.CUSTOMER:
            row.ip, row.user_agent, row.via = by.ip, by.user_agent, via
            sheet.waits = True
        elif row.sender.kind is SenderKind.STAFF:
            _answered(sheet)
        return row

    def event(
        self, sheet: Sheet, by: Actor, kind: EventType, people: Iterable[Person] = (), body: str = ""
    ) -> NewRow:
        """What happened to the thread itself: it stands in the sequence, but counts as nothing unread."""
        row = self._row(sheet, by, MessageKind.EVENT, body, None)
        row.event_type, row.event_people = kind, tuple(people)
        return row

    def status(self, sheet: Sheet, by: Actor, status: ThreadStatus) -> None:
        closed = status is ThreadStatus.CLOSED
        sheet.status = status
        if closed:
            _answered(sheet)
        self.event(sheet, by, EventType.CLOSED if closed else EventType.REOPENED)
        self._tell(sheet, by, AuditAction.THREAD_CLOSED if closed else AuditAction.THREAD_REOPENED)

    def join(self, sheet: Sheet, by: Actor, people: Iterable[Staff]) -> None:
        if new := self.enrol(sheet, by, people):
            self.event(sheet, by, EventType.JOINED, new)

    def enrol(self, sheet: Sheet, by: Actor, people: Iterable[Staff]) -> list[Person]:
        """Make participants of those who are none yet, with no event of its own; answers who is new."""
        new = [Person(s.id, s.name, s.role) for s in people if s.id not in sheet.participant_ids]
        for person in new:
            sheet.participant_ids.add(person.id)
            self.joined.append((sheet.thread_id, person.id))
            self._tell(sheet, by, AuditAction.PARTICIPANT_ADDED, user_id=person.id, name=person.name)
        return new

    def leave(self, sheet: Sheet, by: Actor, person: Person) -> None:
        sheet.participant_ids.discard(person.id)
        self.left.append((sheet.thread_id, person.id))
        self.event(sheet, by, EventType.LEFT, [person])
        self._tell(sheet, by, AuditAction.PARTICIPANT_REMOVED, user_id=person.id, name=person.name)

    def put_down(self, tx: Writing) -> dict[tuple[int, int], Message]:
        """Write it all; answers the new rows by (thread id, seq)."""
        if self.joined:
            threads.add_participants(tx, self.joined)
        for thread_id, user_id in self.left:
            threads.remove_participant(tx, thread_id, user_id)
        written = self._put_down_rows(tx) if self.rows else []
        for by, action, about, details in self.trail:
            audit.add(tx, by, action, about, **details)
        for sheet in self.sheets.values():
            if sheet.last_seq >= sheet.first_seq:
                tx.tell(RowsWritten(sheet.thread_id, sheet.first_seq, sheet.last_seq))
        return {(message.thread_id, message.seq): message for message in written}

    def _put_down_rows(self, tx: Writing) -> list[Message]:
        with at_once(tx):
            added = messages.add(tx, self.rows)
            threads.move(tx, [_counters(sheet, tx.now) for sheet in self.sheets.values()])
            if self.marks:
                reads.put(tx, list(self.marks.values()))
        return added()

    def _tell(self, sheet: Sheet, by: Actor, action: AuditAction, **details: object) -> None:
        about = audit.About("thread", sheet.thread_id, job_id=sheet.job_id, thread_id=sheet.thread_id)
        self.trail.append((by, action, about, details))

    def _row(
        self, sheet: Sheet, by: Actor, kind: MessageKind, body: str, client_msg_id: str | None
    ) -> NewRow:
        sheet.last_seq += 1
        row = NewRow(
            thread_id=sheet.thread_id,
            seq=sheet.last_seq,
            number=sheet.message_count,
            kind=kind,
            sender=sender_of(by.caller),
            body=body,
            client_msg_id=client_msg_id or _new_id(),
        )
        self.rows.append(row)
        return row


def _as_it_stands(thread: Thread) -> Sheet:
    return Sheet(
        thread_id=thread.id,
        status=thread.status,
        first_seq=thread.last_seq + 1,
        last_seq=thread.last_seq,
        message_count=thread.message_count,
        last_message_seq=thread.last_message_seq,
        last_sender_kind=thread.last_sender_kind,
        job_id=thread.job_id,
        participant_ids=set(thread.participant_ids),
        waits=thread.waiting_since is not None,
        waiting_since=thread.waiting_since,
        away_until=thread.away_until,
    )


def _new_id() -> str:
    """Like those of our apps: the time in milliseconds, then as much chance as a random UUID's."""
    return f"{time_ns() // 1_000_000:012x}{token_hex(15)}"


def sender_of(caller: Caller | None) -> Sender:
    if caller is None:
        return Sender(SenderKind.SYSTEM, None, "Jobthread", None)
    if isinstance(caller, Staff):
        return Sender(SenderKind.STAFF, caller.id, caller.name, caller.role)
    return Sender(SenderKind.CUSTOMER, caller.customer_id, caller.name, None)


def _answered(sheet: Sheet) -> None:
    sheet.waits, sheet.waiting_since = False, None


def _counters(sheet: Sheet, now: Micros) -> threads.Counters:
    return threads.Counters(
        sheet.thread_id,
        sheet.status,
        sheet.last_seq,
        sheet.message_count,
        sheet.last_message_seq,
        sheet.last_sender_kind,
        (sheet.waiting_since or now) if sheet.waits else None,
        sheet.away_until,
    )
