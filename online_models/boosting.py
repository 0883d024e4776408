"""Gradient-boosted trees over coded vectors. All trees are grown anew from the memory whenever enough new labels have come.

The method is Newton boosting on histograms (Friedman 2001; Chen and Guestrin 2016); each tree sees a random part of the rows and columns. A
vector has one byte a feature already, so a histogram is a sum by code. Between two growths the trees do not change. They are regrown when the
number of labels has grown by a quarter, or when the memory has turned over once.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit

from features.users.catalog import WIDTH
from online_models.memory import FADE, SIZE, Memory
from online_models.packed_scorers import PackedScorer
from online_models.plain import Count, RngState, read, rng_state, set_rng
from online_models.tree_scorers import BoostingScorer, add_trees
from online_models.unpacking import unpack

TREES, DEPTH, RATE = 120, 4, 0.06
L2 = 20.0
LEAST_WEIGHT = 5.0
"""Least sum of p (1 - p) on either side of a split: about 20 to 30 examples."""
ROWS, COLUMNS = 0.6, 0.5
"""Shares of the examples and of the features that each tree sees, drawn at random."""
BITS = 2
"""Lowest bits of a code, which splits ignore: 64 cells a feature are left."""
CELLS = 256 >> BITS
LEAST_LABELS = 50
"""Labels of each class that are needed before the first growth."""
GROWTH, LATER_GROWTH, MOST_APART = 1.1, 1.25, int(SIZE / FADE)
"""Regrow when labels have grown by a tenth; once the memory is full, which makes a growth costly, by a quarter, and after SIZE / FADE new labels
(one turn of the memory) at the latest."""
LEAVES = 2**DEPTH


class BoostingState(msgspec.Struct, frozen=True):
    """What `Boosting` goes on from after a restart; the learner saves the memory."""

    grown_at: Count
    hurry: bool
    rng: RngState
    compiled: PackedScorer | None


@njit(cache=True, nogil=True)
def _best_split(sums: Any) -> tuple[int, int]:
    """Return the best split of a node, from its sums (columns, cells, 2): the column, and the last cell that goes left; column -1 for no split."""
    g, h = sums[0, :, 0].sum(), sums[0, :, 1].sum()
    best, column, last = g * g / (h + L2) + 1e-6, -1, 0
    for j in range(sums.shape[0]):
        left_g, left_h = 0.0, 0.0
        for cell in range(CELLS - 1):
            left_g += sums[j, cell, 0]
            left_h += sums[j, cell, 1]
            if min(left_h, h - left_h) >= LEAST_WEIGHT:
                gain = left_g**2 / (left_h + L2) + (g - left_g) ** 2 / (h - left_h + L2)
                if gain > best:
                    best, column, last = gain, j, cell
    return column, last


@njit(cache=True, nogil=True)
def _is_summed(k: int, many: Any) -> bool:
    """Whether the sums of node `k` are counted from its rows: the root's are, and those of the smaller of two siblings (the left one of equals)."""
    return len(many) == 1 or many[k] < many[k ^ 1] or (many[k] == many[k ^ 1] and k % 2 == 0)


