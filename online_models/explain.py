"""Reasons for a risk: three in words, against the user's own habit; and what raises or lowers it most, in log-odds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.users.catalog import FEATURES, INDEX, value_table
from online_models.scorer import Scorer

_VALUES = value_table()
_SILENT = ("gap_z", "active_recency_s", "recency_s")
_FALLBACK = ("active_recency_s", "active_days_28", "count_28d", "trend_7d_28d")


def in_words(seconds: float) -> str:
    """Duration as people say it.

    >>> in_words(90), in_words(7_000), in_words(400_000)
    ('2 min', '1.9 h', '4.6 d')
    """
    if np.isnan(seconds):
        return "unknown"
    if seconds < 3_600:
        return f"{max(seconds, 60) / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"


def _value_in_words(index: int, vector: npt.NDArray[np.uint8]) -> str:
    feature, value = FEATURES[index], float(_VALUES[index, vector[index]])
    if np.isnan(value):
        return "unknown"
    if feature.unit == "s":
        return in_words(value)
    if feature.unit == "days":
        return f"{value:.0f} days" if value >= 10 or value == round(value) else f"{value:.1f} days"
    if feature.unit == "share":
        return f"{value:.0%}"
    if feature.unit == "log units":
        return f"{np.exp(value):.1f} times"
    return f"{value:.0f} {feature.unit}" if value >= 10 else f"{value:.1f} {feature.unit}"


def sentence(index: int, vector: npt.NDArray[np.uint8]) -> str:
    """Say one feature of a vector in the catalog's words."""
    habit = float(_VALUES[INDEX["gap_mean_s"], vector[INDEX["gap_mean_s"]]])
    silence = float(_VALUES[INDEX["active_recency_s"], vector[INDEX["active_recency_s"]]])
    return FEATURES[index].words.format(
        value=_value_in_words(index, vector),
        habit=in_words(habit) if not np.isnan(habit) else "not known yet",
        silence=in_words(silence),
    )


def importances(scorer: Scorer, vectors: npt.NDArray[np.uint8]) -> list[tuple[str, float]]:
    """Return every feature with the mean size of its term over some vectors, uint8 (n, F), in log-odds, the largest first.

    For sums of terms (logistic) the terms are exact; for networks and trees they are by occlusion (`online_models.scorer.occlusion`).
    """
    sizes = np.mean([np.abs(scorer.terms(vector)) for vector in vectors], axis=0)
    return [(FEATURES[index].name, float(sizes[index])) for index in np.argsort(-sizes, kind="stable").tolist()]


def contributions(scorer: Scorer, vector: npt.NDArray[np.uint8], most: int = 3) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Return what raises a user's risk most, and what lowers it most: (sentence, log-odds against the crowd), the largest first.

    Parameters
    ----------
    vector : uint8 (F,)

    Exact for sums of terms (logistic), by occlusion for networks and trees (`online_models.scorer.occlusion`).
    """
    terms = scorer.terms(vector)
    order = np.argsort(terms, kind="stable").tolist()
    named = [(f"{FEATURES[index].name}: {sentence(index, vector)}", float(terms[index])) for index in order]
    return [one for one in named[::-1] if one[1] > 0][:most], [one for one in named if one[1] < 0][:most]


def reasons(scorer: Scorer, vector: npt.NDArray[np.uint8]) -> list[str]:
    """Return exactly three sentences: what raises this user's risk most, in log-odds against the crowd.

    Parameters
    ----------
    vector : uint8 (F,)

    Features that say the same (how long the silence lasts) are given once.
    """
    terms = scorer.terms(vector)
    chosen: list[int] = []
    for index in np.argsort(-terms, kind="stable").tolist():
        if terms[index] <= 0 or len(chosen) == 3:
            break
        if FEATURES[index].name in _SILENT and any(FEATURES[other].name in _SILENT for other in chosen):
            continue
        chosen.append(index)
    for name in _FALLBACK:
        repeats = name in _SILENT and any(FEATURES[other].name in _SILENT for other in chosen)
        if len(chosen) < 3 and INDEX[name] not in chosen and not repeats:
            chosen.append(INDEX[name])
    return [sentence(index, vector) for index in chosen[:3]]
