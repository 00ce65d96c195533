"""The schema's version: brought up to date by Alembic, refused where it is newer than this program."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from jobthread.store import engines
from jobthread.store.database import Reading

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0009_active"
"""The newest migration. Named here too, so that a start on a current schema need not load Alembic."""


class SchemaError(Exception):
    """The database cannot be used by this program: one line that says why."""


def migrate(url: str) -> bool:
    """Bring the schema up to date; whether there was anything to do.

    Raises `SchemaError` where the schema is newer than this program, or the database unreachable.
    """
    engine = _engine(url)
    try:
        version = _version(engine)
        if version == HEAD:
            return False
        if version is not None and version not in versions():
            raise SchemaError(
                f"The database has schema {version}, which is newer than this Jobthread knows ({HEAD}): "
                "update Jobthread, or restore the backup made before the update."
            )
        _upgrade(engine)
    except DBAPIError as error:
        raise SchemaError(f"The database cannot be opened: {_first_line(error)}") from error
    finally:
        engine.dispose()
    return True


def is_current(tx: Reading) -> bool:
    return tx.conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def durability_fault(tx: Reading) -> str | None:
    """Why an acknowledged message might be lost on this database; None where all is well."""
    if tx.dialect == "sqlite":
        return None
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        if tx.conn.execute(text(f"SHOW {setting}")).scalar() == "off":
            return f"PostgreSQL runs with {setting}=off: acknowledged messages could be lost."
    return None


def _engine(url: str) -> Engine:
    if engines.is_sqlite(url):
        return engines.for_writing(url)
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)


def _version(engine: Engine) -> str | None:
    with engine.begin() as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(engine: Engine) -> None:
    with engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            _let_tables_be_made_anew(conn)
        with conn.begin():
            if conn.dialect.name == "postgresql":
                conn.execute(text("SELECT pg_advisory_xact_lock(7221701)"))
            upgrade_on(conn, "head")
            if conn.dialect.name == "sqlite":
                _insist_on_references(conn)


def _let_tables_be_made_anew(conn: Connection) -> None:
    """Else what refers to a table would hold it. To be said before the transaction begins."""
    driver: Any = conn.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")


def _insist_on_references(conn: Connection) -> None:
    if (broken := conn.exec_driver_sql("PRAGMA foreign_key_check").first()) is not None:
        raise SchemaError(
            f"The update was undone: {broken[0]} would refer to {broken[2]} that are not there."
        )


def upgrade_on(conn: Connection, version: str) -> None:
    # Alembic takes a third of the start-up time and 10 MB: loaded only where there is something to do.
    from alembic import command

    config = _config()
    config.attributes["connection"] = conn
    command.upgrade(config, version)


def versions() -> list[str]:
    """Every schema that this program brings up to date, the newest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
