"""What shapes are made of: the types of their fields, and how a moment is written."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from msgspec import Meta, Struct

from jobthread import entities as e

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**31 - 1, description="A message's number in its thread")]
Name = Annotated[str, Meta(min_length=1, max_length=400, description="1 to 200 characters after trimming")]
Text = Annotated[str, Meta(min_length=1, description="1 to 10,000 characters after trimming")]
Email = Annotated[str, Meta(max_length=254, examples=["carol@example.com"])]
Phone = Annotated[str, Meta(max_length=40, examples=["+12025550123"], description="Kept as E.164")]
ClientMsgId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:\-]{1,64}\Z", examples=["3f1c9a52-7d1e"])]
Limit = Annotated[int, Meta(ge=1, le=100, description="At most so many")]
Cursor = Annotated[str, Meta(max_length=200, description="The page before said this as `next_cursor`")]
Query = Annotated[str, Meta(max_length=400, description="Words to look for; each may be the start of one")]
Moment = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC with milliseconds",
        examples=["2026-11-23T08:15:30.250Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Ids = Annotated[list[Id], Meta(max_length=200)]

_START = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=256)
def moment(micros: e.Micros) -> str:
    # Remembered: what is written in one commit is of one moment, and so is much of a page.
    at = _START + timedelta(microseconds=micros)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def maybe_moment(micros: e.Micros | None) -> str | None:
    return None if micros is None else moment(micros)


class Asking(Struct, forbid_unknown_fields=True):
    """What a client sends: a key that is not known is a mistake, and is said so."""
