"""Open streams as cheap as Python allows, and a sender that keeps its pace: for measuring live updates."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from jobthread import app, load
from jobthread.actions import people, threads
from jobthread.bench import BENCH, session
from jobthread.entities import Actor, Role, Staff, Visibility
from jobthread.settings import load_settings
from jobthread.store.database import Writing

MESSAGE = b"event: message.created"
HOST = "127.0.0.1"
AT_ONCE = 100
"""Streams that are opened side by side."""
SENDERS = 8
TICKS_A_SECOND = 100


class Listener(asyncio.Protocol):
    """Counts the messages it hears; `heard` is called with their number and the moment."""

    def __init__(self, token: str, heard: Callable[[int, float], None] | None = None) -> None:
        self.token = token
        self.heard = heard
        self.count = 0
        self.lost = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(load.request("GET", "/api/chat/events", cookie(self.token)))

    def data_received(self, data: bytes) -> None:
        self._tail += data
        if not self.opened.done() and b"\nid: " in self._tail:
            self.opened.set_result(None)
        found = self._tail.count(MESSAGE)
        self._tail = self._tail[-len(MESSAGE) + 1 :] if self.opened.done() else self._tail
        if found:
            self.count += found
            if self.heard:
                self.heard(found, time.perf_counter())

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the stream did not open"))


async def opened(port: int, listeners: Iterable[Listener], buffer: int | None = None) -> list[Listener]:
    """All of them, once the server listens for each."""
    found = list(listeners)
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        await asyncio.gather(*(_connect(port, one, buffer) for one in some))
        await asyncio.wait_for(asyncio.gather(*(one.opened for one in some)), 30)
    return found


async def _connect(port: int, listener: Listener, buffer: int | None) -> None:
    line = socket.socket()
    if buffer is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, (HOST, port))
    await asyncio.get_running_loop().create_connection(lambda: listener, sock=line)


class Arrivals:
    """When the last of `listeners` had heard the n-th message."""

    def __init__(self, listeners: int) -> None:
        self.listeners = listeners
        self.at: list[float] = []
        self._missing: list[int] = []

    def ear(self) -> Callable[[int, float], None]:
        heard = 0

        def hear(found: int, now: float) -> None:
            nonlocal heard
            for number in range(heard, heard + found):
                while number >= len(self._missing):
                    self._missing.append(self.listeners)
                    self.at.append(0.0)
                self._missing[number] -= 1
                if not self._missing[number]:
                    self.at[number] = now
            heard += found

        return hear

    def complete(self, messages: int) -> bool:
        return len(self._missing) >= messages and not any(self._missing[:messages])


class Sender:
    """Sends on a few connections in turn, so that a slow answer does not hold up the next message."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def connect(self, connections: int = SENDERS) -> "Sender":
        for _ in range(connections):
            self._free.put_nowait(await asyncio.open_connection(HOST, self._port))
        return self

    async def send(self, thread_id: int, body: str) -> float:
        """Seconds until it was acknowledged."""
        reader, writer = await self._free.get()
        asked = json.dumps({"body": body}).encode()
        started = time.perf_counter()
        path = f"/api/chat/threads/{thread_id}/messages"
        writer.write(load.request("POST", path, cookie(self._token), asked))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201"), head[:40]
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
        self._free.put_nowait((reader, writer))
        return time.perf_counter() - started

    async def paced(self, thread_id: int, count: int, per_second: float) -> list[float]:
        """When each of `count` messages was sent, in the order in which they were."""
        sent, sending = [], []
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            sent.append(time.perf_counter())
            sending.append(asyncio.create_task(self.send(thread_id, f"The valve is in, {number}")))
        await asyncio.gather(*sending)
        return sent

    async def close(self) -> None:
        while not self._free.empty():
            self._free.get_nowait()[1].close()


# --- who is there ---------------------------------------------------------------------------------


class Crowd:
    """Staff with a session each, in groups that have a thread each."""

    def __init__(self, tokens: list[str], groups: list[list[str]], thread_ids: list[int]) -> None:
        self.tokens = tokens
        self.groups = groups
        self.thread_ids = thread_ids


def crowd(environ: dict[str, str], sizes: list[int]) -> Crowd:
    """A group of each of these sizes; nobody is in two."""
    db = app.open_database(load_settings(environ))
    try:
        return asyncio.run(db.write(lambda tx: _made(tx, sizes)))
    finally:
        db.close()


def _made(tx: Writing, sizes: list[int]) -> Crowd:
    groups, thread_ids = [], []
    for group, size in enumerate(sizes):
        staff = [_person(tx, f"p{group}-{n}") for n in range(size)]
        draft = threads.ThreadDraft(
            Visibility.INTERNAL, f"Thread {group}", [one.id for one in staff], None, None
        )
        thread_ids.append(threads.create(tx, Actor(staff[0], HOST, "bench"), draft).id)
        groups.append([session(tx, one) for one in staff])
    return Crowd([token for group in groups for token in group], groups, thread_ids)


def _person(tx: Writing, name: str) -> Staff:
    return people.enrol(tx, BENCH, name, f"{name}@example.com", Role.TECHNICIAN, None)


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"jobthread={token}"}


# --- the machine ----------------------------------------------------------------------------------


def raise_file_limit(wanted: int) -> None:
    """For this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    if min(wanted, hard) < wanted:
        raise SystemExit(f"This takes {wanted} open files; {hard} are allowed here.")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def at(values: Iterable[float], share: float) -> float:
    rising = sorted(values)
    return rising[min(len(rising) - 1, int(len(rising) * share))] if rising else 0.0


async def until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.perf_counter() + seconds
    while not true():
        if time.perf_counter() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True
