"""Reasons of an alert, in words for whoever looks after the customer: one table, a row for each thing that can be said.

A model names features, in log-odds, but a support person asks what happened. So a row gathers the features that mean the same thing, and says
it in words, together with what is usual for this user where that is known::

    Row("silence", features=("recency_s", "gap_z", ...), now="active_recency_s", usual="gap_mean_s", ...)
    -> Reason(code="silence", now=846720.0, usual=82800.0, unit="seconds", text="No activity for 9.8 days; usually back within 23 hours")

Rows of one topic would repeat each other, so only one row of each topic is used. A window in which nothing happened is no reason of its own:
the silence is the reason. Values are those of the coded vector, which the model saw. It holds large counts to a few per cent only, so they are
said with "about".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from features.users.catalog import FEATURES, INDEX, NAMES, value_table
from features.users.spec import OTHER_CHANNEL, FeatureSpec
from features.users.state import KEYS

_VALUES = value_table()
_DAY_S = 86_400.0
_LN2 = float(np.log(2))
MOST = 3
"""Reasons of an alert."""

Unit = Literal["seconds", "actions", "active days", "days", "visits", "times", "purchases", "money", "share", "text"]
Values = Mapping[str, float]
"""A vector by name, in the features' own units; NaN is missing."""

NOUNS: dict[Unit, tuple[str, str]] = {
    "actions": ("action", "actions"),
    "days": ("day", "days"),
    "visits": ("visit", "visits"),
    "purchases": ("purchase", "purchases"),
    "times": ("time", "times"),
}
"""Singular and plural of each unit that is said with its number."""


