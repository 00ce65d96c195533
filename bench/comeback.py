"""A server that is killed with 2,000 streams open and started again: when has everybody caught up?"""

import argparse
import asyncio
import json
import random
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvloop

from bench.live import environment
from bench.streams import HOST, Crowd, at, cookie, crowd, raise_file_limit, until
from jobthread import load
from jobthread.bench import child_on_first_core, pin, resident_mb

GROUPS = 20
PEOPLE = 10
EACH = 10
"""Streams of one person: 2,000 in all."""
PER_SECOND = 20.0
BEFORE_SECONDS = 5.0
AFTER_SECONDS = 10.0
PATIENCE_SECONDS = 60.0


class Client:
    """Does what clients have to: comes back when it was told to, and asks for what it missed."""

    def __init__(self, port: int, token: str, thread_id: int) -> None:
        self.port = port
        self.token = token
        self.thread_id = thread_id
        self.seq = 0
        """All up to it are known."""
        self.last_id = ""
        self.retry = 3.0
        self.back_at = 0.0

    async def live(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self.listen()
            await asyncio.sleep(self.retry)

    async def listen(self) -> None:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        headers = cookie(self.token) | ({"last-event-id": self.last_id} if self.last_id else {})
        try:
            writer.write(load.request("GET", "/api/chat/events", headers))
            if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"):
                return
            first, name, data = True, b"", b""
            while line := await reader.readline():
                key, _, value = line.rstrip(b"\n").partition(b": ")
                if key == b"event":
                    name = value
                elif key == b"data":
                    data = value
                elif key == b"retry":
                    self.retry = int(value) / 1000
                elif key == b"id":
                    self.last_id = value.decode()
                    if first:
                        await self.catch_up()
                        # A `resync` that came with it is done, too.
                        self.back_at, first, name = time.perf_counter(), False, b""
                elif name:
                    await self.hear(name, data)
                    name = b""
        finally:
            writer.close()

    async def hear(self, name: bytes, data: bytes) -> None:
        if name == b"resync":
            await self.catch_up()
        elif name == b"message.created":
            seq = json.loads(data)["message"]["seq"]
            if seq > self.seq + 1:
                await self.catch_up()
            self.seq = max(self.seq, seq)

    async def catch_up(self) -> None:
        more = True
        while more:
            path = f"/api/chat/threads/{self.thread_id}/messages?after_seq={self.seq}&limit=100"
            status, answer = await call(self.port, load.request("GET", path, cookie(self.token)))
            assert status == 200, status
            seqs = [message["seq"] for message in answer["messages"]]
            assert seqs == list(range(self.seq + 1, self.seq + 1 + len(seqs))), "a hole"
            self.seq += len(seqs)
            more = answer["has_more"]


async def call(port: int, request: bytes) -> tuple[int, dict[str, Any]]:
    """On a connection of its own."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        return int(head[9:12]), json.loads(await reader.readexactly(length))
    finally:
        writer.close()


class Sending:
    """A message every so often into the next thread, each repeated until it is acknowledged."""

    def __init__(self, port: int, made: Crowd) -> None:
        self.port = port
        self.made = made
        self.waits: list[tuple[float, float]] = []
        """When the attempt that was acknowledged began, and how long it took."""
        self.last_seq: dict[int, int] = {}
        self.done = False

    async def go_on(self) -> None:
        under_way: set[asyncio.Task[None]] = set()
        number = 0
        while not self.done:
            task = asyncio.create_task(self.send(number))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            number += 1
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.gather(*under_way)

    async def send(self, number: int) -> None:
        group = number % GROUPS
        thread_id = self.made.thread_ids[group]
        body = json.dumps({"body": f"number {number}", "client_msg_id": f"n-{number}"}).encode()
        path = f"/api/chat/threads/{thread_id}/messages"
        asked = load.request("POST", path, cookie(self.made.groups[group][0]), body)
        while True:
            began = time.perf_counter()
            with suppress(OSError, asyncio.IncompleteReadError):
                status, answer = await call(self.port, asked)
                if status in (200, 201):
                    seq = int(answer["seq"])
                    self.waits.append((began, time.perf_counter() - began))
                    self.last_seq[thread_id] = max(seq, self.last_seq.get(thread_id, 0))
                    return
            await asyncio.sleep(random.uniform(0.2, 1.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="an empty PostgreSQL database")
    asked = parser.parse_args()
    raise_file_limit(8_192)
    pin(1)
    with tempfile.TemporaryDirectory(prefix="jobthread-comeback-") as folder:
        environ = environment(folder, asked.database)
        made = crowd(environ, [PEOPLE] * GROUPS)
        uvloop.run(measured(environ, made))


async def measured(environ: dict[str, str], made: Crowd) -> None:
    port = int(environ["JOBTHREAD_PORT"])
    clients = [
        Client(port, token, thread_id)
        for thread_id, group in zip(made.thread_ids, made.groups, strict=True)
        for token in group
        for _ in range(EACH)
    ]
    with child_on_first_core(["server"], environ, port) as process:
        living = [asyncio.create_task(client.live()) for client in clients]
        sending = Sending(port, made)
        sends = asyncio.create_task(sending.go_on())
        assert await until(lambda: all(one.back_at for one in clients), PATIENCE_SECONDS), "not all are there"
        await asyncio.sleep(BEFORE_SECONDS)
        process.kill()
        killed = time.perf_counter()
        process.wait()
    async with started_apart(environ, port) as process:
        up = time.perf_counter()
        goal = dict(sending.last_seq)
        caught_up = await until(lambda: all(is_back(one, killed, goal) for one in clients), PATIENCE_SECONDS)
        took = time.perf_counter() - up
        await asyncio.sleep(max(0.0, AFTER_SECONDS - took))
        sending.done = True
        await sends
        know_all = await until(
            lambda: all(one.seq >= sending.last_seq[one.thread_id] for one in clients), PATIENCE_SECONDS
        )
        waits = [wait for began, wait in sending.waits if began >= up]
        print(
            f"{len(clients):,} clients; down for {up - killed:.1f} s; "
            f"{'all' if caught_up else 'NOT all'} caught up {took:.1f} s after the start "
            f"({'nothing missed' if know_all else 'SOMETHING MISSED'})\n"
            f"sends meanwhile: {len(waits)}, p50 {at(waits, 0.5) * 1000:.0f} ms, "
            f"p99 {at(waits, 0.99) * 1000:.0f} ms, slowest {max(waits) * 1000:.0f} ms; "
            f"resident {resident_mb(process.pid):.0f} MB",
            flush=True,
        )
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)


@asynccontextmanager
async def started_apart(environ: dict[str, str], port: int) -> "AsyncIterator[subprocess.Popen[bytes]]":
    """While the clients go on trying."""
    starting = child_on_first_core(["server"], environ, port)
    process = await asyncio.to_thread(starting.__enter__)
    try:
        yield process
    finally:
        starting.__exit__(None, None, None)


def is_back(client: Client, killed: float, goal: dict[int, int]) -> bool:
    """Some are let in before this process has heard that the server is there again."""
    return client.back_at > killed and client.seq >= goal.get(client.thread_id, 0)


if __name__ == "__main__":
    main()
