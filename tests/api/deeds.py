"""One deed for every action that the audit trail knows: done, and told as its entry must tell it."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from jobthread import texting
from jobthread.actions import escalation, people, replies, texts
from jobthread.actions import links as link_actions
from jobthread.deliver.attempt import Means, attempt
from jobthread.deliver.outgoing import DeliveryFailed, Letter, Outgoing
from jobthread.entities import Actor, AuditAction, Channel, Delivery, DeliveryStatus, Role, SenderKind
from jobthread.store import facts, incoming, opening, outbox
from jobthread.store.database import Writing
from tests.cast import PASSWORD, Cast, Colleague, exchange_of, ok, refused


@dataclass(frozen=True)
class Trace:
    """What an entry must say; the server itself has neither an address nor a browser."""

    by: tuple[str, int | None, str]
    about: tuple[str, int | None] | None
    agent: str
    ip: str = "127.0.0.1"
    job: int | None = None
    thread: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


Deed = Callable[[Cast], Trace]
DEEDS: dict[AuditAction, Deed] = {}


def deed(action: AuditAction) -> Callable[[Deed], Deed]:
    def noted(do: Deed) -> Deed:
        DEEDS[action] = do
        return do

    return noted


def trace_of(who: Colleague, about: tuple[str, int | None], **more: Any) -> Trace:
    return Trace(("staff", who.id, who.name), about, f"{who.name}'s browser", **more)


def of_nobody(about: tuple[str, int | None] | None, **more: Any) -> Trace:
    return Trace(("nobody", None, ""), about, **({"agent": ""} | more))


# --- the deeds ------------------------------------------------------------------------------------


def login(cast: Cast, password: str, agent: str) -> httpx2.Response:
    asked = {"email": "dora@example.com", "password": password}
    return cast.stranger(**{"User-Agent": agent}).post("/api/auth/login", json=asked)


@deed(AuditAction.SIGNED_IN)
def dora_signs_in(cast: Cast) -> Trace:
    ok(login(cast, PASSWORD, "Dora's browser"))
    return trace_of(cast.dora, ("user", cast.dora.id))


@deed(AuditAction.SIGN_IN_FAILED)
def somebody_tries_to_be_dora(cast: Cast) -> Trace:
    refused(login(cast, "a guess", "Somebody"), 401, "bad_credentials")
    return of_nobody(("user", cast.dora.id), agent="Somebody", details={"email": "dora@example.com"})


@deed(AuditAction.SIGNED_OUT)
def dora_signs_out(cast: Cast) -> Trace:
    ok(cast.dora.post("/api/auth/logout"), 204)
    return trace_of(cast.dora, ("user", cast.dora.id))


@deed(AuditAction.PASSWORD_CHANGED)
def dora_changes_her_password(cast: Cast) -> Trace:
    ok(cast.dora.post("/api/auth/password", {"current": PASSWORD, "new": "another wrench"}), 204)
    return trace_of(cast.dora, ("user", cast.dora.id))


@deed(AuditAction.USER_CREATED)
def ada_takes_on_nell(cast: Cast) -> Trace:
    new = {"name": "Nell", "email": "nell@example.com", "role": "technician"}
    nell = ok(cast.ada.post("/api/users", new), 201)
    return trace_of(
        cast.ada, ("user", nell["id"]), details={"email": "nell@example.com", "role": "technician"}
    )


def ada_changes_tara(cast: Cast, **details: Any) -> Trace:
    return trace_of(cast.ada, ("user", cast.tara.id), details=details)


@deed(AuditAction.USER_CHANGED)
def tara_gets_another_name(cast: Cast) -> Trace:
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"name": "Tara B."}))
    return ada_changes_tara(cast, before=["Tara", "tara@example.com"], after=["Tara B.", "tara@example.com"])


@deed(AuditAction.ROLE_CHANGED)
def tara_becomes_a_dispatcher(cast: Cast) -> Trace:
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"role": "dispatcher"}))
    return ada_changes_tara(cast, before="technician", after="dispatcher")


@deed(AuditAction.USER_DEACTIVATED)
def tara_leaves(cast: Cast) -> Trace:
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": False}))
    return ada_changes_tara(cast)


@deed(AuditAction.USER_REACTIVATED)
def tara_comes_back(cast: Cast) -> Trace:
    tara_leaves(cast)
    ok(cast.ada.patch(f"/api/users/{cast.tara.id}", {"active": True}))
    return ada_changes_tara(cast)


@deed(AuditAction.API_KEY_CREATED)
def a_key_is_made(cast: Cast) -> Trace:
    key = cast.serving.write(lambda tx: people.add_api_key(tx, cast.ada.by, "CRM", Role.DISPATCHER))
    crm = ok(cast.stranger(Authorization=f"Bearer {key}").get("/api/auth/me"))["user"]
    details = {"name": "CRM", "role": "dispatcher"}
    return Trace(("staff", cast.ada.id, "Ada"), ("user", crm["id"]), "tests", details=details)


@deed(AuditAction.API_KEY_REVOKED)
def a_key_is_revoked(cast: Cast) -> Trace:
    about = a_key_is_made(cast).about
    cast.serving.write(lambda tx: people.revoke_api_key(tx, cast.ada.by, "CRM"))
    return Trace(("staff", cast.ada.id, "Ada"), about, "tests", details={"name": "CRM"})


@deed(AuditAction.JOB_CREATED)
def dora_takes_in_a_job(cast: Cast) -> Trace:
    job = ok(
        cast.dora.post("/api/jobs", {"title": "Gutter", "reference": "103", "customer": {"name": "Cleo"}}),
        201,
    )
    return trace_of(cast.dora, ("job", job["id"]), job=job["id"], details={"reference": "103"})


def dora_changes_the_boiler(cast: Cast, changes: dict[str, Any], **details: Any) -> Trace:
    job_id = cast.boiler.ref.id
    ok(cast.dora.patch(f"/api/jobs/{job_id}", changes))
    return trace_of(cast.dora, ("job", job_id), job=job_id, details=details)


@deed(AuditAction.JOB_CHANGED)
def dora_sends_tara_instead(cast: Cast) -> Trace:
    changes = {"title": "Boiler cold", "assignee_ids": [cast.tara.id]}
    return dora_changes_the_boiler(cast, changes, changed=["assignees", "title"])


@deed(AuditAction.JOB_STATUS_CHANGED)
def dora_closes_the_job(cast: Cast) -> Trace:
    return dora_changes_the_boiler(cast, {"status": "closed"}, before="active", after="closed")


@deed(AuditAction.CUSTOMER_CHANGED)
def carol_has_a_new_number(cast: Cast) -> Trace:
    carol_id = cast.boiler.customer.id
    ok(cast.dora.patch(f"/api/customers/{carol_id}", {"phone": "+12025550155"}))
    return trace_of(cast.dora, ("customer", carol_id), details={"changed": ["phone"]})


def in_thread(cast: Cast, who: Colleague, **details: Any) -> Trace:
    """Of Tom's only thread, which is about the boiler."""
    [thread] = ok(cast.tom.get("/api/chat/threads", status="all", mine="true"))["threads"]
    more: dict[str, Any] = {"job": cast.boiler.ref.id, "thread": thread["id"], "details": details}
    return trace_of(who, ("thread", thread["id"]), **more)


