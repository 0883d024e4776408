"""How an alert reads: one line, for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from stream.alerts.message import Alert


def line_of(alert: Alert) -> str:
    """One alert in one line, with markup.

    >>> "returned" in line_of(Alert(alert_id="a", type="resolved", cause="returned", user="ann", definition="d", risk=None, threshold=None,
    ... horizon_ms=1, landmark_ms=0, valid_until_ms=1, event_time_ms=0, scored_ms=0, reasons=[], model="m", model_version=0, partition=0,
    ... input_offset=0))
    True
    """
    when = datetime.fromtimestamp(alert.event_time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    if alert.type == "opened":
        return f"{when}  [bold red]at risk[/]  {alert.user:<14} {alert.risk:.0%}  " + "; ".join(alert.reasons)
    colour = "green" if alert.cause == "returned" else "yellow"
    return f"{when}  [{colour}]{alert.cause or '':<7}[/]  {alert.user}"
