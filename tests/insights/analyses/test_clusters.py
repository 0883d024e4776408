"""Clusters find groups that are there, say when there are none, and keep their people to stored centres."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from insights.analyses.analysis import Cell
from insights.analyses.clusters import CLUSTERS, FIGURES, Clusters, behind, centres_of, grouped, k_means
from insights.analyses.crowd import Crowd, crowd_of
from insights.history.reader import AsOf
from stream.faults import UsageFault

KINDS = {"buyer": (30, 3, True), "reader": (30, 12, False), "guest": (2, 1, False)}
"""Days of activity, events a day, whether they buy."""


def product(people: int = 60, seed: int = 1) -> Crowd:
    random = np.random.default_rng(seed)
    rows = []
    for number in range(people):
        kind = list(KINDS)[number % 3]
        days, events, buys = KINDS[kind]
        for day in sorted(random.choice(60, days, replace=False)):
            for k in range(events + int(random.integers(0, 2))):
                at = datetime(2024, 1, 1, 8, k, tzinfo=UTC) + timedelta(days=int(day))
                rows.append((f"{kind}{number:03d}", at, "purchase" if buys and k == 0 else "open", 20.0 if buys and k == 0 else None))
    schema = {"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "value": pl.Float64}
    return crowd_of(pl.DataFrame(rows, schema=schema, orient="row"), AsOf(watermark=datetime(2024, 3, 2, tzinfo=UTC)))


def test_groups_that_are_there_are_found() -> None:
    found, centres = grouped(product(), Clusters())
    kinds = found["user"].str.head(5).to_list()
    assert adjusted_rand_score(kinds, found["group"].to_list()) > 0.99
    assert any("high revenue" in name or "high purchases" in name for name in centres.names)
    result = CLUSTERS.run(product(), Clusters())
    assert result.notes == ()
    people = result.rows.filter(pl.col("metric") == "cluster_people")
    assert people["value"].to_list() == [20.0] * 3
    for name in people["group"]:
        assert behind(product(), Clusters(), Cell(metric="cluster_people", group=name)).height == 20


def test_centres_are_those_of_the_library() -> None:
    points = np.random.default_rng(0).normal(size=(200, 3))
    found = KMeans(4, n_init=10, random_state=20240229).fit(points)
    labels = ((points[:, None] - k_means(points, 4)) ** 2).sum(2).argmin(1)
    assert adjusted_rand_score(found.labels_, labels) == 1.0


def test_where_there_are_no_groups_it_says_so() -> None:
    random = np.random.default_rng(2)
    rows = [
        (f"u{n}", datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=float(day)), "open")
        for n in range(80)
        for day in random.uniform(0, 60, int(random.integers(1, 30)))
    ]
    frame = pl.DataFrame(rows, schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}, orient="row")
    result = CLUSTERS.run(crowd_of(frame, AsOf(watermark=datetime(2024, 3, 2, tzinfo=UTC))), Clusters())
    (rand,) = result.rows.filter(pl.col("metric") == "cluster_stability")["value"]
    assert [note.key for note in result.notes] == (["note.unstable_clusters"] if rand < 0.6 else [])


def test_stored_centres_keep_people_in_their_groups(tmp_path: Path) -> None:
    file = tmp_path / "clusters.json"
    rows = CLUSTERS.run(product(), Clusters()).rows.to_dicts()
    file.write_bytes(msgspec.json.encode({"rows": rows}))
    before, _ = grouped(product(), Clusters())
    after, centres = grouped(product(90, seed=1), Clusters(like=str(file)))  # thirty more have come
    assert set(after["group"]) == set(before["group"]) == set(centres.names)
    kinds = dict(zip(before["user"].str.head(5), before["group"], strict=True))
    assert all(kinds[user[:5]] == group for user, group in after.select("user", "group").rows())
    file.write_text("{}")
    with pytest.raises(UsageFault, match="holds no clusters"):
        grouped(product(), Clusters(like=str(file)))


def test_too_few_people_are_no_groups_and_that_is_said() -> None:
    assert centres_of(np.ones((20, len(FIGURES)))).names == []
    result = CLUSTERS.run(product(3), Clusters())
    assert result.rows.is_empty()
    assert [note.key for note in result.notes] == ["note.too_few_people"]