def path_of_toms(cast: Cast, more: str) -> str:
    trace = in_thread(cast, cast.tom)
    return f"/api/chat/threads/{trace.thread}/{more}"


@deed(AuditAction.THREAD_CREATED)
def tom_opens_a_thread(cast: Cast) -> Trace:
    cast.tom.opens_thread(cast.dora, job=cast.boiler)
    return in_thread(cast, cast.tom, visibility="internal", participants=sorted([cast.dora.id, cast.tom.id]))


@deed(AuditAction.THREAD_CLOSED)
def dora_closes_it(cast: Cast) -> Trace:
    tom_opens_a_thread(cast)
    for _ in range(2):
        ok(cast.dora.post(path_of_toms(cast, "close")))
    return in_thread(cast, cast.dora)


@deed(AuditAction.THREAD_REOPENED)
def tom_reopens_it(cast: Cast) -> Trace:
    dora_closes_it(cast)
    for _ in range(2):
        ok(cast.tom.post(path_of_toms(cast, "reopen")))
    return in_thread(cast, cast.tom)


@deed(AuditAction.PARTICIPANT_ADDED)
def dora_brings_tara_in(cast: Cast) -> Trace:
    tom_opens_a_thread(cast)
    for _ in range(2):
        ok(cast.dora.post(path_of_toms(cast, "participants"), {"user_ids": [cast.tara.id]}))
    return in_thread(cast, cast.dora, user_id=cast.tara.id, name="Tara")


@deed(AuditAction.PARTICIPANT_REMOVED)
def tara_takes_her_leave(cast: Cast) -> Trace:
    dora_brings_tara_in(cast)
    ok(cast.tara.delete(path_of_toms(cast, f"participants/{cast.tara.id}")), 204)
    return in_thread(cast, cast.tara, user_id=cast.tara.id, name="Tara")


def carol_waits(cast: Cast) -> Callable[[str], str]:
    """Addresses of a thread in which she does."""
    thread = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    carol.writes("Hello?")
    return lambda rest: f"/api/chat/threads/{thread['id']}{rest}"


def of_waiting(address: Callable[[str], str], cast: Cast) -> dict[str, Any]:
    thread_id = int(address("").rsplit("/", 1)[1])
    return {"about": ("thread", thread_id), "job": cast.boiler.ref.id, "thread": thread_id}


