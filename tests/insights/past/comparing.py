"""Holds every read of the past against the oracle."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from features.definitions.definition import DAY_MS
from insights.past.past import Past
from insights.past.rows import AlertRow
from tests.insights.past.history import NAMES, USERS
from tests.insights.past.oracle import Oracle, local_day


def compare(past: Past, oracle: Oracle, days: range) -> Counter[str]:
    """Check every read; return how much was compared."""
    done: Counter[str] = Counter()
    rows = oracle.rows()
    found = [row for user in USERS for row in past.alerts_of(user)]
    assert {row.alert_id: plain(row) for row in found} == {key: plain_said(*row) for key, row in rows.items()}
    assert len(found) == len(rows)
    for key in list(oracle.alerts)[:3]:
        one = past.alert(key)
        assert (None if one is None else plain(one)) == (plain_said(*rows[key]) if key in rows else None)
    done["alerts"] += len(found)
    done["outcomes of alerts"] += sum(row.really_left is not None for row in found)
    for name in NAMES:
        still = [said.alert_id for said, ended, _, _ in rows.values() if said.definition == name and ended is None]
        assert sorted(one.alert_id for one in past.open_alerts(name)) == sorted(still)
        for user, line in past.risk_lines(USERS, name).items():
            newest = max(oracle.watermarks.values(), default=0)
            assert line == [(at, risk) for at, risk, _, _ in oracle.line(user, name) if at > newest - 14 * DAY_MS]
        for user in USERS:
            line = [(one.landmark_ms, one.risk, one.model_version, one.really_left) for one in past.risk_line(user, name)]
            assert line == oracle.line(user, name)
            done["risks"] += len(line)
        known = oracle.known(name)
        assert [(one.day, one.n, one.left, round(one.said * one.n * 65_535)) for one in past.calibration(name, "day")] == [
            (day, len(some), sum(left for _, left in some), sum(risk for risk, _ in some))
            for day in sorted({day for day, _, _ in known})
            for some in [[(risk, left) for at, risk, left in known if at == day]]
        ]
        tenths = [(min(9, risk * 20 // 65_535 // 2), left) for _, risk, left in known]
        assert [(round(one.low * 10), one.n, one.left) for one in past.calibration(name, "risk")] == [
            (tenth, sum(at == tenth for at, _ in tenths), sum(left for at, left in tenths if at == tenth))
            for tenth in sorted({at for at, _ in tenths})
        ]
        labels = past.labels_known(name)
        assert (labels.left, labels.stayed) == (sum(left for *_, left in known), sum(not left for *_, left in known))
        done["outcomes"] += len(known)
        for first, last in ((0, 1 << 60), (days[0] * DAY_MS, days[len(days) // 2] * DAY_MS)):
            bands = {one.band: (one.n, pytest.approx(one.said), one.left) for one in past.how_right(name, first, last)}
            assert bands == oracle.by_band(name, first, last)
            share = past.came_back_share(name, first, last)
            assert (share.n, share.came_back) == oracle.came_back(name, first, last)
        since = local_day(oracle.kept_from)
        until = local_day(max(oracle.watermarks.values(), default=0)) + 20
        for one in past.open_by_day(name, since, until):
            assert (one.open_at_end, one.flagged, one.came_back, one.expired) == oracle.day(name, one.day), one.day
            done["days with alerts"] += one.open_at_end > 0
    assert past.as_of_ms == oracle.as_of
    return done


def plain(row: AlertRow) -> tuple[Any, ...]:
    said = (row.alert_id, row.user, row.definition, row.partition, row.risk, row.threshold, row.landmark_ms, row.valid_until_ms)
    return *said, row.scored_ms, row.model, row.model_version, row.reasons, row.reason_codes, row.ended_ms, row.cause, row.really_left


def plain_said(said: Any, ended_ms: int | None, cause: str | None, left: bool | None) -> tuple[Any, ...]:
    fields = (said.alert_id, said.user, said.definition, said.partition, said.risk, said.threshold, said.landmark_ms, said.valid_until_ms)
    return *fields, said.scored_ms, said.model, said.model_version, said.reasons, said.reason_codes, ended_ms, cause, left
