"""Who comes in, who goes quiet, and how many of those here come again? Weeks of the analysis `lifecycle`, and the four rates of `daily_states`."""

from __future__ import annotations

from typing import NamedTuple

from insights.charts.columns import Counts, columns
from insights.charts.svg import Drawn, Size, twice
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, cohort_said, noon_ms
from insights.web.intervals import difference_of
from insights.web.tile import Tile
from insights.words import DASH, Words

UP = (("returning", "flow"), ("resurrected", "c3"), ("new", "c0"))
"""Kinds of active people and their colours, from the line upwards."""
IN = UP[1:]
RATES = ("curr", "nurr", "rurr", "surr")
WEEK_DAYS = 7
METRICS = ("new", "resurrected", "returning", "active", "dormant")
WIDE, NARROW = Size(520, 240), Size(330, 200)
WHOLE = Size(1140, 260)


class Flows(NamedTuple):
    """A chart of weeks, and the table behind it."""

    chart: Drawn
    heads: list[str]
    rows: list[list[str]]
    sentence: str


def in_and_out(found: Found, w: Words, unit: str = "week", *, all_active: bool = False) -> Flows | None:
    """Return what came and what went quiet each week; None before there is a week.

    Parameters
    ----------
    unit : str
        What was asked for: day, week or month.
    all_active : bool
        With those who were here the week before, too, and as wide as a page.
    """
    weeks = list(dict.fromkeys(row["cohort"] for row in found.of("active") if row["value"] is not None))
    if not weeks:
        return None
    cells = {(row["metric"], row["cohort"]): row for row in found.rows if row["group"] is None}

    def counts(metric: str, colour: str) -> Counts:
        rows = [cells[metric, week] for week in weeks]
        return Counts(w.t(f"crowd.flow.{metric}"), colour, [row["value"] for row in rows], [row["state"] == "complete" for row in rows])

    up, down = [counts(*one) for one in (UP if all_active else IN)], [counts("dormant", "silence")]
    times, title, desc = [noon_ms(week, found.zone) for week in weeks], w.t("crowd.flows"), w.t("crowd.flows.is")
    wide = WHOLE if all_active else WIDE
    chart = twice(lambda size: columns(size, w, found.zone, times, up, down, title=title, desc=desc), wide, NARROW)
    heads = [w.t(f"crowd.unit.{unit}"), *(w.t(f"crowd.flow.{metric}") for metric in METRICS)]
    rows = [[cohort_said(week, unit, w, found.zone), *(_said(cells[metric, week], w) for metric in METRICS)] for week in reversed(weeks)]
    return Flows(chart, heads, rows, _sentence(cells, weeks, unit, w, found))


def _said(row: Row, w: Words) -> str:
    if row["value"] is None:
        return DASH
    text = w.number(row["value"])
    return text if row["state"] == "complete" else w.t("value so far", value=text)


def _sentence(cells: dict[tuple[str, str], Row], weeks: list[str], unit: str, w: Words, found: Found) -> str:
    """Say what the newest complete week came to."""
    done = [week for week in weeks if cells["active", week]["state"] == "complete" and cells["dormant", week]["value"] is not None]
    if not done:
        return ""
    week = done[-1]
    values = {metric: cells[metric, week]["value"] for metric in METRICS}
    come, gone = values["new"] + values["resurrected"], values["dormant"]
    kind = "more" if come > gone else "fewer" if come < gone else "even"
    return w.t(
        f"crowd.flows.{kind}", when=w.t(f"crowd.flows.when.{unit}", cohort=cohort_said(week, unit, w, found.zone)), new=values["new"], back=values["resurrected"], gone=gone,
        more=abs(come - gone),
    )  # fmt: skip


def four_rates(found: Found, w: Words, behind: Behind) -> list[Tile]:
    """Return the four rates of the newest day for which they are complete, each with that of the same weekday a week before."""
    return [_rate(found, metric, w, behind) for metric in RATES]


def _rate(found: Found, metric: str, w: Words, behind: Behind) -> Tile:
    name, means = w.t(f"crowd.{metric}"), w.t(f"crowd.{metric}.is")
    days = [row for row in found.of(metric, group=None) if row["state"] == "complete"]
    now = next((row for row in reversed(days) if row["n"]), None)
    if now is None:
        return Tile(name, DASH, w.t("crowd.rate.none"), means)
    place = days.index(now)
    before = days[place - WEEK_DAYS] if place >= WEEK_DAYS and days[place - WEEK_DAYS]["n"] else None
    about = w.t("crowd.rate.about", count=now["count"], n=now["n"], day=cohort_said(now["cohort"], "day", w, found.zone))
    change, good = "", None
    if before is not None:
        change = w.t("crowd.rate.before", value=w.percent(before["value"]))
        differs = difference_of(now["count"], now["n"], before["count"], before["n"])
        if differs is not None and not differs[1] <= 0 <= differs[2]:
            good = differs[0] > 0
            change = f"{'▲' if good else '▼'} {change}"
    return Tile(
        name,
        w.percent(now["value"]),
        about,
        means,
        w.interval(now["low"], now["high"]),
        change=change,
        good=good,
        href=behind("daily_states", {}, now),
    )
