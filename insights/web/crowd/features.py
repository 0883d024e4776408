"""The page Features, put together: what is used by many or few, and whether its users come again more often than others who are as active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from insights.charts.quadrants import Corners, Point, quadrants
from insights.charts.svg import Drawn, Size, twice
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, as_of_said
from insights.web.crowd.standing import Finding, finding, highest_first
from insights.web.filters import Pick
from insights.words import DASH, Words
from stream.shown import visible

COLOURS = {"needed": "good", "promising": "c1", "habit": "node", "idle": "ink3"}
WITHIN = ("7", "1", "14", "28")
COMMON = 0.2
"""Share of people from which a feature counts as common: the analysis' default."""
MOST = 30
WIDE, NARROW = Size(1140, 420), Size(330, 340)


class Asked(NamedTuple):
    """What an address asks for: what counts as a feature, and in how many days it must have been used."""

    feature: str = "type"
    within: str = WITHIN[0]

    @property
    def parameters(self) -> Mapping[str, object]:
        """What is asked of `feature_use`."""
        return {"feature": self.feature, "used_within": int(self.within), "limit": MOST}


class Line(NamedTuple):
    """One feature."""

    name: str
    place: str
    place_said: str
    reach: str
    n: str
    difference: str
    sure: str
    plain: str
    kept: str
    href: str


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/features.html`."""

    feature: str
    picks: list[Pick]
    chart: Drawn | None
    finding: Finding | None
    lines: list[Line]
    means: str
    as_of: list[str]


def page_of(asked: Asked, found: Found | None, w: Words, behind: Behind) -> Page:
    """Put the page together."""
    picks = [Pick("within", w.t("features.within"), [(one, w.t("features.within.days", n=int(one))) for one in WITHIN], asked.within, "")]
    ordered, sure = ([], 0) if found is None else highest_first(list(found.of("kept_difference")), nothing=0)
    lines = [] if found is None else _lines(found, [row["feature"] for row in ordered], asked, w, behind)
    best = ordered[:sure]

    def more(at: int) -> str:
        return w.t("standing.points", name=visible(best[at]["feature"]), points=_points(best[at]["value"], w))

    said = finding("features", [row["feature"] for row in best], more, "standing.features", w) if ordered else None
    chart = _chart(found, w) if found is not None and lines else None
    return Page(
        asked.feature, picks, chart, said, lines, w.t("features.is", n=int(asked.within)), [] if found is None else as_of_said(found, w)
    )


def _lines(found: Found, order: list[str], asked: Asked, w: Words, behind: Behind) -> list[Line]:
    """Return the lines in the order of their features; of which nothing can be compared come last."""
    made, place = [], {name: at for at, name in enumerate(order)}
    for row in sorted(found.of("reach"), key=lambda row: place.get(row["feature"], len(place))):
        name = row["feature"]
        difference, plain, kept = (found.one(metric, feature=name) for metric in ("kept_difference", "plain_kept_difference", "kept_share"))
        sure = _points(difference["low"], w) + "…" + _points(difference["high"], w) if difference and difference["low"] is not None else ""
        made.append(
            Line(
                visible(name), row["place"], w.t(f"features.{row['place']}"), w.percent(row["value"]), w.number(row["n"]),
                _points(difference["value"] if difference else None, w), sure, _points(plain["value"] if plain else None, w),
                w.percent(kept["value"]) if kept else DASH, behind("feature_use", asked.parameters, row),
            )
        )  # fmt: skip
    return made


def _points(difference: float | None, w: Words) -> str:
    if difference is None:
        return DASH
    rounded = round(100 * difference, 1) + 0.0  # never -0.0
    return f"{'+' if rounded > 0 else ''}{w.number(rounded, 1)}"


def _chart(found: Found, w: Words) -> Drawn:
    def point(row: Row) -> Point:
        difference = found.one("kept_difference", feature=row["feature"])
        value, low, high = (
            None if difference is None or difference[end] is None else 100 * difference[end] for end in ("value", "low", "high")
        )
        told = (
            (w.t("features.reach"), f"{w.percent(row['value'])} · {w.t('crowd.n', n=row['n'])}"),
            (w.t("features.difference"), "" if difference is None else _points(difference["value"], w)),
            (w.t("95% interval"), "" if difference is None else f"{_points(difference['low'], w)}…{_points(difference['high'], w)}"),
        )
        return Point(visible(row["feature"]), row["value"], value, low, high, COLOURS[row["place"]], told)

    points = [point(row) for row in found.of("reach")]
    corners = Corners(*(w.t(f"features.{place}") for place in ("promising", "needed", "idle", "habit")))
    title, desc = w.t("features.chart"), w.t("features.chart.is")
    return twice(
        lambda size: quadrants(size, w, points, COMMON, corners, w.t("features.across"), w.t("features.up"), title=title, desc=desc),
        WIDE,
        NARROW,
    )
