"""River's logistic regression over the scaled design and its crosses. It learns in mini-batches and is run as table look-ups.

Every column depends on one feature, or is a cell of a cross, so the whole model is ``bias + sum of look-ups``; a test holds the two against each
other. River's learner takes data frames and makes a series of each column, which costs ten times the arithmetic itself. So its numpy core is
called with arrays.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from river import linear_model, optim

from features.users.catalog import WIDTH
from online_models.design import CELL_OF, CELLS, DESIGN, FEATURE_OF, PAIRS, crosses, design
from online_models.plain import Count, Finite, NotNegative, read
from online_models.scorer import AdditiveScorer

RATE = 0.05
L2 = 1e-4
HURRY = 0.25
"""Share of AdaGrad's summed squared gradients that is left by `hurry`. With a quarter of them, steps are twice as long at first."""
COLUMNS = [f"c{column}" for column in range(DESIGN.shape[1])]
CROSS_COLUMNS = [f"x{column}" for column in range(len(PAIRS) * CELLS * CELLS)]
NAMES = [*COLUMNS, *CROSS_COLUMNS]
_FIRST = np.searchsorted(FEATURE_OF, np.arange(WIDTH))
_CROSS_AT = np.arange(len(PAIRS)) * CELLS * CELLS
USUAL_RATE = 0.05


class LogisticState(msgspec.Struct, frozen=True):
    """What `Logistic` goes on from after a restart: numbers by column, only `usual` by feature."""

    count: NotNegative
    means: list[Finite]
    vars: list[NotNegative]
    weights: list[Finite]
    squares: list[NotNegative]
    intercept: Finite
    iterations: Count
    usual: list[Finite] | None


class ArrayLogistic(linear_model.LogisticRegression):
    """River's model and optimiser, which here take arrays instead of data frames.

    >>> model = ArrayLogistic(optim.AdaGrad(0.1))
    >>> model.learn_array(np.array([[1.0], [-1.0]]), np.array([True, False]), ["a"])
    >>> model.weights["a"] > 0
    True
    """

    def learn_array(self, matrix: npt.NDArray[np.float64], labels: npt.NDArray[np.bool_], names: list[str]) -> None:
        """Learn a batch, as `learn_many` does once its data frame is a matrix (n, C) with column names."""
        saved = self._enter_learn_mode(set(names))
        try:
            self._fit(x=names, y=labels, w=1.0, get_grad=partial(self._eval_gradient_many, matrix))
        finally:
            self._exit_learn_mode(saved)


class Moments:
    """Running mean and variance of columns, merged batch by batch (Chan, Golub and LeVeque 1979), as River's scaler does."""

    def __init__(self, columns: int) -> None:
        self.count = 0.0
        self.mean = np.zeros(columns)
        self.var = np.zeros(columns)

    def learn(self, matrix: npt.NDArray[np.floating[Any]]) -> None:
        """Take in one batch (n, C)."""
        n = len(matrix)
        mean = matrix.mean(axis=0, dtype=np.float64)
        var = np.maximum(np.einsum("ij,ij->j", matrix, matrix, dtype=np.float64) / n - mean * mean, 0.0)
        old, new = self.count / (self.count + n), n / (self.count + n)
        self.var = old * self.var + new * var + old * new * (self.mean - mean) ** 2
        self.mean = old * self.mean + new * mean
        self.count += n

    @property
    def scale(self) -> npt.NDArray[np.float64]:
        """Return 1 / standard deviation of each column, (C,); 0 for one that has never varied."""
        deviation = np.sqrt(self.var)
        return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-6)


class Logistic:
    """Logistic regression as a candidate (see `online_models.candidate.Candidate`)."""

    name = "logistic"

    def __init__(self) -> None:
        self._moments = Moments(len(COLUMNS))
        self._model = ArrayLogistic(optim.AdaGrad(RATE), intercept_lr=RATE, l2=L2)
        self._usual: npt.NDArray[np.float64] | None = None
        self._compiled = AdditiveScorer(self.name, np.zeros((WIDTH, 256)), 0.0)

    def _matrix(self, columns: npt.NDArray[np.float32], vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        matrix = np.zeros((len(vectors), len(NAMES)))
        scaled = matrix[:, : len(COLUMNS)]
        np.subtract(columns, self._moments.mean, out=scaled)
        scaled *= self._moments.scale
        matrix[np.arange(len(vectors))[:, None], len(COLUMNS) + _CROSS_AT + crosses(vectors)] = 1.0
        return matrix

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """See `Candidate`."""
        columns = design(vectors)
        self._moments.learn(columns)
        self._model.learn_array(self._matrix(columns, vectors), labels.astype(bool), NAMES)
        self._compiled = self._compile()
        terms = self._compiled.shares(vectors).mean(axis=0)
        self._compiled.usual = terms if self._usual is None else (1 - USUAL_RATE) * self._usual + USUAL_RATE * terms
        self._usual = self._compiled.usual

    def predict(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return risks as River itself computes them, float32 (n,)."""
        odds = self._model._raw_dot_many(self._matrix(design(vectors), vectors), NAMES)  # noqa: SLF001 - its core that takes arrays
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def scorer(self) -> AdditiveScorer:
        """See `Candidate`; the scorer is the same model as tables."""
        return self._compiled

    def _compile(self) -> AdditiveScorer:
        weights = self._model._weights.to_numpy(NAMES)  # noqa: SLF001 - `weights` makes a new dict of all of them
        terms = (DESIGN - self._moments.mean) * (weights[: len(COLUMNS)] * self._moments.scale)
        table = np.add.reduceat(terms, _FIRST, axis=1).T
        cross = weights[len(COLUMNS) :].reshape(len(PAIRS), CELLS, CELLS)
        return AdditiveScorer(self.name, table, float(self._model.intercept), self._usual, PAIRS, CELL_OF, cross)

    def hurry(self) -> None:
        """See `Candidate`."""
        squares = self._model.optimizer.g2
        for name in squares:
            squares[name] *= HURRY

    def state(self) -> LogisticState:
        """See `Candidate`."""
        return LogisticState(
            count=self._moments.count,
            means=self._moments.mean.tolist(),
            vars=self._moments.var.tolist(),
            weights=[float(weight) for weight in self._model._weights.to_numpy(NAMES)],  # noqa: SLF001 - see `scorer`
            squares=[float(self._model.optimizer.g2.get(name, 0.0)) for name in NAMES],
            intercept=float(self._model.intercept),
            iterations=int(self._model.optimizer.n_iterations),
            usual=None if self._usual is None else self._usual.tolist(),
        )

    def restore(self, state: Any) -> None:
        """See `Candidate`."""
        one = read(state, LogisticState)
        sizes = (len(one.means), len(one.vars), len(one.weights), len(one.squares), WIDTH if one.usual is None else len(one.usual))
        if sizes != (wanted := (len(COLUMNS), len(COLUMNS), len(NAMES), len(NAMES), WIDTH)):
            raise ValueError(f"the checkpoint has {sizes} columns, this code has {wanted}")
        self.__init__()  # type: ignore[misc]  # a fresh model, then its numbers
        self._moments.count = one.count
        self._moments.mean, self._moments.var = np.array(one.means), np.array(one.vars)
        for name, weight, square in zip(NAMES, one.weights, one.squares, strict=True):
            self._model._weights[name] = weight  # noqa: SLF001 - River offers no other way in
            self._model.optimizer.g2[name] = square
        self._model.intercept = one.intercept
        self._model.optimizer.n_iterations = one.iterations
        self._usual = None if one.usual is None else np.array(one.usual)
        self._compiled = self._compile()
