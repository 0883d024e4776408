"""The user's state: one binary record of fixed size, and what each byte of it means. `features.users.packed_state` says how it is stored.

Fields are grouped by their alignment (8, 4, 2, 1 bytes) so that the record has no holes. ``D`` is the number of churn definitions. Fields that come
from events are a pure function of the log; those of the policy (risk, alerts) depend on the model of the day as well.

A new field is a new row of `FIELDS` that names the first layout that has it. Earlier layouts stay as they were, so records stored in them can
still be read.

Errors::

    LayoutError         these bytes cannot be read as a record; they are refused, never misread
    `-- DamagedRecord   this code knows their form, but they are not what was written
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LAYOUT_VERSION = 1
"""Layout of the record in memory: the newest that a row of `FIELDS` names. A new layout needs a new form in `features.users.packed_state.FORMS`."""
RING = 8
FIVE_MIN_HOPS = 13
HOUR_HOPS = 25
DAY_HOPS = 29
KEYS = 8
NEVER = -(2**62)
"""A time (ms) before all times; it stands for "has not happened"."""

FLAG_ARMED = 1

POLICY_FIELDS = ("model_version", "risk", "opened_ms", "alert_open")
"""Fields that depend on the model of the day, so they are not a pure function of the log."""


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
        How many values it has: 0 for a single one, None for one for each churn definition.
    fresh : int
        The value of a user nobody has seen yet; records of an older layout, or of fewer definitions, get it too.
    since : int
        The first layout that has the field.
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
    Field("phase", _U2),  # bucket of the day, 0 to 287, in which this user's landmarks lie
    Field("ring_next", _U1),
    Field("funnel_step", _U1),  # the furthest step reached, 0 for none
    Field("channel", _U1),  # code of the channel that the first event with one named: 0 none, 1 and up known, 15 other
    Field("definitions", _U1),
    Field("first_ms", _I8, fresh=NEVER),  # time of the oldest event
    Field("seen_ms", _I8, fresh=NEVER),  # time of the newest event that was not late; hops end here, and decayed sums are as of here
    Field("session_start_ms", _I8, fresh=NEVER),
    Field("next_landmark_ms", _I8, fresh=NEVER),
    Field("scored_ms", _I8, fresh=NEVER),  # event time of the last score
    Field("day_map", _U8),  # bit b: active on local day (day_head - b)
    Field("purchase_ms", _I8, fresh=NEVER),
    Field("revenue", _F8),
    Field("ring", _U8, RING),  # hashes of the last event ids
    Field("last_active_ms", _I8, None, fresh=NEVER),
    Field("hit", _U8, None),  # bit (day number modulo 64) of a landmark: an event that counts followed within the horizon
    Field("opened_ms", _I8, None, fresh=NEVER),  # landmark at which the last alert was opened
    Field("day_head", _I4),
    Field("events", _U4),
    Field("purchases", _U4),
    Field("sessions", _U4),
    Field("active_days", _U4),
    Field("gaps", _U4),
    Field("model_version", _U4, None),  # the model of the last score
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
    Field("risk", _U2, None),  # the last score; 0 to 65,535 stand for 0 to 1
    Field("alert_open", _U1, None),
)


@lru_cache(maxsize=64)
def state_dtype(definitions: int, layout: int = LAYOUT_VERSION) -> np.dtype[np.void]:
    """Return the type of a record for a number of churn definitions, in today's layout or in an older one.

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
    """Return the record of a user nobody has seen yet, shape (1,), without their phase. It is shared, so do not write to it.

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
    """Make row `slot` the record of a user nobody has seen yet."""
    states[slot] = fresh_record(states["risk"].shape[1])[0]
    states["phase"][slot] = phase
