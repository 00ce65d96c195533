"""The line while nobody is there, sent back by the way that a customer's answer came."""

from jobthread.actions.messages import Send, Sent
from jobthread.entities import Channel, DeliveryKind, DeliveryQueued, EventType, SenderKind, Visitor
from jobthread.store import notifications, outbox
from jobthread.store.database import Reading, Writing


def send_back(tx: Writing, send: Send, sent: Sent, channel: Channel, to: str) -> None:
    """Queue it, in the transaction of that message, where the line was written for that very message.

    The thread is locked since: once for each time that the office is closed, whoever writes at once.
    """
    customer = send.by.caller
    if send.away_until is None or sent.repeated or not isinstance(customer, Visitor):
        return
    seq = sent.message.seq + 1
    if not _is_the_line(tx, send.thread_id, seq):
        return
    outbox.add(
        tx,
        outbox.NewDelivery(
            kind=DeliveryKind.AWAY,
            channel=channel,
            to=to,
            reader=(SenderKind.CUSTOMER, customer.customer_id),
            job_id=customer.job_id,
            thread_id=send.thread_id,
            after_seq=seq - 1,
            up_to_seq=seq,
        ),
    )
    tx.tell(DeliveryQueued())


def _is_the_line(tx: Reading, thread_id: int, seq: int) -> bool:
    return any(row.event_type is EventType.AWAY for row in notifications.messages_at(tx, thread_id, [seq]))
