"""`jobthread serve`, as a process: what it prints works, it starts once, and it stops when told."""

import json
import shlex
import signal
import socket
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.cast import PASSWORD, exchange_of
from tests.faults import process
from tests.faults.process import ServerProcess, environment, server_process, wait_until
from tests.terminal import one_line, succeeds

STOPS_WITHIN_SECONDS = 5.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the data will be; the program makes it."""
    return tmp_path / "data"


@pytest.fixture
def here(folder: Path) -> dict[str, str]:
    """The settings of whoever sits at this terminal."""
    return environment(folder)


def signs_in(server: ServerProcess, email: str, password: str) -> int:
    asked = {"email": email, "password": password}
    return httpx2.post(server.url + "/api/auth/login", json=asked).status_code


def printed(server: ServerProcess) -> str:
    """What it told the person at the terminal since it was started: without the log lines between."""
    return "\n".join(line for line in server.log.read_text().splitlines() if not line.startswith("{"))


# --- the first start ------------------------------------------------------------------------------


def test_a_fresh_server_says_how_to_make_the_first_admin_and_that_works(folder: Path) -> None:
    with server_process(folder) as server:
        process.start(server)
        assert f"Jobthread is at http://localhost:{server.port}" in printed(server)
        [said] = [line for line in printed(server).splitlines() if "jobthread user add" in line]
        program, *command = shlex.split(said)
        assert program == "jobthread"
        succeeds(*command, "--password-stdin", environ=server.environ, stdin=f"{PASSWORD}\n")
        assert signs_in(server, "you@example.com", PASSWORD) == 200
        assert signs_in(server, "you@example.com", PASSWORD + "!") == 401
        process.stop(server)
        server.log.unlink()
        process.start(server)
        assert "Nobody can sign in yet" not in printed(server)


# --- the demo -------------------------------------------------------------------------------------


def test_all_that_the_demo_prints_works_at_the_first_start_and_at_the_second(folder: Path) -> None:
    links = []
    with server_process(folder) as server:
        for _ in range(2):
            process.start(server, "--demo")
            links.append(link_of(printed(server)))
            assert_sign_ins_work(server)
            assert_link_works(server, links[-1])
            process.stop(server)
            server.log.unlink()
        process.start(server, "--demo")
        assert_link_works(server, links[0])
    assert links[0] != links[1]


def assert_sign_ins_work(server: ServerProcess) -> None:
    lines = printed(server).splitlines()
    [place] = [place for place, line in enumerate(lines) if "Sign in, password" in line]
    password = lines[place].split()[-1].removesuffix(":")
    people = [line.split() for line in lines[place + 1 : place + 5]]
    assert [role for _, role in people] == ["admin", "dispatcher", "technician", "technician"]
    for email, role in people:
        with httpx2.Client(base_url=server.url) as browser:
            browser.post("/api/auth/login", json={"email": email, "password": password})
            assert browser.get("/api/auth/me").json()["user"]["role"] == role
            waiting = browser.get("/api/chat/threads", params={"waiting": "true"}).json()["threads"]
            seen = [] if email == "tom@example.com" else ["Your roof"]
            assert [thread["subject"] for thread in waiting] == seen, "one customer waits"


def link_of(greeting: str) -> str:
    [link] = [line.strip() for line in greeting.splitlines() if "/customer/chat?" in line]
    return link


def test_the_demos_sign_ins_are_told_to_anyone_and_those_of_no_other_server_are(folder: Path) -> None:
    with server_process(folder) as server:
        process.start(server, "--demo")
        told = httpx2.get(server.url + "/api/about").json()
        assert (told["company"], told["demo"]) == ("Jobthread", True)
        roles = [one["role"] for one in told["sign_ins"]]
        assert roles == ["admin", "dispatcher", "technician", "technician"]
        for one in told["sign_ins"]:
            assert set(one) == {"email", "role", "password"}
            assert signs_in(server, one["email"], one["password"]) == 200
        process.stop(server)
        process.start(server)
        told = httpx2.get(server.url + "/api/about").json()
        assert (told["demo"], told["sign_ins"]) == (False, [])


def assert_link_works(server: ServerProcess, link: str) -> None:
    assert urlsplit(link).port == server.port
    opened = httpx2.post(server.url + "/api/chat/customer/session", json=exchange_of(link))
    assert opened.status_code == 200
    assert opened.json()["customer"] == {"name": "Carol Jensen"}
    assert opened.json()["view"]["messages"] != []


def test_the_demo_keeps_its_hands_off_a_real_company(folder: Path, here: dict[str, str]) -> None:
    adding = ["user", "add", "ada@example.com", "--name", "Ada", "--role", "admin", "--password-stdin"]
    succeeds(*adding, environ=here, stdin=PASSWORD)
    before = rows_of(folder / "jobthread.db")
    refused = process.run("serve", "--demo", "--port", str(process.free_port()), environ=here)
    assert "real company" in one_line(refused)
    assert rows_of(folder / "jobthread.db") == before


def rows_of(file: Path) -> list[str]:
    with sqlite3.connect(file) as connection:
        return list(connection.iterdump())


# --- starting and stopping ------------------------------------------------------------------------


def test_a_second_server_on_the_same_sqlite_file_is_refused(folder: Path) -> None:
    with server_process(folder) as first:
        process.start(first)
        second = process.run("serve", "--port", str(process.free_port()), environ=first.environ)
        assert "Another Jobthread server" in one_line(second)
        assert process.is_ready(first)
        # The lock goes with the process, however that ended.
        process.kill(first)
        process.start(first)


def test_a_port_that_is_taken_ends_the_start(here: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = process.run("serve", "--port", str(taken.getsockname()[1]), environ=here)
    assert refused.returncode != 0
    assert "address already in use" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_told_to_stop_it_answers_what_is_under_way_first(folder: Path) -> None:
    with server_process(folder) as server:
        process.start(server, "--demo")
        asked = json.dumps({"email": "ada@example.com", "password": "demo"}).encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(_LOGIN % len(asked) + asked[:10])
            wait_until(lambda: process.is_ready(server))
            assert server.process
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "Shutting down" in server.log.read_text())
            connection.sendall(asked[10:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        status, seconds = process.stop(server)
    assert status in (0, -signal.SIGTERM)
    assert seconds < STOPS_WITHIN_SECONDS


_LOGIN = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def test_a_client_that_never_finishes_does_not_hold_up_the_end(folder: Path) -> None:
    with server_process(folder) as server:
        process.start(server)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(_LOGIN % 100)
            wait_until(lambda: process.is_ready(server))
            _, seconds = process.stop(server)
    assert seconds < STOPS_WITHIN_SECONDS + 3
