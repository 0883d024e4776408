"""On which day something was, by the app's calendar. A day is a number: 0 is 1970-01-01."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from features.definitions.calendar import zone_table
from features.definitions.definition import DAY_MS

_FIRST = date(1970, 1, 1)


def days_of(times_ms: npt.NDArray[np.int64], zone: str) -> npt.NDArray[np.int64]:
    """Return the local day of each time.

    >>> days_of(np.array([0, 22 * 3_600_000, 23 * 3_600_000]), "Europe/Berlin").tolist()
    [0, 0, 1]
    """
    starts, offsets = zone_table(zone)
    at = np.maximum(starts.searchsorted(times_ms, side="right") - 1, 0)
    days: npt.NDArray[np.int64] = (times_ms + offsets[at]) // DAY_MS
    return days


def day_of(time_ms: int, zone: str) -> int:
    """Return the local day of one time.

    >>> day_of(23 * 3_600_000, "UTC"), day_of(23 * 3_600_000, "Europe/Berlin")
    (0, 1)
    """
    return int(days_of(np.array([time_ms], np.int64), zone)[0])


def date_of(day: int) -> date:
    """Return a day as a date.

    >>> date_of(20_000).isoformat()
    '2024-10-04'
    """
    return _FIRST + timedelta(days=day)
