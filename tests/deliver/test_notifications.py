"""Nobody is left unaware: whoever has not read, and is not there, is told; once, and nobody else."""

import email.utils
import re
from typing import Any

import pytest
from sqlalchemy import text, update

from jobthread import app
from jobthread.actions import notifications as telling_actions
from jobthread.actions.writing import Pen
from jobthread.deliver import reply_address
from jobthread.entities import Actor, DeliveryStatus, SenderKind
from jobthread.store import consent, threads
from jobthread.store.database import Writing
from jobthread.store.tables import deliveries
from tests.cast import exchange_of, ok, refused
from tests.deliver.mail_server import text_of
from tests.deliver.telling import REPLY_ADDRESS, Town, words_of

TOM, TARA, DORA, CAROL = "tom@example.com", "tara@example.com", "dora@example.com", "carol@example.com"


# --- whom and when --------------------------------------------------------------------------------


def test_what_stays_unread_for_a_minute_is_told_by_mail(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(seconds=55)
    assert town.told() == []
    town.passes(seconds=6)
    [mail] = town.mails(TOM)
    assert town.told() == [TOM]
    assert "Can you be there at nine?" in words_of(mail)


def test_ten_quick_messages_are_one_mail(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    for number in range(10):
        town.cast.dora.writes(thread, f"Number {number}.")
        town.passes(seconds=8)
    town.passes(hours=3)
    [mail] = town.mails()
    assert re.search(r"\b\d+ new messages", words_of(mail))


def test_whoever_was_told_is_not_told_again_until_they_have_read(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    town.cast.dora.writes(thread, "First")
    town.passes(seconds=61)
    town.cast.dora.writes(thread, "Second")
    town.passes(hours=5)
    assert town.told() == [TOM]
    town.marks_read(town.cast.tom, thread)
    town.passes(hours=1)
    assert town.told() == [TOM]
    town.cast.dora.writes(thread, "Third")
    town.passes(seconds=61)
    assert town.told() == [TOM, TOM]
    assert "Second" not in words_of(town.mails()[-1])


def test_whoever_came_back_without_reading_is_told_of_what_is_new(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    town.cast.dora.writes(thread, "First")
    town.passes(seconds=61)
    town.shows(town.cast.tom, True)
    town.shows(town.cast.tom, False)
    town.passes(hours=1)
    assert town.told() == [TOM]
    town.cast.dora.writes(thread, "Second")
    town.passes(seconds=61)
    assert town.told() == [TOM, TOM]


def test_reading_a_part_leaves_the_rest_to_be_told(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    first = town.cast.dora.writes(thread, "First")
    town.passes(seconds=61)
    town.cast.dora.writes(thread, "Second")
    town.passes(hours=1)
    # What is active later takes the look at threads beyond this one.
    town.talk(town.cast.tara)
    town.passes(hours=1)
    assert town.told() == [TOM]
    town.marks_read(town.cast.tom, thread, up_to_seq=first["seq"])
    assert town.told() == [TOM, TOM]
    assert "First" not in words_of(town.mails()[-1])


def test_what_the_companys_own_machine_says_is_news_to_customers_alone(town: Town) -> None:
    carol = town.carol_comes_in()
    thread = carol.view()["thread"]
    ok(
        town.cast.dora.post(
            f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [town.cast.tom.id]}
        )
    )

    def says(tx: Writing) -> None:
        pen, here = Pen(), threads.as_it_stands(tx, thread["id"])
        assert here is not None
        pen.message(pen.sheet(here), Actor(None, "", ""), "We open at eight.", None)
        pen.put_down(tx)

    town.server.write(says)
    town.passes(hours=1)
    assert town.told() == [CAROL]


def test_reading_it_first_cancels_it(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(seconds=50)
    town.marks_read(town.cast.tom, thread)
    town.passes(hours=1)
    assert town.told() == []
    assert town.statuses() == []


def test_nobody_is_told_of_their_own_messages_or_of_events(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    ok(
        town.cast.dora.post(
            f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [town.cast.tara.id]}
        )
    )
    ok(town.cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    ok(town.cast.dora.post(f"/api/chat/threads/{thread['id']}/reopen"))
    town.passes(hours=1)
    assert town.told() == []
    town.cast.tom.writes(thread, "Here I am.")
    town.passes(hours=1)
    assert sorted(town.told()) == [DORA, TARA]


def test_only_those_who_take_part_are_told(town: Town) -> None:
    """Ada sees every thread, and Dan those with customers; nobody asked them in."""
    town.cast.dora.writes(town.with_carol(town.cast.tom), "Tom will come at nine.")
    town.passes(hours=1)
    assert town.told() == [TOM]


def test_whoever_left_or_was_sent_away_is_not_told(town: Town) -> None:
    thread = town.talk(town.cast.tom, town.cast.tara)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    ok(town.cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{town.cast.tara.id}"), 204)
    town.passes(hours=1)
    assert town.told() == [TOM]


def test_a_muted_thread_is_not_told_of_until_it_is_heard_again(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    mute = f"/api/chat/threads/{thread['id']}/mute"
    ok(town.cast.tom.http.put(mute), 204)
    town.cast.dora.writes(thread, "First")
    town.passes(hours=1)
    assert town.told() == []
    ok(town.cast.tom.delete(mute), 204)
    town.passes(hours=1)
    assert town.told() == []
    town.cast.dora.writes(thread, "Second")
    town.passes(seconds=61)
    assert town.told() == [TOM]


def test_quiet_hours_put_it_off_until_their_end_where_the_person_is(town: Town) -> None:
    now = town.server.clock()
    minute = now // 60_000_000 % 1440
    # Tokyo keeps one time all year, nine hours ahead.
    here = (minute + 9 * 60) % 1440
    quiet = {"quiet_from": _time(here - 60), "quiet_until": _time(here + 120)}
    town.prefers(town.cast.tom, time_zone="Asia/Tokyo", **quiet)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    town.passes(hours=1.9)
    assert town.told() == []
    town.passes(hours=0.2)
    assert town.told() == [TOM]


def _time(minutes: int) -> str:
    return f"{minutes % 1440 // 60:02}:{minutes % 60:02}"


def test_whoever_wants_no_mails_gets_none(town: Town) -> None:
    town.prefers(town.cast.tom, email="off")
    thread = town.talk(town.cast.tom, town.cast.tara)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(hours=1)
    assert town.told() == [TARA]


# --- rights are asked again right before sending --------------------------------------------------


def waits_for_the_mail_server(town: Town, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Dora's message to Tom, queued as a mail that the mail server does not take yet."""
    monkeypatch.setattr(town.post, "at_rcpt", lambda self, to: "451 4.3.0 later")
    thread = town.talk(town.cast.tom)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(seconds=61)
    assert [status for _, status, _ in town.statuses()] == ["queued"]
    return thread


def taken_from_now_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.post, "at_rcpt", lambda self, to: "250 OK")
    town.passes(hours=1)


def test_a_mail_server_that_comes_back_gets_it_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    waits_for_the_mail_server(town, monkeypatch)
    taken_from_now_on(town, monkeypatch)
    assert town.told() == [TOM]
    assert town.statuses() == [("Tom", "sent", None)]


def test_what_was_read_while_it_waited_is_cancelled(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = waits_for_the_mail_server(town, monkeypatch)
    town.marks_read(town.cast.tom, thread)
    taken_from_now_on(town, monkeypatch)
    assert town.told() == []
    assert town.statuses() == [("Tom", "cancelled", "it was read before it was sent")]


def test_whoever_was_sent_away_while_it_waited_gets_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = waits_for_the_mail_server(town, monkeypatch)
    ok(town.cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{town.cast.tom.id}"), 204)
    taken_from_now_on(town, monkeypatch)
    assert town.told() == []
    assert town.statuses() == [("Tom", "cancelled", "they do not take part in the thread any more")]


def test_whoever_was_deactivated_while_it_waited_gets_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_for_the_mail_server(town, monkeypatch)
    ok(town.cast.ada.patch(f"/api/users/{town.cast.tom.id}", {"active": False}))
    taken_from_now_on(town, monkeypatch)
    assert town.told() == []
    assert town.statuses() == [("Tom", "cancelled", "the account was deactivated before it was sent")]


# --- customers ------------------------------------------------------------------------------------


def test_a_customer_who_is_away_is_told_with_a_link_that_opens_the_conversation(town: Town) -> None:
    carol = town.carol_comes_in()
    thread = ok(carol.http.get(carol.path))["thread"]
    town.cast.dora.writes(thread, "Tom will come at nine.")
    town.passes(seconds=61)
    [mail] = town.mails(CAROL)
    assert "Tom will come at nine." in words_of(mail)
    carol_again = town.cast.opens({"url": link_in(words_of(mail))})
    assert carol_again.view()["messages"][-1]["body"] == "Tom will come at nine."


def link_in(words: str) -> str:
    [link] = set(re.findall(r"http\S+/customer/chat\?\S+", words))
    return str(link)


def test_a_customer_who_was_never_sent_a_link_is_not_told(town: Town) -> None:
    town.cast.dora.writes(town.with_carol(), "Tom will come at nine.")
    town.cast.dora.sends_link(town.cast.boiler, channels=[])
    town.passes(hours=1)
    assert town.told() == []


def test_an_invitation_tells_of_what_was_written_before_it(town: Town) -> None:
    town.cast.dora.writes(town.with_carol(), "Tom will come at nine.")
    town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
    town.passes(hours=1)
    [mail] = town.mails()
    assert "Your chat about" in str(mail["Subject"])


def test_a_customer_is_told_by_what_reached_them_last(town: Town) -> None:
    carol = town.carol_comes_in(channels=["sms"])
    thread = carol.view()["thread"]
    town.cast.dora.writes(thread, "The code of your door is 4711.")
    town.passes(seconds=61)
    newest, invitation = town.texts()
    assert town.told() == []
    assert "1 new message" in newest.text
    assert "4711" not in newest.text
    assert "until" in invitation.text
    assert town.cast.opens({"url": newest.links[0]}).view()["thread"]["id"] == thread["id"]


def test_a_customer_whose_phone_confirmed_the_invitation_is_told_of_what_comes_after_it(town: Town) -> None:
    thread = town.cast.dora.opens_thread(town.cast.tom, visibility="customer_visible", job=town.cast.boiler)
    town.cast.dora.writes(thread, "What the invitation invites to.")
    town.cast.dora.sends_link(town.cast.boiler, channels=["sms"])
    town.rests()
    confirmed = update(deliveries).values(status=DeliveryStatus.DELIVERED)
    town.cast.serving.write(lambda tx: tx.conn.execute(confirmed))
    town.passes(seconds=61)
    [invitation] = town.texts()
    town.cast.dora.writes(thread, "Tom comes at nine.")
    town.passes(seconds=61)
    newest, *rest = town.texts()
    assert rest == [invitation]
    assert "1 new message" in newest.text
    channels = {one["channel"]: one for one in ok(town.cast.ada.get("/api/deliveries"))["channels"]}
    assert channels["sms"]["last_sent_at"] is not None


def texts_stopped(town: Town) -> None:
    customer = town.cast.boiler.customer
    ok(town.cast.dora.post(f"/api/customers/{customer.id}/sms-stop", {"note": "She rang."}), 200)


def test_a_customer_whose_number_is_stopped_is_told_by_mail(town: Town) -> None:
    carol = town.carol_comes_in(channels=["sms"])
    texts_stopped(town)
    town.cast.dora.writes(carol.view()["thread"], "Tom will come at nine.")
    town.passes(seconds=61)
    assert town.told() == [CAROL]
    assert len(town.texts()) == 1, "the invitation, and nothing after it"


def test_who_stops_texts_while_one_is_under_way_is_told_by_mail(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = town.carol_comes_in(channels=["sms"])
    texts_stopped(town)
    answers = [False]
    asked = consent.is_stopped
    monkeypatch.setattr(
        telling_actions, "is_stopped", lambda tx, to: answers.pop() if answers else asked(tx, to)
    )
    town.cast.dora.writes(carol.view()["thread"], "Tom will come at nine.")
    town.passes(seconds=61)
    assert answers == []
    assert town.told() == [CAROL]
    assert town.statuses() == [
        ("Carol", "sent", None),
        ("Carol", "failed", "this number has asked for no more texts"),
    ]


def test_a_stopped_number_brings_no_mails_to_who_ended_those(town: Town) -> None:
    carol = town.carol_comes_in(channels=["email"])
    thread = carol.view()["thread"]
    town.cast.dora.writes(thread, "Tom will come at nine.")
    town.passes(seconds=61)
    [mail] = town.mails(CAROL)
    path = one_click(mail).removeprefix(town.server.settings.base_url)
    assert town.cast.stranger().post(path).status_code == 200
    town.cast.dora.sends_link(town.cast.boiler, channels=["sms"])
    town.rests()
    texts_stopped(town)
    town.forget_mails()
    ok(carol.http.post(f"{carol.path}/read"))
    town.cast.dora.writes(thread, "Or at ten.")
    town.passes(hours=1)
    assert town.told() == []
    assert town.statuses() == [("Carol", "sent", None)], "nothing else was even queued"


def test_an_internal_line_never_goes_to_a_customer(town: Town) -> None:
    town.carol_comes_in()
    internal = town.talk(town.cast.tom, job=town.cast.boiler)
    town.cast.dora.writes(internal, "She never pays.")
    town.passes(hours=1)
    assert town.told() == [TOM]


def test_a_customer_whose_job_was_closed_is_not_told(town: Town) -> None:
    carol = town.carol_comes_in()
    town.cast.dora.writes(carol.view()["thread"], "Tom will come at nine.")
    ok(town.cast.dora.patch(f"/api/jobs/{carol.job_id}", {"status": "closed"}))
    town.passes(hours=1)
    assert town.told() == []


def test_a_customer_whose_links_were_all_withdrawn_is_not_given_a_new_one(town: Town) -> None:
    link = town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
    carol = town.cast.opens(link)
    thread = carol.view()["thread"]
    town.forget_mails()
    ok(town.cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    town.cast.dora.writes(thread, "Tom will come at nine.")
    town.passes(hours=1)
    assert town.told() == []


def test_all_mails_of_a_job_open_one_link_and_only_the_newest_few_do(town: Town) -> None:
    carol = town.carol_comes_in()
    thread = carol.view()["thread"]
    found = []
    for number in range(8):
        town.cast.dora.writes(thread, f"Number {number}.")
        town.passes(seconds=61)
        [mail] = town.mails(CAROL)
        found.append(link_in(words_of(mail)))
        ok(carol.http.post(f"{carol.path}/read"))
        town.forget_mails()
    assert len(set(found)) == 8
    made = ok(town.cast.dora.get(f"/api/chat/jobs/{carol.job_id}/customer-sessions"))["sessions"]
    assert len(made) == 2, "the invitation, and one for all notifications"
    anyone = town.cast.stranger()
    opened = [anyone.post("/api/chat/customer/session", json=exchange_of(url)).status_code for url in found]
    # The link's first token, and the last five that it was sent with again.
    assert opened == [200, 401, 401, 200, 200, 200, 200, 200]
    carol.view()


def test_a_notification_link_that_has_run_out_is_followed_by_a_fresh_one(town: Town) -> None:
    carol = town.carol_comes_in(expires_in_hours=24 * 80)
    thread = carol.view()["thread"]
    links = []
    for _ in range(2):
        town.cast.dora.writes(thread, "Tom will come at nine.")
        town.passes(seconds=61)
        links.append(link_in(words_of(town.mails(CAROL)[0])))
        town.forget_mails()
        ok(carol.http.post(f"{carol.path}/read"))
        town.passes(hours=24 * 8)
    anyone = town.cast.stranger()
    refused(anyone.post("/api/chat/customer/session", json=exchange_of(links[0])), 401, "link_expired")


# --- what a mail is like --------------------------------------------------------------------------


def one_mail(town: Town, body: str = "Can you be there at nine?", **more: Any) -> Any:
    thread = town.talk(town.cast.tom, **more)
    town.cast.dora.writes(thread, body)
    town.passes(seconds=61)
    [mail] = town.mails(TOM)
    return thread, mail


def test_the_mails_of_a_thread_are_one_conversation(town: Town) -> None:
    thread, first = one_mail(town)
    town.marks_read(town.cast.tom, thread)
    town.cast.dora.writes(thread, "Or at ten?")
    town.passes(seconds=61)
    second = town.mails(TOM)[-1]
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert re.fullmatch(r"<[0-9a-f]{32}@[^>]+>", str(first["References"]))
    assert first["Subject"] == second["Subject"]
    assert first["Auto-Submitted"] == "auto-generated"


def test_an_answer_by_mail_comes_back_to_whom_it_was_sent_and_where(town: Town) -> None:
    thread, mail = one_mail(town)
    _, address = email.utils.parseaddr(str(mail["Reply-To"]))
    found = reply_address.read(app.reply_key(town.server.settings), REPLY_ADDRESS, address)
    assert found == reply_address.Answering((SenderKind.STAFF, town.cast.tom.id), thread["id"])


def test_an_invitation_may_simply_be_answered(town: Town) -> None:
    thread = town.with_carol(town.cast.tom)
    town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
    [mail] = town.mails(CAROL)
    _, address = email.utils.parseaddr(str(mail["Reply-To"]))
    found = reply_address.read(app.reply_key(town.server.settings), REPLY_ADDRESS, address)
    customer = town.cast.boiler.customer
    assert found == reply_address.Answering((SenderKind.CUSTOMER, customer.id), thread["id"])
    for kind in ("plain", "html"):
        assert "Answer in the chat, or simply reply to this e-mail." in text_of(mail, kind)
        assert "does not reach anybody" not in text_of(mail, kind)


def test_a_mail_quotes_five_messages_of_300_characters_at_most(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    for number in range(7):
        town.cast.dora.writes(thread, f"Number {number}. " + "x" * 400)
    town.passes(seconds=61)
    [mail] = town.mails()
    told = words_of(mail)
    assert [number for number in range(7) if f"Number {number}." in told] == [0, 1, 2, 3, 4]
    assert "and 2 more" in told
    assert "Dora:" in told
    assert max(map(len, re.findall("x+", told))) < 300


def test_html_in_a_message_stays_text(town: Town) -> None:
    _, mail = one_mail(town, "<img src=x onerror=alert(1)> & so on", subject="<b>Bold</b>")
    html = text_of(mail, "html")
    assert "<img" not in html
    assert "<b>Bold" not in html
    assert "&lt;img src=x" in html


def test_neither_a_subject_nor_a_name_brings_a_header_into_a_mail(town: Town) -> None:
    """What the API would refuse, too: rows may come from elsewhere."""
    trap = "Boiler\r\nBcc: eve@example.com\r\n\r\nHello =?utf-8?q?a=0ABcc=3A_eve=40example.com?="
    thread = town.talk(town.cast.tom)

    def trapped(tx: Writing) -> None:
        tx.conn.execute(text("UPDATE users SET name = :trap"), {"trap": trap})
        tx.conn.execute(text("UPDATE chat_threads SET subject = :trap"), {"trap": trap})

    town.server.write(trapped)
    town.cast.dora.writes(thread, "Hello")
    town.passes(seconds=61)
    [mail] = town.mails()
    assert mail["Bcc"] is None
    assert town.told() == [TOM]
    assert "\n" not in str(mail["Subject"])


def test_people_are_written_to_in_their_own_language(town: Town) -> None:
    town.prefers(town.cast.tom, language="es")
    _, mail = one_mail(town)
    assert "1 mensaje nuevo" in words_of(mail)


def test_a_customer_is_written_to_in_the_language_their_browser_speaks(town: Town) -> None:
    link = town.cast.dora.sends_link(town.cast.boiler, channels=["email"])
    anyone = town.cast.stranger(**{"Accept-Language": "fr, es-MX;q=0.9, en;q=0.4"})
    ok(anyone.post("/api/chat/customer/session", json=exchange_of(link["url"])))
    carol = town.cast.opens({"url": link["url"]})
    town.forget_mails()
    town.cast.dora.writes(carol.view()["thread"], "Tom will come at nine.")
    town.passes(seconds=61)
    [mail] = town.mails(CAROL)
    assert "1 mensaje nuevo" in words_of(mail)


# --- no more of these -----------------------------------------------------------------------------


def one_click(mail: Any) -> str:
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return str(mail["List-Unsubscribe"]).strip(" <>")


def test_one_click_ends_the_mails_of_a_member_of_staff(town: Town) -> None:
    thread, mail = one_mail(town)
    path = one_click(mail).removeprefix(town.server.settings.base_url)
    anyone = town.cast.stranger()
    page = anyone.get(path)
    assert "<form" in page.text
    assert ok(town.cast.tom.get("/api/auth/preferences"))["email"] == "on", "opening it changes nothing"
    answer = anyone.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert ok(town.cast.tom.get("/api/auth/preferences"))["email"] == "off"
    town.marks_read(town.cast.tom, thread)
    town.cast.dora.writes(thread, "Or at ten?")
    town.passes(hours=1)
    assert town.told() == [TOM]


def test_one_click_ends_the_mails_of_a_customer_about_that_job(town: Town) -> None:
    carol = town.carol_comes_in()
    thread = carol.view()["thread"]
    town.cast.dora.writes(thread, "Tom will come at nine.")
    town.passes(seconds=61)
    [mail] = town.mails(CAROL)
    path = one_click(mail).removeprefix(town.server.settings.base_url)
    assert town.cast.stranger().post(path).status_code == 200
    ok(carol.http.post(f"{carol.path}/read"))
    town.cast.dora.writes(thread, "Or at ten.")
    town.passes(hours=1)
    assert town.told() == [CAROL]


def test_an_address_that_we_did_not_sign_ends_nothing(town: Town) -> None:
    _, mail = one_mail(town)
    path = one_click(mail).removeprefix(town.server.settings.base_url)
    other = "b" if path[-5] == "a" else "a"
    forged = path[:-5] + other + path[-4:]
    refused(town.cast.stranger().post(forged), 404, "not_found")
    refused(town.cast.stranger().get(forged), 404, "not_found")
    assert ok(town.cast.tom.get("/api/auth/preferences"))["email"] == "on"
