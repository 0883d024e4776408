"""The page Retention, put together: three figures, the table of cohorts, their curves, and what tells groups apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from insights.charts.lines import curves
from insights.charts.scale import Axis
from insights.charts.svg import Drawn, Size, twice
from insights.web.crowd import rates
from insights.web.crowd.behind import Behind
from insights.web.crowd.cohorts import Cohorts, cohorts_of, shown_ks
from insights.web.crowd.found import Found, as_of_said, cohort_said
from insights.web.crowd.questions import BY, COHORT_UNITS, KINDS, MODES, OfRetention
from insights.web.crowd.rates import Lines, Panel
from insights.web.filters import Pick
from insights.web.tile import Tile
from insights.words import Words

NEWEST = 3
"""Cohorts whose curve is drawn beside that of all: the newest that have one."""
WIDE, NARROW = Size(1140, 260), Size(330, 210)


class Answers(NamedTuple):
    """What was found; None while an answer is not there yet."""

    table: Found | None
    rates: Found | None
    groups: Found | None


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/retention.html`."""

    picks: list[Pick]
    by: str
    tiles: list[Tile]
    cohorts: Cohorts | None
    means: str
    curves: Drawn | None
    heads: list[str]
    rows: list[list[str]]
    rates: Lines | None
    panels: list[Panel]
    as_of: list[str]


def page_of(asked: OfRetention, answers: Answers, w: Words, behind: Behind) -> Page:
    """Put the page together."""
    table = answers.table
    chart, heads, rows = (None, [], []) if table is None else _curves(table, asked, w)
    known = next((one for one in answers if one is not None), None)
    return Page(
        picks=picks(asked, w),
        by=asked.by,
        tiles=[] if answers.rates is None else rates.tiles(answers.rates, asked.rates, w, behind),
        cohorts=None if table is None else cohorts_of(table, asked.table, w, behind),
        means=w.t(f"crowd.table.{asked.mode}", unit=w.t(f"crowd.unit.{asked.unit}.name")),
        curves=chart,
        heads=heads,
        rows=rows,
        rates=None if answers.rates is None else rates.over_weeks(answers.rates, w),
        panels=[] if answers.groups is None or not _tells_apart(answers.groups, asked) else rates.panels(answers.groups, w),
        as_of=[] if known is None else as_of_said(known, w),
    )


def _tells_apart(groups: Found, asked: OfRetention) -> bool:
    """Whether there is anything to compare: a log without channels has one group, of which nobody asked."""
    return asked.by != BY or len({row["group"] for row in groups.of("retention")}) > 1


def picks(asked: OfRetention, w: Words) -> list[Pick]:
    """Return the filters as the form offers them."""
    return [
        Pick("unit", w.t("crowd.cohorts_by"), [(one, w.t(f"crowd.cohorts_by.{one}")) for one in COHORT_UNITS], asked.unit, ""),
        Pick("kind", w.t("crowd.kind"), [(one, w.t(f"crowd.kind.{one}")) for one in KINDS], asked.kind, ""),
        Pick("mode", w.t("crowd.mode"), [(one, w.t(f"crowd.mode.{one}")) for one in MODES], asked.mode, ""),
    ]


def _curves(found: Found, asked: OfRetention, w: Words) -> tuple[Drawn | None, list[str], list[list[str]]]:
    """Return the curve of all cohorts and those of the newest, and the table behind them."""
    ks = shown_ks(found, asked.unit)
    if len(ks) < 2:
        return None, [], []
    cells = {(row["cohort"], row["k"]): row for row in found.of("retention") if row["n"]}
    overall = {row["k"]: row for row in found.of("overall")}
    names = [one for one in dict.fromkeys(cohort for cohort, _ in cells) if _steps(cells, one, ks) > 1]
    newest = names[-NEWEST:]
    labels = [w.t(f"k.{asked.unit}", k=str(k)) for k in ks]
    said = [w.t("crowd.all_cohorts"), *(cohort_said(name, asked.unit, w, found.zone) for name in newest)]
    lines = [[overall.get(k) for k in ks], *([cells.get((name, k)) for k in ks] for name in newest)]
    series = [rates.series_of(name, line, f"c{number}") for number, (name, line) in enumerate(zip(said, lines, strict=True))]
    title, desc = w.t("crowd.curves"), w.t("crowd.curves.is")
    chart = twice(lambda size: curves(size, Axis(w, "share"), labels, series, title=title, desc=desc), WIDE, NARROW)
    rows = [[label, *(one.said(at, Axis(w, "share")) for one in series)] for at, label in enumerate(labels)]
    return chart, [w.t("crowd.after"), *said], rows


def _steps(cells: Mapping[tuple[str, int], Mapping[str, object]], cohort: str, ks: list[int]) -> int:
    return sum((row := cells.get((cohort, k))) is not None and row["state"] != "none" for k in ks)
