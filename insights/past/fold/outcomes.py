"""How many outcomes are known, counted by day and by stated risk. Pure: what a merge has changed becomes sums to add."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from insights.past.fold.days import days_of
from insights.past.fold.landmarks import LEFT, MOST_RISK, PARTS, Entries, Merged, counts

STEPS = 20
"""Steps of stated risk, each a twentieth wide: the bands of the page and tenths are made of whole ones."""


class Tally(NamedTuple):
    """Sums over some outcomes: how many, how many left, and their stated risks, each 0 to `MOST_RISK`."""

    n: int
    gone: int
    said: int


def tallies(merged: Merged, zone: str) -> dict[tuple[int, int], Tally]:
    """Return what a merge adds to the sums of each (local day of the landmark, step of risk). An outcome that was corrected counts once, as it is now."""
    was = merged.was[counts(merged.was)]
    both: Entries = np.concatenate([merged.now, was])
    sign = np.repeat([1, -1], [len(merged.now), len(was)])
    days = days_of(both["place"] // PARTS, zone)
    steps = np.minimum(both["risk"].astype(np.int64) * STEPS // MOST_RISK, STEPS - 1)
    keys, at = np.unique(days * STEPS + steps, return_inverse=True)
    gone = sign * (both["flags"] & LEFT != 0)
    sums = [np.zeros(len(keys), np.int64) for _ in range(3)]
    for total, values in zip(sums, (sign, gone, sign * both["risk"].astype(np.int64)), strict=True):
        np.add.at(total, at, values)
    columns = (one.tolist() for one in (keys // STEPS, keys % STEPS, *sums))
    return {(day, step): Tally(n, left, said) for day, step, n, left, said in zip(*columns, strict=True)}
