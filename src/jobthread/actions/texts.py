"""Text messages that come in: words that stop and start, answers that land in a thread; and receipts."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from jobthread import texting
from jobthread.actions import away, messages
from jobthread.actions.writing import Pen
from jobthread.entities import (
    Actor,
    AuditAction,
    Channel,
    ConsentHow,
    ConsentState,
    DeliveryStatus,
    EventType,
    Language,
    Micros,
    Texter,
    Visibility,
)
from jobthread.errors import JobthreadError, RateLimited
from jobthread.policy import sight_of
from jobthread.store import audit, consent, jobs, preferences, threads
from jobthread.store import texts as store
from jobthread.store.database import Writing
from jobthread.store.limits import ON, SECOND, Limits, Rate
from jobthread.store.texts import Handed
from jobthread.texting import Keyword

VIA = "sms"
TEXTS = Rate(burst=30, every=6 * SECOND)
HELP_ANSWERS = Rate(burst=2, every=3600 * SECOND)
UNPLACED_NOTED = Rate(burst=3, every=3600 * SECOND)
NOBODY = Actor(None, "", "")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._:\-]{1,60}")


class Outcome(StrEnum):
    """What became of a text that came in."""

    LANDED = "landed"
    STOPPED = "stopped"
    STOPPED_BEFORE = "stopped_before"
    STARTED = "started"
    HELP = "help"
    HELP_BEFORE = "help_before"
    """Asked for too often: it was answered already."""
    UNPLACED = "unplaced"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text as a provider hands it over; `sender` is what it gives for a number."""

    provider: str
    provider_id: str
    sender: str
    body: str
    keyword: Keyword | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider tells of a text that it took: by its name for it, or by ours (id and moment)."""

    provider_id: str
    named: tuple[int, Micros] | None
    status: DeliveryStatus
    words: str | None = None
    code: str = ""
    opted_out: bool = False


# --- what comes in --------------------------------------------------------------------------------


def take_in(tx: Writing, by: Actor, counted: Limits, text: Incoming, away_until: Micros | None) -> Outcome:
    """Once, however often it is handed over. Raises `RateLimited` where a number writes too fast.

    `away_until` is when the office opens next, where it is closed by now.
    """
    number = texting.of_provider(text.sender)
    noted = store.note(tx, text.provider, text.provider_id, number or text.sender[:20])
    if noted is None:
        return Outcome.REPEATED
    outcome, thread_id = Outcome.UNPLACED, None
    if number is not None:
        outcome, thread_id = _understood(tx, by, counted, text, number, away_until)
    if outcome is Outcome.UNPLACED:
        _note_unplaced(tx, by, text, number)
    store.came_to(tx, noted, outcome, thread_id)
    return outcome


def spoken(tx: Writing, sender: str) -> Language:
    """What the customer with this number speaks; English where nobody has it."""
    number = texting.of_provider(sender)
    known = store.owner(tx, number) if number else None
    return preferences.of_customer(tx, known.customer_id, known.job_id).language if known else Language.EN


def _understood(
    tx: Writing, by: Actor, counted: Limits, text: Incoming, number: str, away_until: Micros | None
) -> tuple[Outcome, int | None]:
    """A word that stops is never counted: it works however often somebody writes."""
    word = text.keyword
    if word is Keyword.STOP:
        changed = _consent(tx, by, number, ConsentState.STOPPED, text.body)
        return Outcome.STOPPED if changed else Outcome.STOPPED_BEFORE, None
    if word is Keyword.START or (word is Keyword.YES and consent.is_stopped(tx, number)):
        _consent(tx, by, number, ConsentState.STARTED, text.body)
        return Outcome.STARTED, None
    if word is Keyword.HELP:
        return _help(tx, number), None
    counted.spend(tx, f"texts-from:{number}", TEXTS)
    thread_id = _landed(tx, by, text, number, away_until)
    return Outcome.LANDED if thread_id else Outcome.UNPLACED, thread_id


def _consent(tx: Writing, by: Actor, number: str, state: ConsentState, word: str) -> bool:
    note = " ".join(word.split())[:40]
    return consent.change(tx, by, number, state, ConsentHow.KEYWORD, note, _about(tx, number))


def _help(tx: Writing, number: str) -> Outcome:
    """Counted whatever the settings say: two machines that ask each other for help would never end."""
    try:
        ON.spend(tx, f"help-for:{number}", HELP_ANSWERS)
    except RateLimited:
        return Outcome.HELP_BEFORE
    return Outcome.HELP


def _note_unplaced(tx: Writing, by: Actor, text: Incoming, number: str | None) -> None:
    """Into the audit trail, a few times an hour: strangers must not be able to fill it."""
    sender = number or text.sender[:40]
    try:
        ON.spend(tx, f"unplaced-from:{sender}", UNPLACED_NOTED)
    except RateLimited:
        return
    audit.add(
        tx, by, AuditAction.TEXT_UNPLACED, audit.About("number", None), number=sender, provider=text.provider
    )


def _about(tx: Writing, number: str) -> audit.About:
    known = store.owner(tx, number)
    return audit.About("customer", known.customer_id) if known else audit.About("number", None)


# --- landing --------------------------------------------------------------------------------------


def _landed(tx: Writing, by: Actor, text: Incoming, number: str, away_until: Micros | None) -> int | None:
    """The thread in which it is now the customer's message; None where the number is nobody's."""
    texter = store.owner(tx, number)
    if texter is None:
        return None
    writer = Actor(texter, by.ip, f"SMS from {number}")
    thread_id = store.thread_for(tx, texter.job_id) or _opened(tx, writer, texter)
    send = messages.Send(writer, thread_id, text.body, message_id(text.provider_id), VIA, away_until)
    [sent] = messages.send_all(tx, [send])
    if isinstance(sent, JobthreadError):
        raise sent
    away.send_back(tx, send, sent, Channel.SMS, number)
    return thread_id


def message_id(provider_id: str) -> str:
    """The `client_msg_id` of a text: the provider's name for it, hashed where it would not fit."""
    if _PLAIN_ID.fullmatch(provider_id):
        return f"sms:{provider_id}"
    return f"sms:{hashlib.sha256(provider_id.encode('utf-8', 'surrogatepass')).hexdigest()[:60]}"


