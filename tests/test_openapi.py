"""The API's description is valid and complete, its examples fit, and its page needs nobody else."""

import copy
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from jobthread.api import docs, openapi
from jobthread.api.calls import JSON, Call, Who
from jobthread.api.examples import EXAMPLES
from jobthread.api.problems import MEDIA_TYPE
from jobthread.api.refusals import every_refusal, refusals
from jobthread.api.routes import all_calls
from jobthread.api.shapes import Message
from jobthread.errors import (
    BodyTooLarge,
    CrossSite,
    Invalid,
    LinkRevoked,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    RateLimited,
    Unavailable,
)
from tests.cast import refused
from tests.serving import Serving, browser

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    return openapi.document(all_calls())


@pytest.fixture(scope="module")
def page(document: Json) -> "Seen":
    return seen(docs.docs_page(document))


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def without_kinds(path: str) -> str:
    """`/jobs/{job_id:int}` as the document writes it."""
    return re.sub(r":\w+}", "}", path)


def call_named(name: str) -> Call:
    [found] = [call for call in all_calls() if call.name == name]
    return found


# --- it is valid ----------------------------------------------------------------------------------


def test_the_document_is_valid_openapi(document: Json) -> None:
    schemathesis.openapi.from_dict(document).validate()


def test_a_document_with_a_mistake_is_found_out(document: Json) -> None:
    wrong = copy.deepcopy(document)
    del wrong["info"]["title"]
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(wrong).validate()


def test_every_schema_is_a_json_schema(document: Json) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere(document: Json) -> None:
    for reference in references(document):
        found: Any = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_pattern_is_one_that_browsers_understand(document: Json) -> None:
    patterns = [found for found in walk(document) if "pattern" in found]
    assert patterns
    assert [found for found in patterns if r"\Z" in found["pattern"]] == []


def walk(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


# --- it is complete -------------------------------------------------------------------------------


def test_the_calls_and_the_operations_are_the_same(document: Json) -> None:
    calls = {(call.method, without_kinds(call.path), call.name) for call in all_calls()}
    described = {(method, path, one["operationId"]) for method, path, one in operations(document)}
    assert described == calls
    assert len(described) == len(all_calls())


def test_every_operation_names_the_parameters_of_its_path(document: Json) -> None:
    for _, path, operation in operations(document):
        named = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path), operation["operationId"]


def test_every_key_of_a_query_is_a_parameter(document: Json) -> None:
    for method, path, operation in operations(document):
        call = call_named(operation["operationId"])
        named = [one for one in operation.get("parameters", []) if one["in"] == "query"]
        assert [one["name"] for one in named] == list(call.query.__struct_fields__), (method, path)
        untold = [one["schema"] for one in named if not one["description"]]
        assert [schema for schema in untold if not schema.keys() & {"enum", "$ref"}] == []


def test_every_operation_says_what_it_does_under_a_noun_that_is_told_about(document: Json) -> None:
    nouns = {noun["name"] for noun in document["tags"]}
    for _, _, operation in operations(document):
        assert operation["description"]
        assert operation["summary"]
        assert set(operation["tags"]) <= nouns


def test_every_error_appears(document: Json) -> None:
    codes = {error.code for error in every_refusal()}
    assert {"not_found", "internal", "method_not_allowed", "unavailable"} <= codes
    components = document["components"]
    assert set(components["examples"]) == set(components["responses"]) == codes
    assert [code for code, example in components["examples"].items() if not example["description"]] == []


def test_every_operation_tells_every_code_that_it_may_answer_with(document: Json) -> None:
    for _, _, operation in operations(document):
        told = set()
        for status, answer in operation["responses"].items():
            for code in problem_codes(document, answer):
                example = document["components"]["examples"][code]["value"]
                assert (example["code"], example["status"]) == (code, int(status))
                told.add(code)
        assert told == {error.code for error in refusals(call_named(operation["operationId"]))}


def problem_codes(document: Json, answer: Json) -> list[str]:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = answer.get("content", {}).get(MEDIA_TYPE, {"examples": {}})
    return list(content["examples"])


def test_what_may_be_refused_follows_from_the_kind_of_call() -> None:
    send, view, login = call_named("send_message"), call_named("customer_view"), call_named("sign_in")
    assert {NotAuthenticated, CrossSite, BodyTooLarge, Invalid, NotFound, RateLimited, Unavailable} <= set(
        refusals(send)
    )
    assert {LinkRevoked, NotAuthenticated} <= set(refusals(view))
    assert not {CrossSite, BodyTooLarge} & set(refusals(view))
    assert NotAuthenticated not in refusals(login)
    assert MethodNotAllowed not in refusals(login)
    assert Unavailable not in refusals(call_named("alive"))


