"""`run` and `train`: the two long-lived processes."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli import context


def run(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="make a lost Redis again from the log; what was published is not said twice")
    ] = False,
) -> None:
    """Run a worker until SIGTERM."""
    from stream.worker import main

    context.log_to_stderr()
    raise typer.Exit(main(context.settings(), rebuild=rebuild))


def train() -> None:
    """Run the trainer until SIGTERM."""
    from stream.train import main

    context.log_to_stderr()
    raise typer.Exit(main(context.settings()))
