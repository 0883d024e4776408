"""Was the stated level right, and when? Stated risks against what came true, by day of the landmark; and by tenths of the risk, which a tally counts (`online_models.quality`).

One number over a window hides a level that is too high on some days and too low on others, or among those of low risk only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS
from online_models.plain import Count, NotNegative

DAYS = 28
"""How many of the newest days with outcomes are kept."""
SPANS = (1, 7, 28)
"""Spans of days that metrics tell of, in days up to the newest one with outcomes."""

Day = Annotated[int, msgspec.Meta(ge=-(10**8), le=10**8)]


class Judged(msgspec.Struct, frozen=True):
    """Landmarks whose labels are known: how many, the sum of their stated risks, and how many churned.

    >>> Judged(4, 2.0, 1) + Judged(4, 1.0, 1)
    Judged(n=8, stated=3.0, churned=2)
    """

    n: Count
    stated: NotNegative
    churned: Count

    def __add__(self, other: Judged) -> Judged:
        """Return both as one."""
        return Judged(self.n + other.n, self.stated + other.stated, self.churned + other.churned)

    def shares(self) -> tuple[float, float]:
        """Return the mean stated risk and the share that churned, each 0 to 1; NaN of nobody."""
        return (self.stated / self.n, self.churned / self.n) if self.n else (float("nan"), float("nan"))


NOBODY = Judged(0, 0.0, 0)


def tenths_in_words(tenths: Sequence[Judged]) -> list[tuple[str, Judged]]:
    """Return each tenth with the name of its risks.

    >>> [name for name, _ in tenths_in_words([NOBODY] * 10)][::9]
    ['0-.1', '.9-1']
    """
    edges = ["0", *(f".{place}" for place in range(1, len(tenths))), "1"]
    return [(f"{edges[place]}-{edges[place + 1]}", group) for place, group in enumerate(tenths)]


class ByDay:
    """Stated risks against what came true, for each of the newest `DAYS` days (UTC) of landmarks with outcomes.

    >>> days = ByDay()
    >>> days.add(np.array([0, 1, DAY_MS]), np.array([0.5, 0.3, 0.9]), np.array([1, 0, 1]))
    >>> days.days
    {0: Judged(n=2, stated=0.8, churned=1), 1: Judged(n=1, stated=0.9, churned=1)}
    """

    def __init__(self) -> None:
        self.days: dict[int, Judged] = {}

    def add(self, landmark_ms: npt.NDArray[np.int64], stated: npt.NDArray[np.floating[Any]], labels: npt.NDArray[Any]) -> None:
        """Take in labels 0 or 1, (n,), with their landmarks (ms), (n,), and the risks stated there, (n,)."""
        days, row = np.unique(landmark_ms // DAY_MS, return_inverse=True)
        sums = (
            np.bincount(row, weight, len(days)).tolist()
            for weight in (None, np.asarray(stated, np.float64), np.asarray(labels, np.float64))
        )
        for day, n, said, churned in zip(days.tolist(), *sums, strict=True):
            self.days[day] = self.days.get(day, NOBODY) + Judged(int(n), said, int(churned))
        self.days = {day: self.days[day] for day in sorted(self.days)[-DAYS:]}


def over(days: dict[int, Judged], span: int) -> Judged:
    """Return the days of a span as one: those less than `span` days before the newest.

    >>> over({3: Judged(1, 0.5, 0), 9: Judged(2, 1.0, 1), 10: Judged(1, 0.2, 0)}, 7).n
    3
    """
    newest = max(days, default=0)
    return sum((one for day, one in days.items() if day > newest - span), NOBODY)
