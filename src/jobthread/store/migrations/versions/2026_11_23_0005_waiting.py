"""Who waits for an answer, since when, who has said that they give it, and who was told that nobody did."""

import sqlalchemy as sa
from alembic import op

revision = "0005_waiting"
down_revision = "0004_sms"


def upgrade() -> None:
    op.add_column("chat_threads", sa.Column("waiting_since", sa.BigInteger(), nullable=True))
    # With its reference in the column: SQLite can add it in no other way.
    id_type = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE chat_threads ADD COLUMN claimed_by {id_type}"
        " CONSTRAINT fk_chat_threads_claimed_by REFERENCES users (id)"
    )
    op.add_column("chat_threads", sa.Column("claimed_at", sa.BigInteger(), nullable=True))
    op.add_column("chat_threads", sa.Column("escalated", sa.Integer(), server_default="0", nullable=False))
    op.add_column("chat_threads", sa.Column("away_until", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_chat_threads_waiting",
        "chat_threads",
        ["waiting_since", "id"],
        unique=False,
        sqlite_where=sa.text("waiting_since IS NOT NULL"),
        postgresql_where=sa.text("waiting_since IS NOT NULL"),
    )
    op.execute(_WAITING_ALREADY)


# Nobody is told of these: not of a hundred at once, and not years later.
_WAITING_ALREADY = """
    UPDATE chat_threads SET escalated = 2, waiting_since = (
        SELECT min(asked.created_at) FROM chat_messages AS asked
        WHERE asked.thread_id = chat_threads.id AND asked.sender_kind = 'customer' AND asked.kind = 'message'
        AND asked.seq > coalesce((
            SELECT max(said.seq) FROM chat_messages AS said
            WHERE said.thread_id = chat_threads.id AND said.sender_kind = 'staff' AND said.kind = 'message'
        ), 0)
    )
    WHERE status = 'open' AND visibility = 'customer_visible' AND last_sender_kind = 'customer'
"""
