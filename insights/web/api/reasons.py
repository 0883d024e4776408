"""Why is an alert open? In the words of the answers."""

from __future__ import annotations

from churnwatch.answers import ReasonCode
from insights.past.rows import AlertRow


def codes_of(alert: AlertRow) -> list[ReasonCode]:
    """Return the reasons for programs, in the order of the sentences."""
    return [ReasonCode(one.code, one.now, one.usual, one.unit) for one in alert.reason_codes]
