"""`watch`: how the watched numbers stand, and a look at them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from stream.cli import context
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Column, Screen

if TYPE_CHECKING:
    from stream.settings import Settings

watch_app = typer.Typer()


@watch_app.command("ls")
def ls(lang: LangOption = "en") -> None:
    """Show how each watch stands, as of the last look."""
    from insights.web.report.opened import opened
    from insights.web.watching.said import row_of
    from insights.web.watching.watcher import standing
    from insights.words import words

    w, screen = words(lang), Screen()
    with opened(_settings()) as parts:
        rows = [row_of(watch, state, looked_ms, w) for watch, state, looked_ms in standing(parts)]
    columns = [Column(w.t("data.watch")), Column(w.t("data.report.state"), wrapped=True), Column(w.t("data.watch.what"), wrapped=True)]
    screen.table(columns, [(row.name, row.state, row.about) for row in rows])


@watch_app.command("check")
def check(lang: LangOption = "en") -> None:
    """Look at each watch now, keep how it stands, and say what opened or closed; `churnwatch web` tells it by mail and on the topic."""
    from insights.web.report.opened import opened
    from insights.web.watching.said import row_of, sentence
    from insights.web.watching.watcher import check_all, look_at_all
    from insights.words import words

    w, screen = words(lang), Screen()
    with opened(_settings()) as parts:
        check_all(parts)
        for looked in look_at_all(parts, wait_s=parts.settings["page.analyses_time"] / 1000):
            row = row_of(looked.watch, looked.state, parts.now_ms(), w)
            screen.line(f"{row.name}: {looked.trouble or row.state}")
            for event in looked.events:
                screen.line(f"  {w.t(f'watch.subject.{event.type}', name=event.watch)}. {sentence(event, w)}")


def _settings() -> Settings:
    settings = context.settings()
    if not settings.watches:
        raise UsageFault("nothing is watched: add a table [[watches]] to churnwatch.toml (`churnwatch config example` has one)")
    return settings