@deed(AuditAction.THREAD_CLAIMED)
def tom_has_it(cast: Cast) -> Trace:
    address = carol_waits(cast)
    for _ in range(2):
        ok(cast.tom.post(address("/claim")))
    return trace_of(cast.tom, **of_waiting(address, cast))


@deed(AuditAction.CLAIM_DROPPED)
def tom_gives_it_back(cast: Cast) -> Trace:
    address = carol_waits(cast)
    ok(cast.tom.post(address("/claim")))
    for _ in range(2):
        ok(cast.tom.delete(address("/claim")))
    return trace_of(cast.tom, **of_waiting(address, cast))


@deed(AuditAction.THREAD_ESCALATED)
def carol_waits_for_too_long(cast: Cast) -> Trace:
    address = carol_waits(cast)
    cast.serving.clock.pass_time(seconds=31 * 60)
    patience = escalation.Patience(cast.serving.parts.hours, 30)
    for _ in range(2):
        cast.serving.write(lambda tx: escalation.escalate(tx, patience, escalation.note))
    details = {"level": 1, "told": [cast.dora.id, cast.dan.id]}
    return of_nobody(ip="", details=details, **of_waiting(address, cast))


def of_link(cast: Cast, link: dict[str, Any], **details: Any) -> dict[str, Any]:
    return {"about": ("link", link["session_id"]), "job": cast.boiler.ref.id, "details": details}


def exchange(cast: Cast, link: dict[str, Any]) -> httpx2.Response:
    http = cast.stranger(**{"User-Agent": "Carol's phone"})
    return http.post("/api/chat/customer/session", json=exchange_of(link["url"]))


@deed(AuditAction.LINK_CREATED)
def dora_sends_a_link(cast: Cast) -> Trace:
    link = cast.dora.sends_link(cast.boiler, expires_in_hours=5)
    return trace_of(cast.dora, **of_link(cast, link, sent_by=["email", "sms"], hours=5))


@deed(AuditAction.LINK_OPENED)
def carol_opens_it(cast: Cast) -> Trace:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    ok(exchange(cast, link))
    return Trace(("customer", cast.boiler.customer.id, "Carol"), agent="Carol's phone", **of_link(cast, link))


@deed(AuditAction.LINK_REFUSED)
def carol_comes_too_late(cast: Cast) -> Trace:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    cast.serving.clock.pass_time(days=8)
    refused(exchange(cast, link), 401, "link_expired")
    return of_nobody(agent="Carol's phone", **of_link(cast, link, code="link_expired"))


