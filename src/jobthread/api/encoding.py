"""From entities to what goes over the wire to staff."""

from collections.abc import Mapping
from typing import Literal

from jobthread import entities as e
from jobthread.api import delivery_shapes, people_shapes, shapes, trail_shapes, wire


def user(staff: e.Staff) -> people_shapes.User:
    return people_shapes.User(staff.id, staff.name, staff.email, staff.role, staff.active)


def person(person: e.Person | e.Staff) -> people_shapes.Person:
    return people_shapes.Person(person.id, person.name, person.role)


def named(person: e.Person | None) -> people_shapes.Named | None:
    return people_shapes.Named(person.id, person.name) if person else None


def consent(one: e.Consent) -> people_shapes.ConsentEntry:
    return people_shapes.ConsentEntry(
        one.number, one.state, wire.moment(one.at), one.how, one.note, named(one.by)
    )


Stopped = Mapping[str, e.Micros]
"""Numbers that asked for no more texts, and since when."""


def customer(customer: e.Customer, stopped: Stopped) -> people_shapes.Customer:
    since = stopped.get(customer.phone) if customer.phone else None
    return people_shapes.Customer(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        sms_stopped=since is not None,
        sms_stopped_since=wire.maybe_moment(since),
    )


def job_ref(ref: e.JobRef | None) -> people_shapes.JobRef | None:
    return (
        people_shapes.JobRef(ref.id, ref.reference, ref.title, ref.status, ref.customer_name) if ref else None
    )


def job(job: e.Job, threads: list[e.ThreadView], stopped: Stopped) -> people_shapes.Job:
    ref = job.ref
    return people_shapes.Job(
        id=ref.id,
        reference=ref.reference,
        title=ref.title,
        status=ref.status,
        customer_name=ref.customer_name,
        customer=customer(job.customer, stopped),
        assignees=[person(staff) for staff in job.assignees],
        scheduled_at=wire.maybe_moment(job.scheduled_at),
        external_id=job.external_id,
        threads=[
            people_shapes.JobThread(t.id, t.subject, t.visibility, t.status, t.unread_count, t.needs_reply)
            for t in threads
        ],
    )


_VIA: dict[str, Literal["sms", "email"]] = {"sms": "sms", "email": "email"}


def message(m: e.Message) -> shapes.Message:
    return shapes.Message(
        id=m.id,
        thread_id=m.thread_id,
        seq=m.seq,
        kind=m.kind,
        sender=shapes.Sender(m.sender.kind, m.sender.id, m.sender.name),
        body=m.body,
        event=event(m),
        client_msg_id=m.client_msg_id,
        created_at=wire.moment(m.created_at),
        via=_VIA.get(m.via or ""),
    )


def read_by(read: e.ReadBy) -> shapes.ReadBy:
    return shapes.ReadBy(
        "customer" if read.kind is e.SenderKind.CUSTOMER else "staff", read.id, read.name, read.last_read_seq
    )


def event(m: e.Message) -> shapes.Event | None:
    if m.event_type is None:
        return None
    return shapes.Event(m.event_type, [people_shapes.Named(p.id, p.name) for p in m.event_people])


def thread(view: e.ThreadView) -> shapes.Thread:
    return shapes.Thread(
        id=view.id,
        subject=view.subject,
        visibility=view.visibility,
        status=view.status,
        job=job_ref(view.job),
        participants=[person(p) for p in view.participants],
        created_by=named(view.created_by),
        created_at=wire.moment(view.created_at),
        last_message=message(view.last_message) if view.last_message else None,
        last_seq=view.last_seq,
        last_read_seq=view.last_read_seq,
        unread_count=view.unread_count,
        needs_reply=view.needs_reply,
        waiting_since=wire.maybe_moment(view.waiting_since),
        claimed_by=named(view.claimed_by),
        escalated=view.escalated,
        sms_stopped=view.sms_stopped,
        email_on_file=view.email_on_file,
        hit=shapes.Hit(view.hit.seq, view.hit.excerpt) if view.hit else None,
    )


def delivery(d: e.Delivery) -> shapes.Delivery:
    return shapes.Delivery(d.id, d.channel, d.to, d.status, d.error, wire.maybe_moment(d.sent_at))


def recipient(one: e.SentTo) -> delivery_shapes.Recipient:
    kind, reader_id = one.delivery.reader or (e.SenderKind.CUSTOMER, 0)
    return delivery_shapes.Recipient(
        "staff" if kind is e.SenderKind.STAFF else "customer", reader_id, one.name
    )


def thread_delivery(one: e.SentTo) -> delivery_shapes.ThreadDelivery:
    """Without the address: who sees a thread need not see how its people are reached."""
    d = one.delivery
    return delivery_shapes.ThreadDelivery(
        id=d.id,
        recipient=recipient(one),
        channel=d.channel,
        from_seq=d.after_seq + 1,
        to_seq=d.up_to_seq,
        status=d.status,
        queued_at=wire.moment(d.created_at),
        sent_at=wire.maybe_moment(d.sent_at),
        error=d.error,
    )


def any_delivery(one: e.SentTo) -> delivery_shapes.AnyDelivery:
    d = one.delivery
    return delivery_shapes.AnyDelivery(
        id=d.id,
        kind=d.kind,
        recipient=recipient(one),
        to=d.to,
        channel=d.channel,
        status=d.status,
        job_id=d.job_id,
        thread_id=d.thread_id,
        attempts=d.attempts,
        queued_at=wire.moment(d.created_at),
        due_at=wire.moment(d.due_at),
        sent_at=wire.maybe_moment(d.sent_at),
        error=d.error,
    )


def link(link: e.Link, deliveries: tuple[e.Delivery, ...]) -> shapes.Link:
    return shapes.Link(
        session_id=link.id,
        created_by=named(link.created_by),
        created_at=wire.moment(link.created_at),
        expires_at=wire.moment(link.expires_at),
        revoked_at=wire.maybe_moment(link.revoked_at),
        last_used_at=wire.maybe_moment(link.last_used_at),
        last_ip=link.last_ip,
        last_user_agent=link.last_user_agent,
        use_count=link.use_count,
        deliveries=[delivery(d) for d in deliveries],
    )


def audit_entry(entry: e.AuditEntry) -> trail_shapes.AuditEntry:
    return trail_shapes.AuditEntry(
        id=entry.id,
        at=wire.moment(entry.at),
        actor=trail_shapes.AuditActor(entry.actor_kind, entry.actor_id, entry.actor_name),
        action=entry.action,
        subject=trail_shapes.AuditSubject(entry.subject_kind, entry.subject_id)
        if entry.subject_kind
        else None,
        job_id=entry.job_id,
        thread_id=entry.thread_id,
        ip=entry.ip,
        user_agent=entry.user_agent,
        details=entry.details,
    )


def incoming_mail(m: e.IncomingMail) -> trail_shapes.IncomingMail:
    kind, reader_id = m.reader
    return trail_shapes.IncomingMail(
        id=m.id,
        received_at=wire.moment(m.received_at),
        outcome=m.outcome,
        reason=m.reason,
        reader=trail_shapes.AuditSubject(kind, reader_id),
        reader_name=m.reader_name,
        thread_id=m.thread_id,
        message_id=m.message_id,
        size=m.size,
    )
