"""How high is a risk? Bands with a name, so that a list can be cut and a figure can be read at a glance."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

HALF = 0.005
"""Half a per cent."""
BandName = Literal["critical", "high", "elevated", "low"]


class Band(NamedTuple):
    """Risks from `low` on, up to the band above, as whole per cents: what counts is what is shown, so that no "85%" stands outside of "85% and more".

    Attributes
    ----------
    name : BandName
        Also names its colour and its word.
    low : float
        Least risk of the band, 0 to 1.
    """

    name: BandName
    low: float

    @property
    def least(self) -> float:
        """Least risk that is shown as `low` or more, 0 to 1. Python and the store compare with this one number."""
        return max(0.0, self.low - HALF)


BANDS: tuple[Band, ...] = (Band("critical", 0.85), Band("high", 0.70), Band("elevated", 0.50), Band("low", 0.0))
"""The riskiest first. They do not depend on the threshold of alerts, so that a band means the same in every installation."""
NAMES: tuple[BandName, ...] = get_args(BandName)


def band_of(risk: float) -> BandName:
    """Return the band of a risk, 0 to 1.

    >>> [band_of(risk) for risk in (0.85, 0.8499, 0.8449, 0.5, 0.0)]
    ['critical', 'critical', 'high', 'elevated', 'low']
    """
    return next(band.name for band in BANDS if risk >= band.least)


def upper(name: BandName) -> float:
    """Return the risk at which a band ends, 0 to 1.

    >>> upper("critical"), upper("low")
    (1.0, 0.5)
    """
    place = NAMES.index(name)
    return BANDS[place - 1].low if place else 1.0
