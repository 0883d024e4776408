"""Who are the people behind a number? A link to their list, for whoever may see persons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from insights.web.crowd.found import Row

Behind = Callable[[str, Mapping[str, object], Row], str]
"""Of an analysis, what was asked of it, and a row: the address of the list of the people that the row counts; "" for whoever may not see it."""
NAMED = ("cohort", "k", "group", "source", "target", "path", "feature", "event", "tenure", "frequency")
"""Columns by which `insights.analyses.analysis.Cell` names a cell, besides its metric."""


def nobody(_analysis: str, _asked: Mapping[str, object], _row: Row) -> str:
    """Lead nowhere: for whoever may not see persons."""
    return ""


def behind(analysis: str, asked: Mapping[str, object], row: Row) -> str:
    """Return the address of the people behind a row.

    >>> behind("retention", {"unit": "week", "brackets": ("1", "7")}, {"metric": "retention", "cohort": "2026-03-02", "k": 1, "group": None})
    '/people/retention?unit=week&brackets=1&brackets=7&cell.metric=retention&cell.cohort=2026-03-02&cell.k=1'
    """
    cell: dict[str, Any] = {"cell.metric": row["metric"]}
    cell |= {f"cell.{name}": row[name] for name in NAMED if row.get(name) is not None}
    given = {name: value for name, value in asked.items() if value not in (None, "", ())}
    return f"/people/{analysis}?{urlencode({**given, **cell}, doseq=True)}"
