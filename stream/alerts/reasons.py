"""Reasons of an alert: which of the things that can be said of a user are said, and with which numbers.

A model names features, in log-odds, but a support person asks what happened. So a row gathers the features that mean the same thing, and gives
its number, together with what is usual for this user where that is known::

    Row("silence", features=("recency_s", "gap_z", ...), now=_silence, usual="gap_mean_s")
    -> ReasonCode(code="silence", now=846700.0, usual=82800.0, unit="seconds")
    -> "No activity for 9.8 days; usually back within 23 hours"      (`stream.alerts.templates` has the words)

Rows of one topic would repeat each other, so only one row of each topic is used. A window in which nothing happened is no reason of its own:
the silence is the reason. Values are those of the coded vector, which the model saw (`stream.alerts.values`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import isnan, log, nan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.users.catalog import NAMES
from features.users.spec import FeatureSpec
from features.users.state import KEYS
from stream.alerts.message import ReasonCode
from stream.alerts.sentences import NOTHING, Unsayable, say
from stream.alerts.templates import TEMPLATES
from stream.alerts.values import Values, kept

_DAY_S = 86_400.0
_LN2 = log(2)
MOST = 3
"""Reasons of an alert."""

Number = Callable[[Values], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can be said of a user.

    Attributes
    ----------
    code : str
        Names it for programs; its sentence is `TEMPLATES[code]`.
    topic : str
        Of several rows with the same topic, only one is used.
    features : tuple of str
        Features of the catalog that lead to it.
    now : str or callable
        The value that is said, in the template's unit: a feature, or computed from several. By default the feature that the template counts.
    usual : str or callable, optional
        What is usual for this user, in the same unit; NaN where it is not known.
    begins_days : int
        How many days ago the window begins. After a silence as long as that, the row on silence is used in place of "nothing".
    whole : str
        Code of the row that is used instead for a user who joined after the window began.
    """

    code: str
    topic: str
    features: tuple[str, ...]
    now: str | Number = ""
    usual: str | Number | None = None
    begins_days: int = 0
    whole: str = ""


class Reason(NamedTuple):
    """One reason: for programs, and as an English sentence, which is made from the code alone."""

    code: ReasonCode
    text: str


def _silence(v: Values) -> float:
    return v["recency_s"] if isnan(v["active_recency_s"]) else v["active_recency_s"]


def _in_seconds(days: str) -> Number:
    return lambda v: v[days] * _DAY_S


def _usual_of(window: str, days: int) -> Number:
    """Return the usual value of a window: that of the rest of the last 28 days, scaled to its length; NaN before the user has been here for 28 days."""
    whole = "active_days_28" if window.startswith("active") else "count_28d"
    return lambda v: max(v[whole] - v[window], 0.0) * days / (28 - days) if v["tenure_days"] >= 28 else nan


def _usual_month(v: Values) -> float:
    before = v["tenure_days"] - 28
    return max(v["count_total"] - v["count_28d"], 0.0) * 28 / before if before >= 28 else nan


def _usual_days_of_28(v: Values) -> float:
    return max(v["active_days_64"] - v["active_days_28"], 0.0) * 28 / 36 if v["tenure_days"] >= 64 else nan


def _a_week(feature: str) -> Number:
    """Return the weekly amount behind a sum that halves every 7 days: of something that happens r times a week it settles at r / ln 2."""
    return lambda v: v[feature] * _LN2


def _key_rows(slot: int) -> list[Row]:
    count, value = f"key_{slot}_count", f"key_{slot}_value"
    return [
        Row(f"key_event_{slot}", f"key {slot}", (count,), _a_week(count)),
        Row(f"key_value_{slot}", f"key {slot}", (value,), _a_week(value)),
    ]


