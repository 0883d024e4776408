"""`alerts tail`: each alert once, as it comes (read_committed)."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from stream.alerts.message import decode_alert
from stream.alerts.sentences import said
from stream.alerts.words import because, headline
from stream.cli import context
from stream.cli.language import LangOption, names_of
from stream.screen import Screen
from stream.shown import json_text

alerts_app = typer.Typer(no_args_is_help=True)


@alerts_app.command()
def tail(
    beginning: Annotated[bool, typer.Option("--from-beginning", help="all that is kept, then what comes")] = False,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="stop after so many, 0 = never")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
    lang: LangOption = "en",
) -> None:
    """Show alerts as they come."""
    from stream.kafka.clients import reader
    from stream.kafka.origin import is_foreign

    settings = context.settings()
    names = names_of(settings, lang)
    consumer, partitions = reader(settings, "alerts")
    consumer.assign(partitions)
    (consumer.seek_to_beginning if beginning else consumer.seek_to_end)(*partitions)
    screen, aside = Screen(), Screen(error=True)
    if not as_json:
        kept = sum(consumer.end_offsets(partitions).values()) > sum(consumer.beginning_offsets(partitions).values())
        older = " (--from-beginning shows those before)" if kept and not beginning else ""
        aside.line(f"alerts of {partitions[0].topic} as they come{older}, times in UTC, Ctrl-C ends")
    shown = 0
    try:
        for message in consumer:
            if is_foreign(message.headers, settings["app.name"]):
                continue
            try:
                alert = decode_alert(message.value)
            except (msgspec.DecodeError, TypeError):  # a tombstone has no value, which is a TypeError
                aside.line(f"skipped: partition {message.partition}, offset {message.offset} is no alert of churnwatch")
                continue
            if as_json:
                screen.verbatim(json_text(message.value))
            else:
                screen.entry(headline(alert, lang), because(said(alert, names, lang), lang), margin=18)
            shown += 1
            if shown == count:
                break
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
