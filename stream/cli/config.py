"""`config`: the settings as they are, a commented file to start from, and keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from features.users.segment import as_judged
from stream.cli import context
from stream.cli.made_store import file_seeds
from stream.screen import Screen

config_app = typer.Typer(no_args_is_help=True)


@config_app.command()
def check() -> None:
    """Check the settings, and say every fault at once."""
    found = context.settings()
    file_seeds()
    screen = Screen()
    screen.line(f"{len(found.values)} settings and {len(found.definitions)} churn definition(s) are fine")
    for definition in found.definitions:
        for line in as_judged(definition.segment, found["features.channels"]):
            screen.line(f"definitions {definition.name}: {line} (a feature is kept in one byte)")


@config_app.command()
def show() -> None:
    """Print every setting with its value; secrets are masked."""
    screen = Screen()
    for name, value in context.settings().masked().items():
        screen.line(f"{name} = {_said(name, value)}")


@config_app.command()
def key(
    files: Annotated[
        list[Path] | None, typer.Argument(help="files to make, default churnwatch.key; those that are there stay as they are")
    ] = None,
) -> None:
    """Write a random key or token into a file that only you can read."""
    from stream.faults import UsageFault
    from stream.key_file import make_key_file

    screen = Screen()
    for file in files or [Path("churnwatch.key")]:
        try:
            made = make_key_file(file)
        except OSError as error:
            raise UsageFault(f"{file}: {error.strerror}") from error
        screen.line(f"{file}: {'made, readable by you only' if made else 'is there already, kept'}")
    if not files:
        screen.line("Copy it to each worker and trainer, and set CHURNWATCH_MODEL_KEY_FILE to its path.")


@config_app.command()
def example() -> None:
    """Print a commented settings file with all defaults."""
    from stream.settings import example_toml

    Screen().verbatim(example_toml().rstrip("\n"))


@config_app.command()
def export() -> None:
    """Print the segments, questions and boards that people have made, as they stand in churnwatch.toml. Lists of users stand there, too."""
    from insights.made.seeds import toml_of
    from stream.cli.made_store import made_store

    with made_store() as store, store.read() as db:
        Screen().verbatim(toml_of(db))


def _said(name: str, value: object) -> str:
    """Return a setting's value as it stands in the file.

    >>> _said("features.funnel", ("click", "view")), _said("alerts.cooldown", 1_209_600_000), _said("worker.batch", 10)
    ('["click", "view"]', '"14d"', '10')
    """
    from stream.settings import SETTINGS, duration_text

    if isinstance(value, int) and any(one.name == name and one.kind == "duration" for one in SETTINGS):
        value = duration_text(value)
    return msgspec.json.encode(value).decode().replace('","', '", "')
