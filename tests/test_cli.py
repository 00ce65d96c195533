"""The program as somebody at a terminal uses it: every command as a process of its own."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from jobthread import __version__, app
from jobthread.entities import Role
from jobthread.settings import load_settings
from jobthread.store import audit
from jobthread.store.database import Writing
from tests.cast import NOBODY, PASSWORD, PASSWORD_HASH
from tests.faults import process
from tests.faults.process import environment, server_process, wait_until
from tests.terminal import one_line, succeeds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the data will be; the program makes it."""
    return tmp_path / "data"


@pytest.fixture
def here(folder: Path) -> dict[str, str]:
    """The settings of whoever sits at this terminal."""
    return environment(folder)


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"PORT": "http"}, "JOBTHREAD_PORT: expected a whole number"),
        ({"BASE_ULR": "https://chat.example.com"}, "did you mean JOBTHREAD_BASE_URL?"),
        ({"DATABASE_URL": "mysql://u:geheim@db/x"}, "JOBTHREAD_DATABASE_URL: expected sqlite:///"),
        ({"SECRET_KEY": "geheim"}, "JOBTHREAD_SECRET_KEY: expected"),
    ],
)
def test_a_wrong_setting_stops_any_command_with_one_line(
    here: dict[str, str], folder: Path, given: dict[str, str], says: str
) -> None:
    environ = here | {f"JOBTHREAD_{name}": value for name, value in given.items()}
    line = one_line(process.run("serve", environ=environ))
    assert says in line
    assert "geheim" not in line
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    environ = environment(tmp_path / "file" / "data")
    for command in ("serve", "migrate"):
        assert "Not a directory" in one_line(process.run(command, environ=environ))


def test_config_shows_what_is_in_force_and_no_secret(here: dict[str, str]) -> None:
    secret = "geheim-geheim-geheim-geheim-geheim"
    given = {
        "JOBTHREAD_COMPANY": "Acme Plumbing",
        "JOBTHREAD_DATABASE_URL": f"postgresql://jobthread:{secret}@db.example.com/jobthread",
        "JOBTHREAD_SECRET_KEY": secret,
        "JOBTHREAD_SMTP_URL": f"smtp://chat:{secret}@mail.example.com:587",
    }
    shown = succeeds("config", environ=here | given)
    assert "JOBTHREAD_COMPANY=Acme Plumbing  # environment\n" in shown
    assert "JOBTHREAD_LINK_DAYS=7  # default\n" in shown
    assert "jobthread:********@db.example.com/jobthread" in shown
    assert secret not in shown


def test_what_is_printed_may_be_read_in_part(here: dict[str, str]) -> None:
    """As by `jobthread config | head -1`, where the reader has gone before all is written."""
    for command in ("config", "openapi"):
        reading, writing = os.pipe()
        os.close(reading)
        running = subprocess.Popen(
            [sys.executable, "-m", "jobthread.cli", command], env=here, stdout=writing, stderr=subprocess.PIPE
        )
        os.close(writing)
        _, complaint = running.communicate(timeout=process.PATIENCE_SECONDS)
        assert (running.returncode, complaint) == (128 + signal.SIGPIPE, b"")


def test_output_that_cannot_be_written_is_one_line(here: dict[str, str]) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "jobthread.cli", "config"],
            env=here,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (2, "jobthread: [Errno 28] No space left on device\n")


def test_it_describes_itself(here: dict[str, str]) -> None:
    assert succeeds("--version", environ=here) == f"{__version__}\n"
    assert json.loads(succeeds("openapi", environ=here))["openapi"].startswith("3.1")
    assert succeeds("migrate", environ=here).startswith("The schema is now at ")
    assert succeeds("migrate", environ=here).startswith("The schema is already at ")


# --- accounts and keys ------------------------------------------------------------------------------


