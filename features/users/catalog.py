"""The table of features, with one row each. The order of a vector, its coding, the docs and the contract tests all follow from it.

A vector is one byte per feature. Code 0 means *missing*; codes 1 to 255 cover ``[low, high]`` evenly on the row's scale::

    code = 1 + round(254 * clip((g(x) - g(low)) / (g(high) - g(low)), 0, 1)),   g(x) = x  (linear, category)  or  log(1 + x / knee)  (log)

Models see only the coded vector, when they score and when they learn, so what is stored is exactly what was scored.
"""

from __future__ import annotations

import hashlib
import math
from collections import namedtuple
from functools import cache
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from features.users.state import KEYS

DAY_S = 86_400.0


class Feature(msgspec.Struct, frozen=True):
    """One row.

    Attributes
    ----------
    name : str
        Ends in its unit where it has one.
    window : str
        The window or the half-life of the events that count.
    unit : str
        Unit of the value.
    low, high : float
        The range that codes cover, in this unit; values beyond are clipped.
    scale : {"log", "linear", "category"}
    knee : float
        For a log scale, the value below which the scale is nearly linear.
    order : {"commutative", "arrival"}
        Whether the order of arrival within the lateness matters.
    missing : bool
        Whether it can be missing.
    """

    name: str
    window: str
    unit: str
    low: float
    high: float
    scale: Literal["log", "linear", "category"]
    knee: float = 1.0
    order: Literal["commutative", "arrival"] = "commutative"
    missing: bool = False


def _keys() -> list[Feature]:
    counts = [Feature(f"key_{k}_count", "half-life 7 d", "events", 0, 2_000, "log", knee=0.5) for k in range(KEYS)]
    values = [Feature(f"key_{k}_value", "half-life 7 d", "units", 0, 1e6, "log", knee=0.5) for k in range(KEYS)]
    return counts + values


FEATURES: tuple[Feature, ...] = (
    Feature("recency_s", "all", "s", 0, 400 * DAY_S, "log", knee=60),
    Feature("active_recency_s", "all", "s", 0, 400 * DAY_S, "log", knee=60, missing=True),
    Feature("tenure_days", "all", "days", 0, 3_650, "log", knee=0.05),
    Feature("count_1h", "1 h", "events", 0, 1_000, "log"),
    Feature("count_24h", "24 h", "events", 0, 10_000, "log"),
    Feature("count_7d", "7 d", "events", 0, 50_000, "log"),
    Feature("count_28d", "28 d", "events", 0, 200_000, "log"),
    Feature("count_total", "all", "events", 0, 1e7, "log"),
    Feature("decayed_1d", "half-life 1 d", "events", 0, 10_000, "log", knee=0.05),
    Feature("decayed_7d", "half-life 7 d", "events", 0, 50_000, "log", knee=0.05),
    Feature("decayed_30d", "half-life 30 d", "events", 0, 200_000, "log", knee=0.05),
    Feature("active_days_7", "7 days", "days", 0, 7, "linear"),
    Feature("active_days_28", "28 days", "days", 0, 28, "linear"),
    Feature("active_days_64", "64 days", "days", 0, 64, "linear"),
    Feature("active_days_8_14", "days 8 to 14", "days", 0, 7, "linear"),
    Feature("active_days_15_28", "days 15 to 28", "days", 0, 14, "linear"),
    Feature("active_days_total", "all", "days", 0, 3_650, "log"),
    Feature("streak_days", "64 days", "days", 0, 64, "log"),
    Feature("day_gap_days", "64 days", "days", 1, 64, "log", missing=True),
    Feature("active_share", "all", "share", 0, 1, "linear"),
    Feature("sessions", "all", "sessions", 0, 100_000, "log", order="arrival"),
    Feature("session_mean_s", "all", "s", 0, DAY_S, "log", knee=30, order="arrival", missing=True),
    Feature("session_last_s", "last", "s", 0, DAY_S, "log", knee=30, order="arrival", missing=True),
    Feature("gap_mean_s", "all", "s", 0, 400 * DAY_S, "log", knee=1800, order="arrival", missing=True),
    Feature("gap_spread", "all", "log units", 0, 3, "linear", order="arrival", missing=True),
    Feature("gap_max_s", "all", "s", 0, 400 * DAY_S, "log", knee=1800, order="arrival", missing=True),
    Feature("gaps", "all", "pauses", 0, 100_000, "log", order="arrival"),
    Feature("gap_z", "all", "spreads", -6, 10, "linear", order="arrival", missing=True),
    Feature("gap_to_max", "all", "times", 0, 50, "log", knee=0.1, order="arrival", missing=True),
    Feature("trend_7d_28d", "7 d to 28 d", "log units", -4, 2, "linear"),
    Feature("burst_24h", "24 h to 28 d", "log units", -4, 4, "linear"),
    *_keys(),
    Feature("error_share", "half-life 7 d", "share", 0, 1, "linear"),
    Feature("revenue", "all", "money", 0, 1e7, "log"),
    Feature("purchases", "all", "purchases", 0, 100_000, "log"),
    Feature("purchase_recency_days", "all", "days", 0, 3_650, "log", knee=0.05, missing=True),
    Feature("hour_regularity", "half-life 30 d", "0 to 1", 0, 1, "linear"),
    Feature("hour_match", "half-life 30 d", "-1 to 1", -1, 1, "linear", missing=True),
    Feature("weekday", "now", "day", 0, 6, "category"),
    Feature("funnel_step", "all", "step", 0, 15, "category", order="arrival"),
    Feature("channel", "first", "channel", 0, 15, "category", order="arrival"),
)

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
Places = namedtuple("Places", NAMES)  # type: ignore[misc]  # noqa: PYI024 - the names are data: no class body and no type checker can spell them
AT: Any = Places(*range(len(NAMES)))
"""The place of each feature in the vector, by name; for compiled code these are constants, as in `out[AT.recency_s]`."""
INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}
WIDTH = len(FEATURES)


