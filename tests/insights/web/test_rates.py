"""Lines over cohorts go on in time, also where a group is in few of them."""

from __future__ import annotations

import re
from itertools import pairwise

from insights.analyses.as_plain import known_of
from insights.history.reader import AsOf
from insights.web.crowd import rates
from insights.web.crowd.found import Found
from insights.words import words

WEEKS = ("2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30")
GROUPS = {"old": WEEKS[2:], "new": WEEKS[:3]}
"""Whoever comes first by name is in the later weeks only."""


def found() -> Found:
    rows = []
    for group, weeks in sorted(GROUPS.items(), reverse=True):
        for k in (0, 1, 7, 30):
            cell = {"k": k, "group": group, "n": 100, "value": 0.4, "low": 0.3, "high": 0.5, "count": 40, "state": "complete"}
            rows += [{**cell, "metric": "overall", "cohort": None}, *({**cell, "metric": "retention", "cohort": week} for week in weeks)]
    return Found(rows, known_of(AsOf(), 0))


def test_lines_go_on_in_time_though_the_first_group_is_in_the_later_weeks_only() -> None:
    for panel in rates.panels(found(), words("en")):
        strokes = re.findall(r'd="(M[^"Zz]*L[^"Zz]*)"', str(panel.lines.wide))
        assert strokes
        for stroke in strokes:
            across = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", stroke)]
            assert all(one < next_ for one, next_ in pairwise(across)), stroke
