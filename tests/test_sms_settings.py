"""JOBTHREAD_SMS_URL: each kind is read, each mistake is one line that says what is expected and no secret."""

from pathlib import Path
from typing import Any

import pytest

from jobthread import sms_settings
from jobthread.deliver.sms_accounts import Folder, Template, Twilio, Vonage
from jobthread.settings import SettingsError, describe, load_settings

SID = "AC0123456789"
GOOD: dict[str, Any] = {"url": "https://sms.example.com/send", "body": '{"to": "{to}", "text": "{text}"}'}


def test_each_kind_is_read() -> None:
    read = sms_settings.account
    assert read("file:///var/texts") == Folder(Path("/var/texts"))
    twilio = Twilio("https://api.twilio.com", SID, "s3:cret", "+12025550100")
    assert read(f"twilio://{SID}:s3%3Acret@api.twilio.com?from=+12025550100") == twilio
    assert read(f"twilio://{SID}:s3%3Acret@api.twilio.com?from=%2B12025550100") == twilio
    assert read(f"twilio://{SID}:x@127.0.0.1:8001?from=MG12345678&tls=off").api == "http://127.0.0.1:8001"  # type: ignore[union-attr]
    vonage = Vonage("https://api.nexmo.com", "key", "s3cret", "12025550100", "sign+ature")
    assert read("vonage://key:s3cret@api.nexmo.com?from=12025550100&signature=sign+ature") == vonage


def test_a_template_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    file.write_text(
        """
        url = "https://sms.example.com/send"
        method = "put"
        body = '{"to": "{to}", "text": "{text}"}'
        success = [200, 202]
        id = "messages.0.id"
        secret = "sixteen letters!"
        [headers]
        Content-Type = "application/json"
        """
    )
    read = sms_settings.account(f"template://{file}")
    assert read == Template(
        GOOD["url"],
        "PUT",
        {"Content-Type": "application/json"},
        GOOD["body"],
        (200, 202),
        ("messages", "0", "id"),
        "sixteen letters!",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://s3cret@sms.example.com", sms_settings.EXPECTED),
        ("twilio://", "twilio://SID:TOKEN@api.twilio.com"),
        (f"twilio://{SID}@api.twilio.com?from=+1202555", "twilio://SID:TOKEN@api.twilio.com"),
        (f"twilio://{SID}:s3cret@api.twilio.com", "twilio://SID:TOKEN@api.twilio.com"),
        (f"twilio://{SID}:s3cret@api.twilio.com?from=", "twilio://SID:TOKEN@api.twilio.com"),
        (f"twilio://{SID}:s3cret@api.twilio.com?from=+12025550100&s3cret=1", "and no options but from, tls"),
        (f"twilio://{SID}:s3cret@api.twilio.com:x?from=+12025550100", "twilio://SID:TOKEN@api.twilio.com"),
        ("twilio://SK1:s3cret@api.twilio.com?from=+12025550100", "the Account SID, which begins with AC"),
        (
            f"twilio://{SID}:s3cret@api.twilio.com?from=+12025550100&tls=off",
            "TLS: tls=off is for a provider on",
        ),
        ("vonage://key@api.nexmo.com?from=1202", "vonage://KEY:SECRET@api.nexmo.com"),
        ("vonage://key:s3cret@api.nexmo.com", "vonage://KEY:SECRET@api.nexmo.com"),
        ("template://host/s3cret", "template:///path/of/a/file.toml"),
        ("template:///nowhere/s3cret", "template:/// with the path of a file that can be read"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_expected(text: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({"JOBTHREAD_SMS_URL": text})
    line = str(raised.value)
    assert line.startswith("JOBTHREAD_SMS_URL: expected ")
    assert expected in line
    assert "\n" not in line
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"url": "http://sms.example.com"}, "a template whose url is https://"),
        ({"url": "https://user:s3cret@sms.example.com"}, "a template whose url is https://"),
        ({"url": "https://{to}.example.com"}, "a template whose url is https://"),
        ({"url": "https://[sms.example.com"}, "a template whose url is https://"),
        ({"url": 5}, "a template whose url is a text"),
        ({"body": "{to}"}, "a template with {to} and {text} in its body or url"),
        ({"body": "{text}"}, "a template with {to} and {text} in its body or url"),
        ({"method": "DELETE"}, "a template whose method is POST, PUT or GET"),
        ({"headers": {"X": "a\nb"}}, "a template whose headers are texts of one line"),
        ({"headers": {"X": 1}}, "a template whose headers are texts of one line"),
        ({"headers": []}, "a template whose headers is a table"),
        ({"success": [200, 404]}, "a template whose success is a list of statuses from 200 to 299"),
        ({"success": [True]}, "a template whose success is a list of statuses from 200 to 299"),
        ({"secret": "short"}, "a template whose secret has 16 characters or more"),
        (
            {"uri": "x"},
            "a template with no keys but body, headers, id, method, secret, success, url; it has uri",
        ),
    ],
)
def test_so_is_a_mistake_in_a_template(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match="a template") as raised:
        sms_settings.template(GOOD | change)
    assert expected in str(raised.value)


def test_a_template_that_is_no_toml_is_told(tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    for content in (b"s3cret", b"\xff"):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="a template that is TOML"):
            sms_settings.account(f"template://{file}")


def test_what_is_in_force_is_shown_without_its_secrets(tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    file.write_text(
        'url = "https://x.example.com/s3cret"\nbody = "{to} {text}"\nsecret = "s3cret s3cret s3cret"'
    )
    for url in (
        f"twilio://{SID}:s3cret@api.twilio.com?from=+12025550100",
        "vonage://key:s3cret@api.nexmo.com?from=1202555&signature=s3cret",
        f"template://{file}",
    ):
        settings = load_settings({"JOBTHREAD_SMS_URL": url})
        shown = {name: value for name, value, _ in describe(settings)}["JOBTHREAD_SMS_URL"]
        assert "********" in shown
        assert "s3cret" not in shown + repr(settings)
