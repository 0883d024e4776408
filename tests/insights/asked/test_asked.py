"""Answers come from a process beside ours, are kept, and are made again when the history goes on; whatever happens to that process is said in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.asked.asked import Asked
from insights.written.rows import json_of
from tests.insights.example import said

WAIT_S = 60.0


def test_whoever_only_asks_need_not_load_what_computes() -> None:
    code = "import sys, insights.asked.asked, insights.written.tables, insights.written.said, insights.written.rows; print([one for one in ('polars', 'duckdb', 'deltalake', 'numpy') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.strip() == "[]"


async def test_an_answer_is_that_of_the_command_line(asked: Asked, history: Path) -> None:
    answer = await asked.ask("retention", {"unit": "week", "by": "channel"}, wait_s=WAIT_S)
    assert answer.state == "ready", answer.words
    assert answer.result is not None
    assert answer.as_of is not None
    assert json.loads(json_of(answer.result)) == json.loads(said(history, ["retention", "--unit", "week", "--by", "channel", "--json"]))


def test_the_catalog_is_that_of_the_processes(asked: Asked) -> None:
    assert asked.catalog() == {one.name: entry_of(one) for one in CATALOG.values()}
