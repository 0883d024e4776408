"""How well the alerts found the leavers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from stream.alerts.message import Alert
from stream.demo.product import DAY_MS


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of leavers and alerts.

    Attributes
    ----------
    leavers : int
        Users who left so early that their horizon ends within the days played.
    caught : int
        How many of them had an alert after their last click.
    median_early_days : float
        Median of (last click + horizon) - landmark of the first such alert: how long before the user counts as churned.
    right, opened : int
        How many of all opened alerts were on users who had indeed left.
    returned : int
        Alerts that ended because the user came back.
    """

    leavers: int
    caught: int
    median_early_days: float
    opened: int
    right: int
    returned: int


def score(alerts: Iterable[Alert], left_ms: Mapping[str, int], horizon_ms: int, end_ms: int) -> Score:
    """Compare the alerts with who really left."""
    leavers = {user: left for user, left in left_ms.items() if left + horizon_ms <= end_ms}
    early: dict[str, float] = {}
    opened = right = returned = 0
    for alert in alerts:
        if alert.type == "resolved":
            returned += alert.cause == "returned"
            continue
        opened += 1
        left = left_ms.get(alert.user)
        if left is not None and alert.landmark_ms >= left:
            right += 1
            if alert.user in leavers:
                early.setdefault(alert.user, (left + horizon_ms - alert.landmark_ms) / DAY_MS)
    return Score(len(leavers), len(early), median(early.values()) if early else 0.0, opened, right, returned)
