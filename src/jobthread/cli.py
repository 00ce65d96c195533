"""The program `jobthread`: serve, migrate, user, apikey, audit, backup, restored, config, openapi, bench."""

import argparse
import asyncio
import getpass
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from jobthread import __version__
from jobthread.entities import Actor, Role
from jobthread.errors import JobthreadError
from jobthread.settings import Settings, SettingsError, describe, load_settings
from jobthread.store.database import Database, Reading, Writing
from jobthread.store.schema import SchemaError

T = TypeVar("T")
AT_THE_SERVER = Actor(None, "", "jobthread command line")


def main() -> None:
    asked = build_parser().parse_args()
    try:
        settings = load_settings(os.environ, asked.config, _arguments(asked))
        status = asked.run(settings, asked)
        sys.stdout.flush()
        sys.exit(status)
    except BrokenPipeError:
        # Whoever read our output, like `head`, has read enough.
        _say_no_more()
        sys.exit(128 + signal.SIGPIPE)
    except (SettingsError, SchemaError, Refused, JobthreadError, OSError) as error:
        print(f"jobthread: {error}", file=sys.stderr)
        _say_no_more()
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _say_no_more() -> None:
    """What was printed but could not be written must not fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class Refused(Exception):
    """Why a command does nothing: one line."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jobthread", description="Chat for companies that do jobs.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings as TOML")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    serving = _command(commands, "serve", serve, "serve, after bringing the schema up to date")
    serving.add_argument("--host")
    serving.add_argument("--port")
    serving.add_argument("--workers", metavar="N", help="processes, on PostgreSQL")
    serving.add_argument("--demo", action="store_true", help="fill an empty database with a small company")

    _command(commands, "migrate", migrate, "bring the schema up to date")
    _add_people(commands)

    auditing = commands.add_parser("audit", help="the audit trail").add_subparsers(required=True)
    verifying = _command(
        auditing, "verify", verify_audit, "check the chain; name the first row that is wrong"
    )
    verifying.add_argument("--expect", metavar="POSITION:HASH", help="a head noted down earlier")

    backing = _command(commands, "backup", make_backup, "copy a live SQLite database")
    backing.add_argument("file", type=Path)
    _command(commands, "restored", restored, "end all links and sessions, after a restore from pg_dump")
    _command(commands, "config", show_config, "print the settings in force, secrets masked")
    _command(commands, "openapi", show_openapi, "print the OpenAPI document")
    benching = _command(commands, "bench", run_bench, "measure this machine with a database of its own")
    benching.add_argument("--seconds", type=float, default=5.0, help="of each row (default 5)")
    benching.add_argument("--database", metavar="URL", help="an empty PostgreSQL database, instead of SQLite")
    return parser


def _add_people(commands: Any) -> None:
    users = commands.add_parser("user", help="staff accounts").add_subparsers(required=True)
    adding = _command(users, "add", add_user, "add a member of staff, and the first admin")
    adding.add_argument("email")
    adding.add_argument("--name", required=True)
    adding.add_argument("--role", required=True, choices=[role.value for role in Role])
    adding.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    keys = commands.add_parser("apikey", help="keys for integrations").add_subparsers(required=True)
    keying = _command(keys, "add", add_api_key, "make a key and the service account it acts as")
    keying.add_argument("name")
    keying.add_argument("--role", required=True, choices=[role.value for role in Role])
    revoking = _command(keys, "revoke", revoke_api_key, "end a key")
    revoking.add_argument("name")


Running = Callable[[Settings, argparse.Namespace], int]


def _command(commands: Any, name: str, run: Running, says: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
    parser.set_defaults(run=run)
    return parser


def _arguments(asked: argparse.Namespace) -> dict[str, str | None]:
    return {name: getattr(asked, name, None) for name in ("host", "port", "workers")}


# --- serving --------------------------------------------------------------------------------------


def serve(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread import serving

    return serving.serve(settings, demo=asked.demo)


def migrate(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.store import schema

    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    moved = schema.migrate(settings.database_url)
    print(f"The schema is {'now' if moved else 'already'} at {schema.HEAD}.")
    return 0


# --- people ---------------------------------------------------------------------------------------


def add_user(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.actions import passwords, people
    from jobthread.api import fields

    email, name = fields.email(asked.email, "EMAIL"), fields.line(asked.name, "--name")
    password = _password(asked.password_stdin)
    if len(password) < passwords.SHORTEST:
        raise Refused(f"A password has at least {passwords.SHORTEST} characters.")
    password_hash = passwords.hashed_now(password)
    added = _in_transaction(
        settings,
        lambda tx: people.enrol(tx, AT_THE_SERVER, name, email, Role(asked.role), password_hash),
    )
    print(f"{added.name} ({added.role}) signs in as {added.email}.")
    return 0


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Refused("There is no terminal to ask for the password at: use --password-stdin.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise Refused("The two passwords differ.")
    return password


def add_api_key(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.actions import people
    from jobthread.api import fields

    name = fields.line(asked.name, "NAME")
    key = _in_transaction(settings, lambda tx: people.add_api_key(tx, AT_THE_SERVER, name, Role(asked.role)))
    print(key)
    print("This key is shown only now.", file=sys.stderr)
    return 0


def revoke_api_key(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.actions import people

    _in_transaction(settings, lambda tx: people.revoke_api_key(tx, AT_THE_SERVER, asked.name))
    print("The key opens nothing any more.")
    return 0


# --- trail and copies -----------------------------------------------------------------------------


def verify_audit(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread import app
    from jobthread.store import audit

    key = app.audit_key(settings)
    verdict = _reading(settings, lambda tx: audit.verify(tx, key, asked.expect))
    if verdict.fault is not None:
        print(f"The audit trail is not as it was written: {verdict.fault}.")
        return 1
    print(f"The audit trail is whole: {verdict.position} rows, {verdict.unsealed} waiting to be sealed.")
    print(f"Its head is {verdict.position}:{verdict.hash.hex()} (note it elsewhere for --expect).")
    return 0


def make_backup(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.store.backup import BackupError, backup

    try:
        size = backup(settings.database_url, asked.file)
    except BackupError as error:
        raise Refused(str(error)) from error
    print(f"{asked.file}: {size} bytes. Restoring it ends all links and sessions.")
    print(f"Keep {settings.data_dir / 'secret.key'} as well: without it the trail cannot be verified.")
    return 0


def restored(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.store import opening

    _in_transaction(settings, opening.end_what_was_restored)
    print("All links and sessions have ended.")
    return 0


# --- about ----------------------------------------------------------------------------------------


def show_config(settings: Settings, asked: argparse.Namespace) -> int:
    for name, value, origin in describe(settings):
        print(f"{name}={value}  # {origin}")
    return 0


def show_openapi(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread.api import openapi, routes

    print(json.dumps(openapi.document(routes.all_calls()), indent=2, ensure_ascii=False))
    return 0


def run_bench(settings: Settings, asked: argparse.Namespace) -> int:
    from jobthread import bench

    return bench.run(asked.seconds, asked.database)


# --- the database ---------------------------------------------------------------------------------


def _in_transaction(settings: Settings, act: Callable[[Writing], T]) -> T:
    return _with_database(settings, lambda db: db.write(act))


def _reading(settings: Settings, look: Callable[[Reading], T]) -> T:
    return _with_database(settings, lambda db: db.read(look))


def _with_database(settings: Settings, act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    from jobthread import app

    db = app.open_database(settings)
    try:
        return asyncio.run(act(db))
    finally:
        db.close()


if __name__ == "__main__":
    main()
