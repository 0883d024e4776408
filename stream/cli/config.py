"""`config`: the settings as they are, a commented file to start from, and keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
def key(
    files: Annotated[
        list[Path] | None, typer.Argument(help="files to make, default churnwatch.key; those that are there stay as they are")
    ] = None,
) -> None:
    """Write a random key or token into a file that only you can read."""
    from stream.faults import UsageFault
    from stream.key_file import make_key_file

    for file in files or [Path("churnwatch.key")]:
        try:
            made = make_key_file(file)
        except OSError as error:
            raise UsageFault(f"{file}: {error.strerror}") from error
        typer.echo(f"{file}: {'made, readable by you only' if made else 'is there already, kept'}")
    if not files:
        typer.echo("Copy it to each worker and trainer, and set CHURNWATCH_MODEL_KEY_FILE to its path.")


@config_app.command()
def example() -> None:
    """Print a commented settings file with all defaults."""
    from stream.settings import example_toml

    typer.echo(example_toml(), nl=False)
