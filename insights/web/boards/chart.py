"""The drawing of an answer, where its kind has one: a series as lines over its days, a triangle as the curve of all cohorts over the time since they came."""

from __future__ import annotations

from collections.abc import Sequence

from insights.analyses.plain import Entry, Found, Kind
from insights.charts.lines import MOST, curves, lines
from insights.charts.scale import Axis
from insights.charts.scale import Kind as Scaled
from insights.charts.series import Series
from insights.charts.svg import Drawn, Size, twice
from insights.web.crowd.found import Found as Rows
from insights.web.crowd.found import Row, group_said, noon_ms
from insights.web.crowd.rates import series_of
from insights.words import Words

WIDE, NARROW = Size(520, 230), Size(330, 190)
_AXES: dict[Kind, Scaled] = {"share": "share", "people": "count"}


def can_draw(entry: Entry) -> bool:
    """Whether there is a drawing of an analysis."""
    return entry.layout in {"series", "triangle"}


def chart_of(entry: Entry, found: Found, w: Words, title: str) -> Drawn | None:
    """Return the drawing, at most `MOST` lines: the first metric by group, else the metrics of one kind. None where there is nothing to draw."""
    rows = Rows(found.rows.dicts(), found.as_of, found.notes)
    if not rows.rows or not can_draw(entry):
        return None
    return _triangle(found, rows, w, title) if entry.layout == "triangle" else _series(entry, rows, w, title)


def _triangle(found: Found, rows: Rows, w: Words, title: str) -> Drawn | None:
    unit = found.parameters.get("unit", "day") if found.parameters.get("window", "calendar") == "calendar" else "day"
    cells = {(row["group"], row["k"]): row for row in rows.of("overall")}
    ks = sorted({k for _, k in cells})
    groups = sorted({group for group, _ in cells}, key=lambda group: -(cells[group, ks[0]]["n"] or 0) if (group, ks[0]) in cells else 0)
    drawn = [series_of(group_said(group, w), [cells.get((group, k)) for k in ks], f"c{at}") for at, group in enumerate(groups[:MOST])]
    labels = [w.t(f"k.{unit}", k=str(k)) for k in ks]
    if not ks:
        return None
    return twice(lambda size: curves(size, Axis(w, "share"), labels, drawn, title=title, desc=w.t("crowd.rates.is")), WIDE, NARROW)


def _series(entry: Entry, rows: Rows, w: Words, title: str) -> Drawn | None:
    kinds = {metric.name: metric.kind for metric in entry.metrics}
    there = [name for name in kinds if any(True for _ in rows.of(name))]
    cohorts = list(dict.fromkeys(row["cohort"] for row in rows.rows if row["cohort"]))
    if not there or not cohorts:
        return None
    kind = kinds[there[0]]
    groups = list(dict.fromkeys(row["group"] for row in rows.of(there[0])))
    if groups == [None]:
        wanted = [(w.t(f"metric.{name}"), name, None) for name in there if kinds[name] == kind]
    else:
        wanted = [(group_said(group, w), there[0], group) for group in groups]
    cells = {(row["metric"], row["group"], row["cohort"]): row for row in rows.rows}
    drawn = [
        _line(name, [cells.get((metric, group, cohort)) for cohort in cohorts], f"c{at}")
        for at, (name, metric, group) in enumerate(wanted[:MOST])
    ]
    times = [noon_ms(cohort, rows.zone) for cohort in cohorts]
    axis = Axis(w, _AXES.get(kind, "number"))
    return twice(lambda size: lines(size, axis, rows.zone, times, drawn, title=title, desc=title), WIDE, NARROW)


def _line(name: str, rows: Sequence[Row | None], colour: str) -> Series:
    """Return values as a line; what is still open is not known yet."""
    values = [None if row is None else row["value"] for row in rows]
    return Series(name, values, colour, known=[row is not None and row["state"] == "complete" for row in rows])
