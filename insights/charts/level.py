"""Is the level right, day by day? Mean risk that was said, and the share that really left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.lines import lines
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.svg import Size
from insights.words import Words


class JudgedDay(NamedTuple):
    """People who were judged on one day.

    Attributes
    ----------
    day_ms : int
        A time of that day, ms since the epoch.
    said, left : float or None
        Mean risk that was said, and share that really left, 0 to 1; None where nobody was judged, or nobody's time is up.
    low, high : float or None
        Interval of `left`.
    known : bool
        Whether everybody's time is up.
    """

    day_ms: int
    said: float | None
    left: float | None = None
    low: float | None = None
    high: float | None = None
    known: bool = True


def level(size: Size, words: Words, zone: tzinfo, days: Sequence[JudgedDay], *, title: str, desc: str) -> Markup:
    """Draw what was said as a plain line, and what was seen with its interval, hollow while somebody's time is not up.

    Parameters
    ----------
    size : Size
    words : Words
    zone : tzinfo
        Time zone of the days.
    days : sequence of JudgedDay
        In rising order.
    title, desc : str
    """
    said = Series(words.t("said"), [day.said for day in days], "node")
    left = Series(
        words.t("really left"),
        [day.left for day in days],
        "silence",
        low=[day.low for day in days],
        high=[day.high for day in days],
        known=[day.known for day in days],
    )
    return lines(size, Axis(words, "share"), zone, [day.day_ms for day in days], [said, left], title=title, desc=desc)
