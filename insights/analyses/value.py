"""What is a customer worth in the time ahead? How often they will buy (`buying.py`) times what a purchase of theirs is worth (`spending.py`).

A purchase is a day with one. Customers whose first event lies before the log is complete are left out: their first purchase may be older. Each fit is shown with a
hold-out: fitted on the first two thirds of the log, what was predicted for the last third and what came, by decile of the prediction.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl

from insights.analyses import buying, spending
from insights.analyses.analysis import Analysis, Cell, Metric, Note, Result
from insights.analyses.buying import Buyers, Floats
from insights.analyses.crowd import Crowd
from insights.analyses.fits import Fit
from insights.analyses.match import Bound, match_of, match_sql

WEEK = 7.0
DEPENDENT = 0.3
"""A correlation of purchases and mean value above which spending depends on buying, against what the model takes for granted."""
FEWEST = 20
"""Repeat customers without whom nothing is fitted."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    purchases: str = "purchase"
    until: str | None = None
    ahead_days: int = 90
    without: tuple[str, ...] = ()


class Forecast(NamedTuple):
    """What a model says of customers.

    Attributes
    ----------
    purchases, alive : float64[:]
        Expected in the time ahead; chance that they are still there, NaN for who never came again.
    fit : Fit or None
        Of buying; None with too few customers. Where it did not converge, everybody is expected to buy at the mean rate of all.
    """

    purchases: Floats
    alive: Floats
    fit: Fit | None

    @property
    def by_model(self) -> bool:
        """Whether the model says this, and not the mean of all."""
        return self.fit is not None and self.fit.converged


CUSTOMERS = """
WITH bought AS (
    SELECT user, day, sum(coalesce(value, 0)) AS spent FROM events WHERE {purchase}{others} AND day <= {until} GROUP BY user, day
),
placed AS (SELECT *, row_number() OVER (PARTITION BY user ORDER BY day) AS place FROM bought)
SELECT
    user,
    CAST(count(*) - 1 AS DOUBLE) AS x,
    (max(day) - min(day)) / 7.0 AS t_x,
    ({until} - min(day)) / 7.0 AS watched,
    avg(spent) FILTER (WHERE place > 1) AS mean_value,
    avg(spent) AS any_value,
    coalesce(any_value(users.first_ts) < {complete}, FALSE) AS censored
FROM placed LEFT JOIN users USING (user)
GROUP BY user ORDER BY user
"""
LATER = "SELECT user, count(DISTINCT day) AS bought FROM events WHERE {purchase} AND day > {after} AND day <= {until} GROUP BY user"


def last_day(crowd: Crowd, until: str | None) -> date | None:
    """Return the last day that a forecast knows: the one asked for, else the newest of the log that is over."""
    unit = crowd.unit("day")
    if until is not None:
        return unit.first_day(unit.number_of_text(until))
    mark = crowd.as_of.watermark
    over = date.max if mark is None else unit.first_day(unit.number(mark) - 1)
    newest: date | None = crowd.con.execute("SELECT max(day) FROM events WHERE day <= $over", {"over": over}).fetchall()[0][0]
    return newest


def customers(crowd: Crowd, asked: Value, until: date) -> tuple[pl.DataFrame, int]:
    """Return customers by a day, and how many are left out: `user`, `x`, `t_x`, `watched` (weeks), `mean_value` (of repeat purchases), `any_value` (of all)."""
    bound = Bound()
    purchase = match_sql(match_of(asked.purchases), crowd.as_of.activity, bound)
    others = f" AND user NOT IN ({', '.join(map(bound, asked.without))})" if asked.without else ""
    complete = bound(crowd.as_of.complete_from or datetime(1, 1, 1, tzinfo=UTC))
    found = crowd.frame(
        CUSTOMERS.format(purchase=purchase, others=others, until=f"CAST({bound(until)} AS DATE)", complete=complete), bound.values
    )
    whole = found.filter(~pl.col("censored")).drop("censored")
    return whole, found.height - whole.height


def buyers_of(found: pl.DataFrame) -> Buyers:
    """Return customers as the model takes them."""
    return Buyers(*(found[name].cast(pl.Float64).to_numpy() for name in ("x", "t_x", "watched")))


def forecast(found: pl.DataFrame, weeks: float) -> Forecast:
    """Return what the model expects of customers in the next weeks; where it does not converge, the mean rate of all."""
    buyers = buyers_of(found)
    fit = buying.fit(buyers) if int((buyers.x > 0).sum()) >= FEWEST else None
    unknown = np.full(buyers.x.size, np.nan)
    if fit is None or not fit.converged:
        rate = buyers.x.sum() / max(buyers.T.sum(), 1 / WEEK)
        return Forecast(np.full(buyers.x.size, rate * weeks), unknown, fit)
    alive = np.where(buyers.x > 0, buying.p_alive(fit.parameters, buyers), unknown)
    return Forecast(buying.expected_purchases(fit.parameters, buyers, weeks), alive, fit)


def purchase_value(found: pl.DataFrame) -> tuple[Floats, Fit | None, float | None]:
    """Return what a purchase of each is expected to be worth, the fit, and the correlation of purchases and mean value among repeat customers."""
    x, mean = found["x"].to_numpy(), found["mean_value"].fill_null(0.0).to_numpy()
    overall = float(found["any_value"].mean() or 0.0)  # type: ignore[arg-type]  # a column of floats has a mean that is one
    repeat = (x > 0) & (mean > 0)
    if repeat.sum() < FEWEST:
        return np.full(x.size, overall), None, None
    fit = spending.fit(x[repeat], mean[repeat])
    varies = x[repeat].std() > 0 and mean[repeat].std() > 0
    together = float(np.corrcoef(x[repeat], mean[repeat])[0, 1]) if varies else 0.0
    if not fit.converged:
        return np.where(repeat, mean, overall), fit, together
    p, q, _ = fit.parameters
    said = spending.expected_spending(fit.parameters, np.where(repeat, x, 0.0), np.where(repeat, mean, 0.0))
    return np.where(p * np.where(repeat, x, 0.0) + q > 1, said, overall), fit, together


