"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Words = TSVECTOR().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", Id, nullable=True),
        sa.Column("actor_name", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=True),
        sa.Column("subject_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("thread_id", Id, nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=400), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_log_position")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_log_action_id"), "audit_log", ["action", "id"], unique=False)
    op.create_index(
        op.f("ix_audit_log_actor_kind_actor_id_id"),
        "audit_log",
        ["actor_kind", "actor_id", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_audit_log_job_id_id"), "audit_log", ["job_id", "id"], unique=False)
    op.create_index(op.f("ix_audit_log_thread_id_id"), "audit_log", ["thread_id", "id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
    )
    op.create_index(op.f("ix_rate_limits_full_at"), "rate_limits", ["full_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("service", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", Id, nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("scheduled_at", sa.BigInteger(), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_jobs_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("external_id", name=op.f("uq_jobs_external_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_jobs_reference")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_jobs_customer_id"), "jobs", ["customer_id"], unique=False)
    op.create_index(op.f("ix_jobs_status_id"), "jobs", ["status", "id"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "chat_magic_sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_ip", sa.String(length=45), nullable=True),
        sa.Column("last_user_agent", sa.String(length=400), nullable=True),
        sa.Column("use_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_chat_magic_sessions_created_by")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_chat_magic_sessions_customer_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_chat_magic_sessions_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_magic_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_chat_magic_sessions_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_chat_magic_sessions_job_id_id"), "chat_magic_sessions", ["job_id", "id"], unique=False
    )
    op.create_table(
        "chat_threads",
        sa.Column("id", Id, nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("active_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("last_message_seq", sa.Integer(), nullable=True),
        sa.Column("last_sender_kind", sa.String(length=20), nullable=True),
        sa.Column("words", Words, nullable=True),
        sa.CheckConstraint(
            "visibility = 'internal' OR job_id IS NOT NULL",
            name=op.f("ck_chat_threads_customer_visible_has_job"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_chat_threads_created_by")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_chat_threads_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_threads")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_chat_threads_active_at_id"), "chat_threads", ["active_at", "id"], unique=False)
    op.create_index(op.f("ix_chat_threads_job_id"), "chat_threads", ["job_id"], unique=False)
    op.create_table(
        "job_assignees",
        sa.Column("job_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_assignees_job_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_job_assignees_user_id")),
        sa.PrimaryKeyConstraint("job_id", "user_id", name=op.f("pk_job_assignees")),
    )
    op.create_index(
        op.f("ix_job_assignees_user_id_job_id"), "job_assignees", ["user_id", "job_id"], unique=False
    )
    op.create_table(
        "chat_message_read_status",
        sa.Column("reader_kind", sa.String(length=20), nullable=False),
        sa.Column("reader_id", Id, autoincrement=False, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("last_read_seq", sa.Integer(), nullable=False),
        sa.Column("read_count", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["chat_threads.id"], name=op.f("fk_chat_message_read_status_thread_id")
        ),
        sa.PrimaryKeyConstraint(
            "reader_kind", "reader_id", "thread_id", name=op.f("pk_chat_message_read_status")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_chat_message_read_status_thread_id"), "chat_message_read_status", ["thread_id"], unique=False
    )
    op.create_table(
        "chat_messages",
        sa.Column("id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sender_kind", sa.String(length=20), nullable=False),
        sa.Column("sender_id", Id, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("event_type", sa.String(length=20), nullable=True),
        sa.Column("event_people", sa.Text(), nullable=True),
        sa.Column("client_msg_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=400), nullable=True),
        sa.Column("words", Words, nullable=True),
        sa.ForeignKeyConstraint(["thread_id"], ["chat_threads.id"], name=op.f("fk_chat_messages_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_messages")),
        sa.UniqueConstraint(
            "thread_id", "sender_kind", "sender_id", "client_msg_id", name="uq_chat_messages_once"
        ),
        sa.UniqueConstraint("thread_id", "seq", name=op.f("uq_chat_messages_thread_id_seq")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chat_thread_participants",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["chat_threads.id"], name=op.f("fk_chat_thread_participants_thread_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_chat_thread_participants_user_id")),
        sa.PrimaryKeyConstraint("user_id", "thread_id", name=op.f("pk_chat_thread_participants")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_chat_thread_participants_thread_id_user_id"),
        "chat_thread_participants",
        ["thread_id", "user_id"],
        unique=False,
    )
    op.create_table(
        "customer_cookies",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("magic_session_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["magic_session_id"],
            ["chat_magic_sessions.id"],
            name=op.f("fk_customer_cookies_magic_session_id"),
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_customer_cookies")),
    )
    op.create_index(
        op.f("ix_customer_cookies_magic_session_id"), "customer_cookies", ["magic_session_id"], unique=False
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("magic_session_id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_deliveries_magic_session_id"), "deliveries", ["magic_session_id"], unique=False)
    op.create_index(
        op.f("ix_deliveries_status_due_at_id"), "deliveries", ["status", "due_at", "id"], unique=False
    )
    op.bulk_insert(
        sa.table(
            "audit_head",
            sa.column("id"),
            sa.column("position"),
            sa.column("hash", sa.LargeBinary),
            sa.column("mac", sa.LargeBinary),
        ),
        [{"id": 1, "position": 0, "hash": bytes(32), "mac": b""}],
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE search_messages USING fts5(words, content='', tokenize='ascii')")
        op.execute("CREATE VIRTUAL TABLE search_subjects USING fts5(words, content='', tokenize='ascii')")
    else:
        op.create_index("ix_chat_messages_words", "chat_messages", ["words"], postgresql_using="gin")
        op.create_index("ix_chat_threads_words", "chat_threads", ["words"], postgresql_using="gin")
