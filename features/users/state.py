"""The user's state: one fixed-size binary record, and what each byte means. How it is stored: `features.users.packed_state`.

Fields are grouped by alignment (8, 4, 2, 1 bytes) so that the record has no holes. ``D`` is the number of churn definitions.
Event-derived fields are a pure function of the log; policy fields (risk, alerts) depend on the model of the day as well.

A new field is a row of `FIELDS` that says since which layout it is there. The layouts before it stay as they were, so a record that was stored
in one of them is read by it.

Errors::

    LayoutError         these bytes cannot be read as a record: refused, never misread
    `-- DamagedRecord   they are of a form that this code knows, and not what was written
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LAYOUT_VERSION = 1
"""Of the record in memory: the newest layout that a row of `FIELDS` names. A new one needs a new form in `features.users.packed_state.FORMS`."""
RING = 8
FIVE_MIN_HOPS = 13
HOUR_HOPS = 25
DAY_HOPS = 29
KEYS = 8
NEVER = -(2**62)
"""A time before all times, in milliseconds: "has not happened"."""

FLAG_ARMED = 1

POLICY_FIELDS = ("model_version", "risk", "opened_ms", "alert_open")
"""Fields that depend on the model of the day, and so are no pure function of the log."""


class LayoutError(ValueError):
    """A stored record that this code cannot read.

    Attributes
    ----------
    row : int
        Place of the first such record among those that were to be read.
    """

    def __init__(self, message: str, row: int = 0) -> None:
        super().__init__(message)
        self.row = row


class DamagedRecord(LayoutError):
    """A stored record that is not what was written."""


class Field(NamedTuple):
    """One field of the record.

    Attributes
    ----------
    values : int or None
        How many; 0 for a plain field, None for one a churn definition.
    fresh : int
        Value that a user nobody has seen begins with; also what a record of an older layout, or of fewer definitions, is given.
    since : int
        First layout that has the field.
    """

    name: str
    kind: str
    values: int | None = 0
    fresh: int = 0
    since: int = 1


_I8, _U8, _F8, _I4, _F4, _U4, _U2, _U1 = "<i8", "<u8", "<f8", "<i4", "<f4", "<u4", "<u2", "u1"
FIELDS = (
    Field("version", _U1),
    Field("flags", _U1),
    Field("phase", _U2),  # bucket of the day of this user's landmarks
    Field("ring_next", _U1),
    Field("funnel_step", _U1),  # furthest step reached, 0 none
    Field("channel", _U1),  # 0 none, 1.. known, 15 other: of the first arrived event that names one
    Field("definitions", _U1),
    Field("first_ms", _I8, fresh=NEVER),  # smallest ts
    Field("seen_ms", _I8, fresh=NEVER),  # largest ts of an event that was not late; head of hops and decay
    Field("session_start_ms", _I8, fresh=NEVER),
    Field("next_landmark_ms", _I8, fresh=NEVER),
    Field("scored_ms", _I8, fresh=NEVER),  # event time of the last score
    Field("day_map", _U8),  # bit b: active on local day (day_head - b)
    Field("purchase_ms", _I8, fresh=NEVER),
    Field("revenue", _F8),
    Field("ring", _U8, RING),  # hashes of the last event ids
    Field("last_active_ms", _I8, None, fresh=NEVER),
    Field("hit", _U8, None),  # bit (day number mod 64) of a landmark: an event followed within H
    Field("opened_ms", _I8, None, fresh=NEVER),  # landmark of the last opened alert
    Field("day_head", _I4),
    Field("events", _U4),
    Field("purchases", _U4),
    Field("sessions", _U4),
    Field("active_days", _U4),
    Field("gaps", _U4),
    Field("model_version", _U4, None),  # of the last score
    Field("decayed", _F4, 3),  # counts with half-lives 1, 7, 30 d, as of seen_ms
    Field("key_count", _F4, KEYS),  # half-life 7 d
    Field("key_value", _F4, KEYS),
    Field("errors", _F4),  # half-life 7 d
    Field("hour_cos", _F4),  # half-life 30 d
    Field("hour_sin", _F4),
    Field("session_sum_s", _F4),  # of closed sessions
    Field("session_last_s", _F4),
    Field("gap_mean", _F4),  # of log(1 + gap in hours), Welford
    Field("gap_m2", _F4),
    Field("gap_max_s", _F4),
    Field("five_min", _U2, FIVE_MIN_HOPS),  # rings indexed by hop number modulo their length
    Field("hour", _U2, HOUR_HOPS),
    Field("day", _U2, DAY_HOPS),
    Field("risk", _U2, None),  # last score, 0..65535 for 0..1
    Field("alert_open", _U1, None),
)


@lru_cache(maxsize=64)
def state_dtype(definitions: int, layout: int = LAYOUT_VERSION) -> np.dtype[np.void]:
    """Return the record for a number of churn definitions, in today's layout or in an older one.

    >>> state_dtype(1).itemsize, state_dtype(2).itemsize % 8
    (440, 0)
    """
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
    for one in FIELDS:
        if one.since <= layout:
            count = definitions if one.values is None else one.values
            fields.append((one.name, one.kind, (count,)) if one.values != 0 else (one.name, one.kind))
    size = np.dtype(fields).itemsize
    if size % 8:
        fields.append(("pad", _U1, (8 - size % 8,)))
    return np.dtype(fields)


@lru_cache(maxsize=8)
def fresh_record(definitions: int) -> npt.NDArray[np.void]:
    """Return one record as a user nobody has seen has it, but for the phase; not to be written to.

    >>> int(fresh_record(1)["seen_ms"][0]) == NEVER, int(fresh_record(1)["definitions"][0])
    (True, 1)
    """
    record = np.zeros(1, state_dtype(definitions))
    for one in FIELDS:
        record[one.name] = one.fresh
    record["version"], record["definitions"] = LAYOUT_VERSION, definitions
    record.flags.writeable = False
    return record


def init_state(states: npt.NDArray[np.void], slot: int, phase: int) -> None:
    """Make row `slot` the record of a user nobody has seen."""
    states[slot] = fresh_record(states["risk"].shape[1])[0]
    states["phase"][slot] = phase
