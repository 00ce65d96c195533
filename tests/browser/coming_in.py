"""What customers send from elsewhere: texts and mails, as the ways in hand them over."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from jobthread import app, mail_in
from jobthread.actions import texts
from jobthread.actions.texts import Incoming
from jobthread.entities import SenderKind
from jobthread.receive import taking
from jobthread.store import limits
from jobthread.texting import keyword
from tests.cast import Cast
from tests.receive.post import mail

_numbers = count(1)


def carol_texts(cast: Cast, body: str) -> None:
    text = Incoming("twilio", f"SM{next(_numbers)}", "+12025550101", body, keyword(body))
    cast.serving.write(lambda tx: texts.take_in(tx, texts.NOBODY, limits.OFF, text, None))


def carol_mails(cast: Cast, thread: dict[str, Any], body: str, **more: Any) -> bytes:
    """To the address that stands for her in this thread; answers the mail."""
    raw, settings = mail("reply@chat.example.com", body, **more), cast.serving.settings
    means = mail_in.means_of(settings, cast.serving.db, app.reply_key(settings), "chat.example.com")
    signed = (SenderKind.CUSTOMER, cast.boiler.customer.id), thread["id"]
    # In a thread of its own: Playwright's event loop runs in this one.
    with ThreadPoolExecutor(1) as own:
        own.submit(lambda: asyncio.run(taking.take(means, raw, [signed]))).result()
    return raw
