"""`demo` and `simulate`: a made-up product with known leavers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stream.cli import context
from stream.screen import Screen


def demo(
    days: Annotated[int, typer.Option(min=1, max=365, help="days that go by fast")] = 90,
    users: Annotated[int, typer.Option(min=50, max=20_000, help="users at the start")] = 800,
    seed: Annotated[int, typer.Option(help="same seed, same product")] = 7,
    stay: Annotated[bool | None, typer.Option(help="go on live after them, until Ctrl-C; default: at a terminal")] = None,
) -> None:
    """Play a product with its page: ninety days in about a minute, alerts as they come, how many leavers were caught; then on, live."""
    from stream.demo.play import play

    raise typer.Exit(play(days=days, users=users, seed=seed, stay=sys.stdout.isatty() if stay is None else stay))


def simulate(
    out: Annotated[Path | None, typer.Option(help="write JSONL here instead of sending to the clicks topic")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="days to make up")] = 60,
    users: Annotated[int, typer.Option(min=1, max=1_000_000, help="users at the start")] = 600,
    seed: Annotated[int, typer.Option(help="same seed, same product")] = 7,
) -> None:
    """Make the events of the demo's product, the last one now, for a topic or a file."""
    from stream.demo.feed import send, write

    screen = Screen()
    if out is not None:
        screen.line(f"{write(out, days=days, users=users, seed=seed):,} events in {out}")
    else:
        screen.line(f"{send(context.settings(), days=days, users=users, seed=seed):,} events sent")
