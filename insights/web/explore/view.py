"""The page Explore, put together: a form, and an answer in one of its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from insights.analyses.plain import Cell, Entry
from insights.asked.asked import Answer
from insights.asked.messages import Faulted, Listed, Reason
from insights.web.boards.chart import can_draw
from insights.web.explore.form import Form
from insights.web.explore.shown import Part, parts_of
from insights.web.faults import fault_said
from insights.words import DASH, Words
from insights.written.said import lines_under
from insights.written.tables import Shown, Table, people_table, tables_of
from stream.shown import visible

OLD_S = 86_400
"""From this age on it is said how old the newest event is, seconds."""


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer.

    Attributes
    ----------
    says : str
        For `usage` and `no_history`: what is wrong with the question, or where a history would be.
    """

    reason: Reason
    says: str


def refusal_of(fault: Faulted, w: Words) -> Refusal:
    """Return why there is no answer."""
    return Refusal(fault.reason, fault_said(fault, w))


@dataclass(frozen=True)
class Page:
    """What the template shows.

    Attributes
    ----------
    entry, form : Entry and Form, or None
        The analysis that is looked at; None: all are listed.
    parts : list of Part
        Tables.
    lines : list of str
        Under them: as of when, what is marked, notes.
    state : str
        "" before anything is asked, else the answer's.
    running, most : str
        For how long it has been counted, and may be.
    old : str
        How old the newest event is; "" if it is not.
    cell : str
        Whose people are shown.
    more : str
        That there are more people than shown.
    title : str
        What the question may be called when it is kept.
    can_draw, moves : bool
        Whether there is a drawing of the answer; whether the cell is that of a cohort, so that its newest can be kept.
    """

    entry: Entry | None
    form: Form | None
    parts: list[Part] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    state: str = ""
    refusal: Refusal | None = None
    running: str = ""
    most: str = ""
    old: str = ""
    cell: str = ""
    more: str = ""
    has_links: bool = False
    title: str = ""
    can_draw: bool = False
    moves: bool = False


def answer_of(
    entry: Entry, form: Form, answer: Answer, w: Words, *, link: Callable[[Cell], str] | None, now_ms: int, most_s: float
) -> Page:
    """Return the page of an answer."""
    if answer.fault is not None:
        return Page(entry, form, state=answer.state, refusal=refusal_of(answer.fault, w))
    if answer.result is None:
        running = w.duration(answer.running_s) if answer.running_s >= 60 else w.t("span.seconds", n=w.number(round(answer.running_s)))
        return Page(entry, form, state="running", running=running, most=w.duration(most_s))
    tables = tables_of(entry, answer.result, w)
    watermark = answer.result.as_of.watermark
    age_s = 0.0 if watermark is None else now_ms / 1000 - watermark.timestamp()
    parts = parts_of(tables, link)
    return Page(
        entry,
        form,
        parts,
        [visible(line) for line in lines_under(answer.result, tables, w)],
        answer.state,
        old=w.duration(age_s) if age_s >= OLD_S else "",
        has_links=any(cell.link for part in parts for row in part.rows for cell in row),
        title=w.t(f"analysis.{entry.name}"),
        can_draw=can_draw(entry),
    )


def people_of(entry: Entry, form: Form, found: Listed | Faulted, cell: Cell | None, w: Words) -> Page:
    """Return the page of the people behind a cell; each leads to their own page."""
    shown = visible("" if cell is None else cell_said(cell, w))
    if isinstance(found, Faulted):
        return Page(entry, form, state="refused", refusal=refusal_of(found, w), cell=shown or DASH)
    parts = parts_of([people_table(found.rows, w)], None)
    users = list(found.rows.columns.get("user", ()))
    for part in parts:
        for row, user in zip(part.rows, users, strict=False):
            row[0] = row[0]._replace(link=f"/person?{urlencode({'q': user})}")
    more = w.t("explore.people.more", n=w.number(found.rows.height)) if found.more else ""
    return Page(entry, form, parts, [], "ready", cell=shown, more=more, title=shown, moves=cell is not None and cell.cohort is not None)


def cell_said(cell: Cell, w: Words) -> str:
    """Name a cell for people.

    >>> from insights.words import words
    >>> cell_said(Cell(metric="retention", cohort="2026-03-02", k=7), words("en"))
    'Retention, cohort 2026-03-02, k 7'
    """
    others = [(name, value) for name in Cell.__struct_fields__ if name != "metric" and (value := getattr(cell, name)) is not None]
    comma = ", " if w.lang == "en" else "，"  # noqa: RUF001 - Chinese has a comma of its own
    return comma.join([w.t(f"metric.{cell.metric}"), *(f"{w.t(f'column.{name}')} {value}" for name, value in others)])


@dataclass(frozen=True)
class SqlPage:
    """What was typed, and what came of it."""

    text: str
    parts: list[Part] = field(default_factory=list)
    refusal: Refusal | None = None
    about: str = ""
    more: str = ""


def sql_of(text: str, found: Listed | Faulted | None, w: Words, most: int) -> SqlPage:
    """Return the page of a SELECT."""
    if found is None:
        return SqlPage(text)
    if isinstance(found, Faulted):
        return SqlPage(text, refusal=refusal_of(found, w))
    columns = found.rows.columns
    are_texts = [not all(value is None or isinstance(value, int | float) for value in column) for column in columns.values()]
    left = next((at for at, is_text in enumerate(are_texts) if not is_text), len(are_texts))
    rows = tuple(tuple(Shown(DASH if value is None else _plain(value)) for value in row) for row in found.rows.tuples())
    table = Table("", tuple(map(visible, columns)), rows, left)
    more = w.t("explore.sql.more", n=w.number(most)) if found.more else ""
    return SqlPage(text, parts_of([table], None), about=w.t("explore.sql.rows", n=found.rows.height), more=more)


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
