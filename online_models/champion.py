"""Who serves: the candidate with the best calibrated log-loss over the window, once it has earned it.

The rule serves first. As soon as there are enough labels of both classes the mix follows it: it holds the rule and gives weight only to what
does well. From then on a challenger takes its place, or the mix takes back its own, as follows.

A challenger must have been graded on enough labels of both classes, must be better than the one in charge by a margin and by more than
chance would give, and must be so at several checks running (probation). The rule takes over at once when the one in charge does clearly worse
than it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RULE = "cadence"
MARGIN, ERRORS = 0.02, 4.0
"""What a challenger must be better by: a share of the champion's log-loss, and standard errors of the paired difference, as if labels were
independent; those of one user are not."""
OVER_MIX = (0.1, 8.0)
"""The same to take the place of the mix: it holds every challenger, and moves its weights sooner than a window proves anything."""
BACK_TO_MIX = (0.002, 1.0)
"""The same for the mix to take back its place, over the newest part of the window: it is soon itself again, the window is not."""
NEWEST = 0.25
"""That part."""
PROBATION = 2
"""Checks running at which it must do so."""
FALL_BACK, MIX_FALL_BACK = 0.02, 0.25
"""Share by which a champion may be worse than the rule before the rule takes over; the mix holds the rule and comes back to it by itself, so
only one that is broken is that much worse."""


@dataclass(slots=True)
class Standing:
    """Who serves, who is on probation, and since how many checks."""

    champion: str = RULE
    challenger: str = ""
    checks: int = 0
    begun: bool = False
    """Whether anything but the rule has served."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of champion, with the figures that made it."""

    before: str
    after: str
    why: str
    losses: Mapping[str, float]


class Grades:
    """Log-loss of every candidate on the same labels.

    Parameters
    ----------
    losses : mapping of name to float64 (n,)

    >>> Grades({"a": np.array([1.0, 1.0]), "b": np.array([0.5, 0.5])}).beats("b", "a", 0.1)
    True
    """

    def __init__(self, losses: Mapping[str, npt.NDArray[np.float64]]) -> None:
        self._losses = losses
        self.means = {name: float(values.mean()) for name, values in losses.items()}

    def newest(self) -> Grades:
        """Grades of the newest part of the labels, which come in order of time."""
        return Grades({name: values[-max(1, int(NEWEST * len(values))) :] for name, values in self._losses.items()})

    def beats(self, one: str, other: str, margin: float, errors: float = ERRORS) -> bool:
        """Whether the mean of `one` is lower by this share and by this many standard errors of the paired difference."""
        less = self._losses[other] - self._losses[one]
        error = float(less.std()) / len(less) ** 0.5
        return bool(float(less.mean()) > max(margin * self.means[other], errors * error))


def choose(standing: Standing, grades: Grades | None, first: str = "", wanted: str = "") -> Change | None:
    """One check; changes `standing`.

    Parameters
    ----------
    grades : Grades or None
        Of every candidate that has been graded; None until there are enough labels of both classes.
    first : str
        The candidate that follows the rule without proof, "" for none.
    wanted : str
        A candidate that a person put in charge; it serves once it is among the graded.

    >>> standing, grades = Standing(), Grades({"cadence": np.full(9, 0.6), "logistic": np.full(9, 0.5)})
    >>> [choose(standing, grades) is None for _ in range(2)], standing.champion
    ([True, False], 'logistic')
    """
    means = grades.means if grades is not None else {}
    if grades is None or standing.champion not in means:
        return None
    if wanted:
        return _change(standing, wanted, "asked for", means) if wanted in means and wanted != standing.champion else None
    if first in means and not standing.begun:
        standing.begun = True
        return _change(standing, first, "enough labels", means)
    fall_back = MIX_FALL_BACK if standing.champion == first else FALL_BACK
    if standing.champion != RULE and all(one.beats(RULE, standing.champion, fall_back) for one in (grades, grades.newest())):
        return _change(standing, RULE, "worse than the rule", means)
    best = min(means, key=lambda name: (means[name], name))
    if first in means and standing.champion != first and grades.newest().beats(first, standing.champion, *BACK_TO_MIX):
        best = first
    elif best == standing.champion or not grades.beats(
        best, standing.champion, *(OVER_MIX if standing.champion == first else (MARGIN, ERRORS))
    ):
        standing.challenger, standing.checks = "", 0
        return None
    standing.checks = standing.checks + 1 if best == standing.challenger else 1
    standing.challenger = best
    return _change(standing, best, "better over the window", means) if standing.checks >= PROBATION else None


def _change(standing: Standing, after: str, why: str, losses: Mapping[str, float]) -> Change:
    change = Change(standing.champion, after, why, dict(losses))
    standing.champion, standing.challenger, standing.checks = after, "", 0
    return change
