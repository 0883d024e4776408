"""How good scores were: log-loss, Brier, AUC, PR-AUC, calibration error and lift, all from one small tally.

A tally counts scores by label in 1,000 bins of even width, and sums log-loss and Brier loss exactly. Scores in one bin count as equal, so AUC and
PR-AUC are exact except for pairs of scores closer than 0.001.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from features.users.catalog import INDEX, value_table
from online_models.judged import Judged
from online_models.plain import Count, NotNegative
from online_models.scorer import EPSILON

BINS = 1_000
ECE_BINS = 10
TOP = 0.1
"""Lift looks at this share of the users, those with the highest scores."""

FIGURES: dict[str, str] = {
    "n": "labels", "base_rate": "churned", "auc": "AUC", "pr_auc": "PR-AUC", "log_loss": "log-loss", "brier": "Brier", "ece": "ECE", "lift_10": "lift 10%",
}  # fmt: skip
"""Name and heading of each figure, in the order in which tables show them: how many labels, the share that churned, the areas under the two
curves, the two losses, the calibration error, and the share of churners in the riskiest tenth over that in all."""

Floats = npt.NDArray[np.floating[Any]]


class TallyState(msgspec.Struct, frozen=True, array_like=True):
    """A `Tally` as plain data: the numbers of the bins that are not empty, counted over both labels, and how many scores each has."""

    used: list[Annotated[int, msgspec.Meta(ge=0, lt=2 * BINS)]]
    counts: list[Count]
    sums: list[NotNegative]
    loss: NotNegative
    brier: NotNegative


def log_loss(labels: npt.NDArray[Any], scores: Floats) -> npt.NDArray[np.float64]:
    """Return the log-loss of each score in nats, float64 (n,) or (n, candidates).

    >>> log_loss(np.array([1]), np.array([0.5])).round(4).tolist()
    [0.6931]
    """
    p = np.clip(np.asarray(scores, np.float64), EPSILON, 1 - EPSILON)
    y = np.asarray(labels, np.float64).reshape(-1, *(1,) * (p.ndim - 1))
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log(1 - p)))


class Tally:
    """Counts scores in [0, 1] by label, and gives the figures of `FIGURES`.

    >>> tally = Tally()
    >>> tally.add(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> round(tally.auc, 2), tally.n
    (0.75, 4)
    """

    def __init__(self) -> None:
        self.counts = np.zeros((2, BINS), np.int64)
        self.sums = np.zeros(ECE_BINS)
        self.loss = 0.0
        self.brier_sum = 0.0

    def add(self, labels: npt.NDArray[Any], scores: Floats) -> None:
        """Take in labels 0 or 1, (n,), and scores in [0, 1], (n,)."""
        p, y = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
        np.add.at(self.counts, (y, np.minimum((p * BINS).astype(np.int64), BINS - 1)), 1)
        np.add.at(self.sums, np.minimum((p * ECE_BINS).astype(np.int64), ECE_BINS - 1), p)
        self.loss += float(log_loss(y, p).sum())
        self.brier_sum += float(((p - y) ** 2).sum())

    def state(self) -> TallyState:
        """Return the tally as plain data."""
        used = np.flatnonzero(self.counts)
        return TallyState(used.tolist(), self.counts.ravel()[used].tolist(), self.sums.tolist(), self.loss, self.brier_sum)

    @classmethod
    def of(cls, state: TallyState) -> Self:
        """Make the tally that was saved.

        Raises
        ------
        ValueError
            If it has bins that this code does not have.
        """
        if len(state.used) != len(state.counts) or len(state.sums) != ECE_BINS:
            raise ValueError("a tally has other bins than this code's")
        tally = cls()
        tally.counts.ravel()[np.array(state.used, np.int64)] = state.counts
        tally.sums, tally.loss, tally.brier_sum = np.array(state.sums), state.loss, state.brier
        return tally

    @property
    def n(self) -> int:
        """How many scores were counted."""
        return int(self.counts.sum())

    @property
    def churned(self) -> int:
        """How many of their labels are 1."""
        return int(self.counts[1].sum())

    @property
    def auc(self) -> float:
        """Chance that a churner scores above a stayer, where a tie counts half; NaN if there are not both."""
        stayed, left = self.counts
        pairs = float(stayed.sum()) * float(left.sum())
        return float((left * (np.cumsum(stayed) - stayed / 2)).sum() / pairs) if pairs else float("nan")

    @property
    def pr_auc(self) -> float:
        """Average precision: precision at each score, weighted by the recall it adds (Davis and Goadrich 2006)."""
        left = self.counts[1][::-1]
        flagged = np.cumsum(self.counts.sum(axis=0)[::-1])
        precision = np.divide(np.cumsum(left), flagged, out=np.zeros(BINS), where=flagged > 0)
        return float((precision * left).sum() / left.sum()) if left.sum() else float("nan")

    @property
    def lift(self) -> float:
        """Share of churners in the tenth with the highest scores, over their share in all; the bin at the border counts in part."""
        total = self.counts.sum(axis=0)[::-1]
        wanted = TOP * total.sum()
        if not wanted or not self.churned:
            return float("nan")
        part = np.clip(np.divide(wanted - (np.cumsum(total) - total), total, out=np.zeros(BINS), where=total > 0), 0, 1)
        return float((part * self.counts[1][::-1]).sum() / wanted / (self.churned / self.n))

    def tenths(self) -> list[Judged]:
        """Return the scores by tenths of the scale, [0, .1) to [.9, 1]."""
        wide = self.counts.reshape(2, ECE_BINS, -1).sum(axis=2)
        return [Judged(stayed + left, stated, left) for stated, (stayed, left) in zip(self.sums.tolist(), wide.T.tolist(), strict=True)]

    def reliability(self) -> Iterator[tuple[float, float, int]]:
        """Yield (mean score, share of churners, number of scores) of each tenth of the scale that holds a score."""
        for group in self.tenths():
            if group.n:
                yield *group.shares(), group.n

    @property
    def ece(self) -> float:
        """Expected calibration error over ten bins (Naeini, Cooper and Hauskrecht 2015)."""
        return sum(abs(stated - seen) * count for stated, seen, count in self.reliability()) / self.n if self.n else float("nan")

    def figures(self) -> dict[str, float]:
        """Return all figures by name, as in `FIGURES`."""
        n = max(self.n, 1)
        return {
            "n": float(self.n), "base_rate": self.churned / n, "log_loss": self.loss / n, "auc": self.auc, "pr_auc": self.pr_auc,
            "brier": self.brier_sum / n, "ece": self.ece, "lift_10": self.lift,
        }  # fmt: skip


def figures_in_words(row: Mapping[str, float | None]) -> list[str]:
    """Return the figures of a row as a table shows them, in the order of `FIGURES`; an unknown one is the empty text.

    >>> figures_in_words({"n": 1200.0, "auc": 0.75})
    ['1,200', '', '0.7500', '', '', '', '', '']
    """
    values = [(name, row.get(name)) for name in FIGURES]
    return ["" if value is None else f"{value:,.0f}" if name == "n" else f"{value:.4f}" for name, value in values]


_VALUES = value_table()
_TENURE = ((1, "first day"), (7, "2-7 days"), (28, "8-28 days"), (91, "1-3 months"), (float("inf"), "over 3 months"))
_BANDS = ("0-.1", ".1-.3", ".3-.5", ".5-.7", ".7-1")
_BAND_EDGES = np.array([0.1, 0.3, 0.5, 0.7])
_ORDER = ("all", "repeat days", *(f"tenure {name}" for _, name in _TENURE), *(f"score {name}" for name in _BANDS))


def first_day(vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether each user had been active on one day only, bool (n,).

    No other split of users says as much of their churn, so figures are given without these users too.
    """
    place = INDEX["active_days_total"]
    return np.asarray(_VALUES[place, vectors[:, place]] < 1.5)


def segments(vectors: npt.NDArray[np.uint8], scores: Floats, channels: tuple[str, ...] = ()) -> dict[str, npt.NDArray[np.bool_]]:
    """Return a mask of the rows, bool (n,), for each segment that has any: all, repeat days, by tenure, by score, by acquisition channel.

    Parameters
    ----------
    vectors : uint8 (n, F)
    scores : (n,)
    channels : tuple of str
        The known channels of the feature spec, in its order.
    """
    found = {"all": np.ones(len(vectors), np.bool_), "repeat days": ~first_day(vectors)}
    days = _VALUES[INDEX["tenure_days"], vectors[:, INDEX["tenure_days"]]]
    band = np.searchsorted(np.array([edge for edge, _ in _TENURE[:-1]]), days, side="right")
    found |= {f"tenure {name}": band == place for place, (_, name) in enumerate(_TENURE)}
    stated = np.searchsorted(_BAND_EDGES, scores, side="right")
    found |= {f"score {name}": stated == place for place, name in enumerate(_BANDS)}
    codes = np.rint(np.nan_to_num(_VALUES[INDEX["channel"], vectors[:, INDEX["channel"]]])).astype(int)
    if codes.any():
        names = {0: "none", 15: "other"} | {place + 1: name for place, name in enumerate(channels)}
        found |= {f"channel {names.get(code, code)}": codes == code for code in np.unique(codes).tolist()}
    return {name: rows for name, rows in found.items() if rows.any()}


class Progress:
    """Tallies, by segment, of scores that were stated before their labels were known (progressive validation with delayed labels)."""

    def __init__(self, channels: tuple[str, ...] = ()) -> None:
        self._channels = channels
        self.tallies: dict[str, Tally] = {}

    def add(self, labels: npt.NDArray[Any], scores: Floats, vectors: npt.NDArray[np.uint8]) -> None:
        """Take in n labels with the scores and vectors of their landmarks."""
        for name, rows in segments(vectors, scores, self._channels).items():
            self.tallies.setdefault(name, Tally()).add(labels[rows], scores[rows])

    def figures(self) -> dict[str, dict[str, float]]:
        """Return the figures by segment: all, repeat days, tenures, scores, then channels by name."""
        order = {name: place for place, name in enumerate(_ORDER)}
        names = sorted(self.tallies, key=lambda name: (order.get(name, len(order)), name))
        return {name: self.tallies[name].figures() for name in names}
