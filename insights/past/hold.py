"""Which of several processes writes the past, and whose past it is.

One writes: whoever holds the one row of `reader`. A commit renews the hold, and the others wait until it has run out. Their clocks decide only who
tries. Whether a commit counts is decided inside its transaction, which renews the hold and fails if somebody else has it. So nothing is written twice
even if a process sleeps for an hour in the middle of a commit.

::

    HoldLost    another process writes now
    OtherApp    the store belongs to another app
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, select, update

from insights.past.tables import ALERTS, LANDMARKS, OUTCOMES, POSITIONS, READER, SHARDS
from stream.faults import Refused


class HoldLost(Exception):
    """Another process writes the past now."""


class OtherApp(Refused):
    """The store holds the past of another app."""

    def __init__(self, theirs: str, ours: str) -> None:
        super().__init__(f"the page's store belongs to app {theirs!r}, and this is app {ours!r}: give each app a store of its own")


class Source(msgspec.Struct, frozen=True):
    """Whose past it is, and where it comes from. When anything but the app changes, it is made anew.

    Attributes
    ----------
    app : str
    cluster_id, topic_id : str
        Ids of the Kafka cluster and of the clicks topic: a topic that was made anew has another one.
    topics : tuple of str
        Names of the topics that are read.
    timezone : str
        By which days are counted.
    """

    app: str
    cluster_id: str
    topic_id: str
    topics: tuple[str, ...]
    timezone: str


_decoder = msgspec.json.Decoder(Source)


def take(db: Connection, holder: str, now_ms: int, hold_ms: int) -> bool:
    """Take the hold for `hold_ms` (ms), unless another process has it; return whether it is ours."""
    free = (READER.c.holder == holder) | (READER.c.until_ms <= now_ms)
    return db.execute(update(READER).where(free).values(holder=holder, until_ms=now_ms + hold_ms)).rowcount == 1


def renew(db: Connection, holder: str, now_ms: int, hold_ms: int) -> None:
    """Renew the hold. Raises HoldLost when another process has it."""
    mine = update(READER).where(READER.c.holder == holder).values(until_ms=now_ms + hold_ms)
    if db.execute(mine).rowcount != 1:
        raise HoldLost


def release(db: Connection, holder: str) -> None:
    """Let another process have it at once, if it is ours."""
    db.execute(update(READER).where(READER.c.holder == holder).values(until_ms=0))


def refuse_other_app(db: Connection, app: str) -> None:
    """Raise OtherApp when the past that is stored is that of another app."""
    stored = _stored(db)
    if stored is not None and stored.app != app:
        raise OtherApp(stored.app, app)


def is_from(db: Connection, source: Source) -> bool:
    """Whether the past that is stored comes from a source."""
    return _stored(db) == source


def begin_anew(db: Connection, source: Source) -> None:
    """Delete the past, to be made from a source. Numbers of changes go on, so whoever follows them sees all that is made."""
    for table in (ALERTS, LANDMARKS, OUTCOMES, POSITIONS, SHARDS):
        db.execute(delete(table))
    db.execute(update(READER).values(source=msgspec.json.encode(source).decode(), told_offset=0))


def _stored(db: Connection) -> Source | None:
    packed = db.execute(select(READER.c.source)).scalar_one()
    return _decoder.decode(packed) if packed else None
