"""The line while nobody is there goes back by the way that the answer came: once a night, however asked."""

import asyncio
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from jobthread.actions import away, messages
from jobthread.business_hours import closed_until
from jobthread.deliver import email
from jobthread.deliver.away import day_and_time
from jobthread.deliver.compose import composer
from jobthread.deliver.gsm7 import pieces, written
from jobthread.deliver.outgoing import Away, Notice, Outgoing
from jobthread.deliver.wording import WORDINGS
from jobthread.entities import (
    Actor,
    Channel,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    Language,
    SenderKind,
    Texter,
    Visitor,
)
from jobthread.receive import parse
from jobthread.store import preferences
from jobthread.store.database import Database, Writing
from tests.deliver.closed_office import (
    COMPOSE,
    HOURS,
    MONDAY_EVENING,
    MONDAY_MORNING,
    NUMBER,
    Office,
    link_of,
)
from tests.deliver.mail_server import text_of
from tests.deliver.post import KEY, SENDER, link_to

DAY = 86_400_000_000
SMS, EMAIL = ("away", "sms"), ("away", "email")
BY_TEXT = (
    "Acme Plumbing: thank you, your message has arrived. "
    "The office is closed. Somebody answers when it opens: Mon, 08:00."
)
BY_MAIL = (
    "Thank you, your message has arrived.\nThe office is closed. Somebody answers when it opens: Mon, 08:00."
)


def mail_of(outgoing: Outgoing) -> EmailMessage:
    return BytesParser(EmailMessage, policy=default).parsebytes(email.written(outgoing, SENDER))


# --- it goes back ---------------------------------------------------------------------------------


def test_who_texts_at_night_is_told_by_text_when_somebody_answers(office: Office) -> None:
    office.write(office.a_text())
    [queued] = office.queued()
    assert (queued.kind, queued.to, queued.reader) == (
        DeliveryKind.AWAY,
        NUMBER,
        (SenderKind.CUSTOMER, office.customer_id),
    )
    assert (queued.thread_id, queued.job_id, queued.link_id) == (office.thread_id, office.job.ref.id, None)
    assert office.ends() == [("sent", None)]
    [text] = office.handed
    assert (text.to, text.text, pieces(text.text)) == (NUMBER, BY_TEXT, 1)


def test_who_mails_at_night_is_told_by_mail_in_the_same_conversation(office: Office) -> None:
    office.write(office.a_mail(sender="Carol@example.com"))
    assert office.kinds() == [EMAIL]
    assert office.ends() == [("sent", None)]
    [outgoing] = office.handed
    mail = mail_of(outgoing)
    assert (mail["To"], mail["Subject"]) == ("Carol <Carol@example.com>", "Your boiler (Acme Plumbing)")
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert mail["In-Reply-To"] == mail["References"] == f"<{outgoing.conversation}@{SENDER.domain}>"
    assert str(mail["Reply-To"]).startswith("Acme Plumbing <reply+")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert BY_MAIL in text_of(mail).replace("\r\n", "\n")
    assert f'<p style="margin:0 0 16px 0;">{BY_MAIL.replace(chr(10), " ")}</p>' in text_of(mail, "html")


def test_the_customers_mail_program_shows_it_beside_the_notifications(office: Office) -> None:
    office.write(office.a_mail())
    [delivery] = office.queued()
    line = Away(delivery, "Carol", Language.EN, "Your boiler", 7, 8)
    news = Notice(delivery, "token", "Carol", Language.EN, "Your boiler", 7, 1, (), 0)
    about_it, beside = COMPOSE(line), COMPOSE(news)
    assert (about_it.conversation, about_it.subject) == (beside.conversation, beside.subject)
    assert (about_it.reply_to, about_it.unsubscribe) == (beside.reply_to, beside.unsubscribe)
    assert beside.auto_submitted == "auto-generated"


def test_it_is_told_in_the_customers_language(office: Office) -> None:
    office.write(
        lambda tx: preferences.customer_speaks(tx, office.customer_id, office.job.ref.id, Language.ES)
    )
    office.write(office.a_text())
    assert office.ends() == [("sent", None)]
    office.it_is(MONDAY_EVENING)
    office.write(office.a_mail())
    assert office.ends() == [("sent", None)] * 2
    text, mail = office.handed
    assert text.text == (
        "Acme Plumbing: gracias, su mensaje ha llegado. "
        "Ahora no hay nadie en la oficina. Alguien responde cuando abra: lun, 08:00."
    )
    assert pieces(text.text) == 1
    assert "La oficina está cerrada. Alguien responde cuando abra: mar, 08:00." in text_of(mail_of(mail))


@pytest.mark.parametrize(
    "company", ["A company of thirty letters, X", "Ñ" * 30, "A company of sixty letters " * 3]
)
def test_a_text_costs_one_message_on_any_day_in_any_language(company: str) -> None:
    compose = composer(company, link_to, KEY, time_zone="Europe/Madrid")
    delivery = Delivery(1, Channel.SMS, NUMBER, DeliveryStatus.QUEUED, None, 1, 0, 0, 0, None, None)
    for language in Language:
        for day in range(7):
            line = Away(delivery, "Carol", language, "Your boiler", 0, day * DAY)
            text = compose(line).text
            assert text == written(text)
            assert pieces(text) == 1, text


