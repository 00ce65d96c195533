"""No sequence of events sends a text to a stopped number: words, staff, retries, crashes, repeats, nights.

The machine keeps its own short account of who has stopped, and the provider that it plays fails the test the
moment it is handed a text for such a number; the one exception is the confirmation of a STOP, once for each.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jobthread import texting
from jobthread.actions import consent as consent_actions
from jobthread.actions import jobs, links, texts
from jobthread.actions import people as people_actions
from jobthread.actions.texts import Incoming, Outcome, Receipt
from jobthread.deliver import sms_answers
from jobthread.deliver.attempt import Means, attempt
from jobthread.deliver.outgoing import DeliveryFailed, Outgoing
from jobthread.deliver.sms_allowed import only_where_allowed
from jobthread.deliver.sms_http import OptedOut
from jobthread.entities import Actor, Channel, DeliveryKind, DeliveryStatus, Micros, Role, SenderKind
from jobthread.store import consent, limits, outbox
from jobthread.store import texts as texts_store
from jobthread.store.database import Database, Writing
from jobthread.tokens import new_token
from tests.deliver.post import COMPOSE, SEAL, Clock

T = TypeVar("T")
NOBODY = Actor(None, "", "")
COMPANY = "Acme Plumbing"
ISSUING = links.Issuing("https://chat.acme.example.com", 24, SEAL, limits.OFF)
LEASE = 60_000_000
HOUR = 3_600_000_000
NUMBERS = itertools.count(2_025_550_000)
"""Each run has numbers of its own, so that one database serves for all of them."""

ENDS = ["taken", "taken", "busy", "opted out", "lost", "lost before", "crash before", "crash after"]
WORDS = ["STOP", " stop!", "Baja", "START", "start", "YES", "sí", "HELP", "When will you come?", ""]


TOLD_BY_PROVIDERS = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)


class Crash(BaseException):
    """The process is gone."""


class ConsentRule(RuleBasedStateMachine):
    db: Database
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.numbers = [f"+1{next(NUMBERS)}" for _ in range(2)]
        self.stopped = dict.fromkeys(self.numbers, False)
        self.owed = dict.fromkeys(self.numbers, 0)
        """Confirmations that may still come."""
        self.known: list[tuple[str, str, str]] = []
        """(id, number, body) of every text that came in."""
        self.handed: list[tuple[str, str]] = []
        """(provider's name, number) of every text that it took."""
        self.faults: list[str] = []
        self.end = "taken"
        self.guarded = only_where_allowed(self.db, self.provider)
        self.staff, self.jobs = self.write(self.company)

    def company(self, tx: Writing) -> tuple[Actor, dict[str, int]]:
        address = f"ada{self.numbers[0]}@example.com"
        ada = Actor(people_actions.enrol(tx, NOBODY, "Ada", address, Role.ADMIN, None), "", "")
        made = {
            number: jobs.create(tx, ada, jobs.NewJob("Boiler", jobs.NewCustomer("Carol", None, number)))
            for number in self.numbers
        }
        return ada, {number: job.ref.id for number, job in made.items()}

    def write(self, fn: Callable[[Writing], T]) -> T:
        return asyncio.run(self.db.write(fn))

    # --- the provider, with the rule in it --------------------------------------------------------

    async def provider(self, outgoing: Outgoing) -> str:
        if self.end == "lost before":
            raise DeliveryFailed("nobody listens", permanent=False)
        if self.end == "busy":
            raise DeliveryFailed("busy", permanent=False)
        if self.end == "opted out":
            self.stopped[outgoing.to] = True
            raise OptedOut("21610")
        self.took(outgoing)
        if self.end == "lost":
            raise ConnectionError
        if self.end == "crash after":
            raise Crash
        name = f"test:{len(self.handed)}:{self.numbers[0]}"
        self.handed.append((name, outgoing.to))
        return name

    def took(self, outgoing: Outgoing) -> None:
        """Noted, and not raised: whatever a channel raises, the worker takes for an unknown end."""
        if outgoing.text == sms_answers.stopped(COMPANY):
            self.owed[outgoing.to] -= 1
            if self.owed[outgoing.to] < 0:
                self.faults.append("a STOP was confirmed twice")
        elif self.stopped[outgoing.to]:
            self.faults.append(f"a stopped number was sent {outgoing.text!r}")

    @invariant()
    def nothing_went_to_a_stopped_number(self) -> None:
        assert self.faults == []

    # --- what happens -----------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), body=st.sampled_from(WORDS), crash=st.booleans())
    def a_text_comes_in(self, which: int, body: str, crash: bool) -> None:
        number = self.numbers[which]
        name = f"in:{len(self.known)}:{self.numbers[0]}"
        self.known.append((name, number, body))
        word = "".join(filter(str.isalpha, body)).upper()
        if word in ("STOP", "BAJA"):
            self.owed[number] += not self.stopped[number]
            self.stopped[number] = True
        elif word in ("START", "YES", "SÍ"):
            self.stopped[number] = False
        self.hand_over(name, number, body, crash)

    @rule(which=st.integers(0, 1), hours=st.integers(1, 12))
    def a_text_comes_in_at_night(self, which: int, hours: int) -> None:
        """It brings the automatic line about, unless that was told of this very opening."""
        number, name = self.numbers[which], f"in:{len(self.known)}:{self.numbers[0]}"
        self.known.append((name, number, "Hello?"))
        self.hand_over(name, number, "Hello?", False, self.clock.now // HOUR * HOUR + hours * HOUR)

    @rule(which=st.integers(0, 100), crash=st.booleans())
    def a_webhook_is_repeated(self, which: int, crash: bool) -> None:
        if self.known:
            self.hand_over(*self.known[which % len(self.known)], crash)

    def hand_over(
        self, name: str, number: str, body: str, crash: bool, opens_at: Micros | None = None
    ) -> None:
        text = Incoming("test", name, number, texting.cleaned(body) or "(empty)", texting.keyword(body))
        outcome = self.write(lambda tx: texts.take_in(tx, NOBODY, limits.OFF, text, opens_at))
        if crash:
            return
        self.end = "taken"
        if outcome is Outcome.STOPPED:
            self.run(sms_answers.answer(self.provider, number, sms_answers.stopped(COMPANY), self.clock))
        elif outcome is Outcome.HELP:
            self.run(sms_answers.answer(self.guarded, number, sms_answers.help_with(COMPANY), self.clock))

    @rule(which=st.integers(0, 1))
    def staff_note_a_stop(self, which: int) -> None:
        number = self.numbers[which]
        self.stopped[number] = True
        job = self.jobs[number]
        self.write(lambda tx: consent_actions.stop(tx, self.staff, self.customer_of(tx, job), "On the phone"))

    def customer_of(self, tx: Writing, job_id: int) -> int:
        return jobs.seen(tx, self.staff, job_id).customer.id

    @rule(which=st.integers(0, 1), channels=st.sampled_from([None, [Channel.SMS]]))
    def staff_send_a_link(self, which: int, channels: list[Channel] | None) -> None:
        job = self.jobs[self.numbers[which]]
        self.write(lambda tx: links.issue(tx, self.staff, ISSUING, job, channels, None))

    @rule(which=st.integers(0, 1))
    def something_queues_a_text_without_asking(self, which: int) -> None:
        """As a later kind of delivery might, which knows nothing of the ledger."""
        number = self.numbers[which]

        def queued(tx: Writing) -> None:
            link = links.issue(tx, self.staff, ISSUING, self.jobs[number], [], None).link_id
            sealed = SEAL.close(new_token())
            reader, job_id = (SenderKind.CUSTOMER, 1), self.jobs[number]
            new = outbox.NewDelivery(
                DeliveryKind.INVITATION, Channel.SMS, number, reader, link, job_id, sealed
            )
            outbox.add(tx, new)

        self.write(queued)

    @rule(end=st.sampled_from(ENDS), minutes=st.sampled_from([0, 2, 20]))
    def the_worker_works(self, end: str, minutes: int) -> None:
        self.end = end
        self.clock.advance(minutes * 60)
        claimed = self.write(lambda tx: outbox.claim(tx, 8, LEASE))
        if end == "crash before":
            return
        means = Means(self.db, SEAL, {Channel.SMS: self.guarded}, COMPOSE, lambda channel, status: None, 5)
        for one in claimed:
            try:
                self.run(attempt(means, one))
            except Crash:
                return

    @rule(which=st.integers(0, 100), status=st.sampled_from(DeliveryStatus), opted_out=st.booleans())
    def a_receipt_comes(self, which: int, status: DeliveryStatus, opted_out: bool) -> None:
        if not self.handed or status not in TOLD_BY_PROVIDERS:
            return
        name, number = self.handed[which % len(self.handed)]
        receipt = Receipt(name, None, status, "words", "error 21610", opted_out)
        known = self.write(lambda tx: texts_store.of_receipt(tx, name, None))
        self.write(lambda tx: texts.receive_receipt(tx, receipt))
        if opted_out and known is not None:
            self.stopped[number] = True

    def run(self, doing: Awaitable[Any]) -> None:
        async def done() -> None:
            await doing

        asyncio.run(done())

    def teardown(self) -> None:
        ledger = asyncio.run(self.db.read(lambda tx: consent.stopped_among(tx, self.numbers)))
        assert set(ledger) == {number for number, stopped in self.stopped.items() if stopped}
        self.write(lambda tx: outbox.drop_waiting(tx, "the run is over"))


@contextmanager
def machine_on(db: Database, clock: Clock) -> Iterator[type[ConsentRule]]:
    class Machine(ConsentRule):
        pass

    Machine.db, Machine.clock = db, clock
    yield Machine


@pytest.mark.timeout(300)
def test_no_sequence_of_events_sends_a_text_to_a_stopped_number(db: Database, clock: Clock) -> None:
    with machine_on(db, clock) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=settings().max_examples // 3,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
