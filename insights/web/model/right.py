"""How right was it? What was said of everybody whose time is up against what came true: by risk, by day, and in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from features.definitions.definition import DAY_MS
from insights.charts.calibration import Judged, calibration
from insights.charts.level import JudgedDay, level
from insights.charts.svg import Drawn, Size, twice
from insights.past import rows as past
from insights.web.intervals import interval_of
from insights.web.saying import Saying

WIDE, NARROW = Size(500, 380), Size(330, 320)
WIDE_DAYS, NARROW_DAYS = Size(500, 240), Size(330, 220)
HIGH = 0.7
"""From this risk on, people count as told a high one, in the sentence on top."""


class Right(NamedTuple):
    """A chart of what was said and what came true, and the table behind it."""

    chart: Drawn
    heads: list[str]
    rows: list[list[str]]


class Sum(NamedTuple):
    """Several groups as one: how many, their mean risk, and how many really left."""

    n: int
    said: float
    left: int


def sum_of(groups: Sequence[past.Judged]) -> Sum:
    """Return groups as one.

    >>> sum_of([past.Judged(n=1, said=0.5, left=1), past.Judged(n=3, said=0.1, left=0)])
    Sum(n=4, said=0.2, left=1)
    """
    n = sum(one.n for one in groups)
    return Sum(n, sum(one.said * one.n for one in groups) / n if n else 0.0, sum(one.left for one in groups))


def by_risk(groups: Sequence[past.JudgedRisk], say_it: Saying) -> Right:
    """Return how right it was at each tenth of the risk."""
    w = say_it.w
    points, rows = [], []
    for one in groups:
        name = w.interval(one.low, one.high)
        low, high = interval_of(one.left, one.n) or (None, None)
        points.append(Judged(name, one.said, one.left / one.n if one.n else None, low, high, one.n))
        rows.append([name, w.percent(one.said), w.percent(one.left / one.n if one.n else None), w.interval(low, high), w.number(one.n)])
    chart = twice(lambda size: calibration(size, w, points, title=w.t("model.right"), desc=w.t("model.right.is")), WIDE, NARROW)
    return Right(chart, [w.t("Risk"), *_heads(say_it)], rows)


def by_day(groups: Sequence[past.JudgedDay], say_it: Saying) -> Right:
    """Return how right the level was, day by day."""
    w = say_it.w
    days, rows = [], []
    for one in groups:
        low, high = interval_of(one.left, one.n) or (None, None)
        at_ms = one.day * DAY_MS + DAY_MS // 2
        days.append(JudgedDay(at_ms, one.said, one.left / one.n if one.n else None, low, high))
        rows.append(
            [
                w.date(at_ms, say_it.zone),
                w.percent(one.said, 1),
                w.percent(one.left / one.n if one.n else None, 1),
                w.interval(low, high, 1),
                w.number(one.n),
            ]
        )
    chart = twice(
        lambda size: level(size, w, say_it.zone, days, title=w.t("model.by_day"), desc=w.t("model.by_day.is")), WIDE_DAYS, NARROW_DAYS
    )
    return Right(chart, [w.t("judged on"), *_heads(say_it)], rows[::-1])


def in_words(groups: Sequence[past.JudgedRisk], say_it: Saying) -> str:
    """Say in one sentence how right high risks were; empty while nobody's time is up."""
    w = say_it.w
    high = sum_of([one for one in groups if one.low >= HIGH - 1e-9])
    interval = interval_of(high.left, high.n)
    if interval is None:
        return ""
    return w.t(
        "model.in_words",
        n=high.n,
        least=w.percent(HIGH),
        said=w.percent(high.said),
        left=w.percent(high.left / high.n),
        interval=w.interval(*interval),
    )


def _heads(say_it: Saying) -> list[str]:
    w = say_it.w
    return [w.t("said"), w.t("really left"), w.t("95% interval"), w.t("People")]
