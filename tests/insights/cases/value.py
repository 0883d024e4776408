"""Cases of BG/NBD and Gamma-Gamma. What a case does not give is that of its source: the CDNOW sample to 1997-09-30, and the parameters published for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from insights.analyses import buying, spending
from insights.analyses.analysis import Result
from insights.analyses.buying import Buyers
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.value import VALUE, Value
from tests.insights.cases.case import FAR, plain

CDNOW = Path(__file__).parents[4] / "shared" / "data" / "cdnow" / "sample.parquet"
PUBLISHED = (0.243, 4.414, 0.793, 2.426)
CUSTOMERS = ((2, 22.35), (1, 11.77), (0, 0))
"""Purchases and mean value of the three customers of the documentation that the case cites."""


def cdnow() -> Crowd:
    sample = pl.read_parquet(CDNOW)
    events = sample.select(
        pl.col("user_id").cast(pl.String).alias("user"),
        pl.col("date").dt.replace_time_zone("UTC").alias("ts"),
        pl.lit("purchase").alias("type"),
        pl.col("usd").alias("value"),
    )
    return crowd_of(events, AsOf(watermark=FAR))


def fitted(crowd: Crowd, query: dict[str, Any]) -> Result:
    at_hand = crowd.con.execute("SELECT count(*) FROM events").fetchall()[0][0]
    until = query.get("until") or (None if at_hand else "1997-09-30")
    return VALUE.run(crowd if at_hand else cdnow(), Value(until=until))


def fit(crowd: Crowd, query: dict[str, Any]) -> Any:
    """Of both models, under the names of the papers."""
    said = dict(fitted(crowd, query).rows.filter(pl.col("k").is_null()).select("metric", "value").rows())
    model = "buying" if query["kind"].startswith("bgnbd") else "spending"
    return {name.removeprefix(f"{model}_"): value for name, value in said.items() if name.startswith(model)}


def predict(crowd: Crowd, query: dict[str, Any]) -> Any:
    parameters = np.array(plain(query.get("params", list(PUBLISHED))), np.float64)
    one = Buyers(*(np.array([float(query[name])]) for name in ("x", "t_x", "T")))
    expected = buying.expected_purchases(parameters, one, float(query["t"]))
    return {"expected_purchases": float(expected[0]), "p_alive": float(buying.p_alive(parameters, one)[0])}


def expect(crowd: Crowd, query: dict[str, Any]) -> Any:
    x, mean = np.array(plain(query.get("customers", [list(one) for one in CUSTOMERS])), np.float64).T
    return {"values": spending.expected_spending(np.array(plain(query["params"]), np.float64), x, mean).tolist()}
