"""Which events does a day hold already? A retry carries the time of the first attempt, so a repeat can only be in the same day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
MOST_IDS = 8_000_000
"""Ids that are kept in memory, 8 bytes each, of the days asked for last."""
NO_ID = 0
"""Stands for the hash of a row without an event id."""
_APART = "\x1f"


def keys(frame: pl.DataFrame) -> pl.Series:
    """Return a hash of (user, event id) for every row; null where there is no event id, for such rows repeat nothing.

    >>> frame = pl.DataFrame({"user": ["ann", "ann", "bob", "bob"], "event_id": ["1", "1", "1", None]})
    >>> keys(frame).n_unique(), keys(frame).null_count()
    (3, 1)
    """
    both = pl.concat_str("user", "event_id", separator=_APART)
    return frame.select(pl.when(pl.col("event_id").is_null()).then(None).otherwise(both.hash(0))).to_series()


@dataclass(slots=True)
class KnownIds:
    """The ids of the days that were asked for last, as of one version of the table.

    Attributes
    ----------
    read : callable
        Returns the columns `user` and `event_id` of a day.
    """

    read: Callable[[str], pl.DataFrame]
    version: int = -1
    _days: dict[str, Hashes] = field(default_factory=dict)

    def at(self, version: int) -> None:
        """Forget everything that was known of another version."""
        if version != self.version:
            self._days.clear()
            self.version = version

    def of(self, day: str) -> Hashes:
        """Return the hashes of all ids that a day holds, sorted."""
        known = self._days.pop(day, None)
        if known is None:
            known = np.sort(keys(self.read(day)).drop_nulls().to_numpy())
        self._days[day] = known
        while len(self._days) > 1 and sum(map(len, self._days.values())) > MOST_IDS:
            self._days.pop(next(iter(self._days)))
        return known

    def committed(self, version: int, fresh: dict[str, Hashes]) -> None:
        """Take in what was written with the version that is now the newest."""
        for day, hashes in fresh.items():
            if day in self._days:
                self._days[day] = np.sort(np.concatenate([self._days[day], hashes]))
        self.version = version


def held(hashes: Hashes, known: Hashes) -> npt.NDArray[np.bool_]:
    """Return which hashes are among sorted ones.

    >>> held(np.array([3, 4], np.uint64), np.array([1, 3], np.uint64)).tolist()
    [True, False]
    """
    if not len(known):
        return np.zeros(len(hashes), np.bool_)
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    found: npt.NDArray[np.bool_] = known[at] == hashes
    return found
