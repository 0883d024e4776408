"""The numbers that reports have told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reported",
        sa.Column("name", sa.String(64)),
        sa.Column("day", sa.String(10)),
        sa.Column("as_of_ms", sa.BigInteger, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "day", name="pk_reported"),
    )
