"""`config`: the settings as they are, and a commented file to start from."""

from __future__ import annotations

import typer

from features.users.segment import as_judged
from stream.cli import context

config_app = typer.Typer(no_args_is_help=True)


@config_app.command()
def check() -> None:
    """Say every fault of the settings, or that there is none."""
    found = context.settings()
    typer.echo(f"{len(found.values)} settings and {len(found.definitions)} churn definition(s) are fine")
    for definition in found.definitions:
        for line in as_judged(definition.segment, found["features.channels"]):
            typer.echo(f"definitions {definition.name}: {line} (a feature is kept in one byte)")


@config_app.command()
def show() -> None:
    """Print every setting with its value; secrets are masked."""
    for name, value in context.settings().masked().items():
        typer.echo(f"{name} = {value!r}")


@config_app.command()
def example() -> None:
    """Print a commented settings file with all defaults."""
    from stream.settings import example_toml

    typer.echo(example_toml(), nl=False)
