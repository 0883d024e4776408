"""`report`: what the page Today says, and what changed since the last report, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Screen

if TYPE_CHECKING:
    from insights.web.parts import Parts

FORMS = (".html", ".png")


def report(
    out: Annotated[Path | None, typer.Option(help="file to write: FILE.html or FILE.png; default: report-DAY.html in this folder")] = None,
    lang: LangOption = "en",
    board: Annotated[list[str] | None, typer.Option(help="name of a board that follows Today in the HTML file; several if need be")] = None,
    due: Annotated[bool, typer.Option("--due", help="send what `[[reports]]` has due now, as `churnwatch web` does by itself")] = False,
) -> None:
    """Write a report: the page Today, and what changed since the last report, as one HTML file or as a picture.

    Needs the history; of the engine it tells what is known. The file asks nothing of any server.
    """
    boards = board or []
    if due and (out is not None or boards):
        raise UsageFault("--due sends the reports of the settings, --out and --board write one now: say either")
    if out is not None and out.suffix.lower() not in FORMS:
        raise UsageFault(f"--out: {out} must end in .html or .png")
    if boards and out is not None and out.suffix.lower() == ".png":
        raise UsageFault("--board: the picture shows Today only; boards are in the HTML file")
    from insights.made.shelf import Missing
    from insights.web.report.opened import opened
    from insights.web.report.reports import Reports

    settings = context.settings()
    if due and not settings.reports:
        raise UsageFault("no report comes by itself: add a table [[reports]] to churnwatch.toml (`churnwatch config example` has one)")
    with opened(settings) as parts:
        if due:
            _send(parts)
            return
        reports = Reports(parts)
        there = reports.boards()
        if missing := [name for name in boards if name not in there]:
            raise Missing("board", missing[0], there)
        told = reports.told(lang)
        out = out or Path(f"report-{told.day}.html")
        made = reports.picture(told, lang) if out.suffix.lower() == ".png" else reports.html(told, lang, boards).encode()
        try:
            out.write_bytes(made)
        except OSError as error:
            raise UsageFault(f"--out: {out} cannot be written: {error.strerror}") from error
        reports.keep(told)
    Screen().line(f"report: {out}")


def _send(parts: Parts) -> None:
    """Send what is due, and say how each report stands."""
    from insights.reports.deliver import standings
    from insights.web.data.reports import rows_of
    from insights.web.report.reports import Reports
    from insights.web.report.runner import deliverer_of
    from insights.words import words

    context.log_to_stderr()
    deliverer_of(parts, Reports(parts)).look()
    screen = Screen()
    for row in rows_of(standings(parts.store, parts.settings.reports, parts.now_ms()), parts.now_ms(), words("en")):
        screen.line(": ".join(filter(None, (row.name, row.state, row.about))) + f"; next {row.next}")