def _short(value: float) -> str:
    """Write a number with at most one decimal, and without a decimal that is zero."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def duration(seconds: float) -> str:
    """Say how long something lasted. Raises ValueError when the number of seconds is negative or NaN.

    >>> duration(20), duration(60), duration(3_600), duration(82_800), duration(172_800), duration(846_720), duration(3_000_000)
    ('less than a minute', '1 minute', '1 hour', '23 hours', '2 days', '9.8 days', '35 days')
    """
    if not seconds >= 0:
        raise ValueError(f"a duration must not be negative, got {seconds}")
    for size, unit, limit in ((60, "minute", 59.5), (3_600, "hour", 47.5), (_DAY_S, "day", np.inf)):
        if seconds / size < limit:
            if unit == "minute" and seconds < 55:
                return "less than a minute"
            text = f"{max(1, round(seconds / 60))}" if unit == "minute" else _short(max(1.0, seconds / size))
            return f"{text} {unit}" if text == "1" else f"{text} {unit}s"
    raise AssertionError("the last limit is infinite")


def _rounded(value: float, exact: bool) -> str:
    """Write a whole number, or where it is not exact, "about" and its first two digits.

    >>> _rounded(7.1, True), _rounded(1_234.0, False), _rounded(3.4, False)
    ('7', 'about 1,200', 'about 3')
    """
    if exact or value < 1:
        return f"{value:,.0f}"
    digits = 1 - int(np.floor(np.log10(value)))
    return f"about {round(value, min(digits, 0)):,.0f}"


def percent(share: float) -> str:
    """Say a share (0 to 1) in per cent.

    >>> percent(0.256), percent(0.004), percent(0.999)
    ('26%', 'less than 1%', '99%')
    """
    if 0 < share < 0.01:
        return "less than 1%"
    return f"{min(share, 0.99) if share < 1 else 1.0:.0%}"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can be said of a user.

    Attributes
    ----------
    code : str
        Names it for programs; never changes.
    topic : str
        Of several rows with the same topic, only one is used.
    features : tuple of str
        Features of the catalog that lead to it.
    now : str or callable
        The value that is said: a feature, or computed from several.
    unit : str
        Unit of `now` and `usual`.
    words : str
        The sentence; `{now}` is the value with its noun, `{n}` the bare number.
    usual : str or callable, optional
        What is usual for this user, in the same unit; NaN where it is not known.
    compared : str
        Added to the sentence where the usual value is known and differs from `now`.
    none : str
        The sentence for a value of zero. Where it is empty, nothing has happened since, so the row on silence is used instead.
    begins_days : int
        How many days ago the window begins. After a silence as long as that, the row on silence is used instead.
    whole : str
        Code of the row that is used instead for a user who joined after the window began.
    bands : tuple of (upper bound, sentence)
        Sentences in place of `words`, for values that nobody counts.
    """

    code: str
    topic: str
    features: tuple[str, ...]
    now: str | Callable[[Values], float]
    unit: Unit
    words: str = ""
    usual: str | Callable[[Values], float] | None = None
    compared: str = ""
    none: str = ""
    begins_days: int = 0
    whole: str = ""
    bands: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: for programs, and as a sentence.

    Attributes
    ----------
    now, usual : float or None
        In `unit`; None where there is no number to it.
    """

    code: str
    now: float | None
    usual: float | None
    unit: Unit
    text: str


def _silence(v: Values) -> float:
    return v["recency_s"] if np.isnan(v["active_recency_s"]) else v["active_recency_s"]


def _usual_of(window: str, days: int) -> Callable[[Values], float]:
    """Return the usual value of a window: that of the rest of the last 28 days, scaled to its length; NaN before the user has been here for 28 days."""
    whole = "active_days_28" if window.startswith("active") else "count_28d"
    return lambda v: max(v[whole] - v[window], 0.0) * days / (28 - days) if v["tenure_days"] >= 28 else np.nan


def _usual_month(v: Values) -> float:
    before = v["tenure_days"] - 28
    return max(v["count_total"] - v["count_28d"], 0.0) * 28 / before if before >= 28 else np.nan


def _usual_days_of_28(v: Values) -> float:
    return max(v["active_days_64"] - v["active_days_28"], 0.0) * 28 / 36 if v["tenure_days"] >= 64 else np.nan


def _key_rows(slot: int) -> list[Row]:
    count, value = f"key_{slot}_count", f"key_{slot}_value"
    name = f"“{{key_{slot}}}”"
    # a sum that halves every 7 days, of something that happens r times a week, settles at r / ln 2
    return [
        Row(f"key_event_{slot}", f"key {slot}", (count,), lambda v: v[count] * _LN2, "times",
            bands=((0.05, f"No {name} lately"), (1.5, f"{name} about once a week or less, lately"), (np.inf, f"{name} about {{n}} times a week, lately"))),
        Row(f"key_value_{slot}", f"key {slot}", (value,), lambda v: v[value] * _LN2, "money",
            bands=((0.5, f"No {name} of any value lately"), (np.inf, f"{name} worth {{now}} a week, lately"))),
    ]  # fmt: skip


ROWS: tuple[Row, ...] = (
    Row("silence", "silence", ("recency_s", "active_recency_s", "gap_z", "gap_mean_s"), _silence, "seconds",
        "No activity for {now}", "gap_mean_s", "; usually back within {usual}", none="Active within the last minute"),
    Row("longest_break", "silence", ("gap_to_max", "gap_max_s"), _silence, "seconds",
        "No activity for {now}", "gap_max_s", "; the longest break so far was {usual}", none="Active within the last minute"),
    Row("actions_1h", "actions", ("count_1h",), "count_1h", "actions", "{now} in the last hour"),
    Row("actions_24h", "actions", ("count_24h", "decayed_1d", "burst_24h"), "count_24h", "actions",
        "{now} in the last 24 hours", _usual_of("count_24h", 1), "; usually {usual}"),
    Row("actions_7d", "actions", ("count_7d", "decayed_7d", "trend_7d_28d"), "count_7d", "actions",
        "{now} in the last 7 days", _usual_of("count_7d", 7), "; usually {usual}", begins_days=7, whole="actions"),
    Row("actions_28d", "actions", ("count_28d", "decayed_30d"), "count_28d", "actions",
        "{now} in the last 28 days", _usual_month, "; usually {usual}", begins_days=28, whole="actions"),
    Row("actions", "actions", ("count_total",), "count_total", "actions", "{now} since they joined", none="No action on record"),
    Row("active_days_7", "active days", ("active_days_7",), "active_days_7", "active days",
        "Active on {now} of the last 7 days", _usual_of("active_days_7", 7), "; usually on {usual}", begins_days=7, whole="active_days"),
    Row("active_days_28", "active days", ("active_days_28",), "active_days_28", "active days",
        "Active on {now} of the last 28 days", _usual_days_of_28, "; usually on {usual}", begins_days=28, whole="active_days"),
    Row("active_days_64", "active days", ("active_days_64",), "active_days_64", "active days", "Active on {now} of the last 64 days", begins_days=64, whole="active_days"),
    Row("active_days_8_14", "active days", ("active_days_8_14",), "active_days_8_14", "days",
        "Active on {now} one to two weeks ago", none="Not active one to two weeks ago", begins_days=14, whole="active_days"),
    Row("active_days_15_28", "active days", ("active_days_15_28",), "active_days_15_28", "days",
        "Active on {now} two to four weeks ago", none="Not active two to four weeks ago", begins_days=28, whole="active_days"),
    Row("active_days", "active days", ("active_days_total",), "active_days_total", "days",
        "Active on {now} since they joined", none="Not active on any day so far"),
    Row("active_share", "active days", ("active_share",), "active_share", "share",
        "Active on {now} of the days since they joined", none="Not active on any day so far"),
    Row("streak", "rhythm", ("streak_days",), "streak_days", "days",
        "The last run of active days was {now} long", none="Not active on any day so far"),
    Row("day_gap", "rhythm", ("day_gap_days",), "day_gap_days", "days",
        bands=((1.5, "The last two active days followed each other"), (63.5, "{now} between the last two active days"),
               (np.inf, "More than two months between the last two active days"))),
    Row("steadiness", "rhythm", ("gap_spread",), "gap_spread", "text",
        bands=((0.5, "Comes back at steady intervals"), (1.0, "Comes back at fairly steady intervals"), (np.inf, "Comes back at irregular intervals"))),
    Row("tenure", "age", ("tenure_days",), lambda v: v["tenure_days"] * _DAY_S, "seconds", "Joined {now} ago", none="Joined just now"),
    Row("visits", "visits", ("sessions",), "sessions", "visits", "{now} since they joined", none="No visit on record"),
    Row("returns", "visits", ("gaps",), "gaps", "times", "Came back {now} since they joined", none="Has not come back yet"),
    Row("visit_length", "visits", ("session_mean_s",), "session_mean_s", "seconds",
        "An average visit lasts {now}", none="An average visit lasts less than a minute"),
    Row("last_visit", "visits", ("session_last_s",), "session_last_s", "seconds", "The last full visit lasted {now}",
        "session_mean_s", "; usually {usual}", none="The last full visit lasted less than a minute"),
    Row("errors", "errors", ("error_share",), "error_share", "share", "{now} of recent actions were errors", none="No errors lately"),
    Row("spent", "money", ("revenue",), "revenue", "money", "Spent {now} since they joined", none="Has not spent anything yet"),
    Row("purchases", "money", ("purchases",), "purchases", "purchases", "{now} since they joined", none="No purchase yet"),
    Row("last_purchase", "money", ("purchase_recency_days",), lambda v: v["purchase_recency_days"] * _DAY_S, "seconds",
        "Last purchase {now} ago", none="Last purchase just now"),
    Row("time_of_day", "time of day", ("hour_regularity",), "hour_regularity", "text",
        bands=((0.4, "Comes at any time of the day"), (0.75, "Comes at roughly the same time of day"), (np.inf, "Comes at the same time of day"))),
    Row("funnel", "funnel", ("funnel_step",), "funnel_step", "text",
        bands=((0.5, "Has not reached “{step}” yet"), (np.inf, "Furthest step so far: “{step}”"))),
    Row("channel", "channel", ("channel",), "channel", "text",
        bands=((0.5, "How they came to us is not known"), (OTHER_CHANNEL - 0.5, "Came through “{channel}”"), (np.inf, "Came through a channel that is not listed"))),
    *(row for slot in range(KEYS) for row in _key_rows(slot)),
)  # fmt: skip
UNSAID = {"weekday": "it says what day it is, nothing of the user", "hour_match": "it says what time it is, when the user was judged"}
"""Features that are never a reason, and why."""
_BY_CODE = {row.code: row for row in ROWS}
_ALWAYS = ("silence", "active_days_28", "actions_28d", "active_days", "actions")
"""Used, in this order, when the model names fewer than three reasons: every user has an age and a total, whatever else is missing."""


def values_of(vector: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Return the values of a coded vector, uint8 (F,), by name and in the features' own units; NaN is missing."""
    return dict(zip(NAMES, _VALUES[np.arange(len(FEATURES)), vector].tolist(), strict=True))


