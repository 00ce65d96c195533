"""Which refusals a call may answer with: those that it names, and those that come with its kind."""

from collections.abc import Iterator

from jobthread.api.caller import SAFE
from jobthread.api.calls import JSON, Call, Who
from jobthread.errors import (
    BadJson,
    BadSignature,
    BodyTooLarge,
    CrossSite,
    Invalid,
    JobInactive,
    JobthreadError,
    LinkExpired,
    LinkInvalid,
    LinkRevoked,
    NotAuthenticated,
    NotFound,
    RateLimited,
    Unavailable,
    WrongContentType,
    WrongJob,
)

Refusal = type[JobthreadError]

_OF_CALLERS: dict[Who, tuple[Refusal, ...]] = {
    Who.ANYONE: (),
    Who.STAFF: (NotAuthenticated,),
    # Another path than that of the provider that is set up is not there.
    Who.PROVIDER: (BadSignature, NotFound, RateLimited),
    Who.VISITOR: (NotAuthenticated, LinkInvalid, LinkExpired, LinkRevoked, JobInactive, WrongJob),
}


def refusals(call: Call) -> list[Refusal]:
    """By rising status, each once."""
    found = [*call.errors, *_of_its_kind(call)]
    return sorted(dict.fromkeys(found), key=lambda error: error.status)


def every_refusal() -> list[Refusal]:
    """Also those of the server as a whole, as where a path has no call with that method."""
    return sorted(_kinds(JobthreadError), key=lambda error: error.status)


def _of_its_kind(call: Call) -> Iterator[Refusal]:
    yield from _OF_CALLERS[call.who]
    if call.method not in SAFE and call.who is not Who.PROVIDER:
        yield CrossSite
    if "{" in call.path:
        yield NotFound
    if call.body is not None:
        yield from (BodyTooLarge, WrongContentType)
        if call.takes == JSON:
            yield BadJson
    if call.body is not None or call.who is not Who.ANYONE:
        yield Unavailable  # it reads or writes the database, if only to see who is calling
    # A query key that is not known is refused by every call.
    yield Invalid
    yield JobthreadError


def _kinds(kind: Refusal) -> Iterator[Refusal]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