ROWS: tuple[Row, ...] = (
    Row("silence", "silence", ("recency_s", "active_recency_s", "gap_z", "gap_mean_s"), _silence, "gap_mean_s"),
    Row("longest_break", "silence", ("gap_to_max", "gap_max_s"), _silence, "gap_max_s"),
    Row("actions_1h", "actions", ("count_1h",)),
    Row("actions_24h", "actions", ("count_24h", "decayed_1d", "burst_24h"), usual=_usual_of("count_24h", 1)),
    Row(
        "actions_7d", "actions", ("count_7d", "decayed_7d", "trend_7d_28d"), usual=_usual_of("count_7d", 7), begins_days=7, whole="actions"
    ),
    Row("actions_28d", "actions", ("count_28d", "decayed_30d"), usual=_usual_month, begins_days=28, whole="actions"),
    Row("actions", "actions", ("count_total",)),
    Row("active_days_7", "active days", ("active_days_7",), usual=_usual_of("active_days_7", 7), begins_days=7, whole="active_days"),
    Row("active_days_28", "active days", ("active_days_28",), usual=_usual_days_of_28, begins_days=28, whole="active_days"),
    Row("active_days_64", "active days", ("active_days_64",), begins_days=64, whole="active_days"),
    Row("active_days_8_14", "active days", ("active_days_8_14",), begins_days=14, whole="active_days"),
    Row("active_days_15_28", "active days", ("active_days_15_28",), begins_days=28, whole="active_days"),
    Row("active_days", "active days", ("active_days_total",)),
    Row("active_share", "active days", ("active_share",), "active_share"),
    Row("streak", "rhythm", ("streak_days",)),
    Row("day_gap", "rhythm", ("day_gap_days",)),
    Row("steadiness", "rhythm", ("gap_spread",), "gap_spread"),
    Row("tenure", "age", ("tenure_days",), _in_seconds("tenure_days")),
    Row("visits", "visits", ("sessions",)),
    Row("returns", "visits", ("gaps",)),
    Row("visit_length", "visits", ("session_mean_s",), "session_mean_s"),
    Row("last_visit", "visits", ("session_last_s",), "session_last_s", "session_mean_s"),
    Row("errors", "errors", ("error_share",), "error_share"),
    Row("spent", "money", ("revenue",), "revenue"),
    Row("purchases", "money", ("purchases",)),
    Row("last_purchase", "money", ("purchase_recency_days",), _in_seconds("purchase_recency_days")),
    Row("time_of_day", "time of day", ("hour_regularity",), "hour_regularity"),
    Row("funnel", "funnel", ("funnel_step",), "funnel_step"),
    Row("channel", "channel", ("channel",), "channel"),
    *(row for slot in range(KEYS) for row in _key_rows(slot)),
)
UNSAID = {"weekday": "it says what day it is, nothing of the user", "hour_match": "it says what time it is, when the user was judged"}
"""Features that are never a reason, and why."""
_BY_CODE = {row.code: row for row in ROWS}
_OF_ROW = np.array([[name in row.features for row in ROWS] for name in NAMES], np.float64)
"""Which features, down, a row is about, across: a user's terms times it are the sums by row."""
_ALWAYS = tuple(_BY_CODE[code] for code in ("silence", "active_days_28", "actions_28d", "active_days", "actions"))
"""Used, in this order, when the model names fewer than three reasons: every user has an age and a total, whatever else is missing."""


def reasons(terms: npt.NDArray[np.float64], vector: npt.NDArray[np.uint8], names: FeatureSpec) -> list[Reason]:
    """Return exactly three reasons, the strongest first, none of which repeats another.

    Parameters
    ----------
    terms : float64 (F,)
        What each feature adds to the log-odds of churn, compared with the crowd. Only features that add to them are reasons.
    vector : uint8 (F,)
        The coded features that were scored.
    names : FeatureSpec
        Has the names of key events, funnel steps and channels.
    """
    leading = (row for row, size in _by_size(terms) if size > 0)
    return [reason for reason, _ in _first(chain(leading, _ALWAYS), Values(vector), names)]


def contributions(
    terms: npt.NDArray[np.float64], vector: npt.NDArray[np.uint8], names: FeatureSpec
) -> tuple[list[tuple[ReasonCode, float]], list[tuple[ReasonCode, float]]]:
    """Return what raises a user's risk most, and what lowers it most: at most three (reason, log-odds against the crowd) each.

    A topic that raises the risk does not appear again among what lowers it.
    """
    sized, values = list(_by_size(terms)), Values(vector)
    sizes = {row.code: size for row, size in sized}
    raises = _first((row for row, size in sized if size > 0), values, names)
    used = {_BY_CODE[reason.code.code].topic for reason, _ in raises}
    lowers = _first((row for row, size in reversed(sized) if size < 0), values, names, used)
    return [(reason.code, sizes[row.code]) for reason, row in raises], [(reason.code, sizes[row.code]) for reason, row in lowers]


def _by_size(terms: npt.NDArray[np.float64]) -> Iterator[tuple[Row, float]]:
    """Yield all rows with the sum of their features' terms, the largest first."""
    sizes = terms @ _OF_ROW
    for number in (-sizes).argsort(kind="stable").tolist():
        yield ROWS[number], float(sizes[number])


def _first(rows: Iterable[Row], values: Values, names: FeatureSpec, used: Collection[str] = ()) -> list[tuple[Reason, Row]]:
    """Return the first three reasons of different topics, none of them in `used`, each with the row that led to it."""
    found: dict[str, tuple[Reason, Row]] = {}
    for row in rows:
        code = _code(row, values)
        if code is None or (topic := _BY_CODE[code.code].topic) in found or topic in used:
            continue
        try:
            text = say(code, names, "en")
        except Unsayable:  # nothing is configured under this number
            continue
        found[topic] = Reason(code, text), row
        if len(found) == MOST:
            break
    return list(found.values())


def _code(row: Row, values: Values) -> ReasonCode | None:
    """Return a row's reason, or the silence in its place; None where its value is missing."""
    if row.whole and values["tenure_days"] < row.begins_days:
        row = _BY_CODE[row.whole]
    template = TEMPLATES[row.code]
    now = _number(row.now or template.counts, values)
    if isnan(now):
        return None
    is_nothing = not template.bounds and now <= NOTHING[template.unit]
    if is_nothing and (not template.en.none or _silence(values) >= row.begins_days * _DAY_S > 0):
        return _code(_BY_CODE["silence"], values)
    usual = nan if row.usual is None else _number(row.usual, values)
    return ReasonCode(row.code, now, None if isnan(usual) else usual, template.unit)


def _number(of: str | Number, values: Values) -> float:
    return values[of] if isinstance(of, str) else kept(of(values))
