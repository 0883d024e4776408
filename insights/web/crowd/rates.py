"""Do new people come back on the next day, after a week, after a month? Three figures and three lines over the weeks in which they came.

Of the analysis `retention` with weekly cohorts and days counted since each person's own first day: see `questions.RATES`. Today and Retention show the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from insights.charts.lines import MOST, lines
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.svg import Drawn, Size, twice
from insights.charts.whiskers import Whisker, whiskers
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, cohort_said, group_said, noon_ms
from insights.web.crowd.standing import Finding, finding, lowest_first
from insights.web.intervals import difference_of
from insights.web.tile import Tile
from insights.words import DASH, Words

DAYS = (1, 7, 30)
COLOURS = {1: "c0", 7: "c1", 30: "c2"}
BEFORE = 4
"""Cohorts with which the newest is compared."""
WIDE, HALF, NARROW = Size(1140, 230), Size(520, 240), Size(330, 190)
THIRD, THIRD_NARROW = Size(370, 190), Size(330, 180)


class Lines(NamedTuple):
    """A chart over cohorts, and the table behind it."""

    chart: Drawn
    heads: list[str]
    rows: list[list[str]]


class Panel(NamedTuple):
    """One day after the first, by group: lines over the cohorts, and all cohorts together with their intervals, the surely lowest first."""

    name: str
    lines: Drawn
    finding: Finding | None
    whiskers: Drawn
    heads: list[str]
    rows: list[list[str]]


def tiles(found: Found, asked: Mapping[str, object], w: Words, behind: Behind) -> list[Tile]:
    """Return a figure for each day: the newest cohort that has had the time, against the four before it."""
    return [_tile(found, asked, day, w, behind) for day in DAYS]


def _tile(found: Found, asked: Mapping[str, object], day: int, w: Words, behind: Behind) -> Tile:
    name, means = w.t("crowd.day", n=day), w.t("crowd.day.means", n=day)
    done = [row for row in found.of("retention", k=day) if row["state"] == "complete" and row["n"]]
    if not done:
        return Tile(name, DASH, w.t("crowd.day.none"), means)
    newest, before = done[-1], done[-1 - BEFORE : -1]
    about = w.t("crowd.day.cohort", cohort=cohort_said(newest["cohort"], "week", w, found.zone), count=newest["count"], n=newest["n"])
    change, good = _change(newest, before, w)
    href = behind("retention", asked, newest)
    return Tile(
        name, w.percent(newest["value"]), about, means, w.interval(newest["low"], newest["high"]), change=change, good=good, href=href
    )


def _change(newest: Row, before: Sequence[Row], w: Words) -> tuple[str, bool | None]:
    """Say by how many points the newest differs from those before; only where it surely does."""
    found = difference_of(newest["count"], newest["n"], sum(row["count"] for row in before), sum(row["n"] for row in before))
    if found is None:
        return "", None
    share, low, high = found
    if low <= 0 <= high:
        return w.t("crowd.day.same", n=len(before)), None
    sign = "▲" if share > 0 else "▼"
    return w.t("crowd.day.change", change=f"{sign} {w.number(abs(share) * 100)}", n=len(before)), share > 0


def over_weeks(found: Found, w: Words, wide: Size = WIDE) -> Lines | None:
    """Return the three lines over cohorts: solid where everybody has had the time, dashed where some have not. None without cohorts."""
    cohorts = list(dict.fromkeys(row["cohort"] for row in found.of("retention", group=None) if row["n"]))
    if not cohorts:
        return None
    cells = {(row["cohort"], row["k"]): row for row in found.of("retention", group=None)}
    series = [series_of(w.t("crowd.day.short", n=day), [cells.get((cohort, day)) for cohort in cohorts], COLOURS[day]) for day in DAYS]
    times = [noon_ms(cohort, found.zone) for cohort in cohorts]
    title, desc = w.t("crowd.rates"), w.t("crowd.rates.is")
    chart = twice(lambda size: lines(size, Axis(w, "share"), found.zone, times, series, title=title, desc=desc), wide, NARROW)
    heads = [w.t("crowd.week_of"), w.t("People"), *(w.t("crowd.day.short", n=day) for day in DAYS)]
    rows = [
        [cohort_said(cohort, "week", w, found.zone), w.number(_size(cells, cohort)), *(said(cells.get((cohort, day)), w) for day in DAYS)]
        for cohort in reversed(cohorts)
    ]
    return Lines(chart, heads, rows)


def panels(found: Found, w: Words) -> list[Panel]:
    """Return a panel for each day: its line in each of the largest groups, and below the groups with their intervals."""
    sizes: dict[str | None, int] = {}
    for row in found.of("retention", k=0):
        sizes[row["group"]] = sizes.get(row["group"], 0) + row["n"]
    groups = sorted((group for group in sizes if sizes[group]), key=lambda group: -sizes[group])
    return [_panel(found, day, groups, w) for day in DAYS] if groups else []


def _panel(found: Found, day: int, groups: Sequence[str | None], w: Words) -> Panel:
    cells = {(row["cohort"], row["group"]): row for row in found.of("retention", k=day)}
    cohorts = sorted({row["cohort"] for row in found.of("retention", k=0) if row["n"]})  # a group may be in few of them
    times = [noon_ms(cohort, found.zone) for cohort in cohorts]
    named = {group: group_said(group, w) for group in groups}
    colours = {group: f"c{number}" for number, group in enumerate(groups[:MOST])}
    series = [series_of(named[group], [cells.get((cohort, group)) for cohort in cohorts], colours[group]) for group in groups[:MOST]]
    name, desc = w.t("crowd.day", n=day), w.t("crowd.rates.is")
    wholes = (found.one("overall", k=day, group=group) for group in groups)
    lowest = lowest_first([row for row in wholes if row is not None])
    known = [(one.row["group"], one.row) for one in lowest]
    sure = [one for one in lowest if one.at_most < 0]

    def below(at: int) -> str:
        return w.t(
            "standing.against", name=named[sure[at].row["group"]], value=w.percent(sure[at].row["value"]), others=w.percent(sure[at].others)
        )

    rows = [
        Whisker(named[group], row["value"], row["low"], row["high"], w.t("crowd.n", n=row["n"]), colours.get(group, "ink3"))
        for group, row in known
    ]
    return Panel(
        name,
        twice(lambda size: lines(size, Axis(w, "share"), found.zone, times, series, title=name, desc=desc), THIRD, THIRD_NARROW),
        finding(f"day-{day}", [one.row["group"] for one in sure], below, "standing.groups", w) if len(known) > 1 else None,
        Drawn(
            *(
                whiskers(across, Axis(w, "share"), rows, title=w.t("crowd.all_cohorts"), desc=desc)
                for across in (THIRD.width, THIRD_NARROW.width)
            )
        ),
        [w.t("crowd.group"), w.t("People"), w.t("crowd.day.short", n=day), w.t("95% interval")],
        [[named[group], w.number(row["n"]), w.percent(row["value"]), w.interval(row["low"], row["high"])] for group, row in known],
    )


def series_of(name: str, rows: Sequence[Row | None], colour: str) -> Series:
    """Return cells as a line: open ones are not known yet and have no interval, those that have not begun have no value; nor do cohorts without people."""
    shown = [row if row is not None and row["state"] != "none" and row["n"] else None for row in rows]
    return Series(
        name,
        [None if row is None else row["value"] for row in shown],
        colour,
        [row["low"] if row is not None and row["state"] == "complete" else None for row in shown],
        [row["high"] if row is not None and row["state"] == "complete" else None for row in shown],
        [row is not None and row["state"] == "complete" for row in shown],
    )


def said(row: Row | None, w: Words) -> str:
    """Write a cell for a table: its share with its interval, and whether it may still move."""
    if row is None or row["value"] is None:
        return DASH
    text = w.percent(row["value"])
    if row["state"] != "complete":
        return w.t("value so far", value=text)
    return text if row["low"] is None else f"{text} ({w.interval(row['low'], row['high'])})"


def _size(cells: Mapping[tuple[str, int], Row], cohort: str) -> int:
    return next((row["n"] for (name, _), row in cells.items() if name == cohort), 0)
