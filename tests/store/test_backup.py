"""A backup taken under load is whole, and opening it makes harmless what was withdrawn since."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from jobthread.entities import Channel, DeliveryKind, SenderKind, Visitor
from jobthread.store import outbox
from jobthread.store.backup import BackupError, backup
from jobthread.store.database import Database, Reading, Writing
from tests.cast import PASSWORD, YEAR
from tests.faults import process, wholeness
from tests.faults.chance import seeded
from tests.faults.company import Said, Writer, at_work
from tests.faults.load import under_load, until_written
from tests.faults.process import ServerProcess, server_process
from tests.store.conftest import postgres_url

BACKUPS = 3
RAW_COPIES = 12
MESSAGES_BETWEEN = 80


@dataclass(frozen=True)
class Company:
    folder: Path
    writers: list[Writer]

    @property
    def file(self) -> Path:
        return self.folder / "jobthread.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """In a folder whose name would mean something else in an address."""
    folder = tmp_path / "data #1"
    folder.mkdir()
    return Company(folder, at_work(f"sqlite:///{folder}/jobthread.db"))


def test_a_backup_under_load_holds_all_that_was_acknowledged_before(company: Company, tmp_path: Path) -> None:
    copies: list[tuple[Path, list[Said]]] = []
    with server_process(company.folder, company.url) as server:
        process.start(server)
        with under_load(server, company.writers, seeded().randrange(10**6)) as load:
            for number in range(BACKUPS):
                until_written(load, MESSAGES_BETWEEN)
                copies.append((tmp_path / f"copy{number}.db", load.all_said()))
                made = process.run("backup", str(copies[-1][0]), environ=server.environ)
                assert (made.returncode, made.stderr) == (0, "")
    for copy, said in copies:
        assert wholeness.check(f"sqlite:///{copy}", said) >= len(said) >= MESSAGES_BETWEEN
        assert copy.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.partial"))


def test_a_plain_copy_under_load_is_no_backup(company: Company, tmp_path: Path) -> None:
    """The control: the same look finds fault with what `cp` of the database's file brings home."""
    bad = 0
    with server_process(company.folder, company.url) as server:
        process.start(server)
        with under_load(server, company.writers, seeded().randrange(10**6)) as load:
            for number in range(RAW_COPIES):
                until_written(load, MESSAGES_BETWEEN // 4)
                said, copy = load.all_said(), tmp_path / f"copy{number}.db"
                shutil.copy(company.file, copy)
                bad += not is_whole(copy, said)
    print(f"{bad} of {RAW_COPIES} plain copies were bad")  # noqa: T201
    assert bad > RAW_COPIES // 4


def is_whole(copy: Path, said: list[Said]) -> bool:
    try:
        wholeness.check(f"sqlite:///{copy}", said)
    except Exception:
        return False
    return True


# --- opening a backup -----------------------------------------------------------------------------


def test_a_restored_backup_lets_nobody_in_by_an_old_link_or_session(company: Company, tmp_path: Path) -> None:
    in_database(company.url, _delivery_that_waits)
    copy = restored_copy(company, tmp_path)
    with server_process(copy.parent, f"sqlite:///{copy}") as server:
        process.start(server)
        for writer in company.writers:
            code = "link_revoked" if isinstance(writer.caller, Visitor) else "not_authenticated"
            assert reads(server, writer) == (401, code)
        cookie = signs_in(server)
        process.stop(server)
        # It happens once: who signs in afterwards stays in.
        process.start(server)
        assert httpx2.get(server.url + "/api/auth/me", headers={"Cookie": cookie}).status_code == 200
        process.stop(server)
    deliveries, restorations = in_database(f"sqlite:///{copy}", _deliveries_and_restorations)
    assert deliveries == [("failed", None, "The server was restored from a backup before this was sent")]
    assert len(restorations) == 1


def test_the_original_goes_on_as_if_nothing_had_been(company: Company, tmp_path: Path) -> None:
    in_database(company.url, _delivery_that_waits)
    restored_copy(company, tmp_path)
    with server_process(company.folder, company.url) as server:
        process.start(server)
        assert {reads(server, writer)[0] for writer in company.writers} == {200}
        process.stop(server)
    [delivery], restorations = in_database(company.url, _deliveries_and_restorations)
    assert delivery[0] == "queued"
    assert restorations == []


def restored_copy(company: Company, tmp_path: Path) -> Path:
    """A backup, put where a server expects its database."""
    folder = tmp_path / "restored"
    folder.mkdir()
    backup(company.url, folder / "jobthread.db")
    return folder / "jobthread.db"


def reads(server: ServerProcess, writer: Writer) -> tuple[int, str | None]:
    """Status and code of the answer when this browser looks at a conversation."""
    if isinstance(writer.caller, Visitor):
        path = f"/api/chat/customer/jobs/{writer.caller.job_id}/thread"
    else:
        path = f"/api/chat/threads/{writer.thread_ids[0]}"
    answer = httpx2.get(server.url + path, headers=writer.headers)
    return answer.status_code, answer.json().get("code")


def signs_in(server: ServerProcess) -> str:
    asked = {"email": "dora@example.com", "password": PASSWORD}
    answer = httpx2.post(server.url + "/api/auth/login", json=asked)
    assert answer.status_code == 200
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


def in_database(url: str, act: Any) -> Any:
    db = Database(url)
    try:
        return asyncio.run(db.write(act))
    finally:
        db.close()


def _delivery_that_waits(tx: Writing) -> None:
    """Not due before next year, so that no worker takes it up during the test."""
    reader = (SenderKind.CUSTOMER, 1)
    new = outbox.NewDelivery(
        DeliveryKind.INVITATION, Channel.EMAIL, "carol@example.com", reader, 1, 1, b"sealed"
    )
    outbox.add(tx, new)
    tx.conn.execute(text("UPDATE deliveries SET due_at = :due_at"), {"due_at": tx.now + YEAR})


def _deliveries_and_restorations(tx: Reading) -> tuple[list[tuple[Any, ...]], list[str]]:
    deliveries = tx.conn.execute(text("SELECT status, sealed_token, error FROM deliveries")).all()
    restorations = text("SELECT details FROM audit_log WHERE action = 'backup_restored'")
    return [tuple(row) for row in deliveries], list(tx.conn.execute(restorations).scalars())


# --- refusals -------------------------------------------------------------------------------------


def test_a_backup_never_overwrites(company: Company, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("holiday pictures")
    with pytest.raises(BackupError, match="never overwrites"):
        backup(company.url, precious)
    with pytest.raises(BackupError, match="never overwrites"):
        backup(company.url, company.file)
    assert precious.read_text() == "holiday pictures"


def test_a_backup_that_fails_leaves_nothing_behind(company: Company, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="No such file"):
        backup(company.url, tmp_path / "nowhere" / "copy.db")
    company.file.write_bytes(company.file.read_bytes()[:50_000])
    with pytest.raises(BackupError):
        backup(company.url, tmp_path / "copy.db")
    assert [path for path in tmp_path.rglob("*") if "copy" in path.name] == []


def test_where_there_is_nothing_to_copy_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no database"):
        backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db")
    with pytest.raises(BackupError, match="pg_dump"):
        backup(postgres_url(), tmp_path / "copy.db")
