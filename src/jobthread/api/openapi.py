"""The OpenAPI 3.1 document, made from the table of calls: it can say nothing but what the server does."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from jobthread import __version__
from jobthread.api import problems
from jobthread.api.calls import Call, Nothing, Who
from jobthread.api.examples import EXAMPLES
from jobthread.api.openapi_words import ABOUT, DONE, MEANS, NOUNS, PATH_IDS, SECURITY
from jobthread.api.refusals import Refusal, every_refusal, refusals
from jobthread.api.schemas import REF, Json, Shapes, shapes_of
from jobthread.api.server_shapes import Problem
from jobthread.errors import Invalid, JobthreadError, RateLimited

_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_ID: Json = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_CALLERS: dict[Who, list[Json]] = {
    Who.ANYONE: [],
    Who.STAFF: [{"session": []}, {"api_key": []}],
    Who.VISITOR: [{"customer_session": []}, {"magic_token": []}],
}
_OF_PROVIDER = re.compile(r"/api/sms/(\w+)/")


def document(calls: Sequence[Call]) -> Json:
    shapes = shapes_of(calls)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Jobthread", "version": __version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": noun, "description": NOUNS.get(noun, noun)} for noun in _nouns(calls)],
        "paths": _paths(calls, shapes),
        "components": {
            "schemas": shapes.components,
            "responses": {error.code: _problem_answer([error]) for error in every_refusal()},
            "examples": {error.code: _problem_example(error) for error in every_refusal()},
            "securitySchemes": SECURITY,
        },
    }


def _nouns(calls: Sequence[Call]) -> list[str]:
    return list(dict.fromkeys(call.noun for call in calls))


def _paths(calls: Sequence[Call], shapes: Shapes) -> Json:
    paths: Json = {}
    for call in calls:
        methods = paths.setdefault(_PARAMETER.sub(r"{\1}", call.path), {})
        methods[call.method.lower()] = _operation(call, shapes)
    return paths


def _operation(call: Call, shapes: Shapes) -> Json:
    operation: Json = {
        "operationId": call.name,
        "tags": [call.noun],
        "summary": re.split(r"[.;:](?:\s|$)", call.summary)[0],
        "description": call.summary,
        "security": _security(call),
    }
    if parameters := [*_path_parameters(call), *_query_parameters(call, shapes), *_header_parameters(call)]:
        operation["parameters"] = parameters
    if call.body is not None:
        operation["requestBody"] = {
            "required": not call.body_optional,
            "content": {call.takes: _content(call.body, shapes)},
        }
    operation["responses"] = {**_answers(call, shapes), **_problems(refusals(call))}
    return operation


def _security(call: Call) -> list[Json]:
    """Each provider proves itself in its own way, and its name stands in the path."""
    if provider := _OF_PROVIDER.match(call.path):
        return [{f"{provider[1]}_signature": []}]
    return _CALLERS[call.who]


# --- what is asked --------------------------------------------------------------------------------


def _path_parameters(call: Call) -> Iterator[Json]:
    for name, kind in _PARAMETER.findall(call.path):
        schema = _ID if kind == "int" else {"type": "string"}
        about = PATH_IDS.get(name, name)
        yield {"name": name, "in": "path", "required": True, "schema": schema, "description": about}


def _query_parameters(call: Call, shapes: Shapes) -> Iterator[Json]:
    if call.query is Nothing:
        return
    query = shapes.queries[call.query]
    for name, field in query["properties"].items():
        schema = _without_null(field)
        about = schema.pop("description", "")
        required = name in query["required"]
        yield {"name": name, "in": "query", "required": required, "schema": schema, "description": about}


def _without_null(schema: Json) -> Json:
    """A parameter is given or it is not: there is no null in an address."""
    plain = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    choices = [choice for choice in plain.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **plain}
    return {"anyOf": choices, **plain} if choices else plain


def _header_parameters(call: Call) -> Iterator[Json]:
    if HTTPStatus.NOT_MODIFIED in call.answers:
        about = "The ETag of the answer that one holds"
        yield {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": about}


def _content(kind: Any, shapes: Shapes) -> Json:
    example = EXAMPLES.get(kind)
    return {"schema": shapes.of[kind]} | ({} if example is None else {"example": example})


# --- what is answered -----------------------------------------------------------------------------


def _answers(call: Call, shapes: Shapes) -> Json:
    return {str(status): _answer(call, status, kind, shapes) for status, kind in call.answers.items()}


def _answer(call: Call, status: int, kind: Any, shapes: Shapes) -> Json:
    found: Json = {"description": DONE.get(status, HTTPStatus(status).phrase)}
    if call.headers:
        found["headers"] = _headers(call.headers)
    if kind is not None:
        found["content"] = {call.media_type: _content(kind, shapes)}
    return found


def _headers(described: Mapping[str, str]) -> Json:
    return {name: {"description": about, "schema": {"type": "string"}} for name, about in described.items()}


def _problems(errors: Sequence[Refusal]) -> Json:
    """One answer for each status, with all the codes that it may bear."""
    by_status: dict[int, list[Refusal]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {
        str(status): {"$ref": f"#/components/responses/{alike[0].code}"}
        if len(alike) == 1
        else _problem_answer(alike)
        for status, alike in by_status.items()
    }


def _problem_answer(errors: Sequence[Refusal]) -> Json:
    codes = [error.code for error in errors]
    bears = {"properties": {"code": {"enum": codes}}}
    found: Json = {
        "description": ". ".join(error.title for error in errors),
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"allOf": [{"$ref": REF.format(name=Problem.__name__)}, bears]},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }
    if described := _PROBLEM_HEADERS.get(errors[0].status):
        found["headers"] = _headers(described)
    return found


_PROBLEM_HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "That a bearer token would do"},
    405: {"Allow": "The methods that this address answers to"},
    429: {"Retry-After": "Seconds to wait"},
    503: {"Retry-After": "Seconds to wait"},
}


def _problem_example(error: Refusal) -> Json:
    sent = msgspec.to_builtins(problems.problem(_raised(error)))
    return {"summary": error.title, "description": MEANS.get(error.code, ""), "value": sent}


def _raised(error: Refusal) -> JobthreadError:
    if error is Invalid:
        return Invalid("limit", "Expected `int` <= 100")
    if error is RateLimited:
        return RateLimited(30)
    return error()
