"""How is a funnel shown? Its figures, a line for each step with its times, and how the groups compare; of those whose time is up, the others apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from insights.charts.scale import Axis
from insights.charts.small import bar
from insights.charts.svg import Drawn
from insights.charts.whiskers import Whisker, whiskers
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, group_said
from insights.web.crowd.lost import window_said
from insights.web.crowd.standing import Finding, finding, lowest_first
from insights.web.tile import Tile
from insights.words import DASH, Words
from stream.shown import visible

WIDE, NARROW = 1140, 330
"""Widths of the chart of groups, px."""


class Asked(NamedTuple):
    """What an address asks for: the steps in order, the window, and by what people are told apart."""

    steps: tuple[str, ...]
    window: str
    by: str

    @property
    def funnel(self) -> Mapping[str, object]:
        """What is asked of `funnel`."""
        return {"steps": self.steps, "window": self.window}

    @property
    def groups(self) -> Mapping[str, object]:
        """What is asked of it for the groups."""
        return {**self.funnel, "by": self.by}


class Step(NamedTuple):
    """One step of the funnel. Bars are shares of all ripe entrants: who came so far, and who stopped here."""

    number: str
    name: str
    bar: Markup
    came: str
    share: str
    sure: str
    of_before: str
    stopped: str
    unripe: str
    median: str
    p90: str
    came_href: str
    stopped_href: str


def tiles_of(found: Found, asked: Asked, w: Words, behind: Behind) -> list[Tile]:
    """Return the three figures: who does all steps, where most stop, who is still on the way."""
    whole = found.one("rate", k=len(asked.steps), group=None)
    stops = [row for row in found.of("stopped", group=None) if row["value"] is not None]
    entered = found.one("reached", k=1, group=None)
    tiles = []
    if whole is not None:
        value = w.percent(whole["value"])
        about = w.t("journeys.all.about", n=whole["n"])
        name = w.t("journeys.all", steps=len(asked.steps))
        sure = w.interval(whole["low"], whole["high"]) if whole["value"] is not None else ""
        tiles.append(Tile(name, value, about, w.t("metric.rate.is"), sure, href=behind("funnel", asked.funnel, whole)))
    if stops:
        worst = max(stops, key=lambda row: row["value"])
        of = found.one("ripe_reached", k=worst["k"], group=None)
        share = w.t("journeys.leak.share", share=w.percent(worst["value"] / of["value"])) if of and of["value"] else ""
        about = w.t("journeys.leak.about", step=visible(worst["step"]))
        tiles.append(
            Tile(
                w.t("journeys.leak"),
                w.number(worst["value"]),
                about,
                w.t("metric.stopped.is"),
                share,
                href=behind("funnel", asked.funnel, worst),
            )
        )
    if entered is not None:
        unripe = found.one("unripe_reached", k=1, group=None)
        about = w.t("journeys.unripe.about", window=window_said(asked.window, w))
        value = w.number(unripe["value"] if unripe else None)
        href = behind("funnel", asked.funnel, unripe) if unripe else ""
        tiles.append(
            Tile(w.t("journeys.unripe"), value, about, w.t("metric.unripe_reached.is"), w.t("of people", n=entered["value"]), href=href)
        )
    return tiles


def steps_of(found: Found, asked: Asked, w: Words, behind: Behind) -> list[Step]:
    """Return a line for each step."""
    cells: dict[tuple[str, int], Row] = {
        (row["metric"], row["k"]): row for row in found.rows if row["k"] is not None and row["group"] is None
    }

    def value(metric: str, k: int) -> Any:
        row = cells.get((metric, k))
        return None if row is None else row["value"]

    def href(metric: str, k: int) -> str:
        row = cells.get((metric, k))
        return "" if row is None or not row["value"] else behind("funnel", asked.funnel, row)

    made = []
    for k, step in enumerate(asked.steps, 1):
        rate = cells.get(("rate", k))
        sure = w.interval(rate["low"], rate["high"]) if rate is not None and rate["value"] is not None and k > 1 else ""
        made.append(
            Step(
                str(k), visible(step), bar(value("rate", k), height=14), w.number(value("ripe_reached", k)), w.percent(value("rate", k)), sure,
                w.percent(value("step_rate", k)) if k > 1 else "", w.number(value("stopped", k)) if k < len(asked.steps) else "",
                w.number(value("unripe_reached", k)), _time(value("median_step", k), w) if k > 1 else "", _time(value("p90_step", k), w) if k > 1 else "",
                href("ripe_reached", k), href("stopped", k),
            )
        )  # fmt: skip
    return made


def _time(seconds: float | None, w: Words) -> str:
    return DASH if seconds is None else w.duration(seconds) if seconds >= 60 else w.t("span.seconds", n=w.number(seconds))


def worst_step(found: Found, w: Words) -> Finding | None:
    """Say at which step surely fewer of those who did the one before go on than at the others; None where there are no others."""
    lowest = lowest_first(list(found.of("step_rate", group=None)))
    sure = [one for one in lowest if one.at_most < 0]

    def below(at: int) -> str:
        row = sure[at].row
        return w.t("standing.against", name=visible(row["step"]), value=w.percent(row["value"]), others=w.percent(sure[at].others))

    return finding("steps", [one.row["step"] for one in sure], below, "standing.steps", w) if len(lowest) > 1 else None


def worst_groups(found: Found, asked: Asked, w: Words) -> Finding | None:
    """Say which groups do all steps surely more seldom than the others together; None where there is one group."""
    lowest = lowest_first(_by_group(found, asked))
    sure = [one for one in lowest if one.at_most < 0]

    def below(at: int) -> str:
        row = sure[at].row
        return w.t("standing.against", name=group_said(row["group"], w), value=w.percent(row["value"]), others=w.percent(sure[at].others))

    return finding("groups", [one.row["group"] for one in sure], below, "standing.groups", w) if len(lowest) > 1 else None


def _by_group(found: Found, asked: Asked) -> list[Row]:
    return [row for row in found.of("rate", k=len(asked.steps)) if row["value"] is not None and row["group"]]


def groups_of(found: Found, asked: Asked, w: Words) -> tuple[Drawn | None, list[str], list[list[str]]]:
    """Return how many of each group did all steps, the surely lowest first."""
    rows = [one.row for one in lowest_first(_by_group(found, asked))]
    if len(rows) < 2:
        return None, [], []
    shown = [Whisker(group_said(row["group"], w), row["value"], row["low"], row["high"], w.t("crowd.n", n=row["n"])) for row in rows]
    title, desc = w.t("journeys.groups", by=asked.by), w.t("journeys.groups.is")
    chart = Drawn(*(whiskers(across, Axis(w, "share"), shown, title=title, desc=desc) for across in (WIDE, NARROW)))
    heads = [w.t("crowd.group"), w.t("People"), w.t("metric.rate"), w.t("95% interval")]
    return (
        chart,
        heads,
        [[group_said(row["group"], w), w.number(row["n"]), w.percent(row["value"]), w.interval(row["low"], row["high"])] for row in rows],
    )