def worth(crowd: Crowd, asked: Value) -> tuple[pl.DataFrame, Forecast, Fit | None, tuple[Note, ...]]:
    """Return each customer with `expected_purchases`, `purchase_value`, `value_ahead`, `p_alive` (null for who never came again); the fits, and what to know beside."""
    until = last_day(crowd, asked.until) or date(1970, 1, 1)
    found, left_out = customers(crowd, asked, until)
    weeks = asked.ahead_days / WEEK
    ahead = forecast(found, weeks)
    each, fit, together = purchase_value(found)
    notes = [Note("note.older_customers", {"n": left_out})] if left_out else []
    if ahead.fit is None:
        notes.append(Note("note.too_few_buyers", {"n": FEWEST}))
    elif not ahead.fit.converged:
        notes.append(Note("note.no_convergence", {}))
    if fit is not None and not fit.converged:
        notes.append(Note("note.no_spending", {}))
    if together is not None and together > DEPENDENT:
        notes.append(Note("note.value_depends", {"r": round(together, 2)}))
    table = found.with_columns(
        pl.Series("expected_purchases", ahead.purchases),
        pl.Series("purchase_value", each),
        pl.Series("value_ahead", ahead.purchases * each),
        pl.Series("p_alive", ahead.alive).fill_nan(None),
    )
    return table, ahead, fit, tuple(notes)


def hold_out(crowd: Crowd, asked: Value) -> pl.DataFrame:
    """Return by decile of the prediction (10: most) what was predicted for the last third of the log and what came: `k`, `n`, `predicted`, `bought`."""
    until = last_day(crowd, asked.until)
    first = crowd.con.execute("SELECT min(day) FROM events").fetchall()[0][0]
    empty = pl.DataFrame(schema={"k": pl.Int64, "n": pl.Int64, "predicted": pl.Float64, "bought": pl.Float64})
    if until is None or first is None or (until - first).days < 3:
        return empty
    after = first + timedelta(days=(until - first).days * 2 // 3)
    found, _ = customers(crowd, asked, after)
    ahead = forecast(found, (until - after).days / WEEK)
    if not ahead.by_model or found.height < 10:
        return empty
    bound = Bound()
    purchase = match_sql(match_of(asked.purchases), crowd.as_of.activity, bound)
    came = crowd.frame(LATER.format(purchase=purchase, after=bound(after), until=bound(until)), bound.values)
    told = (
        found.select("user")
        .with_columns(pl.Series("predicted", ahead.purchases))
        .join(came, on="user", how="left")
        .sort("predicted", "user")
    )
    decile = pl.int_range(pl.len()) * 10 // pl.len() + 1
    return (
        told.group_by(decile.alias("k"))
        .agg(pl.len().alias("n"), pl.col("predicted").sum(), pl.col("bought").sum().cast(pl.Float64))
        .sort("k")
    )


def run(crowd: Crowd, asked: Value) -> Result:
    """Return what all customers are expected to buy and spend, the parameters of both models, and the hold-out."""
    table, ahead, spent, notes = worth(crowd, asked)
    if table.is_empty():
        return VALUE.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}), notes)
    rows: list[dict[str, object]] = [
        {"metric": "expected_purchases", "n": table.height, "value": float(table["expected_purchases"].sum()), "state": "open"},
        {"metric": "value_ahead", "n": table.height, "value": float(table["value_ahead"].sum()), "state": "open"},
    ]
    for fit, names, metric in ((ahead.fit, buying.PARAMETERS, "buying"), (spent, spending.PARAMETERS, "spending")):
        if fit is not None and fit.converged:
            of = table.height if metric == "buying" else table.filter((pl.col("x") > 0) & (pl.col("mean_value") > 0)).height
            values = dict(zip(names, fit.parameters, strict=True)) | {"log_likelihood": fit.log_likelihood}
            rows += [{"metric": f"{metric}_{name}", "n": of, "value": float(value), "state": "complete"} for name, value in values.items()]
    for row in hold_out(crowd, asked).to_dicts():
        rows += [
            {"metric": metric, "k": row["k"], "n": row["n"], "value": row[name], "state": "complete"}
            for metric, name in (("held_out_predicted", "predicted"), ("held_out_bought", "bought"))
        ]
    return VALUE.result(crowd, asked, pl.DataFrame(rows, infer_schema_length=None), notes)


def behind(crowd: Crowd, asked: Value, cell: Cell) -> pl.DataFrame:  # noqa: ARG001 - all rows are about all customers
    """Return every customer with what is expected of them; the chance that they are still there is not told of who never came again."""
    return worth(crowd, asked)[0].select("user", "x", "expected_purchases", "purchase_value", "value_ahead", "p_alive")


_NUMBERS = [
    *(f"buying_{name}" for name in (*buying.PARAMETERS, "log_likelihood")),
    *(f"spending_{name}" for name in (*spending.PARAMETERS, "log_likelihood")),
]
_KINDS: dict[str, Literal["number", "money"]] = {
    "expected_purchases": "number",
    "value_ahead": "money",
    "held_out_predicted": "number",
    "held_out_bought": "number",
}
VALUE = Analysis(
    name="value",
    parameters=Value,
    run=run,
    metrics=tuple(Metric(name, kind) for name, kind in (_KINDS | dict.fromkeys(_NUMBERS, "number")).items()),
    behind=behind,
    example=("value", "--ahead-days", "90"),
)
