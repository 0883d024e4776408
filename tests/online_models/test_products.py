"""The family of made-up products is what it says it is: its ranges, its outages, its base rates by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.family import KINDS, START_MS, Days, Product, family, lived, made, rate_of
from features.definitions.definition import DAY_MS


def row_of(name: str) -> Product:
    return next(row for row in family() if row.name == name)


def test_the_family_covers_what_is_asked() -> None:
    rows = family()
    assert len(rows) == len({row.name for row in rows}) == 100
    for low, high, found in (
        (0.021, 0.59, [row.base for row in rows]),
        (1, 30, [row.horizon for row in rows]),
        (500, 200_000, [row.users for row in rows]),
        (0.51, 1.98, [row.strength for row in rows]),
    ):
        assert min(found) <= low
        assert max(found) >= high
    assert all(sum(row.kind == kind for row in rows) == 20 for kind in KINDS)
    assert np.median([row.users for row in rows]) < 1_000
    assert 25 <= sum(row.daily for row in rows) <= 50


def test_graded_is_only_what_lies_a_horizon_after_the_change() -> None:
    row = row_of("outage-00")
    assert row.graded_from_ms == START_MS + (row.change + row.away + row.horizon) * DAY_MS
    history = made(row)
    away = [day for day in range(row.days) if not (history.frame["ts"] // DAY_MS == START_MS // DAY_MS + day).any()]
    assert away == list(range(row.change, row.change + row.away))


def by_hand(days: Days, row: Product) -> float:
    """Return the rate of `rate_of`, user by user and day by day."""
    labels = []
    for user in set(days.user.tolist()):
        came = set(days.day[days.user == user].tolist())
        for day in range(row.horizon, row.change):
            window = range(day + 1 - row.horizon, day + 1) if row.daily else (day,)
            if came.intersection(window):
                labels.append(not came.intersection(range(day + 1, day + 1 + row.horizon)))
    return float(np.mean(labels))


@pytest.mark.parametrize("name", ["outage-00", "seasonal-09"])
def test_the_base_rate_is_the_share_of_landmarks_before_the_change(name: str) -> None:
    row = row_of(name)
    days = lived(row, 60, 1.0)
    assert rate_of(days, row) == pytest.approx(by_hand(days, row))


def test_the_same_row_makes_the_same_log() -> None:
    row = row_of("outage-00")
    assert made(row).frame.equals(made(row).frame)
