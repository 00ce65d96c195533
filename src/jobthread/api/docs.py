"""The page for programmers: the API's description, made from the OpenAPI document alone."""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from jobthread.api.problems import MEDIA_TYPE
from jobthread.api.schemas import Json

STYLE = files("jobthread.api").joinpath("templates", "docs.css").read_bytes()
STYLE_PATH = f"/api/docs/{sha256(STYLE).hexdigest()[:16]}.css"
"""Its name changes with what it holds, so that browsers may keep it for ever."""


def docs_page(document: Json) -> str:
    environment = _environment()
    environment.filters["followed"] = lambda schema: _followed(document, schema)
    nouns = [(noun, list(_calls_of(document, noun["name"]))) for noun in document["tags"]]
    return environment.get_template("docs.html").render(api=document, nouns=nouns, stylesheet=STYLE_PATH)


def _environment() -> Environment:
    loader = PackageLoader("jobthread.api")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"words": words, "breakable": breakable, "pretty": pretty}
    return environment


# --- the document, as the page wants it -----------------------------------------------------------


def _calls_of(document: Json, noun: str) -> Iterator[Json]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if noun in operation["tags"]:
                answers, refusals = _parted(document, operation["responses"])
                yield {
                    **operation,
                    "path": path,
                    "method": method,
                    "answers": answers,
                    "refusals": refusals,
                }


def _parted(document: Json, responses: Json) -> tuple[list[tuple[str, Json]], list[tuple[str, list[str]]]]:
    """What is answered where all goes well; and the codes of every other status."""
    answers, refusals = [], []
    for status, response in responses.items():
        found = _followed(document, response)
        problem = found.get("content", {}).get(MEDIA_TYPE)
        if problem is None:
            answers.append((status, found))
        else:
            refusals.append((status, list(problem["examples"])))
    return answers, refusals


def _followed(document: Json, schema: Json) -> Json:
    """Where there is a reference, what it leads to."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for name in schema["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


# --- filters --------------------------------------------------------------------------------------

_MARKS: Mapping[str, str] = {"`": "code", "**": "strong"}
_MARKED = re.compile(r"(`|\*\*)(.+?)\1")


def words(text: str) -> Markup:
    """Plain text in which `code` and **strong** words are marked."""
    return Markup(_MARKED.sub(_tagged, str(escape(text))))  # noqa: S704 - escaped right here


def _tagged(match: re.Match[str]) -> str:
    tag = _MARKS[match[1]]
    return f"<{tag}>{match[2]}</{tag}>"


def breakable(path: str) -> Markup:
    """A path that a narrow screen may break at its slashes."""
    return Markup(str(escape(path)).replace("/", "/<wbr>"))  # noqa: S704 - escaped right here


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
