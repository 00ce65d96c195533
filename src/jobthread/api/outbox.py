"""A page for the demo alone: the mails and texts that went out, as their readers would find them."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from jobthread.api import docs
from jobthread.api.wire import moment
from jobthread.deliver import mailbox

SHOWN = 50
ADDRESS = re.compile(r"(https?://[^\s<>]+)")
"""Splits a text so that each second part is one."""


def pages(folder: Path, company: str) -> Sequence[HTTPRouteHandler]:
    """Holds working links and asks nobody who they are: never to be served with real data."""
    loader = PackageLoader("jobthread.api")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["moment"] = moment
    environment.filters["in_parts"] = ADDRESS.split
    template = environment.get_template("outbox.html")

    async def show_outbox(request: Request[Any, Any, Any]) -> Response[bytes]:
        items = await asyncio.to_thread(mailbox.recent, folder, SHOWN)
        page = template.render(items=items, company=company, stylesheet=docs.STYLE_PATH)
        return Response(page.encode(), media_type="text/html")

    return [HTTPRouteHandler("/dev/outbox", http_method="GET", status_code=200)(show_outbox)]
