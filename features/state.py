"""The user's state: one fixed-size binary record, and what each byte means.

Fields are grouped by alignment (8, 4, 2, 1 bytes) so that the record has no holes. `D` is the number of churn definitions.
Event-derived fields are a pure function of the log; policy fields (risk, alerts) depend on the model of the day as well.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LAYOUT_VERSION = 1
RING = 8
FIVE_MIN_HOPS = 13
HOUR_HOPS = 25
DAY_HOPS = 29
KEYS = 8
NEVER = -(2**62)
"""A time before all times, in milliseconds: "has not happened"."""

FLAG_ARMED = 1
FLAG_LEFT_CENSORED = 2


@lru_cache(maxsize=8)
def state_dtype(definitions: int) -> np.dtype[np.void]:
    """The record's layout for a number of churn definitions.

    >>> state_dtype(1).itemsize
    440
    """
    i8, u8, f4, u4, u2, u1 = "<i8", "<u8", "<f4", "<u4", "<u2", "u1"
    return np.dtype(
        [
            # --- first byte is the layout version; the rest of this word is small things
            ("version", u1),
            ("flags", u1),
            ("phase", u2),
            ("ring_next", u1),
            ("funnel_step", u1),
            ("channel", u1),  # 0 none, 1.. known, 15 other: of the first arrived event that has one
            ("definitions", u1),
            # --- 8 bytes
            ("first_ms", i8),  # smallest ts seen
            ("seen_ms", i8),  # largest ts seen, any event; head of all hops and of the day map
            ("arrived_ms", i8),  # ts of the last arrived (not late) event: sessions and gaps fold in this order
            ("session_start_ms", i8),
            ("next_landmark_ms", i8),
            ("scored_ms", i8),  # event time of the last score
            ("day_map", u8),  # bit k: active on local day (head day - k)
            ("purchase_ms", i8),  # last purchase
            ("revenue", "<f8"),
            ("ring", u8, (RING,)),
            ("last_active_ms", i8, (definitions,)),
            ("hit", u8, (definitions,)),
            ("opened_ms", i8, (definitions,)),  # landmark of the last opened alert, NEVER if none
            # --- 4 bytes
            ("day_head", "<i4"),  # local day number of bit 0 of day_map
            ("events", u4),
            ("purchases", u4),
            ("sessions", u4),
            ("active_days", u4),
            ("gaps", u4),
            ("model_version", u4),
            ("decayed", f4, (3,)),  # half-lives 1, 7, 30 d; value at seen_ms
            ("key_count", f4, (KEYS,)),  # half-life 7 d, value at seen_ms
            ("key_value", f4, (KEYS,)),
            ("errors", f4),
            ("hour_cos", f4),
            ("hour_sin", f4),
            ("session_sum_s", f4),
            ("session_last_s", f4),
            ("gap_mean", f4),  # of log1p(gap in hours) between sessions, Welford
            ("gap_m2", f4),
            ("gap_max_s", f4),
            # --- 2 bytes
            ("five_min", u2, (FIVE_MIN_HOPS,)),
            ("hour", u2, (HOUR_HOPS,)),
            ("day", u2, (DAY_HOPS,)),
            ("risk", u2, (definitions,)),  # 0..65535 for 0..1, last score per definition
            ("alert_open", u1, (definitions,)),
            ("pad", u1, ((-(18 + 3 * definitions)) % 8,)),
        ]
    )