@njit(cache=True, nogil=True)
def _grow_tree(codes: Any, rows: Any, columns: Any, slope: Any, weight: Any, feature: Any, threshold: Any, value: Any) -> None:
    """Grow one tree level by level into a full heap; `slope` and `weight` are the first and second derivative of the loss, by row.

    A node that does not split sends every row to its left child. Summing is the costly part, so of two siblings only the smaller one is
    summed; the sums of the other are those of the parent less these.
    """
    cells = np.empty((len(rows), len(columns)), np.uint8)
    for i in range(len(rows)):
        row, cell = codes[rows[i]], cells[i]
        for j in range(len(columns)):
            cell[j] = row[columns[j]] >> BITS
    place = np.zeros(len(rows), np.int64)  # the node of each row, counted within the level
    above = np.zeros((1, len(columns), CELLS, 2))
    for level in range(DEPTH):
        first, width = 2**level - 1, 2**level
        sums = np.zeros((width, len(columns), CELLS, 2))
        many = np.bincount(place, minlength=width)
        for i in range(len(rows)):
            if _is_summed(place[i], many):
                cell, into = cells[i], sums[place[i]]
                for j in range(len(columns)):
                    into[j, cell[j], 0] += slope[i]
                    into[j, cell[j], 1] += weight[i]
        for k in range(width):
            if not _is_summed(k, many):
                sums[k] = above[k // 2] - sums[k ^ 1]
        above = sums
        for k in range(width):
            column, last = _best_split(sums[k])
            feature[first + k] = columns[column] if column >= 0 else 0
            threshold[first + k] = ((last + 1) << BITS) - 1 if column >= 0 else 255
        for i in range(len(rows)):
            node = first + place[i]
            place[i] = 2 * place[i] + (codes[rows[i], feature[node]] > threshold[node])
    leaves = np.zeros((LEAVES, 2))
    for i in range(len(rows)):
        leaves[place[i], 0] += slope[i]
        leaves[place[i], 1] += weight[i]
    for k in range(LEAVES):
        value[k] = -RATE * leaves[k, 0] / (leaves[k, 1] + L2)


class Boosting:
    """Gradient-boosted trees as a candidate (see `online_models.candidate.Candidate`).

    Parameters
    ----------
    seed : int
        Seed of the draws of rows and columns.
    memory : Memory
        The examples that trees are grown from; the learner fills it.
    """

    name = "boosting"

    def __init__(self, seed: int, memory: Memory) -> None:
        self._memory = memory
        self._rng = np.random.default_rng(seed)
        self._grown_at = 0
        self._hurry = False
        self._compiled: BoostingScorer | None = None

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:  # noqa: ARG002 - the memory has them
        """See `Candidate`: grow all trees anew if enough labels have come since the last growth."""
        known, churned = self._memory.seen, self._memory.churned
        growth = GROWTH if known <= SIZE else LATER_GROWTH
        due = self._hurry or known >= min(growth * self._grown_at, self._grown_at + MOST_APART)
        if due and min(churned, known - churned) >= LEAST_LABELS:
            self._grown_at, self._hurry = known, False
            self._compiled = self._grow()

    def _grow(self) -> BoostingScorer:
        codes, labels = self._memory.vectors, self._memory.labels.astype(np.float64)
        feature, threshold = np.zeros((2, TREES, LEAVES - 1), np.uint8)
        value = np.zeros((TREES, LEAVES), np.float32)
        share = (labels.sum() + 1) / (len(labels) + 2)
        bias = float(np.log(share / (1 - share)))
        odds = np.full(len(labels), bias)
        for tree in zip(feature, threshold, value, strict=True):
            rows = np.flatnonzero(self._rng.random(len(labels)) < ROWS)
            columns = self._rng.permutation(WIDTH)[: int(WIDTH * COLUMNS)]
            risk = 1 / (1 + np.exp(-odds[rows]))
            _grow_tree(codes, rows, columns, risk - labels[rows], risk * (1 - risk), *tree)
            add_trees(codes, tree[0][None], tree[1][None], tree[2][None], odds)
        return BoostingScorer(self.name, feature, threshold, value, bias, self._memory.usual())

    def hurry(self) -> None:
        """See `Candidate`: grow all trees anew at the next batch."""
        self._hurry = True

    def scorer(self) -> BoostingScorer | None:
        """See `Candidate`."""
        return self._compiled

    def state(self) -> BoostingState:
        """See `Candidate`; the learner saves the memory."""
        compiled = None if self._compiled is None else self._compiled.pack()
        return BoostingState(self._grown_at, self._hurry, rng_state(self._rng), compiled)

    def restore(self, state: Any) -> None:
        """See `Candidate`."""
        one = read(state, BoostingState)
        compiled = None if one.compiled is None else unpack(one.compiled)
        if not isinstance(compiled, BoostingScorer | None):
            raise ValueError(f"the checkpoint has {type(compiled).__name__} in the place of boosted trees")
        set_rng(self._rng, one.rng)
        self._grown_at, self._hurry, self._compiled = one.grown_at, one.hurry, compiled
