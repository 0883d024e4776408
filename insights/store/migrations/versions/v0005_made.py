"""Questions, boards and segments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "made",
        sa.Column("kind", sa.String(16)),
        sa.Column("name", sa.String(64)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("author", sa.String(256), nullable=False),
        sa.Column("changed_by", sa.String(256), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_made"),
        sa.CheckConstraint("kind in ('question', 'board', 'segment')", name="ck_made_kind"),
    )
    op.create_table(
        "members",
        sa.Column("segment", sa.String(64)),
        sa.Column("user", sa.LargeBinary),
        sa.PrimaryKeyConstraint("segment", "user", name="pk_members"),
    )
    op.create_index("ix_members_user", "members", ["user"])