def test_an_account_is_made_once_and_with_a_password_worth_the_name(here: dict[str, str]) -> None:
    adding = ["user", "add", "ada@example.com", "--name", "Ada", "--role", "admin", "--password-stdin"]
    made = succeeds(*adding, environ=here, stdin=PASSWORD)
    assert made == "Ada (admin) signs in as ada@example.com.\n"
    assert "already" in one_line(process.run(*adding, environ=here, stdin=PASSWORD))
    adding[2] = "ada@work.example.com"
    assert "8 characters" in one_line(process.run(*adding, environ=here, stdin="short"))
    assert "no terminal" in one_line(process.run(*adding[:-1], environ=here))
    adding[2] = "ada"
    assert "not an e-mail address" in one_line(process.run(*adding, environ=here, stdin=PASSWORD))


def test_an_api_key_opens_the_api_until_it_is_revoked(folder: Path) -> None:
    with server_process(folder) as server:
        process.start(server)
        key = succeeds("apikey", "add", "crm", "--role", "dispatcher", environ=server.environ).strip()
        headers = {"Authorization": f"Bearer {key}"}

        def status() -> int:
            return httpx2.get(server.url + "/api/jobs", headers=headers).status_code

        assert status() == 200
        again = process.run("apikey", "add", "crm", "--role", "admin", environ=server.environ)
        assert "Already in use" in one_line(again)
        succeeds("apikey", "revoke", "crm", environ=server.environ)
        wait_until(lambda: status() == 401, seconds=3)
        gone = process.run("apikey", "revoke", "crm", environ=server.environ)
        assert "no API key named crm" in one_line(gone)


# --- the audit trail ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose audit trail has six rows, sealed."""
    folder = tmp_path_factory.mktemp("sealed") / "data"
    settings = load_settings({"JOBTHREAD_DATA_DIR": str(folder)})
    db = app.open_database(settings)
    try:
        asyncio.run(db.write(lambda tx: _six_people(tx)))
        assert asyncio.run(db.write(lambda tx: audit.seal(tx, app.audit_key(settings)))) == 6
    finally:
        db.close()
    return folder


def _six_people(tx: Writing) -> None:
    from jobthread.actions import people

    for name in ("Ada", "Dora", "Dan", "Tom", "Tara", "Theo"):
        people.enrol(tx, NOBODY, name, f"{name}@example.com", Role.DISPATCHER, PASSWORD_HASH)


@pytest.fixture
def trail(sealed: Path, folder: Path) -> Path:
    """The folder, for one test to tamper with."""
    return Path(shutil.copytree(sealed, folder))


def tamper(trail: Path, statement: str) -> None:
    with sqlite3.connect(trail / "jobthread.db") as connection:
        connection.execute(statement)
    connection.close()


def head_of(verified: str) -> str:
    return verified.partition("Its head is ")[2].split()[0]


def test_a_trail_as_it_was_written_is_whole(trail: Path, here: dict[str, str]) -> None:
    verified = succeeds("audit", "verify", environ=here)
    assert verified.startswith("The audit trail is whole: 6 rows, 0 waiting to be sealed.")
    head = head_of(verified)
    assert head.startswith("6:")
    assert head_of(succeeds("audit", "verify", "--expect", head, environ=here)) == head


def test_the_first_row_that_was_tampered_with_is_named(trail: Path, here: dict[str, str]) -> None:
    tamper(trail, "UPDATE audit_log SET actor_name = 'Nobody' WHERE position IN (3, 5)")
    verified = process.run("audit", "verify", environ=here)
    assert verified.returncode == 1
    fault = "row id 3 at position 3 was changed or inserted"
    assert verified.stdout == f"The audit trail is not as it was written: {fault}.\n"


def test_a_head_noted_down_that_is_not_in_the_chain_is_a_fault(trail: Path, here: dict[str, str]) -> None:
    earlier = process.run("audit", "verify", "--expect", "7:" + "0f" * 32, environ=here)
    assert earlier.returncode == 1
    assert "the head that was noted down is not in the chain" in earlier.stdout


def test_another_secret_key_did_not_sign_this_trail(trail: Path, here: dict[str, str]) -> None:
    environ = here | {"JOBTHREAD_SECRET_KEY": "another-key-another-key-another-key"}
    verified = process.run("audit", "verify", environ=environ)
    assert (verified.returncode, "not signed with this secret key" in verified.stdout) == (1, True)
