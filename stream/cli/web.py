"""`web`: the page, a long-lived process of its own; and who may see what on it."""

from __future__ import annotations

import typer

from stream.cli import context
from stream.cli.run import begin
from stream.cli.web_people import people_app
from stream.cli.web_tokens import token_app

web_app = typer.Typer()
web_app.add_typer(people_app, name="people", help="Who may sign in.")
web_app.add_typer(token_app, name="token", help="Which programs may ask the API.")


@web_app.callback(invoke_without_command=True)
def web(command: typer.Context) -> None:
    """Serve the page until SIGTERM: who slips away now, and why."""
    if command.invoked_subcommand is not None:
        return
    begin()
    from insights.web.program import main

    raise typer.Exit(main(context.settings()))