def test_only_calls_for_anyone_need_no_credentials(document: Json) -> None:
    open_to_all = {one["operationId"] for _, _, one in operations(document) if not one["security"]}
    assert open_to_all == {call.name for call in all_calls() if call.who is Who.ANYONE}


# --- its examples fit -----------------------------------------------------------------------------


def test_every_body_and_answer_has_an_example_that_fits(document: Json) -> None:
    wanting = []
    for call, content in contents(document):
        if "example" not in content:
            wanting.append(call)
            continue
        fits(document, content["schema"], content["example"])
    # This description is its own example.
    assert [call for call in wanting if call != "describe"] == []


def test_an_example_that_lacks_a_key_does_not_fit(document: Json) -> None:
    schema = {"$ref": "#/components/schemas/Message"}
    example = EXAMPLES[Message]
    fits(document, schema, example)
    with pytest.raises(jsonschema_rs.ValidationError):
        fits(document, schema, {key: value for key, value in example.items() if key != "seq"})


def test_every_example_of_a_problem_fits(document: Json) -> None:
    for code, answer in document["components"]["responses"].items():
        schema = answer["content"][MEDIA_TYPE]["schema"]
        fits(document, schema, document["components"]["examples"][code]["value"])


def contents(document: Json) -> Iterator[tuple[str, Json]]:
    for _, _, operation in operations(document):
        answers = [answer for answer in operation["responses"].values() if "$ref" not in answer]
        for place in [operation.get("requestBody", {}), *answers]:
            if JSON in place.get("content", {}):
                yield operation["operationId"], place["content"][JSON]


def fits(document: Json, schema: Json, value: Any) -> None:
    whole = {"components": document["components"], **schema}
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


# --- its page -------------------------------------------------------------------------------------


class Seen(HTMLParser):
    """What a browser would make of a page: what it loads, where it leads, and what stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.leads_to: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "srcset", "action", "data", "poster"):
                self.leads_to.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def seen(html: str) -> Seen:
    parser = Seen()
    parser.feed(html)
    return parser


def test_the_page_holds_every_operation_and_every_code(document: Json, page: Seen) -> None:
    assert {one["operationId"] for _, _, one in operations(document)} <= set(page.ids)
    assert {error.code for error in every_refusal()} <= set(page.ids)
    text = "".join(page.text)
    assert [path for _, path, _ in operations(document) if path not in text] == []


def test_every_anchor_stands_once_and_every_link_within_the_page_leads_to_one(page: Seen) -> None:
    assert len(page.ids) == len(set(page.ids))
    within = {link[1:] for link in page.leads_to if link.startswith("#")}
    assert within - set(page.ids) == set()


def test_the_page_loads_nothing_from_elsewhere(document: Json) -> None:
    found = seen(docs.docs_page(document))
    outside = [link for link in found.leads_to if not re.match(r"/[^/]|#|data:,$", link)]
    assert outside == []
    assert found.inline == []
    assert not found.tags & {"script", "style", "iframe", "object", "embed", "base"}


def test_the_style_sheet_loads_nothing_at_all() -> None:
    assert not re.search(rb"url\(|@import|https?:|src\s*:", docs.STYLE)


def test_a_name_with_markup_in_it_is_shown_as_text() -> None:
    assert docs.words("`<b>` **x**") == "<code>&lt;b&gt;</code> <strong>x</strong>"


# --- it is served ---------------------------------------------------------------------------------


def test_the_document_is_served_once_and_then_known(server: Serving, document: Json) -> None:
    anyone = browser(server)
    first = anyone.get("/api/openapi.json")
    assert first.json() == document
    again = anyone.get("/api/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert anyone.get("/api/openapi.json", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_page_is_served_under_the_strict_policy(server: Serving) -> None:
    anyone = browser(server)
    answer = anyone.get("/api/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "unsafe" not in answer.headers["content-security-policy"]
    [style] = [link for link in seen(answer.text).leads_to if link.endswith(".css")]
    sheet = anyone.get(style)
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in sheet.headers["cache-control"]


def test_every_path_tells_all_its_methods(server: Serving, document: Json) -> None:
    anyone = browser(server)
    for path, methods in document["paths"].items():
        allowed = anyone.options(re.sub(r"{\w+}", "1", path)).headers["allow"]
        assert set(allowed.split(", ")) == {method.upper() for method in methods} | {"OPTIONS"}, path


def test_the_type_of_a_problem_leads_to_what_it_means(server: Serving) -> None:
    anyone = browser(server)
    page, _, anchor = refused(anyone.get("/api/jobs"), 401, "not_authenticated")["type"].partition("#")
    assert anchor in seen(anyone.get(page).text).ids
