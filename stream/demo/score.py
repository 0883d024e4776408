"""How well the alerts found the leavers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from stream.alerts.message import Alert
from stream.demo.product import DAY_MS


@dataclass(frozen=True, slots=True)
class Score:
    """Attributes

    ----------
    leavers : int
        Users who left early enough that their horizon ends within the play.
    caught : int
        Of them, those with an alert after their last click.
    median_early_days : float
        Median of (last click + horizon) - landmark of the first such alert: how long before the user counts as churned.
    right, opened : int
        Alerts on users who had indeed left, of all opened.
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
    """Hold alerts against the truth."""
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
