"""The first learner: River's scaler and logistic regression, learned in mini-batches, run as a table.

The design matrix has, for each feature, its position on the scale and the square of it, a flag for missing, and the days of the week
one by one. Every column depends on one feature alone, so the whole model is ``bias + sum_f table[f, code_f]``: workers run it as table look-ups,
and the two agree by test.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl
from river import linear_model, optim, preprocessing

from features.catalog import FEATURES, WIDTH, decode_table
from online_models.scorer import AdditiveScorer

MISSING_AS = 0.5
"""Position that stands in for a missing value, beside its flag."""
RATE = 0.05


class _Scaler(preprocessing.StandardScaler):
    """River's, without the tiny negative variance that rounding gives a constant column (its root would be complex)."""

    def learn_many(self, X: Any) -> None:  # noqa: N803 - River's name
        super().learn_many(X)
        for name, variance in self.vars.items():
            if variance < 0:
                self.vars[name] = 0.0


def _columns() -> tuple[npt.NDArray[np.float64], list[slice]]:
    """(256, C) values of every column for every code of its feature, and the columns of each feature."""
    place = decode_table().astype(np.float64)
    blocks: list[npt.NDArray[np.float64]] = []
    slices: list[slice] = []
    at = 0
    for index, feature in enumerate(FEATURES):
        missing = np.isnan(place[index])
        x = np.where(missing, MISSING_AS, place[index])
        columns = [x, x * x]
        if feature.missing:
            columns.append(missing.astype(np.float64))
        if feature.scale == "category":
            level = np.rint(x * (feature.high - feature.low)).astype(int)
            columns += [(level == value).astype(np.float64) for value in range(int(feature.high - feature.low) + 1)]
        blocks.append(np.stack(columns, axis=1))
        slices.append(slice(at, at + len(columns)))
        at += len(columns)
    return np.concatenate(blocks, axis=1), slices


_VALUES, _SLICES = _columns()
_FEATURE_OF = np.concatenate([np.full(s.stop - s.start, f) for f, s in enumerate(_SLICES)])
NAMES = [f"c{column}" for column in range(_VALUES.shape[1])]


def design(vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Design matrix, float64 (n, C), of coded vectors, uint8 (n, F).

    >>> design(np.zeros((2, WIDTH), np.uint8)).shape[0]
    2
    """
    return np.asarray(_VALUES[vectors[:, _FEATURE_OF], np.arange(_VALUES.shape[1])])


class Logistic:
    """Learns from batches; see `online_models.trainer.Candidate`."""

    name = "logistic"

    def __init__(self) -> None:
        self._scaler = _Scaler()
        self._model = linear_model.LogisticRegression(optim.AdaGrad(RATE), intercept_lr=RATE)

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """Learn one mini-batch: uint8 (n, F) and 0/1 (n,)."""
        frame = pl.from_numpy(design(vectors), NAMES)
        self._scaler.learn_many(frame)
        self._model.learn_many(self._scaler.transform_many(frame), pl.Series("y", labels.astype(bool)))

    def predict(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Risks by River itself, float32 (n,)."""
        frame = self._scaler.transform_many(pl.from_numpy(design(vectors), NAMES))
        return np.asarray(cast(pl.DataFrame, self._model.predict_proba_many(frame)).to_numpy()[:, 1], np.float32)

    def scorer(self) -> AdditiveScorer:
        """Return the same model as a table."""
        means = np.array([self._scaler.means[name] for name in NAMES])
        deviations = np.sqrt(np.array([self._scaler.vars[name] for name in NAMES]))
        weights = np.array([self._model.weights.get(name, 0.0) for name in NAMES])
        # River leaves a column without spread at zero
        weights = np.divide(weights, deviations, out=np.zeros_like(weights), where=deviations > 0)
        terms = (_VALUES - means) * weights
        table = np.stack([terms[:, s].sum(axis=1) for s in _SLICES])
        return AdditiveScorer(self.name, table, float(self._model.intercept))

    def state(self) -> dict[str, Any]:
        """All that learning goes on from, as plain numbers."""
        return {
            "counts": [float(self._scaler.counts[name]) for name in NAMES],
            "means": [float(self._scaler.means[name]) for name in NAMES],
            "vars": [float(self._scaler.vars[name]) for name in NAMES],
            "weights": [float(self._model.weights.get(name, 0.0)) for name in NAMES],
            "squares": [float(self._model.optimizer.g2.get(name, 0.0)) for name in NAMES],
            "intercept": float(self._model.intercept),
            "iterations": int(self._model.optimizer.n_iterations),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is of another design.
        """
        if len(state["means"]) != len(NAMES):
            raise ValueError(f"the checkpoint has {len(state['means'])} columns, this code has {len(NAMES)}")
        self.__init__()  # type: ignore[misc]  # a fresh model, then its numbers
        for index, name in enumerate(NAMES):
            self._scaler.counts[name] = state["counts"][index]
            self._scaler.means[name] = state["means"][index]
            self._scaler.vars[name] = state["vars"][index]
            self._model._weights[name] = state["weights"][index]  # noqa: SLF001 - River offers no other way in
            self._model.optimizer.g2[name] = state["squares"][index]
        self._model.intercept = state["intercept"]
        self._model.optimizer.n_iterations = state["iterations"]


__all__ = ["NAMES", "WIDTH", "Logistic", "design"]
