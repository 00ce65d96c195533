"""JSON Schemas of all that goes over the wire, from the structs that decode and encode it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from jobthread.api.calls import Call
from jobthread.api.server_shapes import Problem

Json = dict[str, Any]

REF = "#/components/schemas/{name}"


@dataclass(frozen=True)
class Shapes:
    of: dict[Any, Json]
    """Type → its schema, mostly a reference into the components."""
    queries: dict[type[msgspec.Struct], Json]
    components: Json


def shapes_of(calls: Sequence[Call]) -> Shapes:
    """The schema of every body, query and answer of the calls."""
    queries = list(dict.fromkeys(call.query for call in calls))
    others = [Problem, *(kind for call in calls for kind in (call.body, *call.answers.values()))]
    kinds = [*queries, *(kind for kind in dict.fromkeys(others) if kind is not None)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    of = dict(zip(kinds, schemas, strict=True))
    bodies = list(dict.fromkeys(call.body for call in calls if call.body is not None))
    _, received = msgspec.json.schema_components(bodies, ref_template=REF)
    named = {
        name: _portable(schema) if name in received else _as_sent(_portable(schema))
        for name, schema in components.items()
    }
    return Shapes(
        of=of,
        queries={query: named.pop(of[query]["$ref"].rpartition("/")[2]) for query in queries},
        components=named,
    )


def _as_sent(schema: Json) -> Json:
    """What we send is always whole: a default is how we build an answer, not what a reader may miss."""
    if "properties" not in schema or schema.get("additionalProperties") is False:
        return schema
    fields = schema["properties"]
    whole = [name for name in fields if name in schema["required"] or "default" in fields[name]]
    plain = {
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in fields.items()
    }
    return schema | {"properties": plain, "required": whole}


def _portable(schema: Any) -> Any:
    """Patterns in the dialect of JSON Schema, whose `$` means what Python calls `\\Z`."""
    if isinstance(schema, list):
        return [_portable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.replace(r"\Z", "$") if key == "pattern" and isinstance(value, str) else _portable(value)
        for key, value in schema.items()
    }
