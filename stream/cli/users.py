"""`user` and `at-risk`: what is known, read from Redis."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli import context
from stream.faults import UsageFault

if TYPE_CHECKING:
    from features.reader import UserReader
    from features.users.named import UserView
    from stream.settings import Settings


def user(
    user_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Show one user: risk and what makes it, alert, features."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from features.reader import UserReader

    settings = context.settings()
    reader = UserReader(settings["redis.url"], settings["app.name"])
    view = reader.user(user_id, at_ms=int(time.time() * 1000))
    if view is None:
        raise UsageFault(f"no user {user_id!r} in app {settings['app.name']!r}")
    if view.also_in:
        shards = ", ".join(map(str, sorted((view.partition, *view.also_in))))
        typer.secho(
            f"{user_id} is in shards {shards}, each with a part of the history: key clicks by user, with the same partitioner in all producers",
            err=True,
            fg="yellow",
        )
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(view), indent=2).decode())
        return
    console = Console()
    for line in _reasons(settings, reader, view):
        console.print(line, highlight=False)
    facts = msgspec.to_builtins(view)
    features = facts.pop("features", {})
    for name, value in facts.items():
        console.print(f"[bold]{name}[/bold] {_readable(name, value)}", highlight=False)
    table = Table("feature", "value", box=None)
    for name, value in features.items():
        table.add_row(name, "-" if value is None else f"{value:,.3f}".rstrip("0").rstrip("."))
    console.print(table)


def _reasons(settings: Settings, reader: UserReader, view: UserView) -> Iterator[str]:
    """Say of each definition who scores now and what raises and lowers the user's risk most, as of now."""
    from features.store.redis import connect
    from online_models.explain import contributions
    from online_models.registry_redis import RedisRegistry
    from stream.ownership.served import ModelSource, model_key, risk_now

    definitions = reader.spec.spec.definitions
    registry = RedisRegistry(connect(settings["redis.url"]), settings["app.name"])
    source = ModelSource(registry, definitions, reader.spec.spec.hash, model_key(settings))
    source.refresh()
    for definition, risk, champion, vector in risk_now(view, source):
        raises, lowers = contributions(champion.scorer, vector)
        by = f"{champion.scorer.name}, version {champion.version}" if champion.version else "the rule"
        yield f"[bold]{definition.name}[/bold] risk now {risk:.3f} ({by})"
        for words, told in (("raised by", raises), ("lowered by", lowers)):
            for said, size in told:
                yield f"  {words} {said} ({size:+.2f})"


def _readable(name: str, value: Any) -> str:
    """Say times as dates, and what is nested line by line.

    >>> _readable("seen_ms", 0)
    '1970-01-01 00:00:00'
    """
    if isinstance(value, dict):
        return "".join(f"\n  {key}: {_readable(key, one)}" for key, one in value.items())
    if name.endswith("_ms") and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return "-" if value is None else str(value)


def at_risk(
    top: Annotated[int, typer.Option("--top", min=1, help="how many")] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="for spreadsheets")] = False,
    definition: Annotated[str | None, typer.Option(help="churn definition, default the first")] = None,
) -> None:
    """List the users with the highest risk now."""
    import heapq

    from rich.console import Console
    from rich.table import Table

    from features.reader import UserReader
    from online_models.explain import in_words

    settings = context.settings()
    names = [one.name for one in settings.definitions]
    if definition is not None and definition not in names:
        raise UsageFault(f"no definition {definition!r}; there are: {', '.join(names)}")
    reader = UserReader(settings["redis.url"], settings["app.name"])
    rows = heapq.nlargest(top, reader.users_at_risk(definition or names[0]), key=lambda row: row.risk)
    now_ms = int(time.time() * 1000)
    header = ("user", "risk", "silent for", "alert open")
    cells = [
        (row.user, f"{row.risk:.3f}", in_words((now_ms - row.seen_ms) / 1000) if row.seen_ms else "-", "yes" if row.view.alert_open else "")
        for row in rows
    ]
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(header)
        writer.writerows(cells)
        return
    table = Table(*header, box=None)
    for cell in cells:
        table.add_row(*cell)
    Console().print(table)
