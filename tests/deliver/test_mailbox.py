"""The folder that collects mails and text messages: whole files, for the owner's eyes, found by name only."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from jobthread.deliver import email, mailbox, sms
from jobthread.deliver.outgoing import DeliveryFailed, Outgoing
from jobthread.entities import Channel, DeliveryStatus
from jobthread.store.database import Database
from tests.deliver.post import SENDER, as_it_stands, has_status, invite, sent, working

AT = 1_795_000_000_123_456
LINK = "https://chat.acme.example.com/customer/chat?jobId=123&token=" + "t" * 43


def outgoing(number: int = 1, text: str = f"Hello Carol,\n\n{LINK}\n\nbye") -> Outgoing:
    return Outgoing(
        number, f"{number:032x}", AT + number, "carol@example.com", "Carol", "Your chat", text, "<p>"
    )


def put(folder: Path, what: Outgoing) -> str:
    return sent(email.into_folder(folder, SENDER), what)


def test_a_mail_is_found_again_as_it_would_have_arrived(tmp_path: Path) -> None:
    name = put(tmp_path, outgoing())
    assert name == "20261118T110640.123457Z-1.eml"
    found = mailbox.one(tmp_path, name)
    assert found == mailbox.Item(
        name=name,
        channel=Channel.EMAIL,
        to="Carol <carol@example.com>",
        subject="Your chat",
        at=AT + 1,
        text=f"Hello Carol,\n\n{LINK}\n\nbye",
        links=(LINK,),
    )


def test_the_newest_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    for number in (2, 1, 3):
        put(tmp_path, outgoing(number))
    sent(sms.into_folder(tmp_path), outgoing(4))
    assert [item.at - AT for item in mailbox.recent(tmp_path, 3)] == [4, 3, 2]


def test_where_nothing_was_written_nothing_is_found(tmp_path: Path) -> None:
    assert mailbox.recent(tmp_path / "none", 10) == []
    assert mailbox.one(tmp_path / "none", "20261118T110640.123457Z-1.eml") is None


def test_only_the_owner_may_read_and_no_half_written_file_stays(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    name = put(folder, outgoing())
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_delivery_tried_again_meets_its_own_file(tmp_path: Path) -> None:
    assert put(tmp_path, outgoing()) == put(tmp_path, outgoing())
    assert len(mailbox.recent(tmp_path, 10)) == 1


def test_a_folder_that_cannot_be_written_is_a_failure_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("in the way")
    with pytest.raises(DeliveryFailed, match="cannot be written") as failed:
        put(tmp_path / "outbox", outgoing())
    assert not failed.value.permanent


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.key", "/etc/passwd", "..", ".", "", "secret.key", "a\0b", "x" * 5000),
        *("../20261118T110640.123457Z-1.eml", "20261118T110640.123457Z-1.eml/../../secret.key"),
        *(
            "20261118T110640.123457Z-1.eml\n",
            "20261118T110640.123457Z-1.key",
            "20261118T110640.123457Z-١.eml",
        ),
        *("20269999T999999.123457Z-1.eml",),
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.key").write_text("hush")
    (tmp_path / "20261118T110640.123457Z-1.eml").write_text("Subject: outside\n\nhush")
    folder = tmp_path / "outbox"
    put(folder, outgoing(2))
    assert mailbox.one(folder, name) is None


def test_a_link_in_the_folder_to_another_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("hush")
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "20261118T110640.123457Z-1.eml").symlink_to(tmp_path / "secret.key")
    assert mailbox.one(folder, "20261118T110640.123457Z-1.eml") is None
    assert mailbox.recent(folder, 10) == []


def test_a_damaged_file_does_not_hide_the_others(tmp_path: Path) -> None:
    put(tmp_path, outgoing(1))
    (tmp_path / "20261118T110640.123459Z-9.eml").write_bytes(b"\xff\xfe\x00 no mail at all")
    (tmp_path / "20269999T999999.999999Z-9.eml").write_bytes(b"")
    (tmp_path / "20261118T110640.123460Z-9.eml").write_bytes(
        b"Content-Type: text/plain; charset=none-such\r\n\r\n\xff"
    )
    assert put_name(1) in [item.name for item in mailbox.recent(tmp_path, 10)]


def put_name(number: int) -> str:
    return f"20261118T110640.{123456 + number}Z-{number}.eml"


def test_the_worker_fills_the_folder_where_no_server_is_set_up(db: Database, tmp_path: Path) -> None:
    async def story() -> None:
        channels = {
            Channel.EMAIL: email.into_folder(tmp_path, SENDER),
            Channel.SMS: sms.into_folder(tmp_path),
        }
        async with working(db, channels):
            by_mail = await invite(db)
            by_text = await invite(db, "+15550100", Channel.SMS)
            await has_status(db, by_mail, DeliveryStatus.SENT)
            await has_status(db, by_text, DeliveryStatus.SENT)
        found = {item.to: item.links for item in mailbox.recent(tmp_path, 10)}
        assert found == {"Carol <carol@example.com>": (by_mail.link,), "+15550100": (by_text.link,)}
        assert (await as_it_stands(db, by_mail)).error is None

    asyncio.run(story())


def test_an_odd_address_cannot_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed):
        put(tmp_path, replace(outgoing(), to="../../x@example.com/\n"))
    assert list(tmp_path.iterdir()) == []
