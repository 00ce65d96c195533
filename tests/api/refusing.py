"""How tests say that something was refused: the same answer to all, or the field that is wrong."""

from collections.abc import Callable, Iterable
from typing import Any

import httpx2

from tests.cast import refused

ABSENT = 987_654_321
"""An id that no row has."""
PER_ANSWER = {"date", "x-request-id"}


def identical(*answers: httpx2.Response) -> None:
    """Nothing tells these answers apart: neither status nor headers nor a single byte."""
    seen = {(answer.status_code, _headers(answer), answer.content) for answer in answers}
    assert len(seen) == 1, seen


def _headers(answer: httpx2.Response) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in answer.headers.items() if name not in PER_ANSWER))


def invalid(answer: httpx2.Response, field: str) -> None:
    """A 422 that names this field, and no other."""
    problem = refused(answer, 422, "invalid")
    assert [error["field"] for error in problem["errors"]] == [field], problem


def no_questions(
    ask: Callable[..., httpx2.Response], path: str, wrong: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    """Each of these, (parameter at fault, what is asked), is refused for that parameter."""
    all_invalid(lambda params: ask(path, **params), wrong)


def all_invalid(send: Callable[[Any], httpx2.Response], wrong: Iterable[tuple[str, Any]]) -> None:
    """Each of these, (field at fault, what is sent), is refused for that field."""
    for field, sent in wrong:
        try:
            invalid(send(sent), field)
        except AssertionError as error:
            raise AssertionError(f"{str(sent)[:200]}: {error}") from error
