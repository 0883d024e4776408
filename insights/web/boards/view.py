"""One board as it is shown: a tile for each question, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from insights.analyses.plain import Cell, Entry, Found, Kind
from insights.asked.asked import Answer
from insights.charts.svg import Drawn
from insights.made.things import Board, Made, Question
from insights.web.boards.address import query_of
from insights.web.boards.chart import chart_of
from insights.web.crowd.asking import SMALL
from insights.web.crowd.found import Found as Rows
from insights.web.crowd.found import Row, as_of_said, cohort_said, group_said
from insights.web.explore.shown import Part, parts_of
from insights.web.explore.view import cell_said
from insights.web.faults import fault_said
from insights.words import DASH, Words
from insights.written.tables import named, said, tables_of
from stream.shown import visible

MOST_LINES = 12
"""Lines of a table on a board; the question itself has all."""
MOST_IN_HALF = 5
"""Columns of a table that half of a laptop's page has room for."""


class Figure(NamedTuple):
    """One number: its value, where its people are ("" for nowhere), and what is to be known of it."""

    value: str
    href: str
    beside: str
    about: str


class Tile(NamedTuple):
    """One question of a board.

    Attributes
    ----------
    name, title, href : str
        Of the question; its address.
    about : str
        Which analysis.
    says : str
        Why there is no answer, or what is missing of it; "" where all is there.
    figure, chart, parts
        What is shown of it: one of them, or a drawing with its table.
    lines : int
        How many lines the table has in all.
    """

    name: str
    title: str
    href: str
    about: str
    says: str = ""
    figure: Figure | None = None
    chart: Drawn | None = None
    parts: Sequence[Part] = ()
    lines: int = 0

    @property
    def is_wide(self) -> bool:
        """Whether it is a table that half of the page would cut."""
        return self.chart is None and any(len(part.head) > MOST_IN_HALF for part in self.parts)


class Page(NamedTuple):
    """What the template shows."""

    board: Made[Board]
    tiles: list[Tile]
    as_of: list[str]
    is_waiting: bool


def page_of(
    board: Made[Board],
    questions: Mapping[str, Made[Question]],
    answers: Mapping[str, Answer],
    entries: Mapping[str, Entry],
    w: Words,
    *,
    people: bool,
) -> Page:
    """Put a board together.

    Parameters
    ----------
    answers : mapping
        By the name of the question.
    people : bool
        Whether who looks may see persons.
    """
    names = [name for name in board.what.questions if name in questions]
    tiles = [tile_of(questions[name], answers[name], entries, w, people=people) for name in names]
    known = [answer.result for name in names if (answer := answers[name]).result is not None]
    as_of = as_of_said(Rows((), known[0].as_of), w) if known else []
    return Page(board, tiles, as_of, any(_is_waiting(answers[name]) for name in names))


def _is_waiting(answer: Answer) -> bool:
    return answer.state == "running" or answer.reason == "busy"


def tile_of(made: Made[Question], answer: Answer, entries: Mapping[str, Entry], w: Words, *, people: bool) -> Tile:
    """Return a question with its answer as it is to be shown."""
    question = made.what
    entry = entries.get(question.analysis)
    href = f"/explore?{query_of(question.analysis, question.parameters)}"
    about = w.t(f"analysis.{entry.name}") if entry else question.analysis
    tile = Tile(made.name, question.title, href, "" if about == question.title else about)
    if answer.result is None or entry is None:
        return tile._replace(says=_why_not(answer, w))
    links = (lambda cell: f"/explore?{query_of(question.analysis, question.parameters, cell)}") if people and entry.has_people else None
    if question.shown == "number" and question.cell is not None:
        return tile._replace(figure=_figure(entry, answer.result, question.cell, w, links))
    small = next((w.t(note.key, **note.values) for note in answer.result.notes if note.key == SMALL), "")
    tables = tables_of(entry, answer.result, w)[:1]
    lines = max((len(table.rows) for table in tables), default=0)
    if entry.layout == "series" and answer.result.parameters.get("by") is None:  # the newest days are the last ones
        tables = [table._replace(rows=table.rows[-MOST_LINES:]) for table in tables]
    else:
        tables = [table._replace(rows=table.rows[:MOST_LINES]) for table in tables]
    chart = chart_of(entry, answer.result, w, question.title) if question.shown == "chart" else None
    return tile._replace(says=small, chart=chart, parts=parts_of([table._replace(title="") for table in tables], links), lines=lines)


def _why_not(answer: Answer, w: Words) -> str:
    if _is_waiting(answer):
        return w.t("crowd.running")
    return w.t("crowd.no_history") if answer.state == "no_history" else DASH if answer.fault is None else fault_said(answer.fault, w)


def _figure(entry: Entry, found: Found, cell: Cell, w: Words, links: Callable[[Cell], str] | None) -> Figure:
    row = row_of(found, cell)
    if row is None or row["value"] is None:
        return Figure(DASH, "", "", w.t("boards.no_number", cell=visible(cell_said(cell, w))))
    kinds: dict[str, Kind] = {metric.name: metric.kind for metric in entry.metrics}
    kind = kinds[cell.metric]
    here = named(dict(row))
    interval = w.interval(row["low"], row["high"]) if row["low"] is not None and kind == "share" else ""
    about = [_which(entry, found, here, w)]
    if row["n"] is not None and kind == "share":
        about.append(w.t("crowd.n", n=row["n"]))
    if row["state"] == "open":
        about.append(w.t("not known yet"))
    return Figure(said(row["value"], kind, w), links(here) if links else "", interval, " · ".join(about))


def _which(entry: Entry, found: Found, cell: Cell, w: Words) -> str:
    """Say which number it is: day 7 as D7 and a cohort as its date, where the analysis counts in these."""
    unit = found.parameters.get("unit", "day")
    says = [w.t(f"metric.{cell.metric}")]
    if cell.cohort is not None:
        says.append(cohort_said(cell.cohort, unit, w, Rows((), found.as_of).zone) if _is_date(cell.cohort) else visible(cell.cohort))
    if cell.k is not None and entry.layout == "triangle":
        says.append(w.t(f"k.{unit if found.parameters.get('window', 'calendar') == 'calendar' else 'day'}", k=str(cell.k)))
        cell = msgspec.structs.replace(cell, k=None)
    cell = msgspec.structs.replace(cell, cohort=None)
    rest = [(name, value) for name in Cell.__struct_fields__ if name != "metric" and (value := getattr(cell, name)) is not None]
    says += [group_said(str(value), w) if name == "group" else f"{w.t(f'column.{name}')} {visible(str(value))}" for name, value in rest]
    return " · ".join(says)


def _is_date(cohort: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d(-\d\d)?", cohort) is not None


def row_of(found: Found, cell: Cell) -> Row | None:
    """Return the row of a cell; where it names no cohort but the rows have some, that of the newest cohort whose time is over."""
    names = [name for name in Cell.__struct_fields__ if name in found.rows.columns and name != "cohort"]
    rows = [row for row in found.rows.dicts() if all(row[name] == getattr(cell, name) for name in names)]
    if cell.cohort is not None:
        rows = [row for row in rows if row["cohort"] == cell.cohort]
    done = [row for row in rows if row["state"] == "complete"] or [row for row in rows if row["value"] is not None] or rows
    return max(done, key=lambda row: row["cohort"] or "", default=None)
