"""One delivery of each kind beside invitations, waiting in an otherwise empty database."""

from enum import StrEnum

from sqlalchemy import select

from jobthread.actions import away, escalation, jobs, messages, people, threads
from jobthread.deliver.push_encryption import encoded
from jobthread.entities import Actor, Channel, DeliveryKind, Role, SenderKind, Staff, Texter, Visibility
from jobthread.store import links, outbox, push, sessions
from jobthread.store import threads as thread_store
from jobthread.store.database import Writing
from jobthread.store.tables import deliveries
from jobthread.tokens import hash_of, new_token
from tests.deliver.devices import AUTH, Device
from tests.deliver.post import SEAL

CAROL, NUMBER = "carol@example.com", "+12025550101"
WEEK = 7 * 24 * 3600 * 1_000_000
NOBODY = Actor(None, "", "")


class Kind(StrEnum):
    STAFF_MAIL = "a notification by mail"
    STAFF_PUSH = "a notice on a device"
    CUSTOMER_MAIL = "a customer's notification by mail"
    CUSTOMER_TEXT = "a customer's notification by text message"
    ESCALATION = "a customer who waits, by mail"
    AWAY_MAIL = "the line while nobody is there by mail"
    AWAY_TEXT = "the line while nobody is there by text message"


def queue(tx: Writing, kind: Kind, push_url: str = "") -> int:
    """The delivery's id. Dora has written to Carol; where it is an escalation or the line
    while nobody is there, Carol has answered.
    """
    dora = people.enrol(tx, NOBODY, "Dora", "dora@example.com", Role.DISPATCHER, None)
    tom = people.enrol(tx, NOBODY, "Tom", "tom@example.com", Role.TECHNICIAN, None)
    new = jobs.NewJob("Boiler off", jobs.NewCustomer("Carol", CAROL, NUMBER), assignee_ids=[tom.id])
    job = jobs.create(tx, Actor(dora, "", ""), new)
    draft = threads.ThreadDraft(Visibility.CUSTOMER_VISIBLE, "Your boiler", [tom.id], job.ref.id)
    thread = threads.create(tx, Actor(dora, "", ""), draft)
    seq = _said(tx, Actor(dora, "", ""), thread.id)
    texter = Actor(Texter(job.customer.id, "Carol", job.ref.id, 0, tx.now), "", "")
    if kind in (Kind.AWAY_MAIL, Kind.AWAY_TEXT):
        _answered_at_night(tx, kind, texter, thread.id)
    elif kind is Kind.ESCALATION:
        _said(tx, texter, thread.id)
        escalation.tell(tx, 1, thread_store.as_they_are(tx, [thread.id])[thread.id], [dora.id])
    elif kind in (Kind.STAFF_MAIL, Kind.STAFF_PUSH):
        _to_staff(tx, kind, tom, job.ref.id, thread.id, seq, push_url)
    else:
        _to_customer(tx, kind, job.customer.id, job.ref.id, thread.id, seq)
    waiting: int
    [waiting] = tx.conn.execute(select(deliveries.c.id)).scalars()
    return waiting


def _said(tx: Writing, by: Actor, thread_id: int) -> int:
    [sent] = messages.send_all(tx, [messages.Send(by, thread_id, "Nine o'clock?", None)])
    assert isinstance(sent, messages.Sent)
    return sent.message.seq


def _answered_at_night(tx: Writing, kind: Kind, texter: Actor, thread_id: int) -> None:
    send = messages.Send(texter, thread_id, "Yes", None, None, tx.now + WEEK)
    [sent] = messages.send_all(tx, [send])
    assert isinstance(sent, messages.Sent)
    channel, to = (Channel.SMS, NUMBER) if kind is Kind.AWAY_TEXT else (Channel.EMAIL, CAROL)
    away.send_back(tx, send, sent, channel, to)


def _to_staff(
    tx: Writing, kind: Kind, tom: Staff, job_id: int, thread_id: int, seq: int, push_url: str
) -> None:
    channel, to = Channel.EMAIL, "tom@example.com"
    if kind is Kind.STAFF_PUSH:
        channel, to = Channel.PUSH, str(tom.id)
        session = hash_of(new_token())
        sessions.add(tx, tom.id, session, tx.now + WEEK, "", "")
        push.put(tx, tom.id, session, f"{push_url}/v2/abc", encoded(Device().p256dh), encoded(AUTH))
    outbox.add(
        tx,
        outbox.NewDelivery(
            kind=DeliveryKind.NOTIFICATION,
            channel=channel,
            to=to,
            reader=(SenderKind.STAFF, tom.id),
            job_id=job_id,
            thread_id=thread_id,
            after_seq=seq - 1,
            up_to_seq=seq,
        ),
    )


def _to_customer(tx: Writing, kind: Kind, customer_id: int, job_id: int, thread_id: int, seq: int) -> None:
    by_text, token = kind is Kind.CUSTOMER_TEXT, new_token()
    outbox.add(
        tx,
        outbox.NewDelivery(
            kind=DeliveryKind.NOTIFICATION,
            channel=Channel.SMS if by_text else Channel.EMAIL,
            to=NUMBER if by_text else CAROL,
            reader=(SenderKind.CUSTOMER, customer_id),
            link_id=links.add(tx, job_id, customer_id, hash_of(token), None, tx.now + WEEK),
            job_id=job_id,
            sealed_token=SEAL.close(token),
            thread_id=thread_id,
            after_seq=seq - 1,
            up_to_seq=seq,
        ),
    )
