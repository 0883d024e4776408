"""Which tables does the history have? One row of data a table: its columns, what it is partitioned by, in which order its files are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from features.definitions import rules

if TYPE_CHECKING:
    from deltalake import Schema
    from deltalake.schema import ArrayType, PrimitiveType

TIME = pl.Datetime("us", "UTC")
TEXTS = pl.List(pl.String())
_DELTA = {
    pl.String(): "string", TIME: "timestamp", pl.Float64(): "double", pl.Int32(): "integer", pl.Int64(): "long", pl.Date(): "date",
}  # fmt: skip

RESERVED = rules.RESERVED
"""Event types by which systems tell something of a user. They are no deeds, so they make no day of a user, unless the app itself names them (`events.Rules`)."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What one table looks like.

    Attributes
    ----------
    name : str
        Its folder below that of the history.
    columns : dict of str to polars type
        In order; the column that the table is partitioned by is the last. Files do not hold that one: the name of their folder does.
    needed : tuple of str
        Columns that are never null.
    partition : str
        The column whose values are folders; "" for none.
    order : tuple of str
        The columns by which the rows of a file are sorted.
    measured : str
        The one column whose least and greatest value of each file stand in the log. An id of a user never does: the log outlives the rows of somebody who is erased.
    """

    name: str
    columns: dict[str, pl.DataType]
    needed: tuple[str, ...]
    partition: str
    order: tuple[str, ...]
    measured: str = "ts"

    @property
    def in_files(self) -> dict[str, pl.DataType]:
        """The columns that files hold."""
        return {name: kind for name, kind in self.columns.items() if name != self.partition}

    def schema(self) -> Schema:
        """Return the schema as Delta has it."""
        from deltalake import Field, Schema

        return Schema([Field(name, _delta(kind), nullable=name not in self.needed) for name, kind in self.columns.items()])


def _delta(kind: pl.DataType) -> PrimitiveType | ArrayType:
    from deltalake.schema import ArrayType, PrimitiveType

    return ArrayType(PrimitiveType("string"), contains_null=False) if kind == TEXTS else PrimitiveType(_DELTA[kind])


EVENTS = TableSpec(
    "events",
    {
        "user": pl.String(),
        "ts": TIME,
        "type": pl.String(),
        "channel": pl.String(),
        "item": pl.String(),
        "session": pl.String(),
        "value": pl.Float64(),
        "event_id": pl.String(),
        "props": pl.String(),  # JSON as it came; null if there is none, or {}
        "arrived": TIME,  # the broker's stamp, or the time of the import
        "part": pl.Int32(),  # the place in the topic; -1 and the row of the file for an import
        "off": pl.Int64(),
        "day": pl.Date(),  # of ts, in the history's time zone
    },
    needed=("user", "ts", "type", "arrived", "part", "off"),
    partition="day",
    order=("user", "ts", "part", "off"),
)
USER_DAY = TableSpec(
    "user_day",
    {
        "user": pl.String(),
        "day": pl.Date(),
        "channel": pl.String(),  # of the first event of the day
        "events": pl.Int32(),
        "sessions": pl.Int32(),  # visits that begin on the day, or go on into it
        "types": TEXTS,
        "purchases": pl.Int32(),
        "revenue": pl.Float64(),
        "first_ts": TIME,
        "last_ts": TIME,
        "month": pl.String(),  # of the day, such as 2025-05
    },
    needed=("user", "day", "events", "sessions", "types", "purchases", "revenue", "first_ts", "last_ts"),
    partition="month",
    order=("user", "day"),
    measured="day",
)
USERS = TableSpec(
    "users",
    {
        "user": pl.String(),
        "first_day": pl.Date(),
        "first_ts": TIME,
        "channel": pl.String(),  # of the first event ever
        "last_day": pl.Date(),
        "events": pl.Int64(),
        "purchases": pl.Int64(),
        "revenue": pl.Float64(),
    },
    needed=("user", "first_day", "first_ts", "last_day", "events", "purchases", "revenue"),
    partition="",
    order=("user",),
    measured="first_ts",
)
TRAITS = TableSpec(
    "traits",
    {
        "user": pl.String(),
        "name": pl.String(),
        "value": pl.String(),  # the newest that an identify event told; never empty
        "ts": TIME,  # of that event, and its place and id, by which a newer one is known
        "part": pl.Int32(),
        "off": pl.Int64(),
        "event_id": pl.String(),
    },
    needed=("user", "name", "value", "ts", "part", "off"),
    partition="",
    order=("user", "name"),
)
IDS = TableSpec(
    "ids",
    {
        "id": pl.String(),  # that an alias event named in its props
        "user": pl.String(),  # of that event, and its place and id
        "ts": TIME,
        "part": pl.Int32(),
        "off": pl.Int64(),
        "event_id": pl.String(),
        "person": pl.String(),  # under which `id` counts in the end; null if the event is without effect
    },
    needed=("id", "user", "ts", "part", "off"),
    partition="",
    order=("id", "ts", "part", "off"),
)
ALERTS = TableSpec(
    "alerts",
    {
        "alert_id": pl.String(),
        "type": pl.String(),  # opened or resolved
        "cause": pl.String(),  # why it is resolved
        "user": pl.String(),
        "definition": pl.String(),
        "risk": pl.Float64(),
        "threshold": pl.Float64(),
        "horizon_ms": pl.Int64(),
        "landmark": TIME,
        "valid_until": TIME,
        "event_time": TIME,
        "scored": TIME,
        "reasons": TEXTS,
        "reason_codes": TEXTS,
        "model": pl.String(),
        "model_version": pl.Int32(),
        "part": pl.Int32(),  # the place in the topic of alerts
        "off": pl.Int64(),
        "day": pl.Date(),  # of event_time, in the history's time zone
    },
    needed=("alert_id", "type", "user", "definition", "landmark", "event_time", "part", "off"),
    partition="day",
    order=("user", "event_time", "part", "off"),
    measured="event_time",
)
ERASURES = TableSpec(
    "erasures",
    {
        "digest": pl.String(),  # of the user's id, with the salt that is a property of the table
        "kind": pl.String(),  # erase, or consent to be known again
        "at": TIME,  # when the broker noted it; of a file, the time of the event
        "ts": TIME,
        "part": pl.Int32(),  # the place in the topic of clicks, as in `events`
        "off": pl.Int64(),
    },
    needed=("digest", "kind", "at", "ts", "part", "off"),
    partition="",
    order=("at", "part", "off"),
    measured="at",
)
SCORES = TableSpec(
    "scores",
    {
        "user": pl.String(),
        "definition": pl.String(),
        "landmark": TIME,
        "risk": pl.Float64(),  # as it was said at the landmark, 0 to 1
        "model_version": pl.Int32(),  # of the model that said it; 0 is the rule
        "flags": pl.Int32(),  # bits: 1 the user's own return fired it, 2 left-censored, 4 a win-back was sent
        "matured": TIME,  # when the outcome is due: landmark + horizon + lateness
        "lineage": pl.String(),
        "shard": pl.Int32(),
        "number": pl.Int64(),  # its place among the shard's examples
        "day": pl.Date(),  # of the landmark, in the history's time zone
    },
    needed=("user", "definition", "landmark", "risk", "model_version", "flags", "matured", "lineage", "shard", "number"),
    partition="day",
    order=("user", "landmark", "definition", "shard", "number"),
    measured="landmark",
)
OUTCOMES = TableSpec(
    "outcomes",
    {
        "user": pl.String(),
        "definition": pl.String(),
        "landmark": TIME,
        "label": pl.Int32(),  # 1 churned, 0 stayed
        "matured": TIME,  # when it was known
        "source": pl.String(),  # engine, or labels: told from outside
        "lineage": pl.String(),
        "shard": pl.Int32(),
        "number": pl.Int64(),  # its place among the shard's examples; of labels, the offset in their topic
        "day": pl.Date(),  # of the landmark, in the history's time zone
    },
    needed=("user", "definition", "landmark", "label", "matured", "source", "lineage", "shard", "number"),
    partition="day",
    order=("user", "landmark", "definition", "shard", "number"),
    measured="landmark",
)
FOLLOWED = (ALERTS, SCORES, OUTCOMES)
"""Tables of what the engine says; a history that was only imported has none of them."""
OF_USERS = (EVENTS, TRAITS, IDS, *FOLLOWED)
"""Tables that hold users as they came, and traits and joined ids, which are added to those that were known; whoever is erased is taken out of each."""
DERIVED = (USER_DAY, USERS)
"""Tables that are made anew from the events."""
TABLES = (*OF_USERS, *DERIVED, ERASURES)
"""All of them."""
VIEWS = tuple(spec.name for spec in (EVENTS, USER_DAY, USERS, TRAITS, IDS, *FOLLOWED))
"""What may be asked of; not who was erased."""
