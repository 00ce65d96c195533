"""The numbers to which members of staff have tests sent."""

import sqlalchemy as sa
from alembic import op

revision = "0007_staff_phones"
down_revision = "0006_incoming_mails"


def upgrade() -> None:
    op.add_column("notification_preferences", sa.Column("phone", sa.String(length=20), nullable=True))
