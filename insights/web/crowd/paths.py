"""Which ways do people take through a visit, and what stands before a silence? The picture of the analysis `paths`, and the lines of `paths_into_silence`."""

from __future__ import annotations

from typing import NamedTuple

from insights.charts.svg import Drawn, Size
from insights.charts.ways import Way, ways
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, group_said
from insights.web.crowd.lost import nodes_of
from insights.words import DASH, Words

ENDS = {"(silence)": "silence", "(end of visit)": "end", "(not yet known)": "unknown", "(goes on)": "on"}
"""How paths end, as the analysis writes it, and by what they are named here."""
SILENCE = "(silence)"
DEPTH, DEPTH_NARROW = 5, 3
WIDE, NARROW = Size(1140, 420), Size(330, 340)
MOST_PATHS = 8
"""Paths that stand before a silence, at most; half as many that keep from one."""


class Before(NamedTuple):
    """A path that stands before a silence, or that keeps from one."""

    nodes: list[str]
    times: str
    sure: str
    plain: str
    days: str
    silences: str
    kind: str
    href: str


def ways_of(found: Found, w: Words) -> tuple[Drawn | None, list[str], list[list[str]]]:
    """Return the picture, and the table behind it; nothing without visits."""
    people = {(row["k"], row["source"], row["target"]): row["value"] for row in found.of("people")}
    rows = [row for row in found.of("visits") if row["value"]]
    if not rows:
        return None, [], []

    def name(node: str) -> str:
        return w.t(f"journeys.end.{ENDS[node]}") if node in ENDS else group_said(node, w)

    def said(row: Row) -> str:
        return w.t("journeys.way", n=people.get((row["k"], row["source"], row["target"]), 0))

    links = [Way(row["k"], name(row["source"]), name(row["target"]), row["value"], said(row), row["target"] == SILENCE) for row in rows]
    title, desc = w.t("journeys.ways"), w.t("journeys.ways.is")
    charts = [
        ways(size, w, links, [w.t("journeys.step", n=step) for step in range(1, steps + 1)], title=title, desc=desc)
        for size, steps in ((WIDE, DEPTH), (NARROW, DEPTH_NARROW))
    ]
    heads = [
        w.t("journeys.step", n=""),
        w.t("column.source"),
        w.t("column.target"),
        w.t("metric.visits"),
        w.t("metric.people"),
        w.t("Share"),
    ]
    shares = {(row["k"], row["source"], row["target"]): row["value"] for row in found.of("link_share")}
    table = [
        [
            str(row["k"]),
            name(row["source"]),
            name(row["target"]),
            w.number(row["value"]),
            w.number(people.get(key)),
            w.percent(shares.get(key)),
        ]
        for row in rows
        if (key := (row["k"], row["source"], row["target"]))
    ]
    return Drawn(*charts), [one.strip() for one in heads], table


def before_of(found: Found, w: Words, behind: Behind) -> list[Before]:
    """Return the paths of which it is sure that they stand before a silence more, or less, often: the surest first, then those that keep from one."""
    ratios = [row for row in found.of("path_ratio") if row["value"] is not None and row["low"] is not None]
    more = [row for row in ratios if row["low"] > 1][:MOST_PATHS]
    less = sorted((row for row in ratios if row["high"] < 1), key=lambda row: row["high"])[: MOST_PATHS // 2]
    return [_before_row(found, row, w, behind) for row in (*more, *less)]


def _before_row(found: Found, row: Row, w: Words, behind: Behind) -> Before:
    days, silences, plain = (found.one(metric, path=row["path"]) for metric in ("path_landmarks", "path_silences", "plain_path_ratio"))
    sure = f"{w.number(row['low'], 1)}{DASH}{w.number(row['high'], 1)}"

    def number(of: Row | None, digits: int | None = None) -> str:
        return w.number(of["value"] if of else None, digits)

    kind = "more" if row["value"] > 1 else "less"
    times = w.t("crowd.times.short", n=w.number(row["value"], 1))
    return Before(
        nodes_of(row["path"]), times, sure, number(plain, 1), number(days), number(silences), kind, behind("paths_into_silence", {}, row)
    )
