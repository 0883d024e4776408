"""`topics create`: the topics an app needs."""

from __future__ import annotations

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
