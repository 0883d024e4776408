"""Local days and hours in the project's time zone, as two small arrays that a compiled pass can search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from numba import njit

FIRST_YEAR, LAST_YEAR = 1970, 2100


@lru_cache(maxsize=16)
def zone_table(name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the instants (ms) from which each offset of a zone holds, and these offsets (ms east of UTC), for 1970 to 2100.

    Raises
    ------
    zoneinfo.ZoneInfoNotFoundError
        For a name that the system does not know.

    >>> starts, offsets = zone_table("Europe/Berlin")
    >>> sorted(set(offsets // 3_600_000))[-2:]
    [np.int64(1), np.int64(2)]
    """
    zone = ZoneInfo(name)
    starts: list[datetime] = []
    offsets: list[timedelta] = []
    moment, step = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), timedelta(days=1)
    last = None
    while moment.year < LAST_YEAR:
        offset = moment.astimezone(zone).utcoffset() or timedelta()
        if offset != last:
            starts.append(_exact_change(moment - step, moment, zone) if starts else moment)
            offsets.append(offset)
            last = offset
        moment += step
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    millisecond = timedelta(milliseconds=1)
    return (
        np.array([(start - epoch) // millisecond for start in starts], np.int64),
        np.array([offset // millisecond for offset in offsets], np.int64),
    )


def _exact_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second at which the offset of `after` holds."""
    target = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == target:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)


@njit(cache=True, nogil=True)
def offset_at(starts: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], t_ms: int) -> int:
    """Return the offset (ms east of UTC) that holds at a time; before the table begins, its first one.

    >>> int(offset_at(*zone_table("UTC"), 0))
    0
    """
    if starts.shape[0] == 1:
        return offsets[0]  # type: ignore[no-any-return]  # numba wants no cast
    low, high = 0, starts.shape[0]
    while low < high:
        middle = (low + high) // 2
        if starts[middle] <= t_ms:
            low = middle + 1
        else:
            high = middle
    return offsets[max(low - 1, 0)]  # type: ignore[no-any-return]  # numba wants no cast