def _opened(tx: Writing, by: Actor, texter: Texter) -> int:
    """A thread for a job that had none with its customer: the office sees it, and nobody takes part yet."""
    title = jobs.get_for_visitor(tx, texter).ref.title
    new = threads.NewThread(title, Visibility.CUSTOMER_VISIBLE, texter.job_id, None)
    thread = threads.get_seen(tx, sight_of(texter), threads.add(tx, new))
    pen = Pen()
    pen.event(pen.sheet(thread), by, EventType.CREATED)
    pen.put_down(tx)
    about = audit.About("thread", thread.id, job_id=texter.job_id, thread_id=thread.id)
    audit.add(
        tx, by, AuditAction.THREAD_CREATED, about, visibility=Visibility.CUSTOMER_VISIBLE, participants=[]
    )
    return thread.id


# --- receipts -------------------------------------------------------------------------------------


def receive_receipt(tx: Writing, receipt: Receipt) -> bool:
    """Whether it moved a delivery. Never backwards, and nothing moves what has come to its end."""
    handed = store.of_receipt(tx, receipt.provider_id, receipt.named)
    if handed is None:
        return False
    about = audit.About("delivery", handed.id, job_id=handed.job_id)
    if receipt.opted_out and (number := texting.e164(handed.number)):
        consent.change(
            tx, NOBODY, number, ConsentState.STOPPED, ConsentHow.PROVIDER, receipt.code, _about(tx, number)
        )
    if not moves(handed, receipt.status):
        return False
    error = receipt.words if receipt.status is DeliveryStatus.FAILED else None
    store.receipted(tx, handed, receipt.status, receipt.provider_id, error)
    told = {"error": error} if error else {}
    audit.add(tx, NOBODY, _ACTIONS[receipt.status], about, channel=VIA, **told)
    return True


_ACTIONS = {
    DeliveryStatus.SENT: AuditAction.DELIVERY_SENT,
    DeliveryStatus.DELIVERED: AuditAction.DELIVERY_CONFIRMED,
    DeliveryStatus.FAILED: AuditAction.DELIVERY_FAILED,
}


def moves(handed: Handed, status: DeliveryStatus) -> bool:
    """A receipt is news where the delivery has not got as far yet.

    One that failed without the provider's name for it may have gone after all: its answer was lost.
    """
    before = handed.status
    answer_lost = before is DeliveryStatus.FAILED and handed.provider_id is None
    not_sent = before in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING) or answer_lost
    if status is DeliveryStatus.SENT:
        return not_sent
    return not_sent or before is DeliveryStatus.SENT
