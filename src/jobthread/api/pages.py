"""Pages for people's browsers, made once: what this server is, and how to talk to it."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from jobthread.api import docs

HTML = "text/html"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"


def pages(document: dict[str, Any], company: str) -> Sequence[HTTPRouteHandler]:
    return [
        _page("/", docs.start_page(company).encode(), HTML, ASK_EACH_TIME),
        _page("/api/docs", docs.docs_page(document).encode(), HTML, ASK_EACH_TIME),
        _page(docs.STYLE_PATH, docs.STYLE, "text/css", FOR_EVER),
    ]


def _page(path: str, body: bytes, media_type: str, cache: str) -> HTTPRouteHandler:
    async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(body, media_type=media_type, headers={"Cache-Control": cache})

    return HTTPRouteHandler(path, http_method="GET", status_code=200)(show)
