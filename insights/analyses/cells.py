"""What is known of a cell of retention? When its time begins and ends, and whether all of it is known yet."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from insights.analyses.analysis import State
from insights.analyses.crowd import Crowd
from insights.analyses.units import Unit

DAY = timedelta(days=1)


class Cells:
    """The cells of one query.

    Parameters
    ----------
    crowd : Crowd
    unit : Unit
    unbounded : bool
        Whether a cell means "in this unit or later": it is complete only when a horizon has passed after its unit, or the curve would fall at its
        right end because the future is not known.
    window : {"calendar", "days", "24h"}
        See `insights.analyses.cohorts.Followed`. Whoever enters last in a cohort is followed to the end, too.
    same_unit : bool
        Whether cell 0 counts returns, and not only entries.
    """

    def __init__(self, crowd: Crowd, unit: Unit, *, unbounded: bool, window: str, same_unit: bool) -> None:
        self._mark = crowd.as_of.watermark
        self._start = cache(unit.start)
        self._window = window
        self._day = crowd.unit("day")
        self._first_day = unit.first_day
        self._same_unit = same_unit
        self._after = crowd.as_of.horizon if unbounded else timedelta()

    def state(self, cohort: int, first: int, last: int) -> State:
        """Return the state of what a cohort did in units `first` to `last` after the one of their entry."""
        if last == 0 and not self._same_unit:
            begin, end = self._start(cohort), self._start(cohort + 1)
        elif self._window == "days":
            entered = self._day.number_of_day(self._first_day(cohort))
            left = self._day.number_of_day(self._first_day(cohort + 1))  # the day after the last on which one may enter
            begin, end = self._day.start(entered + first), self._day.start(left + last) + self._after
        elif self._window == "24h":
            begin, end = self._start(cohort) + first * DAY, self._start(cohort + 1) + (last + 1) * DAY + self._after
        else:
            begin, end = self._start(cohort + first), self._start(cohort + last + 1) + self._after
        if self._mark is None or begin >= self._mark:
            return "none"
        return "complete" if end <= self._mark else "open"
