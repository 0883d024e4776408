"""A small product with a history, made by chance from a seed: what the page of analyses and the tests of commands ask about."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
DAYS = 84
CHANNELS = {"ads": 0.2, "search": 0.45, "referral": 0.65}
"""How likely somebody of a channel is to come back in the weeks after their first."""


def events(people: int = 240) -> list[dict[str, Any]]:
    """Events of a shop: people come by three channels, look, buy, and stop coming sooner or later."""
    random_ = random.Random(7)
    rows: list[dict[str, Any]] = []
    for number in range(people):
        channel = random_.choice(sorted(CHANNELS))
        plan = random_.choice(["free", "free", "pro"])
        user, day = f"p{number:03}", random_.randrange(DAYS)
        rows.append(_event(user, day, random_, "identify", channel, {"plan": plan}))
        first = True
        while day < DAYS:
            rows.append(_event(user, day, random_, "open", channel, {"platform": random_.choice(["web", "app"])}))
            if random_.random() < 0.6:
                rows.append(_event(user, day, random_, "view", channel, {}))
                if random_.random() < 0.3:
                    rows.append(_event(user, day, random_, "purchase", channel, {}, round(random_.uniform(5, 80), 2)))
            if not first and random_.random() > 0.8:
                break
            if first and random_.random() > CHANNELS[channel]:
                break
            first = False
            day += random_.choice([1, 1, 2, 3, 7])
    return sorted(rows, key=lambda row: (str(row["ts"]), str(row["user"])))


def _event(
    user: str, day: int, random_: random.Random, kind: str, channel: str, props: dict[str, Any], value: float | None = None
) -> dict[str, Any]:
    order = {"identify": 0, "open": 1, "view": 2, "purchase": 3}[kind]
    at = BEGIN + timedelta(days=day, hours=8 + order, seconds=random_.randrange(3600))
    return {"user": user, "ts": at.isoformat(), "type": kind, "channel": channel, "value": value, "props": props}


def import_example(folder: Path) -> Path:
    """Put the example into a history in a folder; return the history's folder."""
    from stream.cli import app

    file = folder / "events.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, events())))
    history = folder / "history"
    done = CliRunner(env={"CHURNWATCH_HISTORY": str(history)}).invoke(app, ["history", "import", str(file)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return history


def said(history: Path, words: list[str], code: int = 0, columns: int | None = None) -> str:
    """What a command prints about a history."""
    from stream.cli import app

    env = {"CHURNWATCH_HISTORY": str(history)} | (
        {} if columns is None else {"COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    )
    done = CliRunner(env=env).invoke(app, words, catch_exceptions=code == 0)
    assert done.exit_code == code, done.output
    return done.stdout
