"""A forecast is that of persons counted one by one; its intervals hold what comes where risks are true, and widen where they are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.retention_forecast import RETENTION_FORECAST, RetentionForecast, behind
from insights.analyses.units import Name
from stream.faults import UsageFault
from tests.insights.analyses.logs import as_of_log, events_of_log, for_logs
from tests.oracles.analyses import forecast as oracle
from tests.oracles.analyses.log import Event, Log

HORIZON = timedelta(days=14)


def said(log: Log) -> dict[str, list[tuple[datetime, float]]]:
    """Risks at landmarks half a day after each event, by no rule."""
    risks: dict[str, dict[datetime, float]] = {}
    for n, event in enumerate(log.events):
        if event.user != "d":  # nobody ever judged them
            risks.setdefault(event.user, {}).setdefault(event.ts + timedelta(hours=12), n * 37 % 101 / 100)
    return {user: sorted(marks.items()) for user, marks in risks.items()}


def scores(risks: dict[str, list[tuple[datetime, float]]]) -> pl.DataFrame:
    rows = [
        {"user": user, "definition": "churn14", "landmark": at, "risk": risk, "matured": at + HORIZON, "lineage": "0", "number": n}
        for user, marks in risks.items()
        for n, (at, risk) in enumerate(marks)
    ]
    other = {"user": "zoe", "definition": "churn14", "landmark": datetime(2020, 1, 1, tzinfo=UTC), "risk": 0.5, "lineage": "0", "number": 0}
    return pl.DataFrame([other, *rows], infer_schema_length=None)


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_forecasts_are_those_of_persons_counted_one_by_one(unit: Name, full: bool) -> None:
    def check(log: Log) -> None:
        risks = said(log)
        crowd = crowd_of(events_of_log(log), as_of_log(log), {"scores": scores(risks)})
        asked = RetentionForecast(unit=unit, follow=9, record=3)
        rows = RETENTION_FORECAST.run(crowd, asked).rows.filter(pl.col("metric") != "spread").to_dicts()
        if log.watermark is None:
            assert rows == []
            return
        right = oracle.forecasts(log, risks, unit, 9, 3, HORIZON)
        found = {(row["metric"], row["cohort"], row["k"]): (row["n"], row["value"]) for row in rows}
        assert found == {key: (n, pytest.approx(value)) for key, (n, value) in right.items()}
        for (metric, cohort, _), (n, value) in right.items():
            if metric == "forecast":
                people = behind(crowd, asked, Cell(metric="forecast", cohort=cohort))
                assert people.height == n
                assert people["came_back"].sum() + people["chance"].fill_null(0).sum() == pytest.approx(n * value)
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows if row["metric"] == "forecast")

    if full or unit == "week":
        for_logs(full, check)
    check(dense())


def dense() -> Log:
    """A log with somebody new each day who comes again now and then, so that there are cells of every k, and landmarks on both sides of each moment."""
    start = datetime(2024, 3, 1, 8, tzinfo=UTC)
    users = [f"u{n:02}" for n in range(40)]
    times = [
        (user, start + timedelta(days=n + again * (2 + n % 5), hours=(5 * n + again) % 12))
        for n, user in enumerate(users)
        for again in range(9)
    ]
    events = [Event(user, ts, "view") for user, ts in times if ts < start + timedelta(days=47)]
    return Log(sorted(events, key=lambda event: event.ts), "Europe/Berlin", watermark=start + timedelta(days=45, hours=6))


def steady(seed: int, *, told: float = 1.0, known: datetime | None = None) -> Crowd:
    """600 people of 6 weeks who come by chance at a rate of their own, and are told of by the risk that this rate means, to the power of `told`."""
    random = np.random.default_rng(seed)
    start, events, risks = datetime(2024, 1, 1, tzinfo=UTC), [], {}
    for n in range(600):
        rate, at = float(random.gamma(2, 0.03)), float(random.uniform(0, 42))
        risks[f"p{n}"] = [(start + timedelta(days=at, hours=1), float(np.exp(-14 * rate)) ** told)]
        while at < 63:
            events.append((f"p{n}", start + timedelta(days=at), "view"))
            at += float(random.exponential(1 / rate))
    frame = pl.DataFrame(events, schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}, orient="row")
    return crowd_of(frame, AsOf(watermark=known or start + timedelta(days=58)), {"scores": scores(risks)})


def test_intervals_hold_what_comes() -> None:
    held = cells = 0
    for seed in range(6):
        rows = RETENTION_FORECAST.run(steady(seed), RetentionForecast(record=2)).rows
        later = RETENTION_FORECAST.run(steady(seed, known=datetime(2024, 3, 4, tzinfo=UTC)), RetentionForecast(record=1)).rows
        came = dict(later.filter(pl.col("metric") == "came").select("cohort", "value").rows())
        for row in rows.filter(pl.col("metric") == "forecast").iter_rows(named=True):
            cells += 1
            held += row["low"] <= came[row["cohort"]] <= row["high"]
    assert cells == 6 * 6
    assert held >= 32


def test_a_forecast_that_was_far_off_before_is_less_sure_now() -> None:
    def asked(told: float, record: int) -> tuple[float, list[float]]:
        rows = RETENTION_FORECAST.run(steady(1, told=told), RetentionForecast(record=record)).rows
        ends = rows.filter(pl.col("metric") == "forecast").select("low", "high").rows()
        return rows.filter(pl.col("metric") == "spread")["value"][0], [high - low for low, high in ends]

    assert asked(1.0, 4)[0] < 1.5
    by_chance, (wide, widths) = asked(4.0, 0), asked(4.0, 4)
    assert by_chance[0] == 1
    assert wide > 2
    ratios = [after / before for before, after in zip(by_chance[1], widths, strict=True)]
    assert 2 < max(ratios) < wide + 1e-6, "an interval ends where nothing more is possible"


def test_what_cannot_be_asked_says_why() -> None:
    crowd = steady(1)
    with pytest.raises(UsageFault, match="follow must be 1 or more"):
        RETENTION_FORECAST.run(crowd, RetentionForecast(follow=0))
    with pytest.raises(UsageFault, match="name a cohort"):
        behind(crowd, RetentionForecast(), Cell(metric="forecast"))
    nobody = crowd_of(pl.DataFrame(schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}), AsOf())
    with pytest.raises(UsageFault, match="no engine has judged these people yet"):
        RETENTION_FORECAST.run(nobody, RetentionForecast())
