"""Logs: every line is one event, and nothing that opens anything stands in it."""

import io
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from jobthread.logs import HIDDEN, clean, set_up_logs
from tests import log_lines

TOKEN = secrets.token_urlsafe(32)
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    log_lines.as_in_tests()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    set_up_logs("json", "info", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def cleaned(**fields: object) -> dict[str, Any]:
    return dict(clean(None, "info", {"event": "x", **fields}))


# --- The form of a line ---


def test_an_event_is_one_line_of_json_with_its_moment_and_level(lines: Lines) -> None:
    structlog.get_logger().info(
        "message sent", thread_id=7, ms=1.5, mail=None, who={"id": 3, "roles": ["admin"]}
    )
    (line,) = lines()
    assert line.pop("timestamp")[19:20] == "."
    assert line == {
        "level": "info",
        "event": "message sent",
        "thread_id": 7,
        "ms": 1.5,
        "mail": None,
        "who": {"id": 3, "roles": ["admin"]},
    }


def test_a_loggers_name_stands_in_its_lines(lines: Lines) -> None:
    structlog.get_logger("jobthread.access").info("request")
    assert lines()[0]["logger"] == "jobthread.access"


def test_what_is_bound_to_the_request_stands_in_each_of_its_lines(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    assert [line.get("request_id") for line in lines()] == ["r1", None]


def test_what_libraries_log_comes_out_the_same_way(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 42)
    (line,) = lines()
    assert (line["event"], line["logger"], line["level"]) == (
        "Started server process [42]",
        "uvicorn.error",
        "info",
    )


def test_uvicorns_own_handlers_and_access_lines_are_gone(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").handlers.append(logging.StreamHandler(stream))
    set_up_logs("json", "info", stream)
    logging.getLogger("uvicorn.access").info('127.0.0.1 - "GET /customer/chat?token=abc"')
    assert stream.getvalue() == ""
    assert logging.getLogger("uvicorn.access").handlers == []


def test_libraries_keep_their_debugging_to_themselves_though_we_tell_ours(stream: io.StringIO) -> None:
    set_up_logs("json", "debug", stream)
    logging.getLogger("httpcore").debug("send_request_body")
    structlog.get_logger().debug("ours")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["ours"]


def test_what_is_less_severe_than_the_level_is_left_out(stream: io.StringIO) -> None:
    set_up_logs("json", "warning", stream)
    structlog.get_logger().info("left out")
    logging.getLogger("alembic").info("left out")
    logging.getLogger("alembic").warning("told")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["told"]


def test_readable_lines_can_be_read(stream: io.StringIO) -> None:
    set_up_logs("readable", "info", stream)
    structlog.get_logger().info("message sent", thread_id=7)
    assert "[info     ] message sent" in stream.getvalue()
    assert "thread_id=7" in stream.getvalue()


def test_a_broken_pipe_or_a_closed_file_never_fails_the_request(stream: io.StringIO) -> None:
    set_up_logs("json", "info", stream)
    stream.close()
    structlog.get_logger().info("nobody reads this")


def test_a_log_call_with_wrong_arguments_says_what_it_can(lines: Lines) -> None:
    record = logging.LogRecord("library", logging.WARNING, "", 0, "%d of %d", ("s3cret",), None)
    logging.getLogger().handlers[0].handle(record)
    (line,) = lines()
    assert line["event"] == "%d of %d"
    assert "s3cret" not in str(line)


def test_a_value_that_cannot_be_shown_does_not_fail_the_line() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert cleaned(value=Broken())["value"] == "<Broken without a repr>"


# --- No secret ---


@pytest.mark.parametrize(
    "key",
    [
        *("token", "magic_token", "password", "new_password", "cookie", "Set-Cookie", "set_cookie", "body"),
        *(
            "request_body",
            "Authorization",
            "query",
            "query_string",
            "secret_key",
            "api_key",
            "apiKey",
            "params",
        ),
    ],
)
def test_a_key_that_speaks_of_a_secret_hides_its_value_at_any_depth(key: str) -> None:
    for value in ("s3cret", b"s3cret", ["s3cret"], {"a": "s3cret"}, 12345):
        assert cleaned(**{key: value})[key] == HIDDEN
        assert cleaned(request={"headers": [{key: value}]})["request"] == {"headers": [{key: HIDDEN}]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/customer/chat?jobId=1&token=abc", "/customer/chat"),
        ("/api/jobs?q=Carol%20Smith", "/api/jobs"),
        ("/api/jobs?q=Carol Smith of Main Street", "/api/jobs"),
        (
            "https://chat.example.com/customer/chat?jobId=1&token=abc",
            "https://chat.example.com/customer/chat",
        ),
        ("GET /customer/chat?token=abc HTTP/1.1", "GET /customer/chat HTTP/1.1"),
        ("{'path': '/jobs?q=Carol', 'status': 200}", "{'path': '/jobs', 'status': 200}"),
        ("is it 5 o'clock? yes", "is it 5 o'clock? yes"),
        ("smtp://ada:s3cret@mail.example.com", f"smtp://ada:{HIDDEN}@mail.example.com"),
        (
            "cannot reach postgresql://ada:s3@cret@db/x now",
            f"cannot reach postgresql://ada:{HIDDEN}@db/x now",
        ),
    ],
)
def test_an_address_loses_its_query_string_and_its_password(given: str, kept: str) -> None:
    assert cleaned(path=given)["path"] == kept


@pytest.mark.parametrize(
    "around",
    [
        *(
            "{}",
            "jt_{}",
            "link {} opened",
            "/customer/{}/chat",
            "chat#token={}",
            "prefix_{}",
            "<{}>",
            "%3D{}",
        ),
        "{0}{0}",
    ],
)
def test_what_looks_like_a_token_is_hidden_wherever_it_stands(around: str) -> None:
    text = around.format(TOKEN)
    for value in (text, [text], {"a": {"b": text}}, (text,), {text: 1}, text.encode(), ValueError(text)):
        assert TOKEN not in str(cleaned(value=value))
    assert TOKEN not in str(clean(None, "info", {"event": text}))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Authorization: Bearer s3cret",
            "bearer s3cret",
            "token=s3cret",
            "password: s3cret",
            "'password': 's3cret'",
        ),
        *(
            '{"new_password": "s3cret and more"}',
            "Cookie: a=1; session=s3cret",
            "jt_s3cret123456",
            "api_key=s3cret",
        ),
        *(
            "set-cookie: session=s3cret; HttpOnly",
            "chat?jobId=1&token=s3cret",
            'token="s3cret"',
            "PASSWORD=s3cret",
        ),
    ],
)
def test_a_secret_named_in_a_text_is_hidden(text: str) -> None:
    assert "s3cret" not in str(cleaned(value=text)["value"])


