"""How did somebody's risk go? A point for each landmark at which they were judged, with their alerts on the way, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from insights.charts.lines import lines
from insights.charts.marks import Extras, Level, Mark, Sign, Span
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.svg import Drawn, Size, twice
from insights.past.rows import AlertRow, RiskPoint
from insights.web.saying import Saying

DAY_MS = 86_400_000
APART_MS = DAY_MS * 3 // 2
"""Two landmarks further apart than this have others between them at which nobody judged: the line has a gap there."""
WIDE, NARROW = Size(820, 260), Size(340, 220)
ENDS: dict[str | None, tuple[str, str, Sign]] = {
    "returned": ("came back", "good", "ring"),
    "horizon": ("alert ran out", "silence", "cross"),
}
"""How the end of an alert is called, its colour and its sign, by its cause."""


class Line(NamedTuple):
    """The chart, and the table behind it."""

    chart: Drawn
    heads: list[str]
    rows: list[list[str]]


def line_of(points: Sequence[RiskPoint], alerts: Sequence[AlertRow], threshold: float, say_it: Saying) -> Line | None:
    """Return how a risk went; None before the first judgement.

    Parameters
    ----------
    points : sequence of RiskPoint
        Oldest first.
    alerts : sequence of AlertRow
        Of the same person and definition.
    threshold : float
        Risk from which on an alert opens, 0 to 1.
    """
    if not points:
        return None
    w = say_it.w
    times, values = _with_gaps(points)
    extras = Extras(
        marks=[mark for alert in alerts for mark in _marks(alert, say_it)],
        spans=[Span(one.landmark_ms, min(one.ended_ms or say_it.as_of_ms, times[-1]), "silence") for one in alerts if one.landmark_ms < times[-1]],
        level=Level(threshold, w.t("threshold")),
    )  # fmt: skip
    series = Series(w.t("Risk"), values, "accent", dots=True)
    title, desc = w.t("person.line"), w.t("person.line.is")
    chart = twice(
        lambda size: lines(size, Axis(w, "share", top=1.0), say_it.zone, times, [series], title=title, desc=desc, extras=extras),
        WIDE,
        NARROW,
    )
    by_ms = {alert.landmark_ms: alert for alert in alerts}
    heads = [w.t("judged at"), w.t("Risk"), w.t("Version"), w.t("Outcome")]
    rows = [
        [w.moment(one.landmark_ms, say_it.zone), w.percent(one.risk), _by(one, say_it), _outcome(one, by_ms.get(one.landmark_ms), say_it)]
        for one in reversed(points)
    ]
    return Line(chart, heads, rows)


def _with_gaps(points: Sequence[RiskPoint]) -> tuple[list[int], list[float | None]]:
    times: list[int] = []
    values: list[float | None] = []
    for point in points:
        if times and point.landmark_ms - times[-1] > APART_MS:
            times.append((times[-1] + point.landmark_ms) // 2)
            values.append(None)
        times.append(point.landmark_ms)
        values.append(point.risk)
    return times, values


def _marks(alert: AlertRow, say_it: Saying) -> list[Mark]:
    marks = [Mark(alert.landmark_ms, say_it.w.t("alert opened"), "silence", "up")]
    if alert.ended_ms is not None:
        name, colour, sign = ENDS[alert.cause]
        marks.append(Mark(alert.ended_ms, say_it.w.t(name), colour, sign))
    return marks


def _by(point: RiskPoint, say_it: Saying) -> str:
    return say_it.w.number(point.model_version) if point.model_version else say_it.w.t("model.cadence")


def _outcome(point: RiskPoint, alert: AlertRow | None, say_it: Saying) -> str:
    w = say_it.w
    came = w.t("not known yet") if point.really_left is None else w.t("person.left" if point.really_left else "person.stayed")
    return came if alert is None else f"{came} · {w.t('alert opened')}"
