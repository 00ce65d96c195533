"""Many at once: nothing is lost, doubled or out of order, on one server and on two over one database."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from tests import postgres, serving
from tests.api.conftest import database_url
from tests.cast import NOBODY, PASSWORD_HASH, YEAR, Cast, Colleague, gather, ok
from tests.serving import NO_CERTIFICATES, PATIENCE_SECONDS, Serving

from jobthread import tokens
from jobthread.actions import people as people_actions
from jobthread.entities import Role, Staff
from jobthread.store import sessions
from jobthread.store.database import Writing

Thread = dict[str, Any]


# --- the same message, many times at once ---------------------------------------------------------


def test_fifty_tries_at_once_to_send_one_message_make_one(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    said = {"body": "On my way", "client_msg_id": "once"}
    answers = asyncio.run(all_at_once([(client_of(cast.tom), path(thread), said)] * 50))
    one_message_of(answers)
    assert [row["body"] for row in cast.dora.reads(thread)] == ["", "On my way"]


def test_fifty_tries_at_once_of_a_customer_with_two_phones_make_one(cast: Cast) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    phones = [cast.opens(cast.dora.sends_link(cast.boiler, channels=[])) for _ in range(2)]
    cast.dora.post(f"/api/chat/threads/{thread['id']}/close")
    said = {"body": "Still cold", "client_msg_id": "once"}
    sends = [(client_of(phone), f"{phone.path}/messages", said) for phone in phones] * 25
    one_message_of(asyncio.run(all_at_once(sends)))
    assert [row["event"]["type"] for row in cast.dora.reads(thread) if row["event"]][1:] == [
        "closed",
        "reopened",
    ]
