"""Who is there, and who wants to be told how."""

from typing import Any

from jinja2 import Environment, PackageLoader
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET

from jobthread.actions import preferences
from jobthread.actions.quiet_hours import time_zones
from jobthread.api import delivery_shapes, docs, fields
from jobthread.api.caller import asks_for, place_of
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer, no_content
from jobthread.entities import Language, Preferences
from jobthread.errors import Invalid, NotFound
from jobthread.tokens import signed_numbers

calls = Calls()

UNSUBSCRIBE = "/api/chat/unsubscribe/{token:str}"


# --- preferences ----------------------------------------------------------------------------------


@calls.add("GET", "/api/auth/preferences", Who.STAFF, answers={200: delivery_shapes.Preferences})
async def get_preferences(asked: Asked[None, Nothing]) -> Response[bytes]:
    """How one wants to be told of what one has not read."""
    return answer(_shown(*await asked.parts.db.read(lambda tx: preferences.own(tx, asked.by))))


@calls.add(
    "PATCH",
    "/api/auth/preferences",
    Who.STAFF,
    body=delivery_shapes.PreferencesChange,
    answers={200: delivery_shapes.Preferences},
)
async def change_preferences(asked: Asked[delivery_shapes.PreferencesChange, Nothing]) -> Response[bytes]:
    """Change what is given. Quiet hours put off until their end what would be told during them."""
    changes = _changes(asked.body, asked.parts.country)
    return answer(_shown(*await asked.parts.db.write(lambda tx: preferences.change(tx, asked.by, changes))))


def _changes(asked: delivery_shapes.PreferencesChange, country: str) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in ("email", "push"):
        if (given := getattr(asked, name)) is not UNSET:
            changes[name] = given == "on"
    for name in ("quiet_from", "quiet_until"):
        if (given := getattr(asked, name)) is not UNSET:
            changes[name] = None if given is None else int(given[:2]) * 60 + int(given[3:])
    if asked.time_zone is not UNSET:
        changes["time_zone"] = fields.line(asked.time_zone, "time_zone")
        if changes["time_zone"] not in time_zones():
            raise Invalid("time_zone", "is no time zone that this server knows, like Europe/Madrid")
    if asked.language is not UNSET:
        changes["language"] = asked.language
    if asked.phone is not UNSET:
        changes["phone"] = fields.phone(asked.phone, country, "phone") if asked.phone else None
    return changes


def _shown(wanted: Preferences, muted: list[int]) -> delivery_shapes.Preferences:
    return delivery_shapes.Preferences(
        email="on" if wanted.email else "off",
        push="on" if wanted.push else "off",
        quiet_from=_time(wanted.quiet_from),
        quiet_until=_time(wanted.quiet_until),
        time_zone=wanted.time_zone,
        language=wanted.language,
        phone=wanted.phone,
        muted_thread_ids=muted,
    )


def _time(minutes: int | None) -> str | None:
    return None if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


@calls.add(
    "PUT", "/api/chat/threads/{thread_id:int}/mute", Who.STAFF, answers={204: None}, errors=(NotFound,)
)
async def mute_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Be told no more of what is said in this thread; what is unread stays so."""
    thread_id = asked.id("thread_id")
    await asked.parts.db.write(lambda tx: preferences.mute(tx, asked.by, thread_id))
    return no_content()


@calls.add(
    "DELETE", "/api/chat/threads/{thread_id:int}/mute", Who.STAFF, answers={204: None}, errors=(NotFound,)
)
async def unmute_thread(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Be told again."""
    thread_id = asked.id("thread_id")
    await asked.parts.db.write(lambda tx: preferences.unmute(tx, asked.by, thread_id))
    return no_content()


# --- presence -------------------------------------------------------------------------------------


@calls.add("POST", "/api/chat/presence", Who.STAFF, body=delivery_shapes.Presence, answers={204: None})
async def show_presence(asked: Asked[delivery_shapes.Presence, Nothing]) -> Response[bytes]:
    """The app is before one's eyes: said every 45 s, it holds for 90. `false`: not any more."""
    return await _present(asked)


@calls.add(
    "POST",
    "/api/chat/customer/jobs/{job_id:int}/presence",
    Who.VISITOR,
    body=delivery_shapes.Presence,
    answers={204: None},
)
async def customer_presence(asked: Asked[delivery_shapes.Presence, Nothing]) -> Response[bytes]:
    """The same of a customer, for the page of this job."""
    return await _present(asked)


async def _present(asked: Asked[delivery_shapes.Presence, Nothing]) -> Response[bytes]:
    place, visible = place_of(asked.request, asked.parts), asked.body.visible
    await asked.parts.db.write(lambda tx: preferences.show(tx, asked.by.caller, place, visible))
    return no_content()


# --- no more mails --------------------------------------------------------------------------------


@calls.add(
    "POST",
    UNSUBSCRIBE,
    Who.ANYONE,
    answers={200: str},
    errors=(NotFound,),
    media_type="text/html",
)
async def unsubscribe(asked: Asked[None, Nothing]) -> Response[bytes]:
    """What a mail program sends for its reader (RFC 8058): no more mails that tell of messages."""
    reader_id, job_id = _numbers(asked.request, asked.parts.unsubscribe_key)
    await asked.parts.db.write(lambda tx: preferences.no_more_mails(tx, reader_id, job_id))
    return _page(asked.request, asked.parts.company, done=True)


def unsubscribe_page() -> HTTPRouteHandler:
    """A page that asks: opening an address changes nothing, or link scanners would unsubscribe people."""

    async def ask_to_unsubscribe(request: Request[Any, Any, Any]) -> Response[bytes]:
        parts = request.app.state["parts"]
        _numbers(request, parts.unsubscribe_key)
        return _page(request, parts.company, done=False)

    return HTTPRouteHandler(UNSUBSCRIBE, http_method="GET", status_code=200)(ask_to_unsubscribe)


def _numbers(request: Request[Any, Any, Any], key: bytes) -> tuple[int, int]:
    numbers = signed_numbers(key, request.path_params["token"], 2)
    if numbers is None:
        raise NotFound
    return numbers[0], numbers[1]


def _page(request: Request[Any, Any, Any], company: str, *, done: bool) -> Response[bytes]:
    words = _WORDS[asks_for(request) or Language.EN]
    page = _TEMPLATE.render(words=words, company=company, stylesheet=docs.STYLE_PATH, done=done)
    return Response(page.encode(), media_type="text/html")


_WORDS = {
    Language.EN: {
        "language": "en",
        "title": "E-mails about new messages",
        "ask": "Do you want no more e-mails about new messages from {}?",
        "yes": "No more e-mails",
        "done": "You will get no more e-mails about new messages from {}.",
    },
    Language.ES: {
        "language": "es",
        "title": "Correos sobre mensajes nuevos",
        "ask": "¿No quiere recibir más correos sobre mensajes nuevos de {}?",
        "yes": "No más correos",
        "done": "No recibirá más correos sobre mensajes nuevos de {}.",
    },
}
_TEMPLATE = Environment(loader=PackageLoader("jobthread.api"), autoescape=True).get_template(
    "unsubscribe.html"
)
