"""What people are told, per channel: the same words for every attempt at one delivery."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from jobthread.deliver import away, notice, sms
from jobthread.deliver.letters import QUOTED
from jobthread.deliver.notice import House
from jobthread.deliver.one_line import one_line
from jobthread.deliver.outgoing import Away, Compose, Invitation, Letter, Notice, Outgoing
from jobthread.deliver.wording import WORDINGS, Wording
from jobthread.entities import Channel, Delivery, Micros

LONGEST_TITLE = 100
LONGEST_NAME = 60


def composer(
    company: str,
    link_to: Callable[[int, str], str],
    key: bytes,
    *,
    base_url: str = "http://localhost",
    quoted: int = QUOTED,
    reply_address: str | None = None,
    reply_key: bytes = b"",
    unsubscribe_key: bytes = b"",
    time_zone: str = "UTC",
) -> Compose:
    """How everything reads here. `link_to(job id, token)` is the link; `key` is for naming deliveries."""
    company = one_line(company, LONGEST_NAME)
    house = House(
        company, base_url, link_to, quoted, reply_address, reply_key, unsubscribe_key, ZoneInfo(time_zone)
    )
    templates = _templates()
    as_text, as_html = templates.get_template("invitation.txt"), templates.get_template("invitation.html")
    notify, tell_away = notice.writer(house, templates), away.writer(house, templates)

    def compose(letter: Letter) -> Outgoing:
        name = _name_of(letter.delivery, key)
        if isinstance(letter, Notice):
            return notify(letter, name, key)
        if isinstance(letter, Away):
            return tell_away(letter, name, key)
        if not isinstance(letter, Invitation):
            return notice.trial(house, letter, name)
        link = link_to(letter.delivery.job_id or 0, letter.token)
        if letter.delivery.channel is Channel.SMS:
            return _text_message(letter, company, link, name)
        return _mail(letter, house, link, name, as_text, as_html)

    return compose


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("jobthread.deliver"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["as_quote"] = lambda text: "\n".join(f"> {line}" for line in text.splitlines())
    return environment


def _name_of(delivery: Delivery, key: bytes) -> str:
    """The moment is in it too: a database made anew under the same key starts again with delivery 1."""
    named = f"{delivery.id}:{delivery.created_at}"
    return hmac.digest(key, named.encode(), "sha256").hex()[:32]


def _mail(
    invitation: Invitation, house: House, link: str, name: str, as_text: Template, as_html: Template
) -> Outgoing:
    words = WORDINGS[invitation.language]
    customer = one_line(invitation.customer_name, LONGEST_NAME)
    title = one_line(invitation.job_title, LONGEST_TITLE)
    reply_to = notice.reply_to(house, invitation.delivery)
    told = {
        "words": words,
        "language": invitation.language.value,
        "company": house.company,
        "customer": customer,
        "title": title,
        "link": link,
        "until": words.invitation.until.format(until=in_words(words, invitation.expires_at)),
        "reply_to": reply_to,
    }
    return Outgoing(
        delivery_id=invitation.delivery.id,
        key=name,
        queued_at=invitation.delivery.created_at,
        to=invitation.delivery.to,
        to_name=customer,
        subject=words.invitation.subject.format(title=title, company=house.company),
        text=as_text.render(told),
        html=as_html.render(told),
        reply_to=reply_to,
    )


def _text_message(invitation: Invitation, company: str, link: str, name: str) -> Outgoing:
    words, end = WORDINGS[invitation.language], _moment(invitation.expires_at)
    until = f"{end.day} {words.months[end.month - 1][:3]} {end:%H:%M} UTC"
    return Outgoing(
        delivery_id=invitation.delivery.id,
        key=name,
        queued_at=invitation.delivery.created_at,
        to=invitation.delivery.to,
        to_name="",
        subject="",
        text=sms.worded(words, company, one_line(invitation.job_title, LONGEST_TITLE), until, link),
    )


def in_words(words: Wording, at: Micros) -> str:
    """`Monday, 30 November 2026, 14:05 UTC`: rounded down, so that it is never later than true."""
    moment = _moment(at)
    return words.moment.format(
        weekday=words.weekdays[moment.weekday()],
        day=moment.day,
        month=words.months[moment.month - 1],
        year=moment.year,
        time=f"{moment:%H:%M}",
    )


def _moment(at: Micros) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
