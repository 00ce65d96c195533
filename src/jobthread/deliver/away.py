"""How the line while nobody is there reads, where a customer answered by mail or by text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from jinja2 import Environment

from jobthread.deliver import notice, sms
from jobthread.deliver.gsm7 import written
from jobthread.deliver.notice import LONGEST_NAME, LONGEST_SUBJECT, House
from jobthread.deliver.one_line import one_line
from jobthread.deliver.outgoing import Away, Outgoing
from jobthread.deliver.wording import WORDINGS, Wording
from jobthread.entities import Channel, Micros

AUTO_REPLIED = "auto-replied"

Write = Callable[[Away, str, bytes], Outgoing]
"""From the letter, the delivery's name and the key that conversations are named by."""


def writer(house: House, templates: Environment) -> Write:
    as_text, as_html = templates.get_template("away.txt"), templates.get_template("away.html")

    def write(away: Away, name: str, key: bytes) -> Outgoing:
        if away.delivery.channel is Channel.SMS:
            return _text_message(house, away, name)
        told = _told(house, away)
        return Outgoing(
            delivery_id=away.delivery.id,
            key=name,
            queued_at=away.delivery.created_at,
            to=away.delivery.to,
            to_name=str(told["name"]),
            subject=f"{told['subject']} ({house.company})",
            text=as_text.render(told),
            html=as_html.render(told),
            conversation=notice.conversation(away.delivery, away.thread_made_at, key),
            reply_to=str(told["reply_to"]),
            unsubscribe=str(told["unsubscribe"]),
            auto_submitted=AUTO_REPLIED,
        )

    return write


def _told(house: House, away: Away) -> dict[str, object]:
    words = WORDINGS[away.language]
    return {
        "words": words,
        "language": away.language.value,
        "company": house.company,
        "name": one_line(away.name, LONGEST_NAME),
        "subject": one_line(away.subject, LONGEST_SUBJECT),
        "closed": words.away.format(opens=day_and_time(words, away.opens_at, house.zone)),
        "reply_to": notice.reply_to(house, away.delivery),
        "unsubscribe": notice.unsubscribe(house, away.delivery),
    }


def _text_message(house: House, away: Away, name: str) -> Outgoing:
    """Without a link: it costs one message, and whoever texts need not come in to be told."""
    words = WORDINGS[away.language]
    opens = day_and_time(words, away.opens_at, house.zone)
    text = words.away_text_message.format(company=sms.named(house.company, words), opens=opens)
    return Outgoing(
        delivery_id=away.delivery.id,
        key=name,
        queued_at=away.delivery.created_at,
        to=away.delivery.to,
        to_name="",
        subject="",
        text=written(text),
    )


def day_and_time(words: Wording, at: Micros, zone: ZoneInfo) -> str:
    """`Mon, 08:00`, as the office's clock shows it: within the days to come."""
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(zone)
    return f"{words.weekdays[moment.weekday()][:3]}, {moment:%H:%M}"
