"""The page of analyses, docs/analyses.md: made from the catalog, each with an example that has run: `python -m tests.insights.page > docs/analyses.md`."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from insights.analyses.analysis import LONG, Analysis
from insights.analyses.catalog import CATALOG
from insights.words import words
from tests.insights.example import all_events, import_example, said

HEAD = """# Analyses

Questions to the whole history, each a command over `history.dir` ([how it is filled](history.md)). Made from the catalog itself, and every example has run: `python -m tests.insights.page > docs/analyses.md`.

Every answer can be a table in the terminal, `--json` (`{"as_of": {...}, "rows": [...]}`), `--csv`, or a file (`--out` with .parquet, .xlsx, .csv, .html or .json); `--lang zh` says it in Chinese. `--users CELL` lists the people behind one number.
Rows are the same for all, in the long form:

| column | |
|---|---|
| `metric` | which of the numbers below |
| `cohort` | the people who entered together, or the day, week or month |
| `k` | units after the entry, or the number of a step |
| `group` | with `--by`: which people; null without |
| `n` | how many people the value is of |
| `value` | a share (0 to 1), or a number |
| `low`, `high` | its interval of 95 % (Wilson), where it is a share of people |
| `state` | `complete`: only late events can change it; `open`: its time is not over; `none`: not known, and null |

**Which events.** An event is named as `type`, `type,field=value` or `,field=value`, with `=`, `!=`, `<`, `<=`, `>`, `>=`; fields are `type`, `channel`, `item`, `session`, `value`, `event_id` and `props.NAME`. Without one it is the activity of the first
definition of churn. `identify`, `alias`, `consent` and `erase` are never activity. A person is all ids that `alias` events join ([which](history.md#who-is-one-person)). `--by` takes a field of an event, or `traits.NAME`, the newest value told by `identify`. Whoever has no value is in the group `(none)`; groups beyond `--limit` are `other`; groups add up.

**Time.** Days, weeks and months are those of `features.timezone`; a day of 23 or 25 hours is one day. Ranges are widened to whole units. Late events count here, though the live features have left them out.
Who was there before the history is complete (`history.complete_from`) is in no first cohort, and is counted under the table.

**As of a time.** `--as-of 2026-03-01` (or `2026-03-01T06:00`, of the zone of the history) answers as if nothing had happened from then on: events before that time and no others, what the engine had said and learned by then, and all before it known. So an answer of then
can be made again, except for what has come late since, was erased, or is told in another way by settings that have changed. `traits` are those told before, and ids those joined before. Beyond the newest event it changes nothing.

**In SQL.** `churnwatch sql "SELECT ..."` asks the views `events`, `user_day`, `users`, `traits`, `ids`, `alerts`, `scores` and `outcomes` ([columns](history.md)) in DuckDB's SQL. One SELECT that reads no file and changes nothing, broken off after `--seconds` and bound by `--memory`.

The examples are of a small made-up shop (`tests/insights/example.py`).
"""


def page() -> str:
    english = words("en")
    with tempfile.TemporaryDirectory() as folder:
        history = import_example(Path(folder), all_events())
        return "\n".join([HEAD, *(_section(one, history, english) for one in CATALOG.values())])


def _section(one: Analysis[Any], history: Path, english: Any) -> str:
    name = one.name.replace("_", "-")
    parts = [f"## `churnwatch {name}`\n", f"{english.t(f'analysis.{one.name}.asks')}\n"]
    if one.example:
        text = "\n".join(line.rstrip() for line in said(history, list(one.example)).splitlines())
        parts.append(f"```\n$ churnwatch {shlex.join(one.example)}\n{text}\n```\n")
    parts.append("| metric | | value |\n|---|---|---|")
    parts += [f"| `{metric.name}` | {english.t(f'metric.{metric.name}.is')} | {metric.kind} |" for metric in one.metrics]
    columns = [f"`{column.name}` ({english.t(f'column.{column.name}')})" for column in one.columns if column.name not in LONG]
    if columns:
        parts.append(f"\nColumns besides the long form: {', '.join(columns)}.")
    parts.append("\n| option | | default |\n|---|---|---|")
    for field in msgspec.structs.fields(one.parameters):
        option = field.name.upper() + "..." if field.name == one.arguments else "--" + field.name.replace("_", "-")
        default = "" if field.required or field.default in {None, "", ()} else f"`{_written(field.default)}`"
        told = english.t(f"parameter.{field.name}").replace("|", "\\|")
        parts.append(f"| `{option}` | {told} | {default} |")
    return "\n".join(parts) + "\n"


def _written(default: object) -> str:
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    sys.stdout.write(page())
