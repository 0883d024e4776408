"""How is a table of cohorts shown? Cells by the colour of their share; what may still move is hatched, and says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

from insights.charts.colours import heat_name
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, cohort_said
from insights.words import Words

FIRST = {"hour": (1, 2, 3, 6, 12, 24), "day": (1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 30)}
"""Which cells of a long row are shown; of weeks and months all are."""
KEY = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Steps of the scale that its key shows."""


class Cell(NamedTuple):
    """One cell: its text, the name of its colour, whether it is the last word, what the pointer shows, and where its people are."""

    said: str
    heat: str
    state: str
    tip: str
    href: str


class Line(NamedTuple):
    """A cohort: its name, how many people, whether more may still come, and its cells; None where nothing has begun."""

    name: str
    people: str
    is_open: bool
    cells: list[Cell | None]


class Cohorts(NamedTuple):
    """The table. `whole` is the line of all cohorts together; `key` the colours of its scale, which ends at `top`."""

    first: str
    heads: list[str]
    whole: Line
    lines: list[Line]
    key: list[str]
    top: str


def cohorts_of(found: Found, asked: Mapping[str, object], w: Words, behind: Behind) -> Cohorts | None:
    """Return the table of an answer without a breakdown; None if nobody is in it."""
    unit = str(asked["unit"])
    ks = shown_ks(found, unit)
    names = list(dict.fromkeys(row["cohort"] for row in found.of("retention") if row["n"]))
    if not names or not ks:
        return None
    cells = {(row["cohort"], row["k"]): row for row in found.of("retention")}
    overall = {row["k"]: row for row in found.of("overall")}
    shares = [row["value"] for (_, k), row in cells.items() if k in ks and row["state"] == "complete" and row["n"]]
    top = max(0.1, ceil(10 * max(shares, default=0.0)) / 10)

    def cell(row: Row | None, named: str, k: int) -> Cell | None:
        if row is None or row["value"] is None:
            return None
        told = w.t("crowd.cell", cohort=named, k=w.t(f"k.{unit}", k=str(k)))
        told += "\n" + "\t".join(("accent", w.t("crowd.cell.count", count=row["count"], n=row["n"]), w.interval(row["low"], row["high"])))
        if row["state"] == "open":
            told += "\n" + "\t".join(("ink3", w.t("not known yet"), ""))
        href = behind("retention", asked, row) if row["cohort"] else ""
        return Cell(w.percent(row["value"]), heat_name(row["value"] / top), row["state"], told, href)

    def line(name: str, of: Mapping[int, Row | None], first: Row | None) -> Line:
        people = w.number(first["n"]) if first else ""
        return Line(name, people, first is not None and first["state"] == "open", [cell(of.get(k), name, k) for k in ks])

    lines = []
    for name in names:
        said = cohort_said(name, unit, w, found.zone)
        lines.append(line(said, {k: cells.get((name, k)) for k in ks}, cells.get((name, 0))))
    whole = line(w.t("crowd.all_cohorts"), dict(overall), overall.get(0))
    heads = [w.t(f"k.{unit}", k=str(k)) for k in ks]
    return Cohorts(w.t(f"crowd.unit.{unit}"), heads, whole, lines, [heat_name(step) for step in KEY], w.percent(top))


def shown_ks(found: Found, unit: str) -> list[int]:
    """Return the cells after the first that are shown, in order: those that anybody has begun."""
    begun = {row["k"] for row in found.of("retention") if row["k"] and row["state"] != "none" and row["n"]}
    picked: Sequence[int] = FIRST.get(unit, ())
    return sorted(k for k in begun if not picked or k in picked)
