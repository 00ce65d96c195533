"""What browsers load, read once at the start: the staff's app, the customer's page, the API's description."""

import base64
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from jobthread.api import docs, problems
from jobthread.api.front import CSP, CSP_HEADER

FOLDER = Path(__file__).parent.parent / "web"
"""Where the build of `web/` goes."""

SCREENS = (
    "/",
    "/messages",
    "/messages/{on:str}",
    "/jobs",
    "/jobs/{on:str}",
    "/people",
    "/audit",
    "/deliveries",
    "/mails",
    "/account",
)
"""The addresses of the staff's app; whether there is such a thread or job, it learns by its calls."""

NUMBER = re.compile(r"[1-9][0-9]{0,15}")
SHOWN: Final = ("GET", "HEAD")

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
        *(_screen(path, staff) for path in SCREENS),
        _handler("/customer/chat", customer),
        *(_handler(path, page) for path, page in _files()),
        # Browsers ask for it on every page that names no icon, as one of plain JSON.
        _handler("/favicon.ico", _built("icons/icon-192.png", ASK_EACH_TIME)),
        _handler("/api/docs", Page(docs.docs_page(document).encode(), MEDIA_TYPES[".html"], ASK_EACH_TIME)),
        _handler(docs.STYLE_PATH, Page(docs.STYLE, MEDIA_TYPES[".css"], FOR_EVER)),
    ]


def nowhere() -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    """What stands at an address that is nothing: the app, which says so, for people; a problem for programs.

    Raises `NotBuilt`.
    """
    staff = _built("staff.html", "no-store")

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        people = request.method in SHOWN and "text/html" in request.headers.get("accept", "")
        if not people or request.scope["path"].startswith("/api/"):
            return problems.answer(request, error)
        return _sent(request, staff, 404)

    return answer


def _screen(path: str, staff: Page) -> HTTPRouteHandler:
    show = _shown(staff)

    async def show_what_is_there(request: Request[Any, Any, Any]) -> Response[bytes]:
        on = request.path_params.get("on", "1")
        is_new_thread = on == "new" and path.startswith("/messages")
        if not NUMBER.fullmatch(on) and not is_new_thread:
            raise NotFoundException
        return await show(request)

    return HTTPRouteHandler(path, http_method=SHOWN, status_code=200)(show_what_is_there)


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
    return HTTPRouteHandler(path, http_method=SHOWN, status_code=200)(_shown(page))


def _shown(page: Page) -> Callable[[Request[Any, Any, Any]], Awaitable[Response[bytes]]]:
    etag = page.etag

    async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        if etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers={"ETag": etag, **_headers(page)})
        return _sent(request, page, 200, {"ETag": etag})

    return show


def _sent(
    request: Request[Any, Any, Any], page: Page, status: int, more: Mapping[str, str] | None = None
) -> Response[bytes]:
    headers = {**_headers(page), **(more or {})}
    body = page.body
    if encoding := _encoding(request, page):
        headers["Content-Encoding"] = encoding
        body = page.packed[encoding]
    return Response(body, status_code=status, media_type=page.media_type, headers=headers)


def _headers(page: Page) -> dict[str, str]:
    headers = {"Cache-Control": page.cache, **page.headers}
    return headers | {"Vary": "Accept-Encoding"} if page.packed else headers


def _encoding(request: Request[Any, Any, Any], page: Page) -> str | None:
    accepted = {
        part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")
    }
    return next((encoding for encoding in page.packed if encoding in accepted), None)
