"""Compile the passes of the analyses into the cache, or load them from there: ``python -m insights.analyses.warm``."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import polars as pl

from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import crowd_of
from insights.history.reader import AsOf

ASKED: tuple[tuple[str, dict[str, object]], ...] = (
    ("funnel", {"steps": ["open", "buy"]}),
    ("funnel", {"steps": ["open", "buy"], "by": "channel", "exclude": ["1-2:close"]}),
    ("paths", {}),
    ("transitions", {}),
    ("after_drop_off", {"steps": ["open", "buy"]}),
    ("paths_into_silence", {}),
)
"""Questions that between them go through every compiled pass."""


def warm() -> None:
    """Ask a log of four events."""
    times = [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    events = pl.DataFrame(
        {"user": list("aabb"), "ts": times, "type": ["open", "buy"] * 2}, schema_overrides={"ts": pl.Datetime("us", "UTC")}
    )
    crowd = crowd_of(events, AsOf(watermark=datetime(2024, 3, 1, tzinfo=UTC)))
    for name, asked in ASKED:
        CATALOG[name].run(crowd, msgspec.convert(asked, CATALOG[name].parameters))
    crowd.close()


if __name__ == "__main__":
    warm()
