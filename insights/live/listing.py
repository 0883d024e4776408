"""Which rows of the board are shown, in which order, and what do they add up to? Pure: the list and every figure beside it come from the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import Literal, get_args

import msgspec

from insights.live.board import Board, Listed
from insights.past.bands import NAMES, BandName

SURE = 1.96
"""Standard deviations to each side of an interval of 95%."""
Sort = Literal["risk", "value", "newest", "left"]
SORTS: tuple[Sort, ...] = get_args(Sort)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to see. An empty one lets everything through.

    Attributes
    ----------
    definition : str
    channel : str
        See `insights.live.people.channel_names`.
    band : BandName or ""
    topic : str
        What one of the reasons is about.
    text : str
        Part of the person's id, in any case.
    sort : Sort
    """

    definition: str
    channel: str = ""
    band: BandName | Literal[""] = ""
    topic: str = ""
    text: str = ""
    sort: Sort = "risk"

    @property
    def set(self) -> tuple[str, ...]:
        """Names of the filters that leave something out, other than the definition."""
        return tuple(name for name in CUTS if getattr(self, name))

    def without(self, *names: str) -> Filters:
        """Return these filters without some of them."""
        return msgspec.structs.replace(self, **dict.fromkeys(names, ""))


CUTS: dict[str, Callable[[Listed, Filters], bool]] = {
    "channel": lambda row, wanted: row.known.channel == wanted.channel,
    "band": lambda row, wanted: row.band == wanted.band,
    "topic": lambda row, wanted: wanted.topic in row.topics,
    "text": lambda row, wanted: wanted.text.casefold() in row.alert.user.casefold(),
}
"""Whether a row passes a filter, by the filter's name."""
ORDER: dict[Sort, Callable[[Listed], tuple[float, ...]]] = {
    "risk": lambda row: (-row.risk,),
    "value": lambda row: (-(row.value or 0.0), -row.risk),
    "newest": lambda row: (-row.alert.landmark_ms, -row.number),
    "left": lambda row: (row.alert.valid_until_ms, -row.risk),
}
"""What the rows stand in order of, the least first."""
Place = tuple[tuple[float, ...], str]
"""Where a row stands: by the order that was asked for, and where rows are equal by it, by the person's id."""


class Sums(msgspec.Struct, frozen=True):
    """What some rows add up to.

    Attributes
    ----------
    people : int
        How many rows there are: one person has at most one open alert by a definition.
    leaving, plus_minus : float
        Sum of the risks, and half the width of its interval of 95% if the risks are right and people independent.
    value : float or None
        Sum of the values at risk; None where nobody's is known.
    spenders, judged : int
        How many people have spent anything, of how many of whom that is known.
    bands : dict of BandName to int
    topics : list of (str, int)
        How many people have a reason of each topic, the most frequent first.
    """

    people: int
    leaving: float
    plus_minus: float
    value: float | None
    spenders: int
    judged: int
    bands: dict[BandName, int]
    topics: list[tuple[str, int]]


def filtering(wanted: Filters) -> Callable[[Listed], bool]:
    """Return what tells whether a row passes the filters."""
    cuts = [CUTS[name] for name in wanted.set]
    return lambda row: row.alert.definition == wanted.definition and all(cut(row, wanted) for cut in cuts)


def placing(sort: Sort) -> Callable[[Listed], Place]:
    """Return what tells where a row stands."""
    order = ORDER[sort]
    return lambda row: (order(row), row.alert.user)


def chosen(board: Board, wanted: Filters) -> list[Listed]:
    """Return the rows that pass the filters, in their order."""
    return sorted(filter(filtering(wanted), board.rows.values()), key=placing(wanted.sort))


def sums(rows: Sequence[Listed]) -> Sums:
    """Return what some rows add up to."""
    values = [value for row in rows if (value := row.value) is not None]
    bands = Counter(row.band for row in rows)
    return Sums(
        people=len(rows),
        leaving=sum(row.risk for row in rows),
        plus_minus=SURE * sqrt(sum(row.risk * (1 - row.risk) for row in rows)),
        value=sum(values) if values else None,
        spenders=sum(value > 0 for value in values),
        judged=len(values),
        bands={name: bands[name] for name in NAMES},
        topics=Counter(topic for row in rows for topic in row.topics).most_common(),
    )


def what_leaves_nobody(board: Board, wanted: Filters) -> tuple[str, ...]:
    """Return the filters that leave nobody: each one alone if there are such, else all of them together.

    Empty when somebody passes.
    """
    if chosen(board, wanted):
        return ()
    alone = tuple(name for name in wanted.set if chosen(board, wanted.without(name)))
    return alone or wanted.set


def known_topics(rows: Iterable[Listed]) -> tuple[str, ...]:
    """Return every topic that a reason of some rows is about, in the order of the alphabet."""
    return tuple(sorted({topic for row in rows for topic in row.topics}))
