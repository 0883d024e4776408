"""What is to come of the newest weeks, and how is each channel doing? The open cells with where they will close, and a small line for each channel."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from insights.charts.lines import MOST
from insights.charts.small import spark
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, cohort_said, group_said
from insights.web.crowd.questions import CHANNELS, FORECAST
from insights.words import DASH, Words

MOST_COHORTS = 5
CHANNEL_DAY = 7
"""Days after the first of the lines by channel: days enough to mean something, and known soon."""


class Coming(NamedTuple):
    """An open cell: what came so far, and where it will close, with the interval."""

    cohort: str
    week: str
    so_far: str
    forecast: str
    sure: str
    n: str
    href: str


class Outlook(NamedTuple):
    """The open cells of the newest cohorts, the newest first, and how right such forecasts were; "" before any was judged."""

    rows: list[Coming]
    record: str


class Channel(NamedTuple):
    """One channel: its line over the weeks, and all weeks together."""

    name: str
    line: Markup
    share: str
    sure: str
    n: str
    href: str


class Channels(NamedTuple):
    """The largest channels, the largest first; all lines go from 0 to `top`."""

    rows: list[Channel]
    top: str


def outlook_of(found: Found, w: Words, behind: Behind) -> Outlook | None:
    """Return what is forecast; None where no cell is open."""
    rows = [row for row in found.of("forecast") if row["value"] is not None and row["n"]]
    rows = sorted(rows, key=lambda row: row["cohort"], reverse=True)[:MOST_COHORTS]
    if not rows:
        return None
    so_far = {(row["cohort"], row["k"]): row["value"] for row in found.of("so_far")}
    came = {(row["cohort"], row["k"]): row["value"] for row in found.of("came")}
    judged = [row for row in found.of("forecast_then") if row["low"] is not None and came.get((row["cohort"], row["k"])) is not None]
    right = sum(row["low"] <= came[row["cohort"], row["k"]] <= row["high"] for row in judged)
    return Outlook(
        [
            Coming(
                cohort_said(row["cohort"], "week", w, found.zone), w.t("k.week", k=str(row["k"])),
                w.percent(so_far.get((row["cohort"], row["k"]))), w.percent(row["value"]),
                w.interval(row["low"], row["high"]) if row["low"] is not None else "", w.t("crowd.n", n=row["n"]),
                behind("retention_forecast", FORECAST, row),
            )
            for row in rows
        ],
        w.t("today.outlook.record", n=right, of=len(judged)) if judged else "",
    )  # fmt: skip


def channels_of(found: Found, w: Words, behind: Behind) -> Channels | None:
    """Return the lines by channel; None where there is one channel, or nobody's time is up."""
    sizes: dict[str, int] = {}
    for row in found.of("retention", k=0):
        if row["group"] is not None:
            sizes[row["group"]] = sizes.get(row["group"], 0) + row["n"]
    groups = sorted((group for group in sizes if sizes[group]), key=lambda group: -sizes[group])[:MOST]
    cells = {
        (row["cohort"], row["group"]): row["value"]
        for row in found.of("retention", k=CHANNEL_DAY)
        if row["state"] == "complete" and row["n"]
    }
    cohorts = sorted({cohort for cohort, _ in cells})
    top = max((value for (_, group), value in cells.items() if group in groups), default=0.0)
    if len(groups) < 2 or not top:
        return None
    rows = []
    for number, group in enumerate(groups):
        whole = found.one("overall", k=CHANNEL_DAY, group=group)
        line = spark([None if (value := cells.get((cohort, group))) is None else value / top for cohort in cohorts], f"c{number}")
        known = whole is not None and whole["value"] is not None
        rows.append(
            Channel(
                group_said(group, w), line, w.percent(whole["value"]) if whole and known else DASH,
                w.interval(whole["low"], whole["high"]) if whole and known and whole["low"] is not None else "",
                w.t("crowd.n", n=whole["n"]) if whole and known else "", behind("retention", CHANNELS, whole) if whole and known else "",
            )
        )  # fmt: skip
    return Channels(rows, w.percent(top))
