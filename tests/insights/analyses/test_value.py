"""The value of customers: the published fits of CDNOW, formulas against a simulation of the model, and what is said where a model does not hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from insights.analyses import buying
from insights.analyses.analysis import Cell, Result
from insights.analyses.buying import Buyers
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.fits import most_likely
from insights.analyses.value import VALUE, Value, behind
from tests.insights.cases.value import cdnow

PUBLISHED = {
    "buying_r": 0.243, "buying_alpha": 4.414, "buying_a": 0.793, "buying_b": 2.426,
    "spending_p": 6.25, "spending_q": 3.74, "spending_v": 15.44,
}  # fmt: skip


def said(result: Result) -> dict[tuple[str, int | None], float]:
    return {(row["metric"], row["k"]): row["value"] for row in result.rows.to_dicts()}


def test_cdnow_gives_what_was_published_of_it(shared_data: Path) -> None:
    found = said(VALUE.run(cdnow(), Value(until="1997-09-30", ahead_days=273)))
    for name, value in PUBLISHED.items():
        assert found[name, None] == pytest.approx(value, abs=0.001 if name.startswith("buying") else 0.01)
    assert round(found["buying_log_likelihood", None], 2) == -9582.43
    assert found["expected_purchases", None] == pytest.approx(1653, abs=1)  # 1,882 came


def test_the_hold_out_compares_tenths_of_customers_with_what_came(shared_data: Path) -> None:
    crowd = cdnow()
    found = said(VALUE.run(crowd, Value()))
    predicted, bought = ([found[metric, k] for k in range(1, 11)] for metric in ("held_out_predicted", "held_out_bought"))
    after = crowd.con.execute("SELECT min(day) + CAST((max(day) - min(day)) * 2 // 3 AS INTEGER) FROM events").fetchall()[0][0]
    came = crowd.con.execute("SELECT count(DISTINCT (user, day)) FROM events WHERE day > $after", {"after": after}).fetchall()[0][0]
    assert sum(bought) == came
    assert predicted == sorted(predicted)
    assert 0.7 < sum(predicted) / came < 1.3
    assert bought[9] > 5 * bought[0]


def simulated(customers: int, weeks: float, more: float, seed: int = 5) -> tuple[Buyers, np.ndarray, np.ndarray]:
    """Customers that behave as the model says: seen for `weeks`, then for `more`; what they bought then, and whether they were still there."""
    random = np.random.default_rng(seed)
    r, alpha, a, b = 0.8, 5.0, 1.6, 3.0
    x, t_x, later, there = (np.zeros(customers) for _ in range(4))
    for k in range(customers):
        rate, leaving, at, left = random.gamma(r, 1 / alpha), random.beta(a, b), 0.0, False
        while not left:
            at += random.exponential(1 / rate)
            if at > weeks + more:
                break
            x[k], t_x[k], later[k] = (x[k] + 1, at, 0) if at <= weeks else (x[k], t_x[k], later[k] + 1)
            left = random.random() < leaving
            if at > weeks:
                there[k] = 1
        there[k] = max(there[k], not left)
    return Buyers(x, t_x, np.full(customers, weeks)), later, there


def test_expected_purchases_and_chances_are_those_of_customers_who_behave_so() -> None:
    buyers, later, there = simulated(8_000, 30, 20)
    truth = np.array([0.8, 5.0, 1.6, 3.0])
    expected, alive = buying.expected_purchases(truth, buyers, 20), buying.p_alive(truth, buyers)
    for x in range(5):
        for recent in (buyers.t_x < 15, buyers.t_x >= 15):
            here = (buyers.x == x) & recent
            if here.sum() > 100:
                error = 4 * later[here].std() / np.sqrt(here.sum())
                assert expected[here].mean() == pytest.approx(later[here].mean(), abs=error)
                if x:
                    assert alive[here].mean() == pytest.approx(there[here].mean(), abs=0.08)
    fitted = buying.fit(buyers)
    assert fitted.converged
    assert fitted.log_likelihood >= buying.log_likelihood(truth, buyers).sum()


def test_at_a_of_one_the_expectation_is_smooth() -> None:
    one = Buyers(np.array([3.0]), np.array([20.0]), np.array([30.0]))
    near = [float(buying.expected_purchases(np.array([0.8, 5.0, a, 3.0]), one, 20)[0]) for a in (0.999, 1.0, 1.001)]
    assert near[0] == pytest.approx(near[1], rel=1e-3)
    assert near[2] == pytest.approx(near[1], rel=1e-3)


def shop(values: list[float], repeat: bool = True, complete_from: datetime | None = None) -> Crowd:
    """A customer for each value, buying once or on as many days as their place says."""
    start = datetime(2024, 1, 1, 12, tzinfo=UTC)
    rows = [
        (f"u{k:03d}", start + timedelta(days=k % 20 + 7 * n), "purchase", value)
        for k, value in enumerate(values)
        for n in range(1 + (k % 5 if repeat else 0))
    ]
    frame = pl.DataFrame(
        rows, schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "value": pl.Float64}, orient="row"
    )
    return crowd_of(frame, AsOf(watermark=datetime(2024, 6, 1, tzinfo=UTC), complete_from=complete_from))


def test_where_nobody_came_again_the_mean_of_all_is_told_and_so_is_that() -> None:
    crowd = shop([10.0] * 40, repeat=False)
    result = VALUE.run(crowd, Value())
    assert [note.key for note in result.notes] == ["note.too_few_buyers"]
    assert said(result) == {("expected_purchases", None): 0.0, ("value_ahead", None): 0.0}
    people = behind(crowd, Value(), Cell(metric="value_ahead"))
    assert people["p_alive"].null_count() == 40  # it would be 1 for everybody
    assert people["purchase_value"].to_list() == [10.0] * 40


def test_a_likelihood_that_rises_for_ever_did_not_converge() -> None:
    assert not most_likely(lambda p: float(np.log(p[0]) + p[1] / (1 + p[1])), 2, 1.0).converged
    assert most_likely(lambda p: -float(((np.log(p) - 1) ** 2).sum()), 2, 1.0).converged


def test_spending_that_depends_on_buying_is_said() -> None:
    crowd = shop([10.0 * (1 + k % 5) + k * 0.01 for k in range(60)])
    assert "note.value_depends" in [note.key for note in VALUE.run(crowd, Value()).notes]


def test_who_may_have_bought_before_the_log_is_left_out_and_counted() -> None:
    result = VALUE.run(shop([10.0 + k for k in range(60)], complete_from=datetime(2024, 1, 10, tzinfo=UTC)), Value())
    assert ("note.older_customers", {"n": 27}) in [tuple(note) for note in result.notes]
    assert result.rows["n"].max() == 33


def test_a_log_without_purchases_has_no_rows() -> None:
    assert VALUE.run(shop([]), Value()).rows.is_empty()
