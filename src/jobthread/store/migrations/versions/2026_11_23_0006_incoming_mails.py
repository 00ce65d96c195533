"""Mails that come in."""

import sqlalchemy as sa
from alembic import op

revision = "0006_incoming_mails"
down_revision = "0005_waiting"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "incoming_mails",
        sa.Column("id", Id, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("mail_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reader_kind", sa.String(length=20), nullable=False),
        sa.Column("reader_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("raw_name", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["chat_messages.id"], name=op.f("fk_incoming_mails_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_mails")),
        sa.UniqueConstraint(
            "mail_hash", "reader_kind", "reader_id", "thread_id", name="uq_incoming_mails_once"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_incoming_mails_received_at"), "incoming_mails", ["received_at"], unique=False)
    op.create_index(op.f("ix_incoming_mails_raw_name"), "incoming_mails", ["raw_name"], unique=False)
