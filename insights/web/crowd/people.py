"""Who is behind a number? The list of people that an analysis counted, as a table and as a file; and what an address says of which number it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from insights.analyses.plain import Cell, Entry, Known, Rows
from insights.web.crowd.behind import NAMED
from insights.web.crowd.found import Found, as_of_said, group_said
from insights.web.filters import WrongFilter
from insights.web.person.address import person_link
from insights.words import DASH, Words
from stream.shown import csv_line, visible

SHOWN, MOST = 200, 100_000
"""People on a page, and in a file."""
BOM = "\ufeff"
"""By it a spreadsheet reads UTF-8."""
SEVERAL = {"texts", "wholes", "numbers"}


class Line(NamedTuple):
    """One person: who, their page, and what else is known."""

    user: str
    href: str
    cells: list[str]


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/people.html`."""

    of: str
    which: str
    n: str
    heads: list[str]
    lines: list[Line]
    more: str
    csv: str
    as_of: list[str]


def asked_of(query: QueryParams, entry: Entry) -> tuple[dict[str, object], Cell]:
    """Return the question and the cell of an address, the inverse of `insights.web.crowd.behind.behind`.

    Raises
    ------
    WrongFilter
        If it names no cell.
    """
    several = {one.name for one in entry.parameters if one.reads in SEVERAL}
    names = {one.name for one in entry.parameters}
    asked: dict[str, object] = {name: query.getlist(name) if name in several else query[name] for name in query if name in names}
    metric, k = query.get("cell.metric", ""), query.get("cell.k")
    if metric not in {one.name for one in entry.metrics}:
        raise WrongFilter("cell.metric", metric, [one.name for one in entry.metrics])
    if k is not None and not (k.isascii() and k.isdigit() and len(k) <= 6):
        raise WrongFilter("cell.k", k, ("0", "1", "2"))
    rest = {name: query[f"cell.{name}"] for name in NAMED if name != "k" and f"cell.{name}" in query}
    return asked, Cell(metric=metric, k=None if k is None else int(k), **rest)


def page_of(entry: Entry, cell: Cell, known: Known, rows: Rows, csv: str, w: Words, *, more: bool) -> Page:
    """Put the page together.

    Parameters
    ----------
    csv : str
        Where the file is.
    more : bool
        Whether there are more people than are shown.
    """
    names = [name for name in rows.columns if name != "user"]
    zone = ZoneInfo(known.zone)
    lines = [Line(visible(row["user"]), person_link(row["user"]), [_said(row[name], w, zone) for name in names]) for row in rows.dicts()]
    return Page(
        of=w.t("people.of", analysis=w.t(f"analysis.{entry.name}"), metric=w.t(f"metric.{cell.metric}")),
        which=" · ".join(_which(cell, w)),
        n=w.t("people.first", n=SHOWN) if more else w.t("people", n=rows.height),
        heads=[w.t(f"people.{name}") for name in names],
        lines=lines,
        more=w.t("people.more", most=MOST) if more else "",
        csv=csv,
        as_of=as_of_said(Found((), known), w),
    )


def _which(cell: Cell, w: Words) -> Iterator[str]:
    for name in NAMED:
        value = getattr(cell, name)
        if value is not None:
            yield f"{w.t(f'column.{name}')}: {group_said(value, w) if name == 'group' else visible(str(value))}"


def _said(value: object, w: Words, zone: ZoneInfo) -> str:
    if value is None:
        return DASH
    if isinstance(value, bool):
        return w.t("yes") if value else w.t("no")
    if isinstance(value, datetime):
        return w.moment(round(value.timestamp() * 1000), zone)
    return w.number(value) if isinstance(value, int | float) else visible(str(value))


def csv_of(rows: Rows) -> Iterator[str]:
    """Yield the file: names of columns as the analysis has them, values as they are."""
    yield BOM + csv_line(list(rows.columns)) + "\r\n"
    for row in rows.tuples():
        yield csv_line([_plain(value) for value in row]) + "\r\n"


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
