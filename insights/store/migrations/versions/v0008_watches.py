"""How watches stand, and what they have told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "watches",
        sa.Column("name", sa.String(64)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("looked_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_watches"),
    )
    op.create_table(
        "watch_events",
        sa.Column("id", sa.Integer),
        sa.Column("watch", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("published_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_watch_events"),
    )
    op.create_index("ix_watch_events_at_ms", "watch_events", ["at_ms"])
