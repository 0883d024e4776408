"""`tables`: the small tables for other programs: how they stand, whether they can be made, and made now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Column, Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from insights.web.parts import Parts
    from stream.settings import Settings
    from stream.settings.tables import ScheduledTable

tables_app = typer.Typer()


@tables_app.command("ls")
def ls(lang: LangOption = "en") -> None:
    """Show how each table of `[[tables]]` stands, and when it is made next."""
    from insights.web.report.opened import opened

    with opened(_settings()) as parts:
        _stand(parts, lang)


@tables_app.command("check")
def check() -> None:
    """Check that each table can be made: its question, and the PostgreSQL it goes into. Nothing is written."""
    from insights.reports.database import NotKept
    from insights.reports.database import check as check_database
    from insights.web.report.opened import opened
    from insights.web.report.tables import check as check_table

    settings, screen = _settings(), Screen()
    with opened(settings) as parts:
        faults = []
        for table in settings.tables:
            try:
                entry = check_table(parts, table)
                if table.table and entry is not None:
                    check_database(settings["bi.database"], table.table, entry)
            except UsageFault as error:
                faults.append(str(error))
            except NotKept as error:
                faults.append(f"the table {table.name!r}: {error}")
    if faults:
        raise UsageFault("\n".join(faults))
    screen.line(f"{len(settings.tables)} tables are fine")


@tables_app.command("write")
def write(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="which tables; default: all")] = None,
    due: Annotated[bool, typer.Option("--due", help="only what is due and not written yet, as `churnwatch web` does by itself")] = False,
) -> None:
    """Make tables now, each in place of the one before."""
    from insights.web.report.opened import opened
    from insights.web.report.tables import tables_deliverer

    settings = _settings()
    if due and names:
        raise UsageFault("--due writes what is due, a name says which is written now: say either")
    with opened(settings) as parts:
        if due:
            context.log_to_stderr()
            tables_deliverer(parts).look()
            _stand(parts, "en")
        else:
            _write(parts, _named(settings, names or []))


def _named(settings: Settings, names: Sequence[str]) -> list[ScheduledTable]:
    there = {one.name: one for one in settings.tables}
    if missing := [name for name in names if name not in there]:
        raise UsageFault(f"there is no table {missing[0]!r} in [[tables]]; there are: {', '.join(there)}")
    return [there[name] for name in names] or list(there.values())


def _write(parts: Parts, tables: Sequence[ScheduledTable]) -> None:
    """Write tables, and say of each what came of it; one that fails does not keep the others back."""
    from insights.reports.mail import NotSent
    from insights.web.report.tables import content_of, hand_out

    screen, faults = Screen(), []
    for table in tables:
        try:
            content = content_of(parts, table)
            for recipient in table.recipients:
                screen.line(f"{table.name}: {hand_out(parts, table, recipient, content)}")
        except UsageFault as error:
            faults.append(str(error))
        except NotSent as error:
            faults.append(f"the table {table.name!r} was not written: {error}")
    if faults:
        raise UsageFault("\n".join(faults))


def _stand(parts: Parts, lang: str) -> None:
    from insights.reports.deliver import standings
    from insights.web.data.reports import rows_of
    from insights.words import words

    w = words("zh" if lang == "zh" else "en")
    rows = rows_of(standings(parts.store, parts.settings.tables, parts.now_ms()), parts.now_ms(), w)
    columns = [Column(w.t("data.table")), Column(w.t("data.report.state"), wrapped=True), Column(w.t("data.report.next"))]
    said = [(row.name, ": ".join(filter(None, (row.state, row.about))), row.next) for row in rows]
    Screen().table(columns, said)


def _settings() -> Settings:
    settings = context.settings()
    if not settings.tables:
        raise UsageFault("no table is made by itself: add a table [[tables]] to churnwatch.toml (`churnwatch config example` has one)")
    return settings
