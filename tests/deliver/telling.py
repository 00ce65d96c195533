"""A server that tells people what they have not read, a real mail server beside it, and who got what."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import and_, or_, select

from jobthread.actions import notifications as telling_actions
from jobthread.deliver import mailbox, push, worker
from jobthread.store import notifications
from jobthread.store.database import Reading
from jobthread.store.tables import deliveries
from tests import serving
from tests.cast import Cast, Colleague, CustomerAtHome, ok
from tests.deliver.mail_server import MailServer, mail_server, text_of
from tests.serving import Serving, wait_until

REPLY_ADDRESS = "reply@mail.example.com"
MINUTE = 60
MOMENT = 100_000
"""Microseconds within which something is due now: it may have been put there after this look began."""


@dataclass
class Town:
    """The people, their server, and the post."""

    cast: Cast
    post: MailServer
    folder: Path
    seen: int = 0

    @property
    def server(self) -> Serving:
        return self.cast.serving

    def passes(self, *, seconds: float = 0, hours: float = 0) -> None:
        """Time passes, and all that is due by then is done."""
        self.rests()
        self.server.clock.pass_time(seconds=seconds, hours=hours)
        self.rests()

    def rests(self) -> None:
        """Until nothing is left to do at this moment."""
        wait_until(lambda: self.server.read(_at_rest))

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """Since the last look, in the order in which they came."""
        self.rests()
        with_recipients = zip(self.post.mails(), self.post.recipients, strict=True)
        return [mail for mail, address in with_recipients if to in (None, address)]

    def told(self) -> list[str]:
        """Who got a mail, by the order in which it came."""
        self.rests()
        return list(self.post.recipients)

    def texts(self) -> list[mailbox.Item]:
        self.rests()
        return [item for item in mailbox.recent(self.folder / "outbox", 50) if item.channel == "sms"]

    def forget_mails(self) -> None:
        self.rests()
        self.post.accepted.clear()
        self.post.recipients.clear()

    def statuses(self) -> list[tuple[str, str, str | None]]:
        """Of notifications: for whom, how they stand, and why."""
        found = ok(self.cast.ada.get("/api/deliveries"))["deliveries"]
        mine = [one for one in found if one["kind"] == "notification"]
        return [(one["recipient"]["name"], one["status"], one["error"]) for one in mine]

    # What people do.

    def talk(self, *people: Colleague, **more: Any) -> dict[str, Any]:
        """Dora's thread with them, in which nothing was said yet."""
        return self.cast.dora.opens_thread(*people, **more)

    def with_carol(self, *people: Colleague) -> dict[str, Any]:
        return self.talk(*people, job=self.cast.boiler, visibility="customer_visible", subject="Your boiler")

    def carol_comes_in(self, **asked: Any) -> CustomerAtHome:
        """Invited by mail, unless `channels` says otherwise; the invitation is out of the way."""
        asked.setdefault("channels", ["email"])
        link = self.cast.dora.sends_link(self.cast.boiler, **asked)
        carol = self.cast.opens(link)
        self.forget_mails()
        return carol

    def shows(self, who: Colleague | CustomerAtHome, visible: bool) -> None:
        path = "/api/chat/presence"
        if isinstance(who, CustomerAtHome):
            path = f"/api/chat/customer/jobs/{who.job_id}/presence"
        ok(who.http.post(path, json={"visible": visible}), 204)

    def marks_read(self, who: Colleague, thread: dict[str, Any], **up_to: Any) -> None:
        ok(who.post(f"/api/chat/threads/{thread['id']}/read", up_to))

    def prefers(self, who: Colleague, **changes: Any) -> dict[str, Any]:
        answer: dict[str, Any] = ok(who.patch("/api/auth/preferences", changes))
        return answer


def _at_rest(tx: Reading) -> bool:
    """Twice: PostgreSQL answers each question as of its own moment, and one thing brings another about."""
    return all(_nobody_to_tell(tx) and _nothing_to_send(tx) for _ in range(2))


def _nobody_to_tell(tx: Reading) -> bool:
    found, _ = notifications.seeds(tx)
    next_look = notifications.next_look(tx)
    return not found and (next_look is None or next_look > tx.now + MOMENT)


def _nothing_to_send(tx: Reading) -> bool:
    queued = and_(deliveries.c.status == "queued", deliveries.c.due_at <= tx.now + MOMENT)
    busy = select(deliveries.c.id).where(or_(deliveries.c.status == "sending", queued))
    return tx.conn.execute(busy.limit(1)).first() is None


def words_of(mail: EmailMessage) -> str:
    return text_of(mail).replace("\r\n", "\n")


@contextmanager
def town_server(url: str, folder: Path, **environ: str) -> Iterator[tuple[Serving, MailServer]]:
    """A server that looks for something to do all the time, and a mail server that it sends by."""
    with pytest.MonkeyPatch.context() as quickly, mail_in_a_thread() as post:
        quickly.setattr(telling_actions, "LOOK_SECONDS", 0.02)
        quickly.setattr(worker, "LOOK_SECONDS", 0.02)
        quickly.setattr(push, "public_address", on_this_machine)
        given = {"SMTP_URL": f"smtp://127.0.0.1:{post.port}?starttls=off", "REPLY_ADDRESS": REPLY_ADDRESS}
        running = serving.serve(url, folder, **(given | environ))
        try:
            yield running, post
        finally:
            running.stop()


async def on_this_machine(host: str, port: int) -> str:
    """Where the push service of these tests is; the real one never connects to our own network."""
    return "127.0.0.1"


@dataclass
class _Loop:
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    done: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def mail_in_a_thread() -> Iterator[MailServer]:
    """The mail server of the other tests, for those that are not asynchronous."""
    own, ready, found = _Loop(), threading.Event(), []

    async def serve() -> None:
        async with mail_server() as post:
            found.append(post)
            ready.set()
            await own.done.wait()
        # Connections that are still open close with their tasks, and not when somebody else's test runs.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: own.loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        own.loop.call_soon_threadsafe(own.done.set)
        thread.join(10)
        own.loop.close()
