"""A small multi-layer perceptron that rehearses: two hidden layers of rectified units, Adam and dropout.

River has no network classifier, so this is a plain one in numpy behind River's mini-batch interface. Each batch is learned once as it
comes and then rehearsed with a few batches drawn from the learner's memory of matured examples (experience replay, Lin 1992), which a single
pass over sparse labels needs; the more is known, the less it rehearses. What is run is the running mean of the weights (Polyak and Juditsky
1992). Steps: Kingma and Ba 2015 (Adam); weight decay apart from them: Loshchilov and Hutter 2019; dropout: Srivastava et al. 2014; first
weights: He et al. 2015.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from river import base

from features.catalog import NAMES
from online_models.design import DESIGN, design
from online_models.logistic import Moments
from online_models.memory import Memory, rng_state, set_rng
from online_models.scorer import NetworkScorer, pack_arrays, unpack_array

HIDDEN = (64, 32)
RATE = 2e-3
DECAY = 0.1
DROPOUT = 0.2
REHEARSE_BATCH = 256
EFFORT = ((65_536, 64, 6), (262_144, 64, 2), (2**62, 256, 1))
"""Until so many examples are known: examples of one step, and steps of rehearsal after it."""
AVERAGE = 0.995
"""Share of the running mean of the weights that a step leaves."""
NEWEST = 2_048
CLIP = 5.0
"""Scaled columns are kept within this many standard deviations while learning."""
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8
HURRY_STEPS = 200
"""After a drift rehearsal draws from the last `NEWEST` examples for this many steps."""

Floats = npt.NDArray[np.float32]


class Network(base.MiniBatchClassifier):
    """See `online_models.candidate.Candidate`; also one of River's mini-batch classifiers over codes by feature name.

    Parameters
    ----------
    seed : int
        Of the first weights, the dropout and the rehearsal.
    memory : Memory
        What it rehearses; whoever calls `learn` fills it first. By River's interface it fills its own.

    >>> network = Network(seed=1)
    >>> network.learn_one(dict.fromkeys(NAMES, 3), True)
    >>> sorted(network.predict_proba_one(dict.fromkeys(NAMES, 3)))
    [False, True]
    """

    name = "network"

    def __init__(self, seed: int = 0, memory: Memory | None = None) -> None:
        self._memory = Memory(seed) if memory is None else memory
        self._rng = np.random.default_rng(seed)
        self._moments = Moments(DESIGN.shape[1])
        sizes = (DESIGN.shape[1], *HIDDEN, 1)
        self._weights: list[Floats] = []
        for inputs, outputs in pairwise(sizes):
            spread = np.sqrt(2 / inputs) * (1.0 if outputs > 1 else 0.1)
            self._weights.append((self._rng.standard_normal((inputs, outputs)) * spread).astype(np.float32))
        self._biases = [np.zeros(size, np.float32) for size in sizes[1:]]
        self._first = [np.zeros_like(one) for one in self._parameters]
        self._second = [np.zeros_like(one) for one in self._parameters]
        self._mean = [one.copy() for one in self._parameters]
        self._steps = 0
        self._hurry = 0

    @property
    def _parameters(self) -> list[Floats]:
        return [*self._weights, *self._biases]

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """See `Candidate`."""
        self._moments.learn(design(vectors))
        size, rehearsals = next((size, steps) for until, size, steps in EFFORT if self._memory.seen < until)
        for at in range(0, len(vectors), size):
            self._step(vectors[at : at + size], labels[at : at + size])
            for _ in range(rehearsals):
                chosen = self._remember()
                self._step(self._memory.vectors[chosen], self._memory.labels[chosen])

    def _remember(self) -> npt.NDArray[np.int64]:
        if not self._hurry:
            return self._rng.integers(0, self._memory.size, REHEARSE_BATCH)
        self._hurry -= 1
        return self._rng.choice(self._memory.newest(NEWEST), REHEARSE_BATCH)

    def _scaled(self, vectors: npt.NDArray[np.uint8]) -> Floats:
        scaled = (design(vectors) - self._moments.mean.astype(np.float32)) * self._moments.scale.astype(np.float32)
        return np.clip(scaled, -CLIP, CLIP, out=scaled)

    def _step(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """One step down the gradient of the mean log-loss."""
        layers, masks = [self._scaled(vectors)], []
        for weight, bias in zip(self._weights[:-1], self._biases[:-1], strict=True):
            hidden = np.maximum(layers[-1] @ weight + bias, 0)
            mask = (self._rng.random(hidden.shape, np.float32) >= DROPOUT).astype(np.float32) / np.float32(1 - DROPOUT)
            masks.append(mask)
            layers.append(hidden * mask)
        odds = (layers[-1] @ self._weights[-1] + self._biases[-1])[:, 0]
        back = (((1 / (1 + np.exp(-odds))) - labels) / len(labels)).astype(np.float32)[:, None]
        by_weight: list[Floats] = []
        by_bias: list[Floats] = []
        for depth in range(len(self._weights) - 1, -1, -1):
            by_weight.insert(0, layers[depth].T @ back)
            by_bias.insert(0, back.sum(axis=0))
            if depth:
                back = (back @ self._weights[depth].T) * masks[depth - 1] * (layers[depth] > 0)
        self._steps += 1
        rate = RATE * np.sqrt(1 - BETA2**self._steps) / (1 - BETA1**self._steps)
        for index, (parameter, slope) in enumerate(zip(self._parameters, [*by_weight, *by_bias], strict=True)):
            self._first[index] += np.float32(1 - BETA1) * (slope - self._first[index])
            self._second[index] += np.float32(1 - BETA2) * (slope * slope - self._second[index])
            kept = np.float32(1 - RATE * DECAY) if parameter.ndim == 2 else np.float32(1)
            np.multiply(parameter, kept, out=parameter)
            np.subtract(parameter, np.float32(rate) * self._first[index] / (np.sqrt(self._second[index]) + np.float32(TINY)), out=parameter)
        keep = np.float32(min(AVERAGE, (1 + self._steps) / (10 + self._steps)))
        for mean, parameter in zip(self._mean, self._parameters, strict=True):
            np.add(keep * mean, (1 - keep) * parameter, out=mean)

    def hurry(self) -> None:
        """See `Candidate`: rehearse the newest examples only, for a while."""
        self._hurry = HURRY_STEPS

    # -- running -------------------------------------------------------------------------------------------------

    def scorer(self) -> NetworkScorer:
        """See `Candidate`: scaling folded into the first layer."""
        w1, w2, w3, b1, b2, b3 = self._mean
        first = w1 * self._moments.scale.astype(np.float32)[:, None]
        bias = b1 - self._moments.mean.astype(np.float32) @ first
        layers = {"w1": first, "b1": bias, "w2": w2.copy(), "b2": b2.copy(), "w3": w3[:, 0].copy(), "b3": b3.copy()}
        return NetworkScorer(self.name, layers, self._memory.usual())

    # -- keeping -------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """See `Candidate`."""
        parameters = {f"p{i}": one for i, one in enumerate(self._parameters)}
        first = {f"m{i}": one for i, one in enumerate(self._first)}
        second = {f"v{i}": one for i, one in enumerate(self._second)}
        mean = {f"a{i}": one for i, one in enumerate(self._mean)}
        scaling = {"mean": self._moments.mean, "var": self._moments.var}
        return {
            "arrays": pack_arrays({**parameters, **first, **second, **mean, **scaling}),
            "count": self._moments.count,
            "steps": self._steps,
            "hurry": self._hurry,
            "rng": rng_state(self._rng),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `Candidate`."""
        arrays = {name: unpack_array(packed) for name, packed in state["arrays"].items()}
        if [arrays[f"p{i}"].shape for i in range(len(self._parameters))] != [one.shape for one in self._parameters]:
            raise ValueError("the checkpoint's network has another shape than this code's")
        half = len(self._weights)
        self._weights = [arrays[f"p{i}"] for i in range(half)]
        self._biases = [arrays[f"p{i}"] for i in range(half, 2 * half)]
        self._first = [arrays[f"m{i}"] for i in range(2 * half)]
        self._second = [arrays[f"v{i}"] for i in range(2 * half)]
        self._mean = [arrays[f"a{i}"] for i in range(2 * half)]
        self._moments.mean, self._moments.var, self._moments.count = arrays["mean"], arrays["var"], state["count"]
        self._steps, self._hurry = state["steps"], state["hurry"]
        set_rng(self._rng, state["rng"])

    # -- River's interface: codes by feature name ----------------------------------------------------------------

    def learn_one(self, x: dict[base.typing.FeatureName, Any], y: base.typing.ClfTarget) -> None:
        """Learn one example: codes by feature name."""
        self._learn_alone(_row(x), np.array([bool(y)], np.uint8))

    def predict_proba_one(self, x: dict[base.typing.FeatureName, Any], **_kwargs: Any) -> dict[base.typing.ClfTarget, float]:
        """Probability of both classes."""
        risk = float(self.scorer().risk(_row(x))[0])
        return {False: 1 - risk, True: risk}

    def learn_many(self, X: Any, y: Any) -> None:  # noqa: N803 - River's name
        """Learn a frame of codes and a series of labels."""
        self._learn_alone(np.asarray(X[list(NAMES)], np.uint8), np.asarray(y, np.uint8))

    def _learn_alone(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        self._memory.push(vectors, labels)
        self.learn(vectors, labels)

    def predict_proba_many(self, X: Any) -> Any:  # noqa: N803 - River's name
        """Probability of both classes, a row each."""
        risk = self.scorer().risk(np.asarray(X[list(NAMES)], np.uint8))
        return pl.DataFrame({"false": 1 - risk, "true": risk})


def _row(x: dict[Hashable, Any]) -> npt.NDArray[np.uint8]:
    return np.array([[x.get(name, 0) for name in NAMES]], np.uint8)
