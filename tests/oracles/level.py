"""The level of a model and the worth of its corrections, from all labels at once and by plain loops: what the fast ones must equal."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

import numpy as np

DAY_MS = 86_400_000


class Batch(NamedTuple):
    """Labels that matured together, and what was known of them before they did."""

    days: Sequence[int]
    odds: Sequence[float]
    labels: Sequence[int]
    corrections: Sequence[tuple[float, float]]


def sigmoid(odds: float) -> float:
    """Return the probability with these log-odds."""
    return 1 / (1 + exp(-odds))


def level_after(batches: Sequence[Batch], now_ms: int, horizon_days: float, memory: float, spread: float, prior: float) -> float:
    """Return the shift after some batches, each looked at on the day of its newest landmark, and at last at `now_ms`."""
    shift, told = 0.0, list[tuple[int, float, float]]()
    for number, batch in enumerate(batches):
        for day, odds, label in zip(batch.days, batch.odds, batch.labels, strict=True):
            p = sigmoid(odds + shift)
            told.append((day, p * (1 - p), shift + (label - p) / (p * (1 - p))))
        last = number == len(batches) - 1
        today = now_ms / DAY_MS if last else max(day for day, _, _ in told)
        above = below = 0.0
        for day in {day for day, _, _ in told}:
            weight = sum(w for d, w, _ in told if d == day)
            level = sum(w * at for d, w, at in told if d == day) / weight
            share = exp(-max(today - day, 0) / (memory * horizon_days)) / (spread**2 + 1 / weight)
            above, below = above + share * level, below + share
        shift = above / (below + 1 / prior**2)
    return shift


def worth_after(batches: Sequence[Batch], memory_days: float, spread: float, prior: float) -> tuple[float, float]:
    """Return what two corrections have been worth after some batches: ridge regression on all labels so far, a step a batch."""
    worth, told = np.ones(2), list[tuple[int, float, float, tuple[float, float]]]()
    for batch in batches:
        for day, odds, label, both in zip(batch.days, batch.odds, batch.labels, batch.corrections, strict=True):
            corrected = float(worth @ both)
            p = sigmoid(odds + corrected)
            told.append((day, p * (1 - p), corrected + (label - p) / (p * (1 - p)), both))
        newest = max(day for day, *_ in told)
        products, slopes = np.eye(2) / prior**2, np.ones(2) / prior**2
        for day, weight, response, both in told:
            of_day = sum(w for d, w, _, _ in told if d == day)
            share = weight * exp(-(newest - day) / memory_days) / (1 + spread**2 * of_day)
            products, slopes = products + share * np.outer(both, both), slopes + share * response * np.array(both)
        worth = np.clip(np.linalg.solve(products, slopes), 0, 1)
    return float(worth[0]), float(worth[1])
