"""Text messages: the consent ledger, what came in, and by what a message came."""

import sqlalchemy as sa
from alembic import op

revision = "0004_sms"
down_revision = "0003_push"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sms_consent",
        sa.Column("id", Id, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sms_consent_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_consent")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sms_consent_number_id"), "sms_consent", ["number", "id"], unique=False)
    op.create_table(
        "sms_incoming",
        sa.Column("id", Id, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("thread_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["thread_id"], ["chat_threads.id"], name=op.f("fk_sms_incoming_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_incoming")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_sms_incoming_provider_provider_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_deliveries_recipient_id"), "deliveries", ["recipient", "id"], unique=False)
    op.create_index(op.f("ix_deliveries_provider_id"), "deliveries", ["provider_id"], unique=False)
    op.add_column("chat_messages", sa.Column("via", sa.String(length=10), nullable=True))
