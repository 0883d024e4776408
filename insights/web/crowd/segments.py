"""Who is it? Customers by when and how much they bought: how many, which share of the money, and how many of those of a horizon ago fell silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.small import bar
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found
from insights.words import DASH, Words


class Segment(NamedTuple):
    """One segment. Bars are shares of all customers, and of all they spent."""

    name: str
    people: str
    people_bar: Markup
    revenue: str
    revenue_bar: Markup
    money: str
    silent: str
    sure: str
    n: str
    days: str
    moved: str
    href: str


def segments(found: Found, asked: Mapping[str, object], currency: str, w: Words, behind: Behind) -> list[Segment]:
    """Return the segments of `rfm` that have customers, in the order of its table."""
    sizes = [row for row in found.of("segment_people") if row["value"]]
    made = []
    for row in sizes:
        group = row["group"]
        share, money, silent, days = (
            found.one(metric, group=group) for metric in ("revenue_share", "segment_revenue", "fell_silent", "mean_recency")
        )
        known = silent is not None and silent["value"] is not None
        others = sum(one["value"] for one in found.of("came_from", group=group) if one["source"] != group)
        made.append(
            Segment(
                w.t(f"segment.{group}"), w.number(row["value"]), bar(row["value"] / row["n"], "node"),
                w.percent(share["value"]) if share else DASH, bar(share["value"] if share else None),
                w.money(money["value"], currency) if money else DASH,
                w.percent(silent["value"]) if known and silent else DASH,
                w.interval(silent["low"], silent["high"]) if known and silent else "",
                w.t("crowd.n", n=silent["n"]) if known and silent else "",
                w.duration(days["value"] * 86_400) if days and days["value"] is not None else DASH,
                w.t("crowd.moved", n=others) if others else "",
                behind("rfm", asked, row),
            )
        )  # fmt: skip
    return made
