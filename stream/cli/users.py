"""`user` and `at-risk`: what is known, read from Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from math import exp
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.alerts.sentences import say
from stream.alerts.spoken import Lang, duration
from stream.cli import context
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Column, Screen
from stream.shown import Styled, csv_line, json_line, json_text

if TYPE_CHECKING:
    from features.reader import RiskRow, UserReader
    from features.users.named import UserView
    from stream.settings import Settings


def user(
    user_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    lang: LangOption = "en",
) -> None:
    """Show one user: risk and what makes it, alert, features."""
    import msgspec

    from features.reader import UserReader

    settings = context.settings()
    reader = UserReader(settings["redis.url"], settings["app.name"])
    now_ms = int(time.time() * 1000)
    view = reader.user(user_id, at_ms=now_ms)
    if view is None:
        raise UsageFault(f"no user {user_id!r} in app {settings['app.name']!r}")
    if view.also_in:
        shards = ", ".join(map(str, sorted((view.partition, *view.also_in))))
        Screen(error=True).line(
            Styled(
                f"{user_id} is in shards {shards}, each with a part of the history: key clicks by user, with the same partitioner in all producers",
                "yellow",
            )
        )
    screen = Screen()
    if as_json:
        screen.verbatim(json_text(msgspec.json.encode(view), indent=2))
        return
    screen.line(Styled(view.user, "bold"))
    screen.line(f"  first seen {_when(view.first_ms, now_ms)}")
    screen.line(f"  last seen  {_when(view.seen_ms, now_ms)}")
    screen.line(f"  shard {view.partition}" + ("" if view.armed else ", dormant: no alert opens before the next activity"))
    _risks(screen, settings, reader, view, now_ms, lang)
    screen.line("")
    keys = reader.spec.spec.key_events
    rows = [
        (name, "-" if value is None else f"{value:,.3f}".rstrip("0").rstrip("."), event)
        for name, value in view.features.items()
        if (event := _event_of(name, keys)) is not None
    ]
    screen.table([Column("feature"), Column("value now", right=True), Column("", shortened=True)], rows)


def _event_of(feature: str, key_events: Sequence[str]) -> str | None:
    """Return the event type that a key event's feature counts, empty for any other feature; None for a place that no type has.

    >>> _event_of("key_0_count", ["purchase"]), _event_of("recency_s", []), _event_of("key_1_value", ["purchase"])
    ('purchase', '', None)
    """
    word, _, rest = feature.partition("_")
    if word != "key":
        return ""
    slot = int(rest.partition("_")[0])
    return key_events[slot] if slot < len(key_events) else None


def _risks(screen: Screen, settings: Settings, reader: UserReader, view: UserView, now_ms: int, lang: Lang) -> None:
    """Say of each definition how high the risk is, who says so, and what raises and lowers it most as of now."""
    from features.store.redis import connect
    from online_models.registry_redis import RedisRegistry
    from stream.ownership.risk_now import risk_now
    from stream.ownership.served import ModelSource, model_key

    spec = reader.spec.spec
    registry = RedisRegistry(connect(settings["redis.url"]), settings["app.name"])
    source = ModelSource(registry, spec.definitions, spec.hash, model_key(settings))
    source.refresh()
    for now in risk_now(view, source, spec):
        by = f"model {now.model}, version {now.version}" if now.version else "by the rule"
        stated = view.definitions[now.definition.name]
        screen.line("")
        screen.line(Styled(now.definition.name, "bold"), f" risk now {now.risk:.1%} ({by})")
        if stated.risk is not None:
            screen.line(f"  last stated {stated.risk:.1%}, {_when(view.scored_ms, now_ms)}")
        if stated.alert_open:
            since = "" if stated.opened_ms is None else f" since {_when(stated.opened_ms, now_ms)}"
            screen.line(Styled("  alert open", "bold red"), since)
        for words, told in (("raised by", now.raises), ("lowered by", now.lowers)):
            for reason, log_odds in told:
                screen.line(f"  {words:<10} {say(reason, spec, lang)} (odds x{exp(log_odds):.2g})")


def _when(at_ms: int | None, now_ms: int) -> str:
    """Say a time, and how long ago it is.

    >>> _when(0, 7_200_000), _when(None, 0)
    ('1970-01-01 00:00 UTC (2 hours ago)', 'never')
    """
    if at_ms is None:
        return "never"
    ago = f" ({duration((now_ms - at_ms) / 1000)} ago)" if at_ms <= now_ms else ""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC{ago}"


def at_risk(
    top: Annotated[int, typer.Option("--top", min=1, help="how many")] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="for spreadsheets")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
    definition: Annotated[str | None, typer.Option(help="churn definition, default the first")] = None,
) -> None:
    """List the users with the highest risk now."""
    import heapq

    from features.reader import UserReader

    settings = context.settings()
    names = [one.name for one in settings.definitions]
    if definition is not None and definition not in names:
        raise UsageFault(f"no definition {definition!r}; there are: {', '.join(names)}")
    if as_csv and as_json:
        raise UsageFault("say either --csv or --json")
    reader = UserReader(settings["redis.url"], settings["app.name"])
    rows = heapq.nlargest(top, reader.users_at_risk(definition or names[0]), key=lambda row: row.risk)
    screen, now_ms = Screen(), int(time.time() * 1000)
    if as_json:
        for row in rows:
            screen.verbatim(json_line(_facts(row)))
    elif as_csv:
        for cells in (_HEADER, *(_cells(row, now_ms) for row in rows)):
            screen.verbatim(csv_line(cells))
    elif rows:
        name, *others = _HEADER
        columns = [Column(name, shortened=True), *(Column(one, right=one == "risk") for one in others)]
        screen.table(columns, [(row.user, f"{row.risk:.1%}", *_cells(row, now_ms)[2:]) for row in rows])
    else:
        screen.line("no user has a score yet: the first one comes a day after the first activity")


_HEADER = ("user", "risk", "silent for", "alert open")


def _cells(row: RiskRow, now_ms: int) -> Sequence[str]:
    silent = "-" if row.seen_ms is None else duration(max(now_ms - row.seen_ms, 0) / 1000)
    return row.user, f"{row.risk:.3f}", silent, "yes" if row.view.alert_open else ""


def _facts(row: RiskRow) -> dict[str, Any]:
    return {
        "user": row.user, "definition": row.definition, "risk": row.risk, "seen_ms": row.seen_ms, "scored_ms": row.scored_ms,
        "alert_open": row.view.alert_open, "opened_ms": row.view.opened_ms,
    }  # fmt: skip
