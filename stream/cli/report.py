"""`report`: what the page Today says, and what changed since the last report, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.cli import context
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Screen

FORMS = (".html", ".png")


def report(
    out: Annotated[Path | None, typer.Option(help="file to write: FILE.html or FILE.png; default: report-DAY.html in this folder")] = None,
    lang: LangOption = "en",
) -> None:
    """Write a report: the page Today, and what changed since the last report, as one HTML file or as a picture.

    Needs the history; of the engine it tells what is known. The file asks nothing of any server.
    """
    if out is not None and out.suffix.lower() not in FORMS:
        raise UsageFault(f"--out: {out} must end in .html or .png")
    from insights.web.report.by_hand import opened

    with opened(context.settings()) as report:
        told = report.told(lang)
        out = out or Path(f"report-{told.day}.html")
        made = report.picture(told, lang) if out.suffix.lower() == ".png" else report.html(told, lang).encode()
        try:
            out.write_bytes(made)
        except OSError as error:
            raise UsageFault(f"--out: {out} cannot be written: {error.strerror}") from error
        report.keep(told)
    Screen().line(f"report: {out}")
