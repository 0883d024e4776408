"""What was sent to whom: one row for each thing, period and recipient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deliveries",
        sa.Column("what", sa.String(128)),
        sa.Column("period", sa.String(64)),
        sa.Column("recipient", sa.String(512)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("why", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("what", "period", "recipient", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_at_ms", "deliveries", ["at_ms"])
