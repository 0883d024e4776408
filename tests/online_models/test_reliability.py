"""The excess of a perfect forecaster is nothing, however few scores there are; a wrong level shows."""

from __future__ import annotations

import numpy as np
import pytest

from online_models.reliability import reliability


@pytest.mark.parametrize("n", [1_000, 5_000])
def test_a_perfect_forecaster_has_no_excess_and_a_wrong_level_has(n: int) -> None:
    rng = np.random.default_rng(n)
    excess, shifted = [], []
    for _ in range(20):
        risk = rng.beta(2, 3, n)
        labels = rng.random(n) < risk
        excess.append(reliability(labels, risk, draws=20).excess)
        shifted.append(reliability(labels, np.clip(risk - 0.1, 0, 1), draws=20).excess)
    assert abs(np.mean(excess)) < 0.01
    assert np.mean(shifted) > 0.05


def test_a_thousand_scores_of_a_perfect_forecaster_are_off_by_three_points() -> None:
    risk = np.random.default_rng(1).random(1_000)
    assert 0.02 < reliability(risk > 0.5, risk).floor < 0.04


def test_outcomes_of_one_user_are_drawn_together() -> None:
    risk, users = np.random.default_rng(2).random(2_000), np.repeat(np.arange(40), 50)
    assert reliability(risk > 0.5, risk, users).floor > 1.5 * reliability(risk > 0.5, risk).floor


def test_bins_hold_equally_many() -> None:
    """By hand: two halves, of which one is right and one is off by .2."""
    scores = np.repeat([0.25, 0.75], 500)
    labels = np.concatenate([np.arange(500) % 4 == 0, np.arange(500) % 20 < 11])
    assert reliability(labels, scores).ece == pytest.approx(0.1, abs=0.01)
