"""A small product with a history, made by chance from a seed: what the page of analyses and the tests of commands ask about."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from typer.testing import CliRunner

from insights.history.table import Table
from insights.history.tables import ALERTS, OUTCOMES, SCORES, TableSpec

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
    return _with_more(sorted(rows, key=lambda row: (str(row["ts"]), str(row["user"]))))


def _with_more(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let some events fail and say how long they took, and some people be invited by others who were there before; by a chance of its own, so that who comes when stays as it is."""
    random_ = random.Random(9)
    there: list[str] = []
    for row in rows:
        props = row["props"]
        if row["type"] == "identify":
            if row["channel"] == "referral" and there and random_.random() < 0.8:
                props["invited_by"] = random_.choice(there[-40:])
            there.append(row["user"])
            continue
        is_purchase = row["type"] == "purchase"
        props["latency_ms"] = round(random_.lognormvariate(6.6 if is_purchase else 5, 0.6))
        if random_.random() < (0.25 if is_purchase else 0.04):
            props["error"] = "declined" if is_purchase else "timeout"
    return rows


def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What some of these people say, told by other systems some hours after they came: a survey, a review, a ticket after an error; whoever leaves then gives lower scores."""
    random_ = random.Random(10)
    last = {row["user"]: row["ts"] for row in rows}
    found, newest = [], datetime.fromisoformat(max(row["ts"] for row in rows))
    for row in rows:
        failed = "error" in row["props"]
        if row["type"] != "open" or random_.random() > (0.5 if failed else 0.15):
            continue
        at = datetime.fromisoformat(row["ts"]) + timedelta(hours=random_.randrange(1, 12))
        score = min(5, max(1, round(random_.gauss(2.5 if row["ts"] == last[row["user"]] else 3.8, 1))))
        props = {"kind": "ticket" if failed else random_.choice(["survey", "review"])}
        if at <= newest:
            found.append({**row, "ts": at.isoformat(), "type": "feedback", "value": float(score), "props": props})
    return found


def all_events() -> list[dict[str, Any]]:
    """Return the events of the shop, and what other systems told of its people."""
    rows = events()
    return [*rows, *told(rows)]


def _event(
    user: str, day: int, random_: random.Random, kind: str, channel: str, props: dict[str, Any], value: float | None = None
) -> dict[str, Any]:
    order = {"identify": 0, "open": 1, "view": 2, "purchase": 3}[kind]
    at = BEGIN + timedelta(days=day, hours=8 + order, seconds=random_.randrange(3600))
    return {"user": user, "ts": at.isoformat(), "type": kind, "channel": channel, "value": value, "props": props}


def import_example(folder: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    """Put the example, or other events like it, into a history in a folder; return the history's folder."""
    from stream.cli import app

    rows = events() if rows is None else rows
    file = folder / "events.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    history = folder / "history"
    done = CliRunner(env={"CHURNWATCH_HISTORY": str(history)}).invoke(app, ["history", "import", str(file)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for spec, frame in said_of(rows):
        append(history, spec, frame)
    return history


def said_of(
    rows: list[dict[str, Any]], since: datetime = BEGIN, last_day: datetime = BEGIN + timedelta(days=DAYS)
) -> list[tuple[TableSpec, pl.DataFrame]]:
    """What an engine might have said of the example's people at noon of each day of two weeks after they came last: risks, what came of them, and alerts."""
    random_ = random.Random(8)
    days: dict[str, list[datetime]] = {}
    for row in rows:
        if row["type"] not in {"identify", "feedback"}:
            days.setdefault(str(row["user"]), []).append(datetime.fromisoformat(str(row["ts"])))
    scores, outcomes, alerts = [], [], []
    for user, times in sorted(days.items()):
        times.sort()
        at = max(times[0], since).replace(hour=12, minute=0, second=0) + timedelta(days=1)
        is_open = False
        while at < last_day:
            silent = (at - times[bisect_left(times, at) - 1]).days
            if silent < 14:
                risk = round(min(0.98, 1 - 0.75 ** (silent + 1) + random_.uniform(-0.1, 0.1)), 4)
                due, came = at + timedelta(days=15), bisect_right(times, at) < bisect_right(times, at + timedelta(days=14))
                place = {"lineage": "0", "shard": 0, "number": len(scores) + len(outcomes) + 1}
                who = {"user": user, "definition": "churn14", "landmark": at, "matured": due, **place}
                scores.append({**who, "risk": risk, "model_version": 1, "flags": 0})
                if due < last_day:
                    outcomes.append({**who, "label": int(not came), "source": "engine"})
                if risk > 0.7 and not is_open:
                    codes = ["silence", random_.choice(["active_days", "errors"])]
                    alert = {"alert_id": f"{len(alerts):032x}", "type": "opened", "event_time": at, "reasons": codes, "reason_codes": codes}
                    alerts.append({**who, **alert, "risk": risk, "part": 0, "off": len(alerts)})
                is_open = risk > 0.7
            at += timedelta(days=1)
    return [
        (spec, pl.DataFrame(some, infer_schema_length=None)) for spec, some in ((SCORES, scores), (OUTCOMES, outcomes), (ALERTS, alerts))
    ]


def append(history: Path, spec: TableSpec, rows: pl.DataFrame) -> None:
    """Put rows into a table of what the engine said, as the writer does."""
    table = Table.create(history, spec, {})
    missing = [pl.lit(None, kind).alias(name) for name, kind in spec.in_files.items() if name not in rows.columns]
    whole = rows.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in spec.in_files.items())
    of_days = whole.with_columns(day=pl.col(spec.measured).dt.date()).sort(spec.order).partition_by("day", as_dict=True)
    table.commit(table.standing, adds=[table.write(str(day), some.drop("day")) for (day,), some in sorted(of_days.items())])


def said(history: Path, words: list[str], code: int = 0, columns: int | None = None) -> str:
    """What a command prints about a history."""
    from stream.cli import app

    env = {"CHURNWATCH_HISTORY": str(history)} | (
        {} if columns is None else {"COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    )
    done = CliRunner(env=env).invoke(app, words, catch_exceptions=code == 0)
    assert done.exit_code == code, done.output
    return done.stdout
