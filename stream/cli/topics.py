"""`topics create`: the topics an app needs."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli import context

topics_app = typer.Typer(no_args_is_help=True)


@topics_app.command()
def create(partitions: Annotated[int | None, typer.Option(min=1, help="of clicks; default kafka.partitions")] = None) -> None:
    """Make the topics that are not there yet; says what exists and what differs."""
    from stream.cli.admin import create_topics

    settings = context.settings(kafka__partitions=partitions)
    for name, what in create_topics(settings):
        typer.echo(f"{name:<30} {what}")
