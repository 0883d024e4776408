"""`run` and `train`: the two long-lived processes."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli import context
from stream.faults import UsageFault


def run(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="make a lost Redis again from the log; what was published is not said twice")
    ] = False,
    partition: Annotated[
        list[int] | None,
        typer.Option("--partition", min=0, help="with --rebuild: only this shard, which is damaged; what Redis has of it is deleted first"),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="with --rebuild: although the beginning of the log has been deleted; histories before it are lost"),
    ] = False,
) -> None:
    """Run a worker until SIGTERM."""
    from stream.processes.worker import main

    if not rebuild and (partial or partition):
        raise UsageFault(f"{'--partial' if partial else '--partition'} goes with --rebuild")

    context.log_to_stderr()
    raise typer.Exit(main(context.settings(), rebuild=rebuild, partial=partial, only=partition or ()))


def train() -> None:
    """Run the trainer until SIGTERM."""
    from stream.processes.trainer import main

    context.log_to_stderr()
    raise typer.Exit(main(context.settings()))
