"""`topics create` and `ingest`: make the topics, and fill the one of clicks from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.cli import context
from stream.screen import Screen

topics_app = typer.Typer(no_args_is_help=True)


@topics_app.command()
def create(partitions: Annotated[int | None, typer.Option(min=1, help="of clicks; default kafka.partitions")] = None) -> None:
    """Make the topics that are missing; say of the others whether they fit."""
    from stream.cli.admin import create_topics

    settings, screen = context.settings(kafka__partitions=partitions), Screen()
    for name, what in create_topics(settings):
        screen.line(f"{name:<30} {what}")


def ingest(
    file: Annotated[
        Path,
        typer.Argument(
            help="parquet, CSV or JSONL with the columns user, ts, event (or type), and optionally value, item, session, channel, event_id"
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="send events older than the watermark; they will be dead letters")] = False,
) -> None:
    """Send a file of events to the clicks topic."""
    from stream.intake.ingest import ingest_file

    settings = context.settings()
    sent, seconds = ingest_file(settings, file, force=force)
    Screen().line(f"{sent:,} events sent in {seconds:.1f} s ({sent / max(seconds, 1e-9):,.0f} a second)")
