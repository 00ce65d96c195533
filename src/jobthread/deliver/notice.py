"""How a notification reads: mails of one thread stand together, and quote no more than they should."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from jinja2 import Environment

from jobthread import tokens
from jobthread.deliver import reply_address, sms
from jobthread.deliver.gsm7 import written
from jobthread.deliver.one_line import one_line
from jobthread.deliver.outgoing import Notice, Outgoing, Trial
from jobthread.deliver.wording import WORDINGS, Wording
from jobthread.entities import Channel, Delivery, DeliveryKind, Message, Micros, Reader, SenderKind

LONGEST_SUBJECT = 100
LONGEST_NAME = 60
LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class House:
    """What all notifications of one server share."""

    company: str
    base_url: str
    link_to: Callable[[int, str], str]
    """A customer's link, from the job's id and a token."""
    quoted: int
    """How many messages a mail quotes; text messages quote none."""
    reply_address: str | None
    reply_key: bytes
    unsubscribe_key: bytes
    zone: ZoneInfo
    """Of the clock on the office's wall."""


@dataclass(frozen=True, slots=True)
class _Quote:
    name: str
    text: str


Write = Callable[[Notice, str, bytes], Outgoing]
"""From the notice, the delivery's name and the key that conversations are named by."""


def writer(house: House, templates: Environment) -> Write:
    as_text, as_html = templates.get_template("notification.txt"), templates.get_template("notification.html")

    def write(notice: Notice, name: str, key: bytes) -> Outgoing:
        if notice.delivery.channel is Channel.SMS:
            return _text_message(house, notice, name)
        if notice.delivery.channel is Channel.PUSH:
            return _push(house, notice, name, key)
        told = _told(house, notice)
        return Outgoing(
            delivery_id=notice.delivery.id,
            key=name,
            queued_at=notice.delivery.created_at,
            to=notice.delivery.to,
            to_name=one_line(notice.name, LONGEST_NAME),
            subject=f"{_subject(notice)} ({house.company})",
            text=as_text.render(told),
            html=as_html.render(told),
            conversation=conversation(notice.delivery, notice.thread_made_at, key),
            reply_to=str(told["reply_to"]),
            unsubscribe=str(told["unsubscribe"]),
        )

    return write


def trial(house: House, letter: Trial, name: str) -> Outgoing:
    words, delivery = WORDINGS[letter.language], letter.delivery
    outgoing = Outgoing(
        delivery_id=delivery.id,
        key=name,
        queued_at=delivery.created_at,
        to=delivery.to,
        to_name=one_line(letter.name, LONGEST_NAME),
        subject="",
        text=written(words.trial_text_message.format(company=house.company)),
    )
    if delivery.channel is Channel.PUSH:
        return replace(outgoing, subject=house.company, text=words.trial_notice, path="/deliveries")
    if delivery.channel is Channel.EMAIL:
        subject = f"{words.trial_subject} ({house.company})"
        return replace(outgoing, subject=subject, text=f"{words.trial}\n", html=f"<p>{words.trial}</p>\n")
    return outgoing


# --- mail -----------------------------------------------------------------------------------------


def _told(house: House, notice: Notice) -> dict[str, object]:
    words = WORDINGS[notice.language]
    quotes = [_quote(message) for message in notice.messages[: house.quoted]]
    return {
        "words": words,
        "language": notice.language.value,
        "company": house.company,
        "name": one_line(notice.name, LONGEST_NAME),
        "subject": one_line(notice.subject, LONGEST_SUBJECT),
        "new": _news(notice),
        "quotes": quotes,
        "more": _more(words, notice.count - len(quotes)) if quotes else "",
        "link": _link(house, notice),
        "personal": bool(notice.token),
        "reply_to": reply_to(house, notice.delivery),
        "unsubscribe": unsubscribe(house, notice.delivery),
    }


def _quote(message: Message) -> _Quote:
    body = message.body
    short = body if len(body) <= LONGEST_QUOTE else body[: LONGEST_QUOTE - 1].rstrip() + "…"
    return _Quote(one_line(message.sender.name, LONGEST_NAME), short)


def conversation(delivery: Delivery, thread_made_at: Micros, key: bytes) -> str:
    """The moment is in it too: a database made anew under the same key starts again with thread 1."""
    named = f"thread:{delivery.thread_id}:{thread_made_at}"
    return hmac.digest(key, named.encode(), "sha256").hex()[:32]


def reply_to(house: House, delivery: Delivery) -> str:
    """Where an answer to it lands in its thread; empty where answers reach nobody."""
    if house.reply_address is None or delivery.thread_id is None:
        return ""
    return reply_address.make(house.reply_key, house.reply_address, _reader(delivery), delivery.thread_id)


def unsubscribe(house: House, delivery: Delivery) -> str:
    """The address that ends mails to a member of staff, or to a customer about one job."""
    kind, reader_id = _reader(delivery)
    job_id = 0 if kind is SenderKind.STAFF else delivery.job_id or 0
    return (
        f"{house.base_url}/api/chat/unsubscribe/{tokens.signed(house.unsubscribe_key, [reader_id, job_id])}"
    )


def _reader(delivery: Delivery) -> Reader:
    if delivery.reader is None:
        raise ValueError("a notification for nobody")
    return delivery.reader


# --- push -----------------------------------------------------------------------------------------


def _push(house: House, notice: Notice, name: str, key: bytes) -> Outgoing:
    """Who wrote, where, and how it begins: all of it encrypted for the device."""
    first = notice.messages[0]
    sender = one_line(first.sender.name, LONGEST_NAME)
    new = _news(notice)
    return Outgoing(
        delivery_id=notice.delivery.id,
        key=name,
        queued_at=notice.delivery.created_at,
        to=notice.delivery.to,
        to_name="",
        subject=f"{sender} · {_subject(notice)}",
        text=_quote(first).text if house.quoted and notice.count == 1 else new,
        conversation=conversation(notice.delivery, notice.thread_made_at, key),
        path=f"/messages/{notice.delivery.thread_id}",
        badge=notice.unread,
    )


# --- both -----------------------------------------------------------------------------------------


def _text_message(house: House, notice: Notice, name: str) -> Outgoing:
    """The link comes last: what followed, a phone might take as part of it."""
    words = WORDINGS[notice.language]
    company = one_line(house.company, sms.LONGEST_COMPANY)
    text = words.text_message.format(
        company=company, new=_new(words, notice.count), link=_link(house, notice)
    )
    return Outgoing(
        delivery_id=notice.delivery.id,
        key=name,
        queued_at=notice.delivery.created_at,
        to=notice.delivery.to,
        to_name="",
        subject="",
        text=written(text),
    )


def _link(house: House, notice: Notice) -> str:
    if notice.delivery.job_id is not None and notice.token:
        return house.link_to(notice.delivery.job_id, notice.token)
    return f"{house.base_url}/messages/{notice.delivery.thread_id}"


def _subject(notice: Notice) -> str:
    subject = one_line(notice.subject, LONGEST_SUBJECT)
    if notice.delivery.kind is not DeliveryKind.ESCALATION:
        return subject
    return f"{WORDINGS[notice.language].waits}: {subject}"


def _news(notice: Notice) -> str:
    words = WORDINGS[notice.language]
    return words.waits if notice.delivery.kind is DeliveryKind.ESCALATION else _new(words, notice.count)


def _new(words: Wording, count: int) -> str:
    return words.one_new if count == 1 else words.more_new.format(count=count)


def _more(words: Wording, count: int) -> str:
    if count <= 0:
        return ""
    return words.one_more if count == 1 else words.more.format(count=count)
