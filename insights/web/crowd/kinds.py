"""Which kinds of people are there, and does the model of buying hold? Groups that a program found, by their figures; and what was predicted and bought, by tenth."""

from __future__ import annotations

import re
from typing import NamedTuple

from insights.charts.colours import heat_name
from insights.charts.lines import curves
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.svg import Drawn, Size, twice
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found
from insights.words import Words

FIGURES = ("active_days", "events_a_day", "recency_days", "tenure_days", "purchases", "revenue")
SPREAD = 2.0
"""Standard deviations from the mean of all at which a colour is the deepest."""
WIDE, NARROW = Size(520, 240), Size(330, 210)
_PART = re.compile(r"^(high|low) (\w+)(.*)$")


class Kind(NamedTuple):
    """A group: its name, how many, which share, and a text with a colour for each figure."""

    name: str
    people: str
    share: str
    cells: list[tuple[str, str]]
    href: str


class Kinds(NamedTuple):
    """The table of groups, how stable they are, and what is to be said of them."""

    heads: list[str]
    lines: list[Kind]
    stable: str
    notes: list[str]


class Value(NamedTuple):
    """What customers are expected to spend, and whether such predictions came true before."""

    ahead: str
    purchases: str
    chart: Drawn | None
    heads: list[str]
    rows: list[list[str]]
    notes: list[str]


def kinds_of(found: Found, currency: str, w: Words, behind: Behind) -> Kinds | None:
    """Return the groups, the largest first; None without any."""
    sizes = sorted(found.of("cluster_people"), key=lambda row: -row["value"])
    if not any(row["value"] for row in sizes):
        return None
    stable = found.one("cluster_stability")
    figures = [
        name for name in FIGURES if any(row["value"] for row in found.of("figure_median", figure=name))
    ]  # where nobody buys, no zeros of it
    lines = []
    for row in sizes:
        cells = []
        for figure in figures:
            median, centre = (found.one(metric, group=row["group"], figure=figure) for metric in ("figure_median", "cluster_centre"))
            value = None if median is None else median["value"]
            said = w.money(value, currency) if figure == "revenue" else w.number(value)
            cells.append((said, heat_name(0.5 + (centre["value"] if centre else 0.0) / (2 * SPREAD))))
        lines.append(
            Kind(name_of(row["group"], w), w.number(row["value"]), w.percent(row["value"] / row["n"]), cells, behind("clusters", {}, row))
        )
    said = w.t("groups.stable", value=w.number(stable["value"], 2)) if stable is not None and stable["value"] is not None else ""
    return Kinds(
        [w.t(f"groups.figure.{figure}") for figure in figures], lines, said, [w.t(note.key, **note.values) for note in found.notes]
    )


def name_of(group: str, w: Words) -> str:
    """Say a group by the figures in which it differs most.

    >>> from insights.words import words
    >>> name_of("high revenue, low active_days", words("en"))
    'much revenue, few active days'
    """
    parts = [_PART.match(part) for part in group.split(", ")]
    said = [w.t(f"groups.{one[1]}.{one[2]}") + one[3] for one in parts if one is not None]
    return w.t("groups.and", first=said[0], second=said[1]) if len(said) == 2 else " ".join(said)


def value_of(found: Found, currency: str, days: int, w: Words) -> Value | None:
    """Return what the model of buying says; None without customers."""
    ahead, purchases = found.one("value_ahead"), found.one("expected_purchases")
    if ahead is None or ahead["value"] is None:
        return None
    predicted = {row["k"]: row for row in found.of("held_out_predicted")}
    bought = {row["k"]: row for row in found.of("held_out_bought")}
    ks = sorted(predicted)
    chart = None
    if len(ks) > 1:
        series = [
            Series(w.t("groups.bought"), [bought[k]["value"] if k in bought else None for k in ks], "c0", dots=True),
            Series(w.t("groups.predicted"), [predicted[k]["value"] for k in ks], "c1", dots=True),
        ]
        title, desc = w.t("groups.value"), w.t("groups.value.is")
        chart = twice(lambda size: curves(size, Axis(w, "number"), [str(k) for k in ks], series, title=title, desc=desc), WIDE, NARROW)
    rows = [
        [str(k), w.number(predicted[k]["n"]), w.number(predicted[k]["value"], 1), w.number(bought[k]["value"] if k in bought else None, 1)]
        for k in ks
    ]
    heads = [w.t("groups.tenth"), w.t("crowd.customers"), w.t("groups.predicted"), w.t("groups.bought")]
    return Value(
        w.t("groups.ahead", value=w.money(ahead["value"], currency), days=days),
        "" if purchases is None else w.t("groups.purchases", n=w.number(purchases["value"], 0)),
        chart, heads, rows, [w.t(note.key, **note.values) for note in found.notes],
    )  # fmt: skip