def test_ordinary_values_stay_as_they_are() -> None:
    for value in (
        *(
            "GET",
            "/api/chat/threads/12/messages",
            "192.0.2.7",
            "2001:db8::7",
            "Dora Dispatcher",
            "thread.created",
        ),
        *(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "0f8fad5b-d9cd-469f-a165-70867728950e",
            "Zoë",
        ),
        *("carol@example.com", "2026-01-02T03:04:05.678Z", "link_expired", "jt_session"),
    ):
        assert cleaned(value=value)["value"] == value


def test_a_number_stays_a_number() -> None:
    assert cleaned(status=200, ms=1.25, ok=True)["status"] == 200
    assert cleaned(ok=True)["ok"] is True


# --- No forged line ---


@pytest.mark.parametrize("log_format", ["json", "readable"])
@pytest.mark.parametrize(
    "control", ["\n", "\r", "\r\n", "\x1b[2J", "\x00", "\x85", "\u2028", "\u202e", "\x9b"]
)
def test_control_characters_cannot_forge_a_line(stream: io.StringIO, log_format: str, control: str) -> None:
    set_up_logs(log_format, "info", stream)
    forged = f"curl{control}2026-01-01T00:00:00.000Z [info] login of admin"
    structlog.get_logger().info(forged, user_agent=forged, **{f"key{control}": 1})
    logging.getLogger("library").warning(forged)
    assert stream.getvalue().count("\n") == 2
    assert control == "\n" or control not in stream.getvalue()


def test_half_a_character_is_written_too(lines: Lines) -> None:
    structlog.get_logger().info("odd", user_agent="\ud83d alone")
    assert lines()[0]["user_agent"] == "\\ud83d alone"


def test_a_flood_is_cut() -> None:
    assert len(cleaned(value="x y " * 100_000)["value"]) <= 2001
    assert len(str(cleaned(value=[[[[[["x" * 5000]]]]]])["value"])) < 3000


@pytest.mark.parametrize(
    "piece", ["a", "/", "token", "://", "://:", "token=:", "cookie ", "bearer ", "token'", "_-", " "]
)
@pytest.mark.parametrize("end", ["", "?", "=", "\n"])
def test_no_hostile_text_takes_long(piece: str, end: str) -> None:
    started = time.thread_time()
    cleaned(value=piece * 100_000 + end)
    assert time.thread_time() - started < 1


# --- Exceptions ---


def failing(message: str) -> None:
    try:
        raise KeyError("the cause")
    except KeyError as cause:
        raise ValueError(message) from cause


def test_an_exception_is_told_with_its_cause_and_where_it_was(lines: Lines) -> None:
    try:
        failing("went wrong")
    except ValueError:
        structlog.get_logger().exception("it failed")
    told = lines()[0]["exception"]
    assert "KeyError: 'the cause'\nThen:\n" in told
    assert told.endswith("ValueError: went wrong")
    assert ", in failing\n" in told


def test_a_librarys_exception_is_told_too(lines: Lines) -> None:
    try:
        failing("went wrong")
    except ValueError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    assert lines()[0]["exception"].endswith("ValueError: went wrong")


def test_each_of_a_group_of_exceptions_is_told(lines: Lines) -> None:
    structlog.get_logger().error(
        "failed", exc_info=ExceptionGroup("both", [ValueError("one"), KeyError("two")])
    )
    told = lines()[0]["exception"]
    assert "ValueError: one" in told
    assert "KeyError: 'two'" in told


@pytest.mark.parametrize("log_format", ["json", "readable"])
def test_an_exceptions_message_gives_away_no_token_and_forges_no_line(
    stream: io.StringIO, log_format: str
) -> None:
    set_up_logs(log_format, "info", stream)
    try:
        failing(f"cannot open /customer/chat?token=s3cret {TOKEN}\nforged line")
    except ValueError:
        structlog.get_logger().exception("it failed")
    told = stream.getvalue().rstrip("\n").split("ValueError: ")[-1]
    assert told.startswith(f"cannot open /customer/chat {HIDDEN}")
    assert "forged line" not in told


def test_a_database_error_quotes_neither_statement_nor_row(lines: Lines) -> None:
    row = {"body": "the gate code is 4711"}
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("create table note (body text unique)"))
        connection.execute(text("insert into note values (:body)"), row)
        with pytest.raises(IntegrityError) as caught:
            connection.execute(text("insert into note values (:body)"), row)
    engine.dispose()
    assert "4711" in str(caught.value)  # what the log must not repeat
    structlog.get_logger().error("write failed", exc_info=caught.value)
    assert "IntegrityError: " in lines()[0]["exception"]
    assert "4711" not in lines()[0]["exception"]
