"""Deliveries of several kinds, and what decides who is told of what."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0002_notifications"
down_revision = "0001"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _add_tables()
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_deliveries()
    else:
        _change_deliveries()
    op.create_index(op.f("ix_deliveries_thread_id_id"), "deliveries", ["thread_id", "id"], unique=False)
    # What was unread before there were notifications was told otherwise, or not at all: not years later.
    sown = sa.table("notices_sown", sa.column("id"), sa.column("up_to"))
    op.bulk_insert(sown, [{"id": 1, "up_to": time.time_ns() // 1000}])


# --- deliveries -----------------------------------------------------------------------------------


def _rebuild_deliveries() -> None:
    """SQLite cannot change a column; nothing refers to this table, so it is made anew under its name."""
    op.execute("CREATE TABLE deliveries_before AS SELECT * FROM deliveries")
    op.drop_table("deliveries")
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reader_kind", sa.String(length=20), nullable=False),
        sa.Column("reader_id", Id, nullable=False),
        sa.Column("magic_session_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("thread_id", Id, nullable=True),
        sa.Column("after_seq", sa.Integer(), nullable=True),
        sa.Column("up_to_seq", sa.Integer(), nullable=True),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unknown_ends", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("provider_id", sa.String(length=254), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_deliveries_job_id")),
        sa.ForeignKeyConstraint(
            ["magic_session_id"], ["chat_magic_sessions.id"], name=op.f("fk_deliveries_magic_session_id")
        ),
        sa.ForeignKeyConstraint(["thread_id"], ["chat_threads.id"], name=op.f("fk_deliveries_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    kept = (
        "id, channel, recipient, status, magic_session_id, job_id, sealed_token, attempts, unknown_ends,"
        " due_at, leased_until, created_at, sent_at, provider_id, error"
    )
    op.execute(
        f"INSERT INTO deliveries (kind, reader_kind, reader_id, {kept})"  # noqa: S608 - our own words
        f" SELECT 'invitation', 'customer', {_CUSTOMER.format('deliveries_before')}, {kept}"
        " FROM deliveries_before"
    )
    op.execute("DROP TABLE deliveries_before")
    op.create_index(op.f("ix_deliveries_magic_session_id"), "deliveries", ["magic_session_id"], unique=False)
    op.create_index(
        op.f("ix_deliveries_status_due_at_id"), "deliveries", ["status", "due_at", "id"], unique=False
    )


_CUSTOMER = "(SELECT customer_id FROM chat_magic_sessions WHERE id = {}.magic_session_id)"


def _change_deliveries() -> None:
    op.add_column("deliveries", sa.Column("kind", sa.String(length=20), nullable=True))
    op.add_column("deliveries", sa.Column("reader_kind", sa.String(length=20), nullable=True))
    op.add_column("deliveries", sa.Column("reader_id", Id, nullable=True))
    op.add_column("deliveries", sa.Column("thread_id", Id, nullable=True))
    op.add_column("deliveries", sa.Column("after_seq", sa.Integer(), nullable=True))
    op.add_column("deliveries", sa.Column("up_to_seq", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE deliveries SET kind = 'invitation', reader_kind = 'customer',"  # noqa: S608 - our own words
        f" reader_id = {_CUSTOMER.format('deliveries')}"
    )
    for name in ("kind", "reader_kind", "reader_id"):
        op.alter_column("deliveries", name, nullable=False)
    for name in ("magic_session_id", "job_id"):
        op.alter_column("deliveries", name, nullable=True)
    op.create_foreign_key(
        op.f("fk_deliveries_thread_id"), "deliveries", "chat_threads", ["thread_id"], ["id"]
    )


# --- new tables -----------------------------------------------------------------------------------


def _add_tables() -> None:
    op.create_table(
        "chat_magic_tokens",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("magic_session_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["magic_session_id"],
            ["chat_magic_sessions.id"],
            name=op.f("fk_chat_magic_tokens_magic_session_id"),
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_chat_magic_tokens")),
    )
    op.create_index(
        op.f("ix_chat_magic_tokens_magic_session_id_created_at"),
        "chat_magic_tokens",
        ["magic_session_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "notification_links",
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("magic_session_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_notification_links_customer_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_notification_links_job_id")),
        sa.ForeignKeyConstraint(
            ["magic_session_id"],
            ["chat_magic_sessions.id"],
            name=op.f("fk_notification_links_magic_session_id"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "job_id", name=op.f("pk_notification_links")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notices",
        sa.Column("reader_kind", sa.String(length=20), nullable=False),
        sa.Column("reader_id", Id, autoincrement=False, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("told_seq", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["thread_id"], ["chat_threads.id"], name=op.f("fk_notices_thread_id")),
        sa.PrimaryKeyConstraint("reader_kind", "reader_id", "thread_id", name=op.f("pk_notices")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_notices_look_at"), "notices", ["look_at"], unique=False)
    op.create_index(op.f("ix_notices_thread_id"), "notices", ["thread_id"], unique=False)
    op.create_table(
        "notices_sown",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices_sown")),
    )
    op.create_table(
        "presence",
        sa.Column("reader_kind", sa.String(length=20), nullable=False),
        sa.Column("reader_id", Id, autoincrement=False, nullable=False),
        sa.Column("job_id", Id, autoincrement=False, nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("visible_until", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader_kind", "reader_id", "job_id", "place", name=op.f("pk_presence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("push", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notification_preferences_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_preferences")),
    )
    op.create_table(
        "thread_mutes",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["chat_threads.id"], name=op.f("fk_thread_mutes_thread_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_thread_mutes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "thread_id", name=op.f("pk_thread_mutes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "customer_preferences",
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=True),
        sa.Column("language_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_customer_preferences_customer_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_customer_preferences_job_id")),
        sa.PrimaryKeyConstraint("customer_id", "job_id", name=op.f("pk_customer_preferences")),
        sqlite_with_rowid=False,
    )
