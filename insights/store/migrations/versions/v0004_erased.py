"""Users who were erased, by a digest of each, and the salt of these digests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, and a place for the salt."""
    op.create_table(
        "erased",
        sa.Column("digest", sa.LargeBinary(16)),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_erased"),
    )
    op.add_column("reader", sa.Column("salt", sa.LargeBinary(16)))
