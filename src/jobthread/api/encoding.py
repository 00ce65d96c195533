"""From entities to what goes over the wire to staff."""

from collections.abc import Mapping
from typing import Literal

from jobthread import entities as e
from jobthread.api import shapes


def user(staff: e.Staff) -> shapes.User:
    return shapes.User(staff.id, staff.name, staff.email, staff.role, staff.active)


def person(person: e.Person | e.Staff) -> shapes.Person:
    return shapes.Person(person.id, person.name, person.role)


def named(person: e.Person | None) -> shapes.Named | None:
    return shapes.Named(person.id, person.name) if person else None


def consent(one: e.Consent) -> shapes.ConsentEntry:
    return shapes.ConsentEntry(one.number, one.state, shapes.moment(one.at), one.how, one.note, named(one.by))


Stopped = Mapping[str, e.Micros]
"""Numbers that asked for no more texts, and since when."""


def customer(customer: e.Customer, stopped: Stopped) -> shapes.Customer:
    since = stopped.get(customer.phone) if customer.phone else None
    return shapes.Customer(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        sms_stopped=since is not None,
        sms_stopped_since=shapes.maybe_moment(since),
    )


def job_ref(ref: e.JobRef | None) -> shapes.JobRef | None:
    return shapes.JobRef(ref.id, ref.reference, ref.title, ref.status, ref.customer_name) if ref else None


def job(job: e.Job, threads: list[e.ThreadView], stopped: Stopped) -> shapes.Job:
    ref = job.ref
    return shapes.Job(
        id=ref.id,
        reference=ref.reference,
        title=ref.title,
        status=ref.status,
        customer_name=ref.customer_name,
        customer=customer(job.customer, stopped),
        assignees=[person(staff) for staff in job.assignees],
        scheduled_at=shapes.maybe_moment(job.scheduled_at),
        external_id=job.external_id,
        threads=[
            shapes.JobThread(t.id, t.subject, t.visibility, t.status, t.unread_count, t.needs_reply)
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
        created_at=shapes.moment(m.created_at),
        via=_VIA.get(m.via or ""),
    )


def read_by(read: e.ReadBy) -> shapes.ReadBy:
    return shapes.ReadBy(
        "customer" if read.kind is e.SenderKind.CUSTOMER else "staff", read.id, read.name, read.last_read_seq
    )


def event(m: e.Message) -> shapes.Event | None:
    if m.event_type is None:
        return None
    return shapes.Event(m.event_type, [shapes.Named(p.id, p.name) for p in m.event_people])


def thread(view: e.ThreadView) -> shapes.Thread:
    return shapes.Thread(
        id=view.id,
        subject=view.subject,
        visibility=view.visibility,
        status=view.status,
        job=job_ref(view.job),
        participants=[person(p) for p in view.participants],
        created_by=named(view.created_by),
        created_at=shapes.moment(view.created_at),
        last_message=message(view.last_message) if view.last_message else None,
        last_seq=view.last_seq,
        last_read_seq=view.last_read_seq,
        unread_count=view.unread_count,
        needs_reply=view.needs_reply,
        waiting_since=shapes.maybe_moment(view.waiting_since),
        claimed_by=named(view.claimed_by),
        escalated=view.escalated,
        sms_stopped=view.sms_stopped,
        email_on_file=view.email_on_file,
        hit=shapes.Hit(view.hit.seq, view.hit.excerpt) if view.hit else None,
    )


def delivery(d: e.Delivery) -> shapes.Delivery:
    return shapes.Delivery(d.id, d.channel, d.to, d.status, d.error, shapes.maybe_moment(d.sent_at))


def recipient(one: e.SentTo) -> shapes.Recipient:
    kind, reader_id = one.delivery.reader or (e.SenderKind.CUSTOMER, 0)
    return shapes.Recipient("staff" if kind is e.SenderKind.STAFF else "customer", reader_id, one.name)


def thread_delivery(one: e.SentTo) -> shapes.ThreadDelivery:
    """Without the address: who sees a thread need not see how its people are reached."""
    d = one.delivery
    return shapes.ThreadDelivery(
        id=d.id,
        recipient=recipient(one),
        channel=d.channel,
        from_seq=d.after_seq + 1,
        to_seq=d.up_to_seq,
        status=d.status,
        queued_at=shapes.moment(d.created_at),
        sent_at=shapes.maybe_moment(d.sent_at),
        error=d.error,
    )


def any_delivery(one: e.SentTo) -> shapes.AnyDelivery:
    d = one.delivery
    return shapes.AnyDelivery(
        id=d.id,
        kind=d.kind,
        recipient=recipient(one),
        to=d.to,
        channel=d.channel,
        status=d.status,
        job_id=d.job_id,
        thread_id=d.thread_id,
        attempts=d.attempts,
        queued_at=shapes.moment(d.created_at),
        due_at=shapes.moment(d.due_at),
        sent_at=shapes.maybe_moment(d.sent_at),
        error=d.error,
    )


def link(link: e.Link, deliveries: tuple[e.Delivery, ...]) -> shapes.Link:
    return shapes.Link(
        session_id=link.id,
        created_by=named(link.created_by),
        created_at=shapes.moment(link.created_at),
        expires_at=shapes.moment(link.expires_at),
        revoked_at=shapes.maybe_moment(link.revoked_at),
        last_used_at=shapes.maybe_moment(link.last_used_at),
        last_ip=link.last_ip,
        last_user_agent=link.last_user_agent,
        use_count=link.use_count,
        deliveries=[delivery(d) for d in deliveries],
    )


def audit_entry(entry: e.AuditEntry) -> shapes.AuditEntry:
    return shapes.AuditEntry(
        id=entry.id,
        at=shapes.moment(entry.at),
        actor=shapes.AuditActor(entry.actor_kind, entry.actor_id, entry.actor_name),
        action=entry.action,
        subject=shapes.AuditSubject(entry.subject_kind, entry.subject_id) if entry.subject_kind else None,
        job_id=entry.job_id,
        thread_id=entry.thread_id,
        ip=entry.ip,
        user_agent=entry.user_agent,
        details=entry.details,
    )


def incoming_mail(m: e.IncomingMail) -> shapes.IncomingMail:
    kind, reader_id = m.reader
    return shapes.IncomingMail(
        id=m.id,
        received_at=shapes.moment(m.received_at),
        outcome=m.outcome,
        reason=m.reason,
        reader=shapes.AuditSubject(kind, reader_id),
        reader_name=m.reader_name,
        thread_id=m.thread_id,
        message_id=m.message_id,
        size=m.size,
    )
