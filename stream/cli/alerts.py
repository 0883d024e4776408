"""`alerts tail`: alerts as they are said, exactly once (read_committed)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from stream.alerts import Alert, decode_alert
from stream.cli import context

alerts_app = typer.Typer(no_args_is_help=True)


def line_of(alert: Alert) -> str:
    """One alert in one line, with markup.

    >>> "returned" in line_of(Alert(alert_id="a", type="resolved", cause="returned", user="ann", definition="d", risk=None, threshold=None,
    ... horizon_ms=1, landmark_ms=0, valid_until_ms=1, event_time_ms=0, scored_ms=0, reasons=[], model="m", model_version=0, partition=0,
    ... input_offset=0))
    True
    """
    when = datetime.fromtimestamp(alert.event_time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    if alert.type == "opened":
        return f"{when}  [bold red]at risk[/]  {alert.user:<14} {alert.risk:.0%}  " + "; ".join(alert.reasons)
    colour = "green" if alert.cause == "returned" else "yellow"
    return f"{when}  [{colour}]{alert.cause or '':<7}[/]  {alert.user}"


@alerts_app.command()
def tail(
    beginning: Annotated[bool, typer.Option("--from-beginning", help="all that is kept, then what comes")] = False,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="stop after so many, 0 = never")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Show alerts as they come."""
    from rich.console import Console

    from stream.kafka.origin import is_foreign
    from stream.kafka_clients import reader

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
