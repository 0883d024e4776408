"""The command `churnwatch`. Each group of commands has a file of its own, which imports what it needs only when it runs, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

# The matrices here are small, and the threads of numpy's BLAS would take the workers' cores. It reads this when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from stream.cli.alerts import alerts_app
from stream.cli.asking import Commands
from stream.cli.backtest import backtest
from stream.cli.config import config_app
from stream.cli.dlq import dlq_app
from stream.cli.erase import erase
from stream.cli.explore import explore
from stream.cli.history import history_app
from stream.cli.ingest import ingest
from stream.cli.init import init
from stream.cli.model import model_app
from stream.cli.play import demo, simulate
from stream.cli.report import report
from stream.cli.run import run, train
from stream.cli.segment import segment_app
from stream.cli.sql import sql
from stream.cli.state import state_app
from stream.cli.tables import tables_app
from stream.cli.topics import topics_app
from stream.cli.users import at_risk, user
from stream.cli.watch import watch_app
from stream.cli.web import web_app

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Live churn engine: clicks in, at-risk alerts out.",
)
app.command()(init)
app.command()(run)
app.command()(train)
app.command()(demo)
app.command()(simulate)
app.command()(explore)
app.command()(ingest)
app.command()(backtest)
app.command()(user)
app.command()(report)
app.command()(sql)
app.command("at-risk")(at_risk)
app.command()(erase)
app.add_typer(web_app, name="web")
app.add_typer(watch_app, name="watch", help="Numbers that are watched.")
app.add_typer(tables_app, name="tables", help="Small tables for other programs.")
app.add_typer(history_app, name="history", help="The complete history of events.")
app.add_typer(segment_app, name="segment", help="Users that questions are asked of.")
app.add_typer(alerts_app, name="alerts", help="What was said.")
app.add_typer(dlq_app, name="dlq", help="What was rejected.")
app.add_typer(model_app, name="model", help="Model versions: who serves, and why.")
app.add_typer(topics_app, name="topics", help="Kafka topics.")
app.add_typer(state_app, name="state", help="What Redis holds.")
app.add_typer(config_app, name="config", help="Settings.")


@app.callback()
def common(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="settings file, default churnwatch.toml")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="show stack traces")] = False,
) -> None:
    """Remember what every command shares."""
    from stream.cli import context

    context.config, context.debug = config, debug


def main() -> None:
    """Run the command line; a fault the user can mend is one readable message and exit code 2 (70 when a server is away that may come back)."""
    from stream.cli import context

    try:
        app()
    except Exception as error:
        if context.debug:
            raise
        message = context.readable(error)
        if message is None:
            raise
        from stream.screen import Screen

        Screen(error=True).lines(message, "red")
        sys.exit(context.exit_code(error))
