"""What makes a message the same message, ordered by the client's id for it."""

from alembic import op

revision = "0008_once"
down_revision = "0007_staff_phones"


def upgrade() -> None:
    # SQLite can drop no constraint: there the table is made anew, and its rows are copied.
    with op.batch_alter_table("chat_messages", table_kwargs={"sqlite_autoincrement": True}) as messages:
        messages.drop_constraint("uq_chat_messages_once", type_="unique")
        messages.create_unique_constraint(
            "uq_chat_messages_once", ["client_msg_id", "thread_id", "sender_kind", "sender_id"]
        )
