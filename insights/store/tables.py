"""Which tables hold who may look at the page. All times are ms since the epoch (UTC), passed in by whoever writes.

`insights.store.migrations` makes these tables; a test holds both against each other, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of the store. A constraint without a name could not be changed later."""


class UserId(TypeDecorator[str]):
    """A user id, as bytes: it comes from strangers and may hold a NUL, which no text of PostgreSQL can."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> bytes | None:
        """Return what is stored."""
        return None if value is None else value.encode()

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> str | None:
        """Return what was stored."""
        return None if value is None else value.decode()


_ROLE = "role in ('viewer', 'analyst', 'admin')"

PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("login", String(128), unique=True),  # what they type; none for people whom a provider sends
    Column("name", String(256), nullable=False),
    Column("email", String(320)),
    Column("password_hash", String(256)),  # argon2, with its salt and costs
    Column("role", String(16), nullable=False),
    Column("issuer", String(512)),
    Column("subject", String(256)),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
    CheckConstraint(_ROLE, name="role"),
    UniqueConstraint("issuer", "subject"),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),  # sha256 of the secret: 256 random bits need no salt
    Column("prefix", String(16), nullable=False),
    Column("scopes", String(512), nullable=False),  # with blanks between
    Column("role", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("last_used_ms", BigInteger),
    CheckConstraint(_ROLE, name="role"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("hash", String(64), primary_key=True),  # sha256 of the cookie's secret
    Column("person_id", ForeignKey(PEOPLE.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(256), nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", String(512), nullable=False),
    Column("address", String(64), nullable=False),
    Index(None, "at_ms"),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("key", String(64), primary_key=True),  # hash of what is limited
    Column("paid_until_ms", BigInteger, nullable=False, index=True),
)
"""One row for each key that has tried of late; see `insights.store.attempts`."""

ANSWERS = Table(
    "answers",
    METADATA,
    Column("key", String(64), primary_key=True),  # hash of the question
    Column("asked_ms", BigInteger, nullable=False, index=True),
    Column("claimed_by", String(64), nullable=False),  # the process that computes it now; "" if none does
    Column("claimed_until_ms", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary),  # null until it was answered once
)
"""What analyses have found; see `insights.store.answers`."""

REPORTED = Table(
    "reported",
    METADATA,
    Column("name", String(64), primary_key=True),  # of the report; "" for one that was asked for by hand
    Column("day", String(10), primary_key=True),  # the day that it is of, as in 2026-11-27
    Column("as_of_ms", BigInteger, nullable=False),
    Column("figures", Text, nullable=False),  # JSON
)
"""The numbers of each report, so that the next one says what changed; see `insights.store.reported`."""

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("what", String(128), primary_key=True),  # such as "report monday"
    Column("period", String(64), primary_key=True),  # such as 2026-11-27; "" in the row that says since when it is known
    Column("recipient", String(512), primary_key=True),  # an address, or a folder
    Column("state", String(16), nullable=False),
    Column("by", String(64), nullable=False),  # the process that claimed it last
    Column("until_ms", BigInteger, nullable=False),  # of a claim; of a failure, when it is tried again
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
    Column("why", String(32), nullable=False),
)
"""What was sent to whom; see `insights.store.deliveries`."""

WATCHES = Table(
    "watches",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, nullable=False),  # 1 more with each change, so that of two who judge at once one is told to look again
    Column("looked_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # JSON
)
"""How watches stand; see `insights.store.watching`."""

WATCH_EVENTS = Table(
    "watch_events",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("watch", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("body", Text, nullable=False),  # JSON
    Column("published_ms", BigInteger),  # null until it stands on the topic
)
"""What watches have told, written together with the state that follows from it."""
