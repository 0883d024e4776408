"""Makes the small tables that other programs read: what their question answers now, as files in a folder and as rows of a PostgreSQL."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from insights.analyses.plain import Entry, Found
from insights.asked.messages import Faulted
from insights.asked.questions import entry_named, read
from insights.made.shelf import Missing, one
from insights.made.things import Question
from insights.reports import database
from insights.reports.database import NotKept
from insights.reports.deliver import Deliverer
from insights.reports.due import Due
from insights.reports.mail import NotSent
from insights.web.parts import Parts
from insights.web.report.message import put
from insights.written.rows import csv_of
from stream.faults import UsageFault
from stream.settings.tables import ScheduledTable


class Content(NamedTuple):
    """An answer, ready to be handed out."""

    entry: Entry
    found: Found


def check(parts: Parts, table: ScheduledTable, *, question: bool = True) -> Entry | None:
    """Judge what a table asks; return its analysis.

    Parameters
    ----------
    question : bool
        Whether a kept question must be there. People may remove one on the page, and that should stop no program: then None.

    Raises
    ------
    UsageFault
        There is no such analysis or question, or it does not take these parameters.
    """
    where = f"the table {table.name!r}"
    try:
        analysis, parameters = asked_of(parts, table)
        entry = entry_named(analysis, parts.asked.catalog())
        read(entry, parameters)
    except Missing as error:
        if not question:
            return None
        raise UsageFault(f"{where}: {error}") from None
    except UsageFault as error:
        raise UsageFault(f"{where} cannot be asked: {error}") from None
    return entry


def check_all(parts: Parts) -> None:
    """Judge all tables; see `check`. Without a history nothing can be asked, and nothing is judged."""
    if parts.settings.tables and parts.asked.has_history:
        for table in parts.settings.tables:
            check(parts, table, question=False)


def asked_of(parts: Parts, table: ScheduledTable) -> tuple[str, dict[str, object]]:
    """Return the analysis that a table asks, and its parameters.

    Raises
    ------
    Missing
        There is no question of its name.
    """
    if not table.question:
        return table.analysis, dict(table.parameters)
    with parts.store.read() as db:
        kept = one(db, Question, table.question).what
    return kept.analysis, kept.parameters


def content_of(parts: Parts, table: ScheduledTable) -> Content:
    """Ask the question of a table, as whoever may see no persons gets it answered.

    Raises
    ------
    UsageFault
        There is no answer.
    """
    analysis, parameters = asked_of(parts, table)
    entry = entry_named(analysis, parts.asked.catalog())
    answer = parts.asked.newest(analysis, parameters, persons=False, wait_s=2 * parts.settings["page.analyses_time"] / 1000)
    if answer.result is None or answer.state in {"running", "refreshing"}:
        raise UsageFault(f"the table {table.name!r} has no answer: {answer.words or 'it was not computed in time'}")
    return Content(entry, answer.result)


def hand_out(parts: Parts, table: ScheduledTable, recipient: str, content: Content) -> str:
    """Write a table where it goes, in place of what is there; return what was written, in English.

    Raises
    ------
    NotSent
    """
    rows = content.found.rows.height
    if recipient.startswith("folder:"):
        files = {f"{table.name}.{form}": _file(parts, content.found, form) for form in table.forms}
        put(table.folder, files)
        return f"{rows} rows in {table.folder}: {', '.join(files)}"
    try:
        kept = database.keep(parts.settings["bi.database"], table.table, table.name, content.entry, content.found)
    except NotKept as error:
        raise NotSent(error.why, str(error)) from None
    return f"{kept.rows} rows in {table.table} of PostgreSQL, {kept.gone} of before gone"


def _file(parts: Parts, found: Found, form: str) -> bytes:
    if form == "csv":
        return "".join(f"{line}\r\n" for line in csv_of(found.rows)).encode()
    data = parts.asked.file(found, "xlsx" if form == "xlsx" else "parquet")
    if isinstance(data, Faulted):
        raise NotSent("made", data.words)
    return data


def tables_deliverer(parts: Parts) -> Deliverer[ScheduledTable, Content]:
    """Return what makes the tables of the settings when they are due."""

    def post(table: ScheduledTable, _: Due, recipient: str, content: Content) -> None:
        hand_out(parts, table, recipient, content)

    return Deliverer(
        parts.store, parts.settings.tables, lambda table, _: content_of(parts, table), post, secrets.token_hex(8), parts.now_ms,
        lambda name, outcome: parts.metrics.counter("churnwatch_reports").labels(f"table {name}", outcome).inc(),
    )  # fmt: skip
