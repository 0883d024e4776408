"""Who serves: the candidate with the best calibrated log-loss over the window, once it has earned it.

The rule serves first. As soon as there are enough labels of both classes, the mix takes its place without proof: the rule is a member of the
mix, and the mix gives weight only to members that do well. From then on every change must be earned, as follows.

A challenger must have been graded on enough labels of both classes. It must be better than the champion by a margin, and by more than chance
would give, at several checks in a row (its probation). When the champion does clearly worse than the rule, the rule takes over at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RULE = "cadence"
MARGIN, ERRORS = 0.02, 4.0
"""By how much a challenger must be better: a share of the champion's log-loss, and a number of standard errors of the paired difference. The
errors are counted as if labels were independent; those of one user are not, so the number is high."""
OVER_MIX = (0.1, 8.0)
"""The same for a challenger of the mix. More is asked of it, because every challenger is a member of the mix, and the mix moves its weights
sooner than a window can prove anything."""
BACK_TO_MIX = (0.002, 1.0)
"""The same for the mix to take back its place, over the newest part of the window only. Little is asked of it, because the mix recovers soon
after a change of the world, while the whole window still holds its older losses."""
NEWEST = 0.25
"""Share of the window that counts as its newest part."""
PROBATION = 2
"""At how many checks in a row a challenger must be better."""
FALL_BACK, MIX_FALL_BACK = 0.02, 0.25
"""Share by which the loss of a champion, and of the mix, may be above that of the rule before the rule takes over. The mix may be worse by
more, because the rule is a member of it and it comes back to the rule by itself: only a broken mix is that much worse."""


@dataclass(slots=True)
class Standing:
    """Who serves, who is on probation, and for how many checks."""

    champion: str = RULE
    challenger: str = ""
    checks: int = 0
    begun: bool = False
    """Whether anything but the rule has ever served."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of champion, with the mean log-losses that led to it."""

    before: str
    after: str
    why: str
    losses: Mapping[str, float]


class Grades:
    """Log-loss of every candidate on the same labels.

    Parameters
    ----------
    losses : mapping of name to float64 (n,)
        In nats, in the order of the labels' times.

    >>> Grades({"a": np.array([1.0, 1.0]), "b": np.array([0.5, 0.5])}).beats("b", "a", 0.1)
    True
    """

    def __init__(self, losses: Mapping[str, npt.NDArray[np.float64]]) -> None:
        self._losses = losses
        self.means = {name: float(values.mean()) for name, values in losses.items()}

    def newest(self) -> Grades:
        """Return the grades on the newest part of the labels (`NEWEST`)."""
        return Grades({name: values[-max(1, int(NEWEST * len(values))) :] for name, values in self._losses.items()})

    def beats(self, one: str, other: str, margin: float, errors: float = ERRORS) -> bool:
        """Whether the mean loss of `one` is below that of `other` by this share of it, and by this many standard errors of the paired difference."""
        less = self._losses[other] - self._losses[one]
        error = float(less.std()) / len(less) ** 0.5
        return bool(float(less.mean()) > max(margin * self.means[other], errors * error))


def choose(standing: Standing, grades: Grades | None, first: str = "", wanted: str = "") -> Change | None:
    """Make one check: return the change of champion, None if there is none. `standing` is changed in place.

    Parameters
    ----------
    grades : Grades or None
        Of every candidate that has been graded; None until there are enough labels of both classes.
    first : str
        The candidate that takes the place of the rule without proof, "" for none.
    wanted : str
        A candidate that a person put in charge, "" for none; it serves as soon as it has been graded.

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
