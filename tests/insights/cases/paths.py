"""Cases of paths: a link is written with the steps of its ends, as in 1:/ and 2:/about, and with its visits; how a path ended is no link there."""

from __future__ import annotations

from typing import Any

import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.passes.visits import ENDS
from insights.analyses.paths import PATHS, Paths
from tests.insights.cases.vocabulary import parameters


def answer(crowd: Crowd, query: dict[str, Any]) -> Any:
    asked: Paths = parameters(query, Paths, "steps", depth=query["steps"])
    rows = PATHS.run(crowd, asked).rows
    links = rows.filter((pl.col("metric") == "visits") & ~pl.col("target").is_in(ENDS))
    people = rows.filter((pl.col("metric") == "people") & ~pl.col("target").is_in(ENDS))

    def written(found: pl.DataFrame) -> list[list[Any]]:
        return sorted([f"{row['k']}:{row['source']}", f"{row['k'] + 1}:{row['target']}", int(row["value"])] for row in found.to_dicts())

    ends = rows.filter((pl.col("metric") == "visits") & pl.col("target").is_in(ENDS))
    return {"links": written(links), "users": written(people), "ends": written(ends)}
