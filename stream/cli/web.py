"""`web`: the page, a long-lived process of its own."""

from __future__ import annotations

import typer

from stream.cli import context
from stream.cli.run import begin


def web() -> None:
    """Serve the page until SIGTERM: who slips away now, and why."""
    begin()
    from insights.web.program import main

    raise typer.Exit(main(context.settings()))
