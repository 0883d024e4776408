"""`config`: the settings as they are, and a commented file to start from."""

from __future__ import annotations

import msgspec
import typer

from stream.cli import context
from stream.screen import Screen

config_app = typer.Typer(no_args_is_help=True)


@config_app.command()
def check() -> None:
    """Check the settings, and say every fault at once."""
    found = context.settings()
    Screen().line(f"{len(found.values)} settings and {len(found.definitions)} churn definition(s) are fine")


@config_app.command()
def show() -> None:
    """Print every setting with its value; secrets are masked."""
    screen = Screen()
    for name, value in context.settings().masked().items():
        screen.line(f"{name} = {_said(value)}")


@config_app.command()
def example() -> None:
    """Print a commented settings file with all defaults."""
    from stream.settings import example_toml

    Screen().verbatim(example_toml().rstrip("\n"))


def _said(value: object) -> str:
    """Return a value as it stands in the file.

    >>> _said(("click", "view")), _said(True), _said("")
    ('["click", "view"]', 'true', '""')
    """
    return msgspec.json.encode(value).decode().replace('","', '", "')
