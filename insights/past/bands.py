"""Into which band a risk falls. Bands are words for people; the engine knows the threshold only."""

from __future__ import annotations

from typing import Literal

Band = Literal["critical", "high", "elevated"]
BANDS: dict[Band, float] = {"critical": 0.85, "high": 0.70, "elevated": 0.0}
"""Least risk of each band, highest first. The last one begins at the threshold of the alerts, since below it nobody is flagged."""


def band_of(risk: float) -> Band:
    """Return the band of a flagged person's risk.

    >>> band_of(0.85), band_of(0.8499), band_of(0.5)
    ('critical', 'high', 'elevated')
    """
    return next(band for band, least in BANDS.items() if risk >= least)
