"""The demo's page of what went out: links can be followed, and nothing else of a text becomes markup."""

import asyncio
from pathlib import Path

from litestar import Litestar
from litestar.testing import TestClient

from jobthread.api import outbox
from jobthread.deliver import sms
from jobthread.deliver.outgoing import Outgoing

LINK = "http://localhost/customer/chat?jobId=1&token=abc"


def test_links_can_be_followed_and_nothing_else_is_markup(tmp_path: Path) -> None:
    text = f'Look at <img src=x>, "Acme": {LINK}\nYours'
    outgoing = Outgoing(1, "k", 1_700_000_000_000_000, "+12025550123", "", "", text)

    async def goes_out() -> None:
        await sms.into_folder(tmp_path)(outgoing)

    asyncio.run(goes_out())
    with TestClient(Litestar(outbox.pages(tmp_path, "Acme"), openapi_config=None)) as anyone:
        page = anyone.get("/dev/outbox").text
    address = LINK.replace("&", "&amp;")
    assert f'<a href="{address}">{address}</a>\nYours' in page
    assert page.count("<a ") == 1
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
