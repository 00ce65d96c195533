"""Threads of one status by their last activity: of a company's many, those that are open come first."""

from alembic import op

revision = "0009_active"
down_revision = "0008_once"


def upgrade() -> None:
    op.drop_index("ix_chat_threads_active_at_id", "chat_threads")
    op.create_index("ix_chat_threads_status_active_at_id", "chat_threads", ["status", "active_at", "id"])