def reasons(terms: npt.NDArray[np.float64], vector: npt.NDArray[np.uint8], spec: FeatureSpec) -> list[Reason]:
    """Return exactly three reasons, the strongest first, none of which repeats another.

    Parameters
    ----------
    terms : float64 (F,)
        What each feature adds to the log-odds of churn, compared with the crowd. Only features that add to them are reasons.
    vector : uint8 (F,)
        The coded features that were scored.
    spec : FeatureSpec
        Has the names of key events, funnel steps and channels.
    """
    leading = [row for row, size in _by_size(terms) if size > 0]
    return [reason for reason, _ in _first([*leading, *(_BY_CODE[code] for code in _ALWAYS)], vector, spec)]


def contributions(
    terms: npt.NDArray[np.float64], vector: npt.NDArray[np.uint8], spec: FeatureSpec
) -> tuple[list[tuple[Reason, float]], list[tuple[Reason, float]]]:
    """Return what raises a user's risk most, and what lowers it most: at most three (reason, log-odds against the crowd) each.

    A topic that raises the risk does not appear again among what lowers it.
    """
    sized = _by_size(terms)
    sizes = {row.code: size for row, size in sized}
    raises = _first([row for row, size in sized if size > 0], vector, spec)
    used = {_BY_CODE[one.code].topic for one, _ in raises}
    lowers = _first([row for row, size in reversed(sized) if size < 0], vector, spec, used)
    return [(one, sizes[code]) for one, code in raises], [(one, sizes[code]) for one, code in lowers]


