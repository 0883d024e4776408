"""What stands on top of a page? Figures, each with what it is of, since when, and its definition one click away."""

from __future__ import annotations

from typing import NamedTuple

from insights.past.bands import BandName


class Tile(NamedTuple):
    """One figure.

    Attributes
    ----------
    about : str
        Of what, of how many, and since when.
    means : str
        Its definition.
    beside : str
        What belongs to the value, such as its interval.
    band : BandName or None
        The band of a risk.
    change : str
        Against an earlier time; `good` says whether that is good, None where it is neither.
    href : str
        Where the people behind the value are listed.
    """

    name: str
    value: str
    about: str
    means: str
    beside: str = ""
    band: BandName | None = None
    change: str = ""
    good: bool | None = None
    href: str = ""
