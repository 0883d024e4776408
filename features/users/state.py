"""The user's state: one fixed-size binary record, and what each byte means. How it is stored: `features.users.packed_state`.

Fields are grouped by alignment (8, 4, 2, 1 bytes) so that the record has no holes. ``D`` is the number of churn definitions.
Event-derived fields are a pure function of the log; policy fields (risk, alerts) depend on the model of the day as well.

Errors::

    LayoutError      the bytes are of a newer layout, or of none: refused, never misread
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LAYOUT_VERSION = 1
"""What the bytes of a record mean. A new one needs a new form in `features.users.packed_state`, which is what the stored bytes say."""
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
    """A stored record that this code cannot read."""


@lru_cache(maxsize=8)
def state_dtype(definitions: int) -> np.dtype[np.void]:
    """Return the record's layout for a number of churn definitions.

    >>> state_dtype(1).itemsize, state_dtype(2).itemsize % 8
    (440, 0)
    """
    i8, u8, f8, i4, f4, u4, u2, u1 = "<i8", "<u8", "<f8", "<i4", "<f4", "<u4", "<u2", "u1"
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [
        ("version", u1),
        ("flags", u1),
        ("phase", u2),  # bucket of the day of this user's landmarks
        ("ring_next", u1),
        ("funnel_step", u1),  # furthest step reached, 0 none
        ("channel", u1),  # 0 none, 1.. known, 15 other: of the first arrived event that names one
        ("definitions", u1),
        ("first_ms", i8),  # smallest ts
        ("seen_ms", i8),  # largest ts of an event that was not late; head of hops and decay
        ("session_start_ms", i8),
        ("next_landmark_ms", i8),
        ("scored_ms", i8),  # event time of the last score
        ("day_map", u8),  # bit b: active on local day (day_head - b)
        ("purchase_ms", i8),
        ("revenue", f8),
        ("ring", u8, (RING,)),  # hashes of the last event ids
        ("last_active_ms", i8, (definitions,)),
        ("hit", u8, (definitions,)),  # bit (day number mod 64) of a landmark: an event followed within H
        ("opened_ms", i8, (definitions,)),  # landmark of the last opened alert
        ("day_head", i4),
        ("events", u4),
        ("purchases", u4),
        ("sessions", u4),
        ("active_days", u4),
        ("gaps", u4),
        ("model_version", u4, (definitions,)),  # of the last score
        ("decayed", f4, (3,)),  # counts with half-lives 1, 7, 30 d, as of seen_ms
        ("key_count", f4, (KEYS,)),  # half-life 7 d
        ("key_value", f4, (KEYS,)),
        ("errors", f4),  # half-life 7 d
        ("hour_cos", f4),  # half-life 30 d
        ("hour_sin", f4),
        ("session_sum_s", f4),  # of closed sessions
        ("session_last_s", f4),
        ("gap_mean", f4),  # of log(1 + gap in hours), Welford
        ("gap_m2", f4),
        ("gap_max_s", f4),
        ("five_min", u2, (FIVE_MIN_HOPS,)),  # rings indexed by hop number modulo their length
        ("hour", u2, (HOUR_HOPS,)),
        ("day", u2, (DAY_HOPS,)),
        ("risk", u2, (definitions,)),  # last score, 0..65535 for 0..1
        ("alert_open", u1, (definitions,)),
    ]
    size = np.dtype(fields).itemsize
    if size % 8:
        fields.append(("pad", u1, (8 - size % 8,)))
    return np.dtype(fields)
