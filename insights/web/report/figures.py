"""Which numbers does a report tell, and which of them does the next one compare? Those of the page Today, in a form that is kept.

::

    {"at_risk": {"value": 41}, "d7": {"value": 0.31, "count": 62, "n": 200, "cohort": "2026-11-16"}, ...}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from insights.web.crowd.flows import RATES
from insights.web.crowd.found import Found, Row
from insights.web.crowd.rates import DAYS
from insights.web.crowd.today import Answers, Now

Kind = Literal["people", "money", "share"]
KINDS: Mapping[str, Kind] = {
    "at_risk": "people", "leaving": "people", "at_stake": "money",
    **{f"d{day}": "share" for day in DAYS},
    "new": "people", "resurrected": "people", "dormant": "people", "active": "people",
    **dict.fromkeys(RATES, "share"),
}  # fmt: skip
"""All figures, in the order in which their changes are told."""
OF_A_WEEK = ("new", "resurrected", "dormant", "active")
LESS_IS_GOOD = frozenset({"at_risk", "leaving", "at_stake", "dormant"})


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number.

    Attributes
    ----------
    value : float
        People, money, or a share from 0 to 1.
    count, n : int
        Of a share: so many of so many.
    cohort : str
        The day or week that it is of, by its first day; "" for now.
    """

    value: float
    count: int = 0
    n: int = 0
    cohort: str = ""


Figures = Mapping[str, Figure]
_READ = msgspec.json.Decoder(dict[str, Figure])


def figures_of(now: Now | None, answers: Answers) -> dict[str, Figure]:
    """Return the figures that are known. Those of the history are of the newest week or day that is complete, so they do not move afterwards."""
    found: dict[str, Figure] = {}
    if now is not None:
        found["at_risk"] = Figure(now.sums.people)
        found["leaving"] = Figure(round(now.sums.leaving))
        if now.sums.value is not None:
            found["at_stake"] = Figure(round(now.sums.value, 2))
    found.update(_cells(answers))
    return {name: found[name] for name in KINDS if name in found}


def _cells(answers: Answers) -> Iterator[tuple[str, Figure]]:
    if answers.rates is not None:
        for day in DAYS:
            yield from _newest(f"d{day}", answers.rates, "retention", k=day)
    for metric in OF_A_WEEK:
        if answers.lifecycle is not None:
            yield from _newest(metric, answers.lifecycle, metric, group=None)
    for metric in RATES:
        if answers.states is not None:
            yield from _newest(metric, answers.states, metric, group=None)


def _newest(name: str, found: Found, metric: str, **wanted: object) -> Iterator[tuple[str, Figure]]:
    """Yield the newest complete cell, if there is one; a share only if it is of somebody."""
    share = KINDS[name] == "share"
    done = [
        row for row in found.of(metric, **wanted) if row["state"] == "complete" and row["value"] is not None and (row["n"] or not share)
    ]
    if done:
        yield name, _figure(done[-1], share=share)


def _figure(row: Row, *, share: bool) -> Figure:
    return (
        Figure(row["value"], row.get("count") or 0, row["n"] or 0, row["cohort"]) if share else Figure(row["value"], cohort=row["cohort"])
    )


def written(figures: Figures) -> str:
    """Write figures as they are kept."""
    return msgspec.json.encode(figures).decode()


def read(text: str) -> dict[str, Figure]:
    """Read figures as they are kept.

    >>> read(written({"d7": Figure(0.5, 3, 6, "2026-03-02")}))
    {'d7': Figure(value=0.5, count=3, n=6, cohort='2026-03-02')}
    """
    return _READ.decode(text)
