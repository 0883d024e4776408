"""What a file holds: how many rows are usable, and for each fault how often it occurs, where first, and an example."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.events.event import MAX_TS_MS
from features.files.chunk import Fault

DAY_MS = 86_400_000
_DAYS = MAX_TS_MS // DAY_MS + 2
INNER = 0.001
"""Share of rows at either end of time that may be outliers; all other rows decide what is far away."""
FAR_DAYS = 365


@dataclass(slots=True)
class Summary:
    """What is known of a file.

    Attributes
    ----------
    rows, usable : int
        Every row is either usable, or counted in `faults`.
    faults : dict of (reason, field) to Fault
        The first fault of each kind, with the number of all of them.
    notes : list of str
        What was done to read the file, and what a person should look at.
    """

    file: str
    rows: int = 0
    usable: int = 0
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None
    users: int = 0
    types: Counter[str] = field(default_factory=Counter)
    refused: str = ""
    """Why the whole file cannot be read; empty if it can be."""

    @property
    def unusable(self) -> int:
        """How many rows are not usable."""
        return sum(fault.count for fault in self.faults.values())

    @property
    def sound(self) -> bool:
        """Whether there is something to send, and nothing to correct first."""
        return self.good_enough(0)

    def good_enough(self, skip_bad: int) -> bool:
        """Whether to go on with the file: it was not refused, some rows are usable, and at most `skip_bad` are not."""
        return not self.refused and self.unusable <= skip_bad and self.usable > 0

    def add(self, fault: Fault) -> None:
        """Count a fault, or several of one kind."""
        known = self.faults.get((fault.reason, fault.field))
        if known is None:
            self.faults[fault.reason, fault.field] = fault
        else:
            first = known if known.row <= fault.row else fault
            self.faults[fault.reason, fault.field] = replace(first, count=known.count + fault.count)

    def plain(self) -> dict[str, Any]:
        """Return the summary as plain data, for programs."""
        return {
            "file": self.file,
            "rows": self.rows,
            "usable": self.usable,
            "unusable": [_plain(fault) for fault in sorted(self.faults.values(), key=lambda one: (-one.count, one.row))],
            "notes": [*self.notes, *([self.refused] if self.refused else [])],
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "users": self.users,
            "types": len(self.types),
            "refused": bool(self.refused),
        }


def _plain(fault: Fault) -> dict[str, Any]:
    found: dict[str, Any] = {
        "reason": fault.reason,
        "field": fault.field or None,
        "count": fault.count,
        "row": fault.row,
        "value": fault.value,
    }
    return found | ({"line": fault.line} if fault.line else {})


class Days:
    """How many usable rows lie on each day, and which is the first of them. It is enough to find outliers without keeping rows."""

    def __init__(self) -> None:
        self.counts = np.zeros(_DAYS, np.int64)
        self._rows = np.zeros(_DAYS, np.int64)
        self._lines = np.zeros(_DAYS, np.int64)
        self._times = np.zeros(_DAYS, np.int64)
        self._lows = np.full(_DAYS, MAX_TS_MS, np.int64)
        self._highs = np.zeros(_DAYS, np.int64)

    def add(self, ts: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], lines: npt.NDArray[np.int64]) -> None:
        """Count usable rows."""
        days = ts // DAY_MS
        found, first, counts = np.unique(days, return_index=True, return_counts=True)
        new = self.counts[found] == 0
        at = first[new]
        for mine, theirs in ((self._rows, rows), (self._lines, lines), (self._times, ts)):
            mine[found[new]] = theirs[at]
        self.counts[found] += counts
        np.minimum.at(self._lows, days, ts)
        np.maximum.at(self._highs, days, ts)

    def span_ms(self) -> tuple[int, int] | tuple[None, None]:
        """Return the first and the last time (ms); None for both if there are no rows."""
        filled = np.flatnonzero(self.counts)
        return (int(self._lows[filled[0]]), int(self._highs[filled[-1]])) if len(filled) else (None, None)

    def bounds_ms(self) -> tuple[int, int] | None:
        """Return the first and the last time (ms) that is no outlier; None if there are no outliers.

        An outlier lies outside the time of the inner 99.8 % of rows, by more than a year and by more than that time is long.
        """
        total = int(self.counts.sum())
        beyond = round(total * INNER + 1e-9)
        if not beyond:
            return None
        running = self.counts.cumsum()
        low = int(np.searchsorted(running, beyond, side="right"))
        high = int(np.searchsorted(running, total - beyond, side="left"))
        reach = max(FAR_DAYS, high - low)
        first, last = low - reach, high + reach
        filled = np.flatnonzero(self.counts)
        if filled[0] >= first and filled[-1] <= last:
            return None
        return max(first, 0) * DAY_MS, (last + 1) * DAY_MS - 1

    def outliers(self, bounds: tuple[int, int]) -> list[Fault]:
        """Return a fault for each day outside the bounds (ms), with the first row of the day and the number of its rows."""
        filled = np.flatnonzero(self.counts)
        far = filled[(filled * DAY_MS < bounds[0]) | (filled * DAY_MS > bounds[1])]
        return [
            Fault("ts_outlier", "ts", int(self._rows[day]), int(self._lines[day]), str(np.datetime64(int(self._times[day]), "ms")) + "Z", int(self.counts[day]))
            for day in far.tolist()
        ]  # fmt: skip

    def forget(self, bounds: tuple[int, int]) -> None:
        """Forget the days outside the bounds (ms)."""
        self.counts[: bounds[0] // DAY_MS] = 0
        self.counts[bounds[1] // DAY_MS + 1 :] = 0


class Distinct:
    """Counts different texts by their hashes, which take 8 bytes each."""

    _MOST = 4_000_000

    def __init__(self) -> None:
        self._known = np.zeros(0, np.uint64)
        self._new: list[npt.NDArray[np.uint64]] = []
        self._waiting = 0

    def add(self, texts: pl.Series) -> None:
        """Count texts; those that came before do not count again."""
        hashes = texts.hash().unique().to_numpy()
        self._new.append(hashes)
        self._waiting += len(hashes)
        if self._waiting > self._MOST:
            self._settle()

    def _settle(self) -> None:
        self._known = np.unique(np.concatenate([self._known, *self._new]))
        self._new, self._waiting = [], 0

    def __len__(self) -> int:
        self._settle()
        return len(self._known)
