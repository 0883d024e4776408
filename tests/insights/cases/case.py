"""One case: how it is read, which log its events make, and when an answer is the expected one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from insights.analyses.crowd import AsOf, Crowd, crowd_of

FAR = datetime(2100, 1, 1, tzinfo=UTC)
"""The watermark of a case that says nothing of one: all is known."""


class Case(NamedTuple):
    name: str
    events: list[dict[str, Any]]
    query: dict[str, Any]
    expected: Any


def read_cases(file: Path) -> list[Case]:
    rows = [json.loads(line, parse_float=Decimal) for line in file.read_text().splitlines() if line.strip()]
    return [Case(row["name"], row["events"], row["query"], row["expected"]) for row in rows]


def crowd_of_case(case: Case) -> Crowd:
    """The log of a case, as of what it says is known."""
    query = case.query
    known = query.get("known_until")
    as_of = AsOf(
        watermark=FAR if known is None else datetime.fromisoformat(known),
        zone=query.get("tz", "UTC"),
        week_start=query.get("week_start", "monday"),
    )
    columns: dict[str, list[Any]] = {"user": [], "ts": [], "type": []}
    optional = ("channel", "item", "session", "value", "event_id")
    rows = [
        {
            "user": event["user"],
            "ts": datetime.fromisoformat(event["ts"]).astimezone(UTC),
            "type": event["type"],
            "props": msgspec.json.encode(plain(event["props"])).decode() if event.get("props") else None,
            **{name: plain(event[name]) for name in optional if name in event},
        }
        for event in case.events
    ]
    schema = {"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}
    return crowd_of(pl.DataFrame(rows or columns, schema=None if rows else schema, infer_schema_length=None), as_of)


def plain(value: Any) -> Any:
    """A value as JSON has it, with floats for decimals."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def holds(expected: Any, answer: Any) -> bool:
    """Whether an answer is the expected one, in all that the case expects; a number with decimals is right to as many digits as were written."""
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(key in answer and holds(one, answer[key]) for key, one in expected.items())
    if isinstance(expected, list):
        same = isinstance(answer, list | tuple) and len(expected) == len(answer)
        return same and all(holds(*pair) for pair in zip(expected, answer, strict=True))
    if isinstance(expected, Decimal):
        if answer is None or isinstance(answer, str | list | tuple | dict):
            return False
        digits = int(expected.as_tuple().exponent)
        return abs(float(answer) - float(expected)) <= 0.5 * 10**digits * 1.01
    return bool(expected == answer) and (expected is None) == (answer is None)
