"""The line while nobody is there does not go where it is not true any more, nor where it is not wanted."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import update

from jobthread.actions import consent as consent_actions
from jobthread.actions import jobs, people, threads
from jobthread.deliver.attempt import Means, attempt
from jobthread.deliver.outgoing import Outgoing
from jobthread.deliver.worker import LEASE
from jobthread.entities import Channel, JobStatus, ThreadStatus, Visibility
from jobthread.store import links, outbox, preferences
from jobthread.store import people as people_store
from jobthread.store.database import Writing
from jobthread.store.tables import chat_threads, deliveries
from jobthread.store.tables import jobs as job_table
from tests.deliver.closed_office import (
    CAROL,
    COMPOSE,
    FRIDAY_EVENING,
    MONDAY_MORNING,
    NUMBER,
    Office,
    link_of,
)
from tests.deliver.post import SEAL


def test_it_is_not_sent_where_the_office_opened_before(office: Office) -> None:
    office.write(office.a_text())
    office.it_is("2026-11-30T07:00:00")
    assert office.ends() == [("cancelled", "the office opened before it was sent")]
    assert office.handed == []


def test_it_is_sent_up_to_then(office: Office) -> None:
    office.write(office.a_text())
    office.it_is("2026-11-30T06:59:59")
    assert office.ends() == [("sent", None)]


def dora_answers(office: Office) -> None:
    office.dora_writes()


def dora_closes_the_job(office: Office) -> None:
    office.write(lambda tx: jobs.change(tx, office.by, office.job.ref.id, {"status": JobStatus.CLOSED}))


def dora_closes_the_thread(office: Office) -> None:
    office.write(lambda tx: threads.set_status(tx, office.by, office.thread_id, ThreadStatus.CLOSED))


def nobody_shows_it_to_carol(office: Office) -> None:
    hidden = update(chat_threads).values(visibility=Visibility.INTERNAL)
    office.write(lambda tx: tx.conn.execute(hidden))


def the_job_becomes_another_customers(office: Office) -> None:
    """With the same contacts: a neighbour under the same roof."""

    def handed_on(tx: Writing) -> None:
        neighbour = people_store.add_customer(tx, "Chris", CAROL, NUMBER)
        tx.conn.execute(update(job_table).values(customer_id=neighbour.id))

    office.write(handed_on)


def the_line_is_not_where_it_was(office: Office) -> None:
    office.write(lambda tx: tx.conn.execute(update(deliveries).values(up_to_seq=deliveries.c.after_seq)))


def carol_has_other_contacts(office: Office) -> None:
    changes = {"email": "new@example.com", "phone": "+12025550199"}
    office.write(lambda tx: people.change_customer(tx, office.by, office.customer_id, changes))


def carol_wants_no_mails(office: Office) -> None:
    office.write(
        lambda tx: preferences.customer_wants_email(tx, office.customer_id, office.job.ref.id, False)
    )


def dora_withdraws_all_links(office: Office) -> None:
    link_id = office.write(lambda tx: link_of(tx, office))
    office.write(lambda tx: links.revoke(tx, link_id))


ANSWERED, CLOSED = "the customer was answered before it was sent", "the job was closed before it was sent"


@pytest.mark.parametrize(
    ("happens", "by_text", "by_mail"),
    [
        (dora_answers, ANSWERED, ANSWERED),
        (dora_closes_the_thread, ANSWERED, ANSWERED),
        (dora_closes_the_job, CLOSED, CLOSED),
        (
            carol_has_other_contacts,
            "their number was changed before it was sent",
            "their e-mail address was changed before it was sent",
        ),
        (nobody_shows_it_to_carol, *["the customer does not see the thread"] * 2),
        (the_job_becomes_another_customers, *["the customer does not see the thread"] * 2),
        (the_line_is_not_where_it_was, *["the thread is gone"] * 2),
        # A text that lands needs neither a link nor a wish for mails; nor does its answer.
        (carol_wants_no_mails, None, "they turned such notifications off"),
        (dora_withdraws_all_links, None, "the link was withdrawn before it was sent"),
    ],
)
@pytest.mark.parametrize("way", ["a_text", "a_mail"])
def test_it_is_not_sent_any_more(
    office: Office, way: str, happens: Callable[[Office], None], by_text: str | None, by_mail: str | None
) -> None:
    office.write(getattr(office, way)())
    happens(office)
    why = by_text if way == "a_text" else by_mail
    assert office.ends() == [("cancelled" if why else "sent", why)]
    assert len(office.handed) == (why is None)


# --- whoever wants no texts -----------------------------------------------------------------------


def test_a_number_that_was_stopped_is_not_even_worded(office: Office) -> None:
    office.write(office.a_text())
    office.write(lambda tx: consent_actions.stop(tx, office.by, office.customer_id, "On the phone"))
    [claimed] = office.write(lambda tx: outbox.claim(tx, 1, LEASE))

    async def take(outgoing: Outgoing) -> str:
        office.handed.append(outgoing)
        return "1"

    # The channel asks the ledger as well; this one does not.
    means = Means(office.db, SEAL, {Channel.SMS: take}, COMPOSE, lambda channel, status: None, 5)
    asyncio.run(attempt(means, claimed))
    assert office.ends() == [("failed", "this number has asked for no more texts")]
    assert office.handed == []


def test_who_texts_from_a_stopped_number_is_heard_and_not_answered(office: Office) -> None:
    office.write(office.a_text("STOP"))
    office.write(office.a_text("When will you come?"))
    assert office.ends() == [("failed", "this number has asked for no more texts")]
    assert office.handed == []


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (FRIDAY_EVENING, ("sent", None)),
        (MONDAY_MORNING, ("cancelled", "the office opened before it was sent")),
    ],
)
def test_what_is_tried_again_goes_only_while_it_is_true(
    office: Office, at: str, end: tuple[str, str | None]
) -> None:
    office.write(office.a_text("STOP"))
    office.write(office.a_text("When will you come?"))
    office.ends()
    [failed] = office.queued()
    office.write(office.a_text("START"))
    office.it_is(at)
    office.write(lambda tx: outbox.queue_again(tx, failed.id, None))
    assert office.ends() == [end]
