"""The docs name what the tables and metrics are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from insights.history.live.metrics import HISTORY_METRICS
from insights.history.tables import TABLES, TableSpec
from stream.metric import markdown

DOCS = Path(__file__).parents[3] / "docs"


def test_the_docs_have_the_metrics() -> None:
    assert markdown(HISTORY_METRICS) in (DOCS / "metrics.md").read_text()


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_the_docs_name_every_column(spec: TableSpec) -> None:
    named = set(re.findall(r"`(\w+)`", (DOCS / "history.md").read_text()))
    assert spec.columns.keys() - named == set()
