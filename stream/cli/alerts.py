"""`alerts tail`: alerts as they are said, exactly once (read_committed)."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.alerts.message import decode_alert
from stream.alerts.words import line_of
from stream.cli import context

alerts_app = typer.Typer(no_args_is_help=True)


@alerts_app.command()
def tail(
    beginning: Annotated[bool, typer.Option("--from-beginning", help="all that is kept, then what comes")] = False,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="stop after so many, 0 = never")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Show alerts as they come."""
    from rich.console import Console

    from stream.kafka.clients import reader
    from stream.kafka.origin import is_foreign

    settings = context.settings()
    consumer, partitions = reader(settings, "alerts")
    consumer.assign(partitions)
    (consumer.seek_to_beginning if beginning else consumer.seek_to_end)(*partitions)
    console = Console(soft_wrap=True)
    if not as_json:
        kept = sum(consumer.end_offsets(partitions).values()) > sum(consumer.beginning_offsets(partitions).values())
        older = " (--from-beginning shows those before)" if kept and not beginning else ""
        typer.echo(f"alerts of {partitions[0].topic} as they come{older}, Ctrl-C ends", err=True)
    try:
        ours = (message for message in consumer if not is_foreign(message.headers, settings["app.name"]))
        for number, message in enumerate(ours, 1):
            if as_json:
                typer.echo(message.value.decode())
            else:
                console.print(line_of(decode_alert(message.value)), highlight=False)
            if number == count:
                break
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