@deed(AuditAction.LINK_REVOKED)
def dan_withdraws_it(cast: Cast) -> Trace:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    for _ in range(2):
        ok(cast.dan.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    return trace_of(cast.dan, **of_link(cast, link))


@deed(AuditAction.LINK_RENEWED)
def carol_asks_for_a_new_one(cast: Cast) -> Trace:
    link = cast.dora.sends_link(cast.boiler, channels=[])
    cast.serving.clock.pass_time(days=8)
    http = cast.stranger(**{"User-Agent": "Carol's phone"})
    ok(http.post("/api/chat/customer/link", json=exchange_of(link["url"])), 202)
    new = ok(cast.dora.get(f"/api/chat/jobs/{cast.boiler.ref.id}/customer-sessions"))["sessions"][0]
    assert new["session_id"] != link["session_id"]
    return of_nobody(agent="Carol's phone", **of_link(cast, new, sent_by=["email", "sms"], hours=168))


def attempted(cast: Cast, send: Callable[[Outgoing], Any], **details: Any) -> Trace:
    """One mail with a link, claimed as the worker would, and attempted."""
    issuing = cast.serving.parts.issuing

    def queued_and_claimed(tx: Writing) -> outbox.Claimed:
        link_actions.issue(tx, cast.dora.by, issuing, cast.boiler.ref.id, [Channel.EMAIL], None)
        [claimed] = outbox.claim(tx, 1, 60_000_000)
        return claimed

    def composed(letter: Letter) -> Outgoing:
        delivery = letter.delivery
        return Outgoing(delivery.id, "key", delivery.created_at, delivery.to, "Carol", "Your job", "Hello")

    async def sending(outgoing: Outgoing) -> str:
        return str(send(outgoing))

    claimed = cast.serving.write(queued_and_claimed)
    means = Means(
        cast.serving.db, issuing.seal, {Channel.EMAIL: sending}, composed, lambda channel, status: None, 5
    )
    asyncio.run(attempt(means, claimed))
    delivery = claimed.delivery
    told = {"channel": "email", "link": delivery.link_id, "attempts": 1} | details
    about = ("delivery", delivery.id)
    return of_nobody(about, ip="", job=cast.boiler.ref.id, thread=delivery.thread_id, details=told)


@deed(AuditAction.DELIVERY_SENT)
def a_mail_goes_out(cast: Cast) -> Trace:
    return attempted(cast, lambda outgoing: "250 ok")


@deed(AuditAction.DELIVERY_FAILED)
def a_mail_is_refused_for_good(cast: Cast) -> Trace:
    def refuse(outgoing: Outgoing) -> str:
        raise DeliveryFailed("550 no such mailbox", permanent=True)

    return attempted(cast, refuse, error="550 no such mailbox")


# --- text messages --------------------------------------------------------------------------------


def texted(cast: Cast, body: str, sender: str = "+12025550101") -> None:
    """A text came in, as the provider's webhook has it taken in."""
    text = texts.Incoming("twilio", f"SM{secrets.token_hex(8)}", sender, body, texting.keyword(body))
    by = Actor(None, "192.0.2.7", "TwilioProxy/1.1")
    cast.serving.write(lambda tx: texts.take_in(tx, by, cast.serving.parts.limits, text, None))


def of_provider(cast: Cast, about: tuple[str, int | None], **more: Any) -> Trace:
    return of_nobody(about, agent="TwilioProxy/1.1", ip="192.0.2.7", **more)


@deed(AuditAction.TEXTS_STOPPED)
def carol_texts_stop(cast: Cast) -> Trace:
    for _ in range(2):
        texted(cast, "Stop.")
    details = {"number": "+12025550101", "how": "keyword", "note": "Stop."}
    return of_provider(cast, ("customer", cast.boiler.customer.id), details=details)


@deed(AuditAction.TEXTS_STARTED)
def carol_texts_start(cast: Cast) -> Trace:
    carol_texts_stop(cast)
    texted(cast, "start")
    details = {"number": "+12025550101", "how": "keyword", "note": "start"}
    return of_provider(cast, ("customer", cast.boiler.customer.id), details=details)


@deed(AuditAction.TEXT_UNPLACED)
def a_stranger_texts(cast: Cast) -> Trace:
    texted(cast, "Who is this?", "+12025550199")
    details = {"number": "+12025550199", "provider": "twilio"}
    return of_provider(cast, ("number", None), details=details)


@deed(AuditAction.WEBHOOK_REFUSED)
def somebody_plays_the_provider(cast: Cast) -> Trace:
    door = cast.serving.parts.texting
    assert door is not None
    door.provider = "generic"
    try:
        http = cast.stranger(**{"User-Agent": "Somebody", "Authorization": "Bearer a guess"})
        asked = {"id": "1", "from": "+12025550101", "text": "Hello"}
        refused(http.post("/api/sms/generic/incoming", json=asked), 403, "bad_signature")
    finally:
        door.provider = None
    return of_nobody(("webhook", None), agent="Somebody", details={"provider": "generic"})


@deed(AuditAction.DELIVERY_CONFIRMED)
def a_text_is_said_to_have_arrived(cast: Cast) -> Trace:
    def queued(tx: Writing) -> Delivery:
        issuing = cast.serving.parts.issuing
        issued = link_actions.issue(tx, cast.dora.by, issuing, cast.boiler.ref.id, [Channel.SMS], None)
        return issued.deliveries[0]

    delivery = cast.serving.write(queued)
    named = (delivery.id, delivery.created_at)
    receipt = texts.Receipt("twilio:SM1", named, DeliveryStatus.DELIVERED)
    for _ in range(2):
        cast.serving.write(lambda tx: texts.receive_receipt(tx, receipt))
    return of_nobody(("delivery", delivery.id), ip="", job=cast.boiler.ref.id, details={"channel": "sms"})


@deed(AuditAction.MAIL_REFUSED)
def mallory_writes_to_toms_address(cast: Cast) -> Trace:
    thread = cast.tom.opens_thread(cast.dora)
    mail = incoming.Mail(b"1" * 32, "mallory@example.com", None, "Hello", 100, "0" * 64)
    tom = (SenderKind.STAFF, cast.tom.id)
    for _ in range(2):
        cast.serving.write(lambda tx: replies.take_in(tx, mail, tom, thread["id"], None))
    details = {"reader": f"staff:{cast.tom.id}", "code": "other_sender"}
    about = ("thread", thread["id"])
    return of_nobody(about, agent="e-mail", ip="", thread=thread["id"], details=details)


@deed(AuditAction.BACKUP_RESTORED)
def an_old_copy_is_opened(cast: Cast) -> Trace:
    serving = cast.serving
    serving.write(lambda tx: facts.put(tx, opening.BACKUP_TAKEN, "1700000000000000"))
    asyncio.run(opening.opened(serving.settings.database_url, serving.db))
    return of_nobody(("", None), ip="", details={"taken_at": 1_700_000_000_000_000})
