"""What browsers load, read once at the start: the staff's app, the customer's page, the API's description."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from jobthread.api import docs
from jobthread.api.front import CSP, CSP_HEADER

FOLDER = Path(__file__).parent.parent / "web"
"""Where the build of `web/` goes."""

SCREENS = ("/", "/messages", "/messages/{on:str}", "/jobs", "/jobs/{on:str}", "/people", "/audit", "/account")
"""The addresses of the staff's app; what stands at each is the app's own business."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"
MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


class NotBuilt(FileNotFoundError):
    """The web app was not built into the package."""


@dataclass(frozen=True)
class Page:
    """One file as it is sent; `packed` holds it once more for each encoding that the build made."""

    body: bytes
    media_type: str
    cache: str
    packed: Mapping[str, bytes] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:16]}"'


def pages(document: dict[str, Any]) -> Sequence[HTTPRouteHandler]:
    """Raises `NotBuilt`."""
    staff, customer = _built("staff.html", ASK_EACH_TIME), _customer_page()
    return [
        *(_handler(path, staff) for path in SCREENS),
        _handler("/customer/chat", customer),
        *(_handler(path, page) for path, page in _files()),
        # Browsers ask for it on every page that names no icon, as one of plain JSON.
        _handler("/favicon.ico", _built("icons/icon-192.png", ASK_EACH_TIME)),
        _handler("/api/docs", Page(docs.docs_page(document).encode(), MEDIA_TYPES[".html"], ASK_EACH_TIME)),
        _handler(docs.STYLE_PATH, Page(docs.STYLE, MEDIA_TYPES[".css"], FOR_EVER)),
    ]


def _customer_page() -> Page:
    """Its script and styles stand in the page itself, and the policy names them by their hashes."""
    page = _built("customer.html", ASK_EACH_TIME)
    allowed = (f"script-src {_hashes('script', page.body)}", f"style-src {_hashes('style', page.body)}")
    return Page(page.body, page.media_type, page.cache, page.packed, {CSP_HEADER: "; ".join((CSP, *allowed))})


def _hashes(tag: str, html: bytes) -> str:
    found = re.findall(rb"<%b(?: [^>]*)?>(.*?)</%b>" % (tag.encode(), tag.encode()), html, re.DOTALL)
    digests = [base64.b64encode(sha256(text).digest()).decode() for text in found]
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _files() -> Iterator[tuple[str, Page]]:
    for file in sorted(FOLDER.rglob("*")):
        name = file.relative_to(FOLDER).as_posix()
        if file.suffix in MEDIA_TYPES and file.suffix != ".html" and not name.startswith("."):
            yield f"/{name}", _built(name, FOR_EVER if name.startswith("assets/") else ASK_EACH_TIME)


def _built(name: str, cache: str) -> Page:
    file = FOLDER / name
    if not file.exists():
        raise NotBuilt(f"The web app is not built ({name} is missing): python web/build.py")
    packed = {
        encoding: packed.read_bytes()
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz"))
        if (packed := file.with_name(file.name + suffix)).exists()
    }
    return Page(file.read_bytes(), MEDIA_TYPES[file.suffix], cache, packed)


def _handler(path: str, page: Page) -> HTTPRouteHandler:
    etag = page.etag
    fixed = {"Cache-Control": page.cache, "ETag": etag, **page.headers}
    if page.packed:
        fixed["Vary"] = "Accept-Encoding"

    async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        if etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=fixed)
        encoding = _encoding(request, page)
        headers = {**fixed, "Content-Encoding": encoding} if encoding else fixed
        body = page.packed[encoding] if encoding else page.body
        return Response(body, media_type=page.media_type, headers=headers)

    return HTTPRouteHandler(path, http_method=["GET", "HEAD"], status_code=200)(show)


def _encoding(request: Request[Any, Any, Any], page: Page) -> str | None:
    accepted = {
        part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")
    }
    return next((encoding for encoding in page.packed if encoding in accepted), None)
