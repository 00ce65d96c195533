"""Cookie, API key or magic token → Staff or Visitor, or 401. And no unsafe request from another site."""

import re
from typing import Any

from litestar import Request

from jobthread.api.parts import Parts
from jobthread.entities import Actor, Caller, Language, Visitor
from jobthread.errors import CrossSite, JobthreadError, LinkInvalid, NotAuthenticated, WrongJob
from jobthread.store.grounds import Ground, GroundKind
from jobthread.store.links import Standing
from jobthread.tokens import API_KEY_PREFIX, hash_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Asking = Request[Any, Any, Any]


async def stranger(request: Asking, parts: Parts) -> Actor:
    """Anyone at all; whatever cookies they bring are not looked at."""
    _check_same_site(request, parts)
    return actor(request, None)


async def staff_caller(request: Asking, parts: Parts) -> Actor:
    key = _bearer(request)
    if key is not None:
        staff = await parts.callers.staff_of_api_key(hash_of(key)) if key.startswith(API_KEY_PREFIX) else None
    else:
        _check_same_site(request, parts)
        token = session_token(request, parts)
        staff = await parts.callers.staff_of_session(hash_of(token)) if token else None
    if staff is None:
        raise NotAuthenticated
    return actor(request, staff)


def ground_of(request: Asking, parts: Parts, caller: Caller) -> Ground:
    """The secret that this caller was let in by, to be asked for again while they stay."""
    token = _bearer(request)
    if isinstance(caller, Visitor):
        if token is not None:
            return Ground(GroundKind.TOKEN, hash_of(token))
        return Ground(GroundKind.COOKIE, hash_of(_visitor_cookies(request, parts)[0]))
    if token is not None:
        return Ground(GroundKind.API_KEY, hash_of(token))
    return Ground(GroundKind.SESSION, hash_of(session_token(request, parts) or ""))


async def visitor_caller(request: Asking, parts: Parts) -> Actor:
    """A customer, for the job that the path names. Raises `WrongJob` for any other job."""
    token = _bearer(request)
    if token is not None:
        visitor = _good(await parts.callers.link_of_token(hash_of(token)), LinkInvalid())
    else:
        _check_same_site(request, parts)
        visitor = await _visitor_of_cookies(request, parts)
    if visitor.job_id != request.path_params["job_id"]:
        raise WrongJob
    return actor(request, visitor)


async def _visitor_of_cookies(request: Asking, parts: Parts) -> Visitor:
    for token in _visitor_cookies(request, parts):
        return _good(await parts.callers.link_of_cookie(hash_of(token)), NotAuthenticated())
    raise NotAuthenticated


def _visitor_cookies(request: Asking, parts: Parts) -> list[str]:
    """One browser may hold links to several jobs: the cookie of the job asked for goes first."""
    prefix = _prefix(parts) + "jobthread_job_"
    held = {name: value for name, value in _cookies(request).items() if name.startswith(prefix)}
    mine = f"{prefix}{request.path_params['job_id']}"
    return [held[name] for name in sorted(held, key=lambda name: name != mine)]


def _good(found: Standing | JobthreadError | None, otherwise: JobthreadError) -> Visitor:
    if isinstance(found, Standing):
        return found.visitor
    raise found or otherwise


# --- cookies --------------------------------------------------------------------------------------


def session_token(request: Asking, parts: Parts) -> str | None:
    return _cookies(request).get(_session_cookie(parts))


def session_cookie(parts: Parts, token: str) -> str:
    """`Set-Cookie` for a session; the server decides when it ends, the browser just keeps it."""
    return _cookie(_session_cookie(parts), token, 400 * 86_400, parts)


def ended_session_cookie(parts: Parts) -> str:
    return _cookie(_session_cookie(parts), "", 0, parts)


def visitor_cookie(parts: Parts, job_id: int, token: str, seconds: int) -> str:
    return _cookie(f"{_prefix(parts)}jobthread_job_{job_id}", token, seconds, parts)


def _session_cookie(parts: Parts) -> str:
    return _prefix(parts) + "jobthread"


def _prefix(parts: Parts) -> str:
    return "__Host-" if parts.https else ""


def _cookie(name: str, value: str, seconds: int, parts: Parts) -> str:
    secure = "; Secure" if parts.https else ""
    return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _cookies(request: Asking) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in request.headers.get("cookie", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def place_of(request: Asking, parts: Parts) -> str:
    """Names the browser or program that asks, and no other of the same person."""
    secret = _bearer(request) or session_token(request, parts)
    if "job_id" in request.path_params:
        secret = secret or _cookies(request).get(
            f"{_prefix(parts)}jobthread_job_{request.path_params['job_id']}"
        )
    return hash_of(secret or "")[:8].hex()


def asks_for(request: Asking) -> Language | None:
    """The language of ours that a browser wants most."""
    wanted: list[tuple[float, Language]] = []
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        known = [language for language in Language if tag.lower().split("-")[0] == language]
        if known:
            wanted.append((_weight(weight), known[0]))
    # The first of those that are wanted alike.
    return max(wanted, key=lambda one: one[0])[1] if wanted else None


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


# --- where a request comes from -------------------------------------------------------------------


def _bearer(request: Asking) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _check_same_site(request: Asking, parts: Parts) -> None:
    """Raises `CrossSite` for an unsafe request that a page of another origin made the browser send."""
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise CrossSite
    origin = request.headers.get("origin")
    if origin is not None and origin not in _own_origins(request, parts):
        raise CrossSite


def _own_origins(request: Asking, parts: Parts) -> tuple[str, str]:
    return parts.base_url, f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def actor(request: Asking, caller: Caller | None) -> Actor:
    client = request.scope["client"]
    agent = request.headers.get("user-agent", "")
    request.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]  # for the log line
    return Actor(caller, (client[0] if client else "")[:45], _CONTROLS.sub(" ", agent)[:400])
