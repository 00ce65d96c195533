"""Settings: where they come from, what they may be, and the one line that a mistake gets."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from jobthread.setting_values import SmtpUrl
from jobthread.settings import SETTINGS, Settings, SettingsError, describe, load_settings, variable

KEY = "0123456789abcdef0123456789abcdef"


def loaded(**given: str) -> Settings:
    return load_settings({variable(name): text for name, text in given.items()})


def mistake(**given: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(**given)
    line = str(caught.value)
    assert "\n" not in line
    return line


def config(folder: Path, text: str) -> Path:
    path = folder / "jobthread.toml"
    path.write_text(text)
    return path


# --- Where they come from ---


def test_with_nothing_set_it_listens_on_this_machine_and_keeps_everything_in_data() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port, settings.base_url) == ("127.0.0.1", 8080, "http://localhost:8080")
    assert settings.data_dir == Path("data").absolute()
    assert settings.database_url == f"sqlite:///{settings.data_dir}/jobthread.db"
    assert (settings.company, settings.country, settings.mail_from) == (
        "Jobthread",
        "US",
        "jobthread@localhost",
    )
    assert (settings.link_days, settings.session_days, settings.max_body_kb) == (7, 30, 256)
    assert (settings.rate_limits, settings.metrics) == (True, False)
    assert (settings.secret_key, settings.smtp_url, settings.sms_url) == (None, None, None)
    assert settings.trusted_proxies == ()
    assert set(settings.origins.values()) == {"default"}


def test_the_environment_wins_over_the_file_and_an_argument_over_both(tmp_path: Path) -> None:
    file = config(tmp_path, 'port = 1001\nhost = "10.0.0.1"\ncompany = "Acme"\n')
    settings = load_settings(
        {"JOBTHREAD_PORT": "1002", "JOBTHREAD_HOST": "10.0.0.2"}, file, {"port": "1003", "host": None}
    )
    assert (settings.port, settings.host, settings.company) == (1003, "10.0.0.2", "Acme")
    assert settings.origins["port"] == "--port"
    assert settings.origins["host"] == "environment"
    assert settings.origins["company"] == str(file)


def test_an_argument_for_the_port_moves_the_base_url_too() -> None:
    assert load_settings({}, None, {"port": "9000"}).base_url == "http://localhost:9000"


def test_the_file_takes_the_types_of_toml(tmp_path: Path) -> None:
    file = config(
        tmp_path,
        'port = 80\nmetrics = true\nrate_limits = "off"\ntrusted_proxies = ["10.0.0.1", "fd00::/8"]\n',
    )
    settings = load_settings({}, file)
    assert (settings.port, settings.metrics, settings.rate_limits) == (80, True, False)
    assert settings.trusted_proxies == (ip_network("10.0.0.1/32"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('port = "80"', "port in {}: expected a whole number, without quotes"),
        ("port = true", "port in {}: expected a whole number, without quotes"),
        ("port = 80.0", "port in {}: expected a whole number, without quotes"),
        ("company = 5", "company in {}: expected a text in quotes"),
        ("metrics = 1", "metrics in {}: expected a text in quotes"),
        ('company = ["Acme"]', "company in {}: expected a text in quotes"),
        ("[smtp]", "{}: there is no setting 'smtp'"),
        ('JOBTHREAD_PORT = "80"', "{}: there is no setting 'JOBTHREAD_PORT'"),
        ("prot = 80", "{}: there is no setting 'prot'; did you mean port?"),
        ("port = 99999", "port in {}: expected a whole number from 1 to 65535, got '99999'"),
        ("port 80", "{}: is not TOML (Expected '=' after a key in a key/value pair (at line 1, column 6))"),
    ],
)
def test_a_mistake_in_the_file_names_the_file(tmp_path: Path, text: str, told: str) -> None:
    file = config(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, file)
    assert str(caught.value) == told.format(file)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read \(No such file or directory\)"):
        load_settings({}, tmp_path / "nowhere.toml")


def test_an_unknown_variable_is_told_with_the_one_that_was_meant() -> None:
    assert mistake(prot="80") == "JOBTHREAD_PROT: there is no such setting; did you mean JOBTHREAD_PORT?"
    assert mistake(xyzzy="80") == "JOBTHREAD_XYZZY: there is no such setting"


def test_variables_of_other_programs_are_none_of_our_business() -> None:
    assert load_settings({"PORT": "99999", "PATH": "/bin", "jobthread_port": "1"}).port == 8080


def test_an_empty_variable_is_a_setting_not_set() -> None:
    settings = loaded(port="", smtp_url="", secret_key="")
    assert (settings.port, settings.smtp_url, settings.origins["port"]) == (8080, None, "default")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    settings = load_settings({"JOBTHREAD_SECRET_KEY_FILE": str(file)})
    assert settings.secret_key == KEY
    assert settings.origins["secret_key"] == f"file {file}"


def test_a_secret_is_taken_from_one_place_only(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    for variables in (("JOBTHREAD_SECRET_KEY", "JOBTHREAD_SECRET_KEY_FILE"),) * 2:
        environ = {"JOBTHREAD_SECRET_KEY": KEY, "JOBTHREAD_SECRET_KEY_FILE": str(file)}
        with pytest.raises(SettingsError, match="JOBTHREAD_SECRET_KEY: set together with"):
            load_settings({name: environ[name] for name in reversed(variables)})


def test_a_secrets_file_that_is_missing_empty_or_no_text_is_a_mistake(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    assert "JOBTHREAD_SECRET_KEY_FILE: expected the path" in mistake(secret_key_file=str(tmp_path / "none"))
    assert "JOBTHREAD_SECRET_KEY_FILE: expected the path" in mistake(secret_key_file=str(binary))
    assert mistake(secret_key_file=str(empty)) == f"JOBTHREAD_SECRET_KEY_FILE: the file '{empty}' is empty"


def test_only_secrets_are_read_from_files() -> None:
    assert "JOBTHREAD_PORT_FILE: there is no such setting" in mistake(port_file="/etc/hostname")


# --- What they may be ---


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        ("port", ["0", "65536", "80a", "-1", "8e3", "٨٠", " "], "a whole number from 1 to 65535"),
        ("link_days", ["0", "91", "7.5", "seven"], "a whole number from 1 to 90"),
        ("session_days", ["0", "366"], "a whole number from 1 to 365"),
        ("max_body_kb", ["127", "65537"], "a whole number from 128 to 65536"),
        ("rate_limits", ["yes", "1", "true"], "on or off"),
        ("metrics", ["maybe"], "on or off"),
        ("log_format", ["xml"], "json or readable"),
        ("log_level", ["loud"], "debug, info, warning or error"),
        ("company", ["   ", "A" * 81, "Acme\nLtd", "Acme\x1b[31m", "Acme\u2028Ltd"], "one line of 1 to 80"),
        ("country", ["USA", "XX", "u"], "the two letters of a country"),
        (
            "host",
            ["0.0.0.256", "http://x", "a b", "x:80", "-a", "a..b", "[::1]"],
            "an IP address or a host name",
        ),
        (
            "base_url",
            [
                *(
                    "example.com",
                    "ftp://example.com",
                    "https://",
                    "https://example.com/chat",
                    "//example.com",
                ),
                *("https://example.com?", "https://example.com/#x", "https://user@example.com"),
                *(
                    "https://example.com:99999",
                    "https://example.com:port",
                    "https://exa mple.com",
                    "http://[::1",
                ),
                *("https://example.com\n", "https://example.com\\@evil.example"),
            ],
            "http:// or https:// with a host",
        ),
        (
            "trusted_proxies",
            ["proxy.example.com", "10.0.0.1/8", "10.0.0.1;10.0.0.2", "*"],
            "IP addresses or ranges",
        ),
        (
            "mail_from",
            [
                "chat",
                "@example.com",
                "chat@",
                "a@b@",
                "a\n@example.com",
                "ä@example.com",
                "<a@b>",
                "Acme <a@b> x",
                "Acme <a@b",
                "A B@example.com",
                "a@[b]",
                "a@b, c@d",
            ],
            "a mail address",
        ),
        ("data_dir", ["/data?x", "/data\0"], "the path of a folder"),
    ],
)
def test_what_does_not_fit_is_told_with_what_is_expected(name: str, texts: list[str], expected: str) -> None:
    for text in texts:
        assert mistake(**{name: text}).startswith(f"{variable(name)}: expected {expected}"), text


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        (
            "secret_key",
            ["short-secret", "s3cret-of-31-characters-in-all-", KEY + "\x07"],
            "at least 32 characters",
        ),
        (
            "database_url",
            [
                *(
                    "mysql://s3cret@db/jobthread",
                    "sqlite://",
                    "sqlite:///",
                    "sqlite:///:memory:",
                    "/data/s3cret.db",
                ),
                *(
                    "sqlite:///data/",
                    "sqlite:///a.db?mode=ro",
                    "postgresql://tom:s3cret@db",
                    "postgresql://db/",
                ),
                *(
                    "postgresql://tom:s3cret@db:port/x",
                    "postgres://tom:s3cret@db/x",
                    "postgresql+asyncpg://db/x",
                    "postgresql://tom:s3cret@db/x y",
                ),
            ],
            "sqlite:///path/of/a/file or postgresql://user:password@host:port/database",
        ),
        ("listen_url", ["sqlite:///s3cret.db"], "postgresql://user:password@host:port/database"),
        (
            "smtp_url",
            [
                "mail.example.com",
                "http://mail.example.com",
                "smtp://",
                "smtp://s3cret@mail/x",
                "smtp://a:s3cret@:25",
            ],
            "smtp:// or smtps:// with user:password@host:port",
        ),
        ("smtp_url", ["smtp://s3cret@mail.example.com"], "a user with a password, or neither"),
        (
            "smtp_url",
            [
                "smtp://mail?starttls=maybe",
                "smtp://mail?s3cret",
                "smtp://mail?tls=on",
                "smtps://mail?starttls=off",
            ],
            "nothing after the port but ?starttls=required, try or off",
        ),
        (
            "sms_url",
            ["https://s3cret@sms.example.com", "s3cret", "twilio", "file:///a b"],
            "file:///folder, twilio://SID:TOKEN@api.twilio.com?from=+12025550123, vonage://",
        ),
        ("sms_url", ["file:relative", "file://host/s3cret", "file:///"], "file:///path/of/a/folder"),
    ],
)
def test_a_mistake_in_a_secret_never_repeats_it(name: str, texts: list[str], expected: str) -> None:
    for text in texts:
        line = mistake(**{name: text})
        assert line.startswith(f"{variable(name)}: expected {expected}"), text
        assert "s3cret" not in line


def test_a_long_or_broken_value_is_still_told_in_one_short_line() -> None:
    assert len(mistake(company="A\n" * 5000)) < 400


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Chat.Example.com/", "https://chat.example.com"),
        ("https://chat.example.com:443", "https://chat.example.com"),
        ("http://chat.example.com:80", "http://chat.example.com"),
        ("https://chat.example.com:8443", "https://chat.example.com:8443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_base_url_is_kept_as_browsers_name_an_origin(given: str, kept: str) -> None:
    assert loaded(base_url=given).base_url == kept


@pytest.mark.parametrize(
    ("host", "base_url", "mail_from"),
    [
        ("127.0.0.1", "http://localhost:8080", "jobthread@localhost"),
        ("0.0.0.0", "http://localhost:8080", "jobthread@localhost"),  # noqa: S104 (a value, nothing listens)
        ("::", "http://localhost:8080", "jobthread@localhost"),
        ("192.0.2.7", "http://192.0.2.7:8080", "jobthread@[192.0.2.7]"),
        ("2001:db8::7", "http://[2001:db8::7]:8080", "jobthread@[2001:db8::7]"),
        ("Chat.example.com", "http://chat.example.com:8080", "jobthread@chat.example.com"),
    ],
)
def test_base_url_and_sender_follow_the_host(host: str, base_url: str, mail_from: str) -> None:
    settings = loaded(host=host)
    assert (settings.base_url, settings.mail_from) == (base_url, mail_from)


def test_the_sender_follows_the_base_url_unless_it_is_set() -> None:
    assert loaded(base_url="https://chat.example.com").mail_from == "jobthread@chat.example.com"
    named = "Acme Plumbing <chat@example.com>"
    assert loaded(base_url="https://chat.example.com", mail_from=named).mail_from == named
    assert loaded(mail_from='"Acme, Ltd" <chat+jobs@example.com>').mail_from.endswith(
        "<chat+jobs@example.com>"
    )


def test_the_database_follows_the_data_directory_unless_it_is_set(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    assert loaded(data_dir=str(folder)).database_url == f"sqlite:///{folder}/jobthread.db"
    assert loaded(database_url="sqlite:////srv/other.db").database_url == "sqlite:////srv/other.db"


@pytest.mark.parametrize(
    "rest",
    ["://ada:pw@db.example.com:5433/jobthread", "://ada@/jobthread?host=/run/pg&port=5432", ":///jobthread"],
)
def test_postgresql_is_reached_through_psycopg(rest: str) -> None:
    assert loaded(database_url="postgresql" + rest).database_url == "postgresql+psycopg" + rest
    assert loaded(database_url="postgresql+psycopg" + rest).database_url == "postgresql+psycopg" + rest


def test_a_relative_data_directory_is_made_absolute_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = loaded(data_dir="here")
    monkeypatch.chdir("/")
    assert settings.data_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpUrl("mail.example.com", 587, None, None, "required")),
        ("smtp://mail.example.com:25?starttls=off", SmtpUrl("mail.example.com", 25, None, None, "off")),
        ("smtp://mail.example.com?starttls=try", SmtpUrl("mail.example.com", 587, None, None, "try")),
        ("smtp://localhost:1025", SmtpUrl("localhost", 1025, None, None, "try")),
        ("smtp://[::1]:25", SmtpUrl("::1", 25, None, None, "try")),
        ("smtp://127.0.0.1?starttls=required", SmtpUrl("127.0.0.1", 587, None, None, "required")),
        ("smtps://mail.example.com", SmtpUrl("mail.example.com", 465, None, None, "implicit")),
        ("smtps://localhost", SmtpUrl("localhost", 465, None, None, "implicit")),
        (
            "smtp://ada%40example.com:p%3Aw%2F@mail.example.com:2525",
            SmtpUrl("mail.example.com", 2525, "ada@example.com", "p:w/", "required"),
        ),
    ],
)
def test_a_mail_server_is_read_and_encrypted_unless_said_otherwise(url: str, server: SmtpUrl) -> None:
    assert loaded(smtp_url=url).smtp_url == server


def test_proxies_are_addresses_or_ranges() -> None:
    proxies = loaded(trusted_proxies="127.0.0.1, 10.0.0.0/8,,fd00::1").trusted_proxies
    assert proxies == (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::1"))


def test_words_are_read_in_any_case() -> None:
    settings = loaded(log_level="INFO", rate_limits="OFF", country="de", log_format="Json")
    assert (settings.log_level, settings.rate_limits, settings.country) == ("info", False, "DE")
    assert settings.log_format == "json"


@pytest.mark.parametrize(("terminal", "log_format"), [(True, "readable"), (False, "json")])
def test_logs_are_readable_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, log_format: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert load_settings({}).log_format == log_format


# --- What is shown of them ---


def test_the_description_tells_every_setting_its_value_and_its_origin() -> None:
    rows = {name: (value, origin) for name, value, origin in describe(loaded(port="9000", metrics="on"))}
    assert list(rows) == [variable(name) for name in SETTINGS]
    assert rows["JOBTHREAD_PORT"] == ("9000", "environment")
    assert rows["JOBTHREAD_METRICS"] == ("on", "environment")
    assert rows["JOBTHREAD_TRUSTED_PROXIES"] == ("none", "default")
    assert rows["JOBTHREAD_SMTP_URL"] == ("not set", "default")


def test_no_secret_is_shown_by_the_description_nor_by_repr() -> None:
    settings = loaded(
        secret_key="s3cret" + KEY,
        database_url="postgresql://ada:s3cret@db.example.com/jobthread?sslpassword=s3cret&port=5432",
        smtp_url="smtp://ada:s3cret@mail.example.com",
    )
    rows = {name: value for name, value, _ in describe(settings)}
    assert rows["JOBTHREAD_SECRET_KEY"] == "********"
    assert rows["JOBTHREAD_DATABASE_URL"] == (
        "postgresql+psycopg://ada:********@db.example.com/jobthread?sslpassword=********&port=5432"
    )
    assert rows["JOBTHREAD_SMTP_URL"] == "smtp://ada:********@mail.example.com:587?starttls=required"
    assert "s3cret" not in repr(settings) + repr(settings.smtp_url) + str(rows)


@pytest.mark.parametrize(
    "password", ["s3cret@more", "s3cret:more", "s3cret%40", "@s3cret", "?s3cret", "/s3cret", "#s3cret"]
)
def test_no_odd_password_slips_past_the_mask(password: str) -> None:
    try:
        shown = str(describe(loaded(database_url=f"postgresql://ada:{password}@db.example.com/jobthread")))
    except SettingsError as refused:
        shown = str(refused)
    assert "s3cret" not in shown


def test_what_is_shown_of_a_mail_server_can_be_read_again() -> None:
    for url in (
        "smtp://[::1]:25?starttls=try",
        "smtps://mail.example.com:465",
        "smtp://mail:587?starttls=off",
    ):
        assert str(loaded(smtp_url=url).smtp_url) == url


def test_every_setting_says_in_a_line_what_it_is() -> None:
    for name, one in SETTINGS.items():
        says = one.metadata["says"]
        assert 10 < len(says) < 110, name
        assert "\n" not in says


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load_settings({}).port = 1  # type: ignore[misc]


# --- When somebody answers ---


def test_by_default_the_office_never_closes_and_half_an_hour_is_long() -> None:
    settings = loaded()
    assert (settings.business_hours, settings.time_zone, settings.answer_minutes) == ("always", "UTC", 30)


def test_hours_and_zone_are_taken_as_people_write_them() -> None:
    settings = loaded(business_hours=" mon-fri 08:00-17:00, Sat 09:00-12:00", time_zone="Europe/Madrid")
    assert settings.business_hours == "mon-fri 08:00-17:00, Sat 09:00-12:00"
    assert settings.time_zone == "Europe/Madrid"


@pytest.mark.parametrize("text", ["9 to 5", "Mon-Fri", "Mon 09:00-09:00", "Mon 09:00-17:00;"])
def test_hours_that_are_none_are_told_how_to_write_them(text: str) -> None:
    assert mistake(business_hours=text).startswith(
        "JOBTHREAD_BUSINESS_HOURS: expected hours like Mon-Fri 08:00-17:00, Sat 09:00-12:00, or always"
    )


@pytest.mark.parametrize("text", ["Madrid", "Europe", "../etc/passwd", "/etc/localtime", "CET+1", "Europe/"])
def test_a_zone_that_is_none_is_told_what_one_looks_like(text: str) -> None:
    assert mistake(time_zone=text).startswith("JOBTHREAD_TIME_ZONE: expected the IANA name of a time zone")


def test_minutes_to_answer_are_a_whole_number_up_to_a_day_of_work() -> None:
    assert mistake(answer_minutes="1441").startswith("JOBTHREAD_ANSWER_MINUTES: expected a whole number")
    assert loaded(answer_minutes="0").answer_minutes == 0
