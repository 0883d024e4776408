"""Made-up alerts for tests of the board."""

from __future__ import annotations

from features.definitions.definition import DAY_MS
from insights.past.rows import AlertRow, Cause
from stream.alerts.message import ReasonCode


def alert(
    number: int,
    user: str = "",
    *,
    of: int | None = None,
    risk: float = 0.8,
    definition: str = "churn14",
    codes: tuple[str, ...] = ("silence",),
    cause: Cause | None = None,
) -> AlertRow:
    """Return an alert as it is after a change, whose number also makes its id; `of` makes it the alert of an earlier change."""
    first = number if of is None else of
    landmark_ms = first * 3_600_000
    return AlertRow(
        alert_id=f"{first:032x}",
        user=user or f"user-{first}",
        definition=definition,
        partition=0,
        risk=risk,
        threshold=0.7,
        landmark_ms=landmark_ms,
        valid_until_ms=landmark_ms + 14 * DAY_MS,
        scored_ms=landmark_ms,
        model="logistic",
        model_version=1,
        reasons=[f"about {code}" for code in codes],
        reason_codes=[ReasonCode(code, 1.0, None, "seconds") for code in codes],
        ended_ms=None if cause is None else landmark_ms + DAY_MS,
        cause=cause,
        really_left=None,
        change_no=number,
    )
