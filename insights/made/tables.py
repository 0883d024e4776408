"""Which tables hold what people have made. Times are ms since the epoch, passed in by whoever writes."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Table, Text

from insights.store.tables import METADATA, UserId

KIND = "kind in ('question', 'board', 'segment')"

MADE = Table(
    "made",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("body", Text, nullable=False),  # JSON of the thing
    Column("author", String(256), nullable=False),
    Column("changed_by", String(256), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    CheckConstraint(KIND, name="kind"),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("segment", String(64), primary_key=True),
    Column("user", UserId, primary_key=True),
    Index(None, "user"),
)
"""Users of the segments that are lists: rows of their own, so that an erased user leaves them all by one statement."""