def _g(feature: Feature, x: float) -> float:
    return math.log1p(x / feature.knee) if feature.scale == "log" else x


def scale_tables() -> npt.NDArray[np.float64]:
    """Return what the compiled pass needs to code a value, float64 (F, 4): 1 for a log scale, 1 / knee, g(low), 254 / (g(high) - g(low))."""
    rows = []
    for feature in FEATURES:
        low, high = (_g(feature, bound) for bound in (feature.low, feature.high))
        rows.append([float(feature.scale == "log"), 1 / feature.knee, low, 254 / (high - low)])
    return np.array(rows, np.float64)


def decode_table() -> npt.NDArray[np.float32]:
    """Return the position of each code on its feature's scale, float32 (F, 256), 0 to 1; NaN for missing.

    >>> table = decode_table()
    >>> bool(np.isnan(table[0, 0])), float(table[0, 1]), float(table[0, 255])
    (True, 0.0, 1.0)
    """
    row = (np.arange(256, dtype=np.float32) - 1) / 254
    row[0] = np.nan
    return np.tile(row, (WIDTH, 1))


def value_table() -> npt.NDArray[np.float64]:
    """Return the value of each code in the feature's own unit, float64 (F, 256); NaN for missing.

    >>> round(float(value_table()[INDEX["active_days_7"], 255]))
    7
    """
    table = np.full((WIDTH, 256), np.nan)
    place = (np.arange(1, 256) - 1) / 254
    for row, feature in zip(table, FEATURES, strict=True):
        low, high = (_g(feature, bound) for bound in (feature.low, feature.high))
        g = low + place * (high - low)
        row[1:] = np.expm1(g) * feature.knee if feature.scale == "log" else g
    return table


_FIRST_WRITTEN_AS = {"97ef5f1abd87feae": "be77871580b93657"}
"""Today's fingerprint of a catalog -> the one of an older build, which covered the words as well. Apps that such a build started have the older
one in all that they stored, so it stays in use for that catalog."""


@cache
def catalog_fingerprint() -> str:
    """Return 16 hex digits over all rows without their words and units. Equal digits mean that stored vectors mean the same."""
    rows = [(row.name, row.window, row.low, row.high, row.scale, row.knee, row.order, row.missing) for row in FEATURES]
    meaning = hashlib.sha256(msgspec.json.encode(rows)).hexdigest()[:16]
    return _FIRST_WRITTEN_AS.get(meaning, meaning)


def catalog_markdown() -> str:
    """Return the table of features as the docs show it."""
    lines = ["| # | feature | window | unit | range | scale | order | may be missing |", "|---|---|---|---|---|---|---|---|"]
    for index, f in enumerate(FEATURES):
        lines.append(
            f"| {index} | `{f.name}` | {f.window} | {f.unit} | {f.low:g} to {f.high:g} | {f.scale} | {f.order} | {'yes' if f.missing else ''} |"
        )
    return "\n".join(lines) + "\n"
