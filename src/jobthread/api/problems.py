"""Every error as RFC 9457 problem details; what is hidden and what is not there get the very same bytes."""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from jobthread.api.server_shapes import FieldError, Problem
from jobthread.errors import Invalid, JobthreadError, MethodNotAllowed, NotFound

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to anything that a call raised."""
    if isinstance(error, JobthreadError):
        return _response(error)
    if isinstance(error, HTTPException):
        return _of_framework(error)
    log.error("unexpected_error", route=request.scope.get("path_template"), exc_info=error)
    return _response(JobthreadError())


def problem(error: JobthreadError) -> Problem:
    found = Problem(
        type=f"/api/docs#{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
    )
    if isinstance(error, Invalid):
        found.errors = [FieldError(error.field, error.message)]
    return found


def _response(error: JobthreadError, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem(error)),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers=_headers(error) | (headers or {}),
    )


def _headers(error: JobthreadError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if (seconds := getattr(error, "retry_after", None)) is not None:
        headers["Retry-After"] = str(seconds)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="jobthread"'
    return headers


def _of_framework(error: HTTPException) -> Response[bytes]:
    """Routing found nothing, or the request is not even HTTP as the framework reads it."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _response(MethodNotAllowed(), {"Allow": _allowed(error)})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _response(NotFound())
    if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _response(Invalid("", "the request is not well formed"))
    log.error("unexpected_error", exc_info=error)
    return _response(JobthreadError())


def _allowed(error: HTTPException) -> str:
    return (error.headers or {}).get("allow", "")
