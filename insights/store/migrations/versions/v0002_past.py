"""Alerts and what became of them, risks and outcomes at landmarks, and how far the topics have been read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, and the one row of `reader`."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(32)),
        sa.Column("user", sa.LargeBinary, nullable=False),
        sa.Column("definition", sa.String(32), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("risk", sa.Float, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("landmark_ms", sa.BigInteger, nullable=False),
        sa.Column("valid_until_ms", sa.BigInteger, nullable=False),
        sa.Column("scored_ms", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_version", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("reason_codes", sa.Text, nullable=False),
        sa.Column("opened_day", sa.Integer, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("ended_day", sa.Integer),
        sa.Column("cause", sa.String(16)),
        sa.Column("really_left", sa.SmallInteger),
        sa.Column("change_no", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alerts"),
        sa.CheckConstraint("cause in ('returned', 'horizon')", name="ck_alerts_cause"),
        sa.CheckConstraint("(ended_ms is null) = (cause is null)", name="ck_alerts_ended"),
    )
    op.create_index("ix_alerts_user", "alerts", ["user"])
    op.create_index("ix_alerts_change_no", "alerts", ["change_no"], unique=True)
    op.create_index("ix_alerts_definition_landmark_ms", "alerts", ["definition", "landmark_ms"])
    op.create_index("ix_alerts_definition_ended_day", "alerts", ["definition", "ended_day"])
    op.create_index("ix_alerts_valid_until_ms", "alerts", ["valid_until_ms"])
    op.create_table(
        "landmarks",
        sa.Column("definition", sa.String(32)),
        sa.Column("place", sa.BigInteger, autoincrement=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("definition", "place", name="pk_landmarks"),
    )
    op.create_table(
        "outcomes",
        sa.Column("definition", sa.String(32)),
        sa.Column("day", sa.Integer, autoincrement=False),
        sa.Column("step", sa.SmallInteger, autoincrement=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("gone", sa.BigInteger, nullable=False),
        sa.Column("said", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("definition", "day", "step", name="pk_outcomes"),
    )
    op.create_table(
        "shards",
        sa.Column("partition", sa.Integer, autoincrement=False),
        sa.Column("lineage", sa.Text, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.Column("watermark_ms", sa.BigInteger, nullable=False),
        sa.Column("stamp_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("partition", name="pk_shards"),
    )
    op.create_table(
        "positions",
        sa.Column("topic", sa.String(256)),
        sa.Column("partition", sa.Integer, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("end_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_positions"),
    )
    reader = op.create_table(
        "reader",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("change_no", sa.BigInteger, nullable=False),
        sa.Column("told_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reader"),
        sa.CheckConstraint("id = 1", name="ck_reader_one"),
    )
    op.bulk_insert(reader, [{"id": 1, "source": "", "holder": "", "until_ms": 0, "change_no": 0, "told_offset": 0}])