def _by_size(terms: npt.NDArray[np.float64]) -> list[tuple[Row, float]]:
    """Return all rows with the sum of their features' terms, the largest first."""
    sizes = [(row, float(sum(terms[INDEX[name]] for name in row.features))) for row in ROWS]
    return sorted(sizes, key=lambda pair: -pair[1])


def _first(rows: Sequence[Row], vector: npt.NDArray[np.uint8], spec: FeatureSpec, used: Collection[str] = ()) -> list[tuple[Reason, str]]:
    """Return the first three reasons of different topics, none of them in `used`, each with the code of the row that led to it."""
    values = values_of(vector)
    found: dict[str, tuple[Reason, str]] = {}
    for row in rows:
        said = _said(row, values, vector, spec)
        if said is not None and _BY_CODE[said.code].topic not in used:
            found.setdefault(_BY_CODE[said.code].topic, (said, row.code))
        if len(found) == MOST:
            break
    return list(found.values())


def _value(of: str | Callable[[Values], float], values: Values) -> float:
    return values[of] if isinstance(of, str) else of(values)


def _said(row: Row, values: Values, vector: npt.NDArray[np.uint8], spec: FeatureSpec) -> Reason | None:
    if row.whole and values["tenure_days"] < row.begins_days:
        row = _BY_CODE[row.whole]
    now = _value(row.now, values)
    if np.isnan(now):
        return None
    if row.bands:
        return _banded(row, now, spec)
    spoken = _spoken(row, now, vector)
    if spoken.split()[0] == "0" or (spoken.startswith("less than a") and row.none):
        if row.none and not _silence(values) >= row.begins_days * _DAY_S > 0:
            return Reason(row.code, 0.0, None, row.unit, row.none)
        return _said(_BY_CODE["silence"], values, vector, spec)
    usual = np.nan if row.usual is None else _value(row.usual, values)
    text, compared = row.words.format(now=spoken), _compared(row, spoken, usual)
    return Reason(row.code, now, usual if compared else None, row.unit, text[0].upper() + text[1:] + compared)


def _compared(row: Row, spoken: str, usual: float) -> str:
    """Say what is usual, unless that is unknown, next to nothing, or reads the same as the present value."""
    if np.isnan(usual) or (usual < 0.5 and row.unit != "seconds"):
        return ""
    said = duration(max(usual, 60.0)) if row.unit == "seconds" else _rounded(usual, usual < 20)
    return "" if f"{spoken} ".startswith(f"{said} ") else row.compared.format(usual=said)


def _spoken(row: Row, now: float, vector: npt.NDArray[np.uint8]) -> str:
    if row.unit == "seconds":
        return duration(now)
    if row.unit == "share":
        return percent(now) if now > 0 else "0"
    if row.unit == "money":
        return _rounded(now, exact=False)
    exact = isinstance(row.now, str) and _is_exact(INDEX[row.now], int(vector[INDEX[row.now]]))
    number = _rounded(now, exact)
    if row.unit == "active days":
        return number
    one, many = NOUNS[row.unit]
    return f"{number} {one if number == '1' else many}"


def _is_exact(feature: int, code: int) -> bool:
    """Whether only one whole number has this code: the next codes are less than one away."""
    row = _VALUES[feature]
    return bool(row[min(code + 1, 255)] - row[code] < 1)


def _banded(row: Row, now: float, spec: FeatureSpec) -> Reason | None:
    words = next(words for bound, words in row.bands if now < bound)
    number = round(now)
    names: dict[str, Any] = {"n": f"{max(now, 0):,.0f}", "now": _rounded(now, exact=False) if row.unit == "money" else f"{number} days"}
    if row.code == "funnel":
        names["step"] = spec.funnel[max(number - 1, 0)] if max(number, 1) <= len(spec.funnel) else None
    if row.code == "channel":
        names["channel"] = spec.channels[number - 1] if 1 <= number <= len(spec.channels) else None
    names |= {f"key_{slot}": spec.key_events[slot] if slot < len(spec.key_events) else None for slot in range(KEYS)}
    if any(value is None and f"{{{name}}}" in words for name, value in names.items()):
        return None  # nothing is configured under this number
    is_number = row.unit != "text"
    return Reason(row.code, now if is_number else None, None, row.unit, words.format(**names))
