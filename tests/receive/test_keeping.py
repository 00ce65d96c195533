"""How long mails are kept as they came, and the settings of mails that come in."""

import os
import time
from pathlib import Path

import pytest

from jobthread.receive import keeping
from jobthread.settings import SettingsError, describe, load_settings
from jobthread.store import incoming
from tests.cast import Cast
from tests.receive.post import REPLY_ADDRESS, bodies, by_smtp, came_in, carols, customers_thread, mail

REPLY = {"JOBTHREAD_REPLY_ADDRESS": REPLY_ADDRESS}


def test_mails_go_when_their_days_are_over_and_messages_stay(cast: Cast) -> None:
    thread = customers_thread(cast)
    by_smtp(cast.serving, mail("x@y", "Old"), carols(cast, thread))
    [old] = came_in(cast.serving)
    cast.serving.clock.pass_time(days=20)
    by_smtp(cast.serving, mail("x@y", "New"), carols(cast, thread))
    new = came_in(cast.serving)[-1]
    cast.serving.clock.pass_time(days=11)
    names = cast.serving.write(lambda tx: incoming.forget(tx, tx.now - 30 * keeping.DAY))
    assert names == [old.raw_name]
    assert came_in(cast.serving) == [new]
    assert bodies(cast, thread)[1:] == ["Old", "New"]


def test_a_mail_of_two_addresses_is_kept_as_long_as_either_row(cast: Cast) -> None:
    one, other = customers_thread(cast), customers_thread(cast, subject="The bill")
    by_smtp(cast.serving, mail("x@y"), carols(cast, one), carols(cast, other))
    assert len({row.raw_name for row in came_in(cast.serving)}) == 1
    names = cast.serving.write(lambda tx: incoming.forget(tx, tx.now + 1))
    assert len(names) == 1
    assert came_in(cast.serving) == []


def test_what_a_crash_left_behind_goes_too(tmp_path: Path) -> None:
    young, old = keeping.put(tmp_path, b"young"), keeping.put(tmp_path, b"old")
    long_ago = time.time() - 40 * 86_400
    os.utime(tmp_path / old, (long_ago, long_ago))
    keeping._tidy(tmp_path, [], 30)
    assert [file.name for file in tmp_path.iterdir()] == [young]


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2525", "127.0.0.1:2525"),
        ("127.0.0.1:24", "127.0.0.1:24"),
        ("[::1]:24", "[::1]:24"),
        ("mail.example.com:24", "mail.example.com:24"),
    ],
)
def test_where_to_listen(written: str, shown: str) -> None:
    assert str(load_settings(REPLY | {"JOBTHREAD_MAIL_LISTEN": written}).mail_listen) == shown


@pytest.mark.parametrize("written", ["0", "localhost", "1.2.3.4:", "a b:24", "localhost:70000", ":x"])
def test_where_one_cannot_listen(written: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_LISTEN: expected host:port"):
        load_settings(REPLY | {"JOBTHREAD_MAIL_LISTEN": written})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("imaps://me%40example.com:hu%2Fsh@imap.example.com", "imaps://me%40example.com:********@imap.example.com:993/INBOX"),
        ("imaps://me:pw@imap.example.com:99/In/Box", "imaps://me:********@imap.example.com:99/In/Box"),
        ("imap://me:pw@imap.example.com", "imap://me:********@imap.example.com:143/INBOX?starttls=required"),
        ("imap://me:pw@127.0.0.1:14300/INBOX", "imap://me:********@127.0.0.1:14300/INBOX?starttls=off"),
        ("imap://me:pw@mail/INBOX?starttls=off", "imap://me:********@mail:143/INBOX?starttls=off"),
    ],
)  # fmt: skip
def test_a_mailbox_is_shown_without_its_password(written: str, shown: str) -> None:
    settings = load_settings(REPLY | {"JOBTHREAD_IMAP_URL": written})
    assert str(settings.imap_url) == shown
    told = str(describe(settings)) + repr(settings)
    assert "pw" not in told
    assert "hu/sh" not in told


@pytest.mark.parametrize(
    "written",
    [
        "imap.example.com",
        "imaps://imap.example.com/INBOX",
        "imaps://me:pw@/INBOX",
        'imaps://me:pw@imap.example.com/a"b',
        "imaps://me:pw@imap.example.com/a%0Ab",
        "imaps://me:pw@imap.example.com/INBOX?starttls=off",
        "imap://me:pw@imap.example.com/INBOX?tls=no",
        "pop3://me:pw@imap.example.com/INBOX",
    ],
)
def test_what_is_no_mailbox(written: str) -> None:
    with pytest.raises(SettingsError, match="IMAP_URL: expected") as refusal:
        load_settings(REPLY | {"JOBTHREAD_IMAP_URL": written})
    assert "pw" not in str(refusal.value)


@pytest.mark.parametrize("name", ["MAIL_LISTEN", "IMAP_URL"])
def test_mails_come_in_only_where_answers_have_an_address(name: str) -> None:
    value = {"MAIL_LISTEN": "2525", "IMAP_URL": "imaps://me:pw@imap.example.com"}[name]
    with pytest.raises(
        SettingsError, match=f"JOBTHREAD_{name}: expected together with JOBTHREAD_REPLY_ADDRESS"
    ):
        load_settings({f"JOBTHREAD_{name}": value})


@pytest.mark.parametrize(
    "written", ["reply", "a+b@example.com", "much-too-long-a-name@example.com", "A <a@b.example>"]
)
def test_what_is_no_address_for_answers(written: str) -> None:
    with pytest.raises(SettingsError, match="REPLY_ADDRESS: expected a mail address"):
        load_settings({"JOBTHREAD_REPLY_ADDRESS": written})
