"""Which tables hold the past. Times are ms since the epoch (event time, unless a comment says otherwise), days are numbers by the app's calendar.

All of it can be made anew from the topics. One process writes, and what it has read is in the same transaction as where it stands in the topics.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from insights.store.tables import METADATA, UserId

ALERTS = Table(
    "alerts",
    METADATA,
    Column("alert_id", String(32), primary_key=True),
    Column("user", UserId, nullable=False),
    Column("definition", String(32), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("risk", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("landmark_ms", BigInteger, nullable=False),
    Column("valid_until_ms", BigInteger, nullable=False),
    Column("scored_ms", BigInteger, nullable=False),  # the broker's time of the record that caused it
    Column("model", Text, nullable=False),
    Column("model_version", BigInteger, nullable=False),
    Column("reasons", Text, nullable=False),  # JSON
    Column("reason_codes", Text, nullable=False),  # JSON
    Column("opened_day", Integer, nullable=False),
    Column("ended_ms", BigInteger),
    Column("ended_day", Integer),
    Column("cause", String(16)),
    Column("really_left", SmallInteger),  # 0 or 1 once the label has matured
    Column("change_no", BigInteger, nullable=False),
    CheckConstraint("cause in ('returned', 'horizon')", name="cause"),
    CheckConstraint("(ended_ms is null) = (cause is null)", name="ended"),
    Index(None, "user"),
    Index(None, "change_no", unique=True),
    Index(None, "definition", "landmark_ms"),
    Index(None, "definition", "ended_day"),
    Index(None, "valid_until_ms"),
)

LANDMARKS = Table(
    "landmarks",
    METADATA,
    Column("definition", String(32), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
)
"""Risks and outcomes at a landmark instant, those of many users in one row: `insights.past.fold.landmarks` says how."""

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("definition", String(32), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # of the landmark
    Column("step", SmallInteger, primary_key=True, autoincrement=False),  # of the stated risk
    Column("n", BigInteger, nullable=False),
    Column("gone", BigInteger, nullable=False),
    Column("said", BigInteger, nullable=False),
)
"""All outcomes that are known, counted by day and stated risk: how many, how many of them left, and the sum of the risks (each 0 to 65,535)."""

SHARDS = Table(
    "shards",
    METADATA,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("lineage", Text, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("watermark_ms", BigInteger, nullable=False),
    Column("stamp_ms", BigInteger, nullable=False),  # the broker's time of the newest block
)
"""How far the examples of each shard have been read, by their own numbers."""

POSITIONS = Table(
    "positions",
    METADATA,
    Column("topic", String(256), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("end_offset", BigInteger, nullable=False),
)
"""Which record of each partition is read next, and where the partition ended when that was written."""

ERASED = Table(
    "erased",
    METADATA,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)
"""Users who were erased, by a digest of each (`insights.past.erased`): nothing of them up to a time is taken in again."""

READER = Table(
    "reader",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("until_ms", BigInteger, nullable=False),  # a machine's own time
    Column("change_no", BigInteger, nullable=False),
    Column("told_offset", BigInteger, nullable=False),
    Column("salt", LargeBinary(16)),  # of the digests of erased users; null until somebody is erased
    CheckConstraint("id = 1", name="one"),
)
"""One row: whose past this is, which process may write it and until when, the newest change, and the next label from outside."""
