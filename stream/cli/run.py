"""`run` and `train`: the two long-lived processes."""

from __future__ import annotations

import signal
import sys
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
    if not rebuild and (partial or partition):
        raise UsageFault(f"{'--partial' if partial else '--partition'} goes with --rebuild")
    begin()
    from stream.processes.worker import main

    raise typer.Exit(main(context.settings(), rebuild=rebuild, partial=partial, only=partition or ()))


def train() -> None:
    """Run the trainer until SIGTERM."""
    begin()
    from stream.processes.trainer import main

    raise typer.Exit(main(context.settings()))


def begin() -> None:
    """What both do first. A stop that is asked for before there is anything to stop is one that succeeded."""
    context.log_to_stderr()
    context.supervised = True
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