def test_the_opening_is_told_by_the_clock_on_the_offices_wall() -> None:
    words = WORDINGS[Language.EN]
    summer, winter = 1_782_712_800_000_000, 1_795_935_600_000_000
    assert day_and_time(words, summer, ZoneInfo("Europe/Madrid")) == "Mon, 08:00"
    assert day_and_time(words, winter, ZoneInfo("Europe/Madrid")) == "Sun, 08:00"
    assert day_and_time(words, winter, ZoneInfo("America/Los_Angeles")) == "Sat, 23:00"


# --- once a night ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["a_text", "a_mail"])
def test_three_answers_in_a_night_bring_one_line_and_the_next_night_another(office: Office, way: str) -> None:
    answers: Callable[[], Callable[[Writing], object]] = getattr(office, way)
    for _ in range(3):
        office.write(answers())
    assert len(office.ends()) == len(office.handed) == 1
    office.it_is(MONDAY_MORNING)
    office.write(answers())
    assert len(office.ends()) == 1
    office.it_is(MONDAY_EVENING)
    office.write(answers())
    office.write(answers())
    assert office.ends() == [("sent", None)] * 2
    assert [one.text.split("opens: ")[1][:10] for one in office.handed] == ["Mon, 08:00", "Tue, 08:00"]


def test_by_whichever_way_comes_first(office: Office) -> None:
    office.write(office.a_mail())
    office.write(office.a_text())
    assert office.kinds() == [EMAIL]


def test_a_text_that_is_handed_over_twice_brings_one(office: Office) -> None:
    for _ in range(2):
        office.write(office.a_text("Hello?", name="the same"))
    assert office.kinds() == [SMS]


def test_a_message_that_was_said_before_or_is_followed_by_something_else_brings_none(office: Office) -> None:
    """Whatever comes to be forgotten of what came in: the message itself is known for ever."""
    texter = Actor(Texter(office.customer_id, "Carol", office.job.ref.id, 0, 0), "", "")
    opens = closed_until(HOURS, office.clock.now)
    send = messages.Send(texter, office.thread_id, "Hello?", "one", "sms", opens)

    def sent(tx: Writing) -> messages.Sent:
        [said] = messages.send_all(tx, [send])
        assert isinstance(said, messages.Sent)
        away.send_back(tx, send, said, Channel.SMS, NUMBER)
        return said

    assert [office.write(sent).repeated for _ in range(3)] == [False, True, True]
    later = structs.replace(send, client_msg_id="two")
    [said] = office.write(lambda tx: messages.send_all(tx, [later]))
    office.dora_writes()
    assert isinstance(said, messages.Sent)
    office.write(lambda tx: away.send_back(tx, later, said, Channel.SMS, NUMBER))
    assert office.kinds() == [SMS]


def test_two_texts_at_the_same_moment_by_two_servers_bring_one(office: Office, url: str) -> None:
    other = Database(url, office.clock)

    async def both() -> None:
        coming = [database.write(office.a_text()) for database in (office.db, other) * 4]
        await asyncio.gather(*coming)

    try:
        asyncio.run(both())
    finally:
        other.close()
    assert office.kinds() == [SMS]


def test_nothing_by_day(office: Office) -> None:
    office.it_is(MONDAY_MORNING)
    office.write(office.a_text())
    office.write(office.a_mail())
    assert office.queued() == []


def test_whoever_writes_on_the_page_reads_it_there_and_nobody_sends_it_after_them(office: Office) -> None:
    link_id = office.write(lambda tx: link_of(tx, office))
    carol = Visitor(office.customer_id, "Carol", office.job.ref.id, link_id, 0)
    said = messages.Send(
        Actor(carol, "", ""), office.thread_id, "Hello?", None, None, closed_until(HOURS, office.clock.now)
    )
    [sent] = office.write(lambda tx: messages.send_all(tx, [said]))
    assert isinstance(sent, messages.Sent)
    office.write(office.a_text())
    assert office.queued() == [], "she was told on the page"


def test_staff_who_answer_by_mail_at_night_get_nothing(office: Office) -> None:
    taken = office.write(office.a_mail((SenderKind.STAFF, office.dora.id), "dora@example.com"))
    assert taken.outcome == "landed"
    assert office.queued() == []


# --- machines -------------------------------------------------------------------------------------


def test_a_machine_that_texts_back_is_answered_once_in_a_night(office: Office) -> None:
    for _ in range(20):
        office.write(office.a_text("I am driving and will answer later"))
        office.ends()
    assert len(office.handed) == 1


def test_a_machine_that_answers_our_mail_is_dropped(office: Office) -> None:
    office.write(office.a_mail(automatic="auto_submitted"))
    assert office.queued() == []


def test_our_own_line_coming_back_is_dropped(office: Office) -> None:
    office.write(office.a_mail())
    office.ends()
    raw = email.written(office.handed[0], SENDER)
    assert parse.read(raw, "raw", "elsewhere.example.com").automatic == "auto_submitted"
    assert parse.read(raw, "raw", SENDER.domain).automatic is not None
