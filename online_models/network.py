"""A small multi-layer perceptron that rehearses: two hidden layers of rectified units, Adam and dropout.

River has no network classifier, so this is a plain one in numpy that also has River's interface. Labels are sparse, and one pass over them would
teach too little. So after each batch a few batches drawn from the learner's memory of matured examples are learned once more (experience
replay, Lin 1992); the more examples there have been, the fewer. The scorer uses the running mean of the weights (Polyak and Juditsky 1992).
Sources of the rest: Kingma and Ba 2015 for the steps (Adam), Loshchilov and Hutter 2019 for a weight decay apart from them, Srivastava et al.
2014 for dropout, He et al. 2015 for the first weights.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit
from river import base

from features.users.catalog import NAMES
from online_models.design import DESIGN, design
from online_models.logistic import Moments
from online_models.memory import Memory
from online_models.plain import Count, NotNegative, PackedArray, RngState, pack_each, read, rng_state, set_rng, unpack_array
from online_models.scorer import NetworkScorer

HIDDEN = (64, 32)
RATE = 2e-3
DECAY = 0.1
DROPPED = 51
"""A unit is dropped when a random byte is below this: one time in five."""
KEPT = np.float32(256 / (256 - DROPPED))
REHEARSE_BATCH = 256
EFFORT = ((65_536, 64, 6), (2**62, 256, 1))
"""A row each: up to how many examples seen it holds, the examples of one step, and the steps of rehearsal after it."""
AVERAGE = 0.995
"""Weight of the old mean in the running mean of the weights, at each step."""
NEWEST = 2_048
CLIP = 5.0
"""Scaled columns are kept within this many standard deviations while learning."""
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8
HURRY_STEPS = 200
"""For this many steps after a drift, rehearsal draws from the last `NEWEST` examples only."""

Floats = npt.NDArray[np.float32]


class NetworkArrays(msgspec.Struct, frozen=True):
    """One number for each parameter, except `center` and `var`, which have one for each column."""

    now: PackedArray
    mean: PackedArray
    first: PackedArray
    second: PackedArray
    center: PackedArray
    var: PackedArray


class NetworkState(msgspec.Struct, frozen=True):
    """What a `Network` goes on from after a restart; the learner saves the memory."""

    arrays: NetworkArrays
    count: NotNegative
    steps: Count
    hurry: Count
    rng: RngState


@njit(cache=True, nogil=True)
def _activate(hidden: Any, bias: Any, chance: Any) -> None:
    """Add the bias, set negative values to zero, drop some units and scale up the rest; in place."""
    for i in range(hidden.shape[0]):
        for j in range(hidden.shape[1]):
            value = hidden[i, j] + bias[j]
            hidden[i, j] = value * KEPT if value > 0 and chance[i, j] >= DROPPED else np.float32(0)


@njit(cache=True, nogil=True)
def _gate(back: Any, hidden: Any) -> None:
    """Let the slope pass back only through units that were on; in place."""
    for i in range(back.shape[0]):
        for j in range(back.shape[1]):
            back[i, j] = back[i, j] * KEPT if hidden[i, j] > 0 else np.float32(0)


@njit(cache=True, nogil=True)
def _descend(now: Any, slope: Any, first: Any, second: Any, mean: Any, rate: Any, keep: Any, decayed: int) -> None:
    """Make one step of Adam, with weight decay and the running mean of the weights; `keep` is the weight of the old mean."""
    one, fade1, fade2, kept = np.float32(1), np.float32(1 - BETA1), np.float32(1 - BETA2), np.float32(1 - RATE * DECAY)
    for i in range(now.shape[0]):
        first[i] += fade1 * (slope[i] - first[i])
        second[i] += fade2 * (slope[i] * slope[i] - second[i])
        old = now[i] * kept if i < decayed else now[i]
        now[i] = old - rate * first[i] / (np.sqrt(second[i]) + np.float32(TINY))
        mean[i] = keep * mean[i] + (one - keep) * now[i]


@dataclass(frozen=True, slots=True)
class Layers:
    """All weights and biases in one array, and views of it for each layer.

    Attributes
    ----------
    every : float32 (parameters,)
        All weights, then all biases.
    weights, biases : list of float32 (inputs, outputs) and (outputs,)
        The views, a layer each.
    decayed : int
        How many parameters at the beginning of `every` are weights; only these decay.
    """

    every: Floats
    weights: list[Floats]
    biases: list[Floats]
    decayed: int

    @classmethod
    def flat(cls) -> Self:
        """Return zeros of this network's shape."""
        shapes = list(pairwise((DESIGN.shape[1], *HIDDEN, 1)))
        weights, biases = sum(a * b for a, b in shapes), sum(b for _, b in shapes)
        every, at = np.zeros(weights + biases, np.float32), 0
        views: list[Floats] = []
        for shape in [*shapes, *((b,) for _, b in shapes)]:
            size = prod(shape)
            views.append(every[at : at + size].reshape(shape))
            at += size
        return cls(every, views[: len(shapes)], views[len(shapes) :], weights)


class Network(base.Classifier):
    """A network as a candidate (see `online_models.candidate.Candidate`); it is also a classifier of River's, whose features are codes by name.

    Parameters
    ----------
    seed : int
        Seed of the first weights, the dropout and the rehearsal.
    memory : Memory, optional
        The examples that are rehearsed. Who calls `learn` must fill it first; `learn_one` fills it by itself.

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
        self._now, self._mean = Layers.flat(), Layers.flat()
        for weight in self._now.weights:
            inputs, outputs = weight.shape
            spread = np.sqrt(2 / inputs) * (1.0 if outputs > 1 else 0.1)
            weight[:] = self._rng.standard_normal(weight.shape) * spread
        self._mean.every[:] = self._now.every
        self._first, self._second = np.zeros_like(self._now.every), np.zeros_like(self._now.every)
        self._steps = 0
        self._hurry = 0

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
        """Make one step down the gradient of the mean log-loss."""
        weights, biases = self._now.weights, self._now.biases
        layers = [self._scaled(vectors)]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            hidden = layers[-1] @ weight
            _activate(hidden, bias, np.frombuffer(self._rng.bytes(hidden.size), np.uint8).reshape(hidden.shape))
            layers.append(hidden)
        odds = (layers[-1] @ weights[-1] + biases[-1])[:, 0]
        with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that is meant
            back = (((1 / (1 + np.exp(-odds))) - labels) / len(labels)).astype(np.float32)[:, None]
        slope = Layers.flat()
        for depth in range(len(weights) - 1, -1, -1):
            np.matmul(layers[depth].T, back, out=slope.weights[depth])
            np.sum(back, axis=0, out=slope.biases[depth])
            if depth:
                back = back @ weights[depth].T
                _gate(back, layers[depth])
        self._steps += 1
        rate = np.float32(RATE * np.sqrt(1 - BETA2**self._steps) / (1 - BETA1**self._steps))
        keep = np.float32(min(AVERAGE, (1 + self._steps) / (10 + self._steps)))
        _descend(self._now.every, slope.every, self._first, self._second, self._mean.every, rate, keep, self._now.decayed)

    def hurry(self) -> None:
        """See `Candidate`: rehearse the newest examples only, for a while."""
        self._hurry = HURRY_STEPS

    # -- running -------------------------------------------------------------------------------------------------

    def scorer(self) -> NetworkScorer:
        """See `Candidate`; the scaling of the columns is folded into the first layer."""
        (w1, w2, w3), (b1, b2, b3) = self._mean.weights, self._mean.biases
        first = w1 * self._moments.scale.astype(np.float32)[:, None]
        bias = b1 - self._moments.mean.astype(np.float32) @ first
        layers = {"w1": first, "b1": bias, "w2": w2.copy(), "b2": b2.copy(), "w3": w3[:, 0].copy(), "b3": b3.copy()}
        return NetworkScorer(self.name, layers, self._memory.usual())

    # -- keeping -------------------------------------------------------------------------------------------------

    def state(self) -> NetworkState:
        """See `Candidate`."""
        learned = (self._now.every, self._mean.every, self._first, self._second)
        arrays = NetworkArrays(*pack_each(*learned, self._moments.mean, self._moments.var))
        return NetworkState(arrays, self._moments.count, self._steps, self._hurry, rng_state(self._rng))

    def restore(self, state: Any) -> None:
        """See `Candidate`."""
        one = read(state, NetworkState)
        many, columns = len(self._now.every), DESIGN.shape[1]
        now, mean, first, second = (
            unpack_array(packed, "<f4", many) for packed in (one.arrays.now, one.arrays.mean, one.arrays.first, one.arrays.second)
        )
        center, var = (unpack_array(packed, "<f8", columns) for packed in (one.arrays.center, one.arrays.var))
        if (second < 0).any() or (var < 0).any():
            raise ValueError("the checkpoint's network has a mean of squares below zero")
        set_rng(self._rng, one.rng)
        self._now.every[:], self._mean.every[:], self._first, self._second = now, mean, first, second
        self._moments.mean, self._moments.var, self._moments.count = center, var, one.count
        self._steps, self._hurry = one.steps, one.hurry

    # -- River's interface: codes by feature name ----------------------------------------------------------------

    def learn_one(self, x: dict[base.typing.FeatureName, Any], y: base.typing.ClfTarget) -> None:
        """Learn one example, given as codes (0 to 255) by feature name."""
        vectors, labels = _row(x), np.array([bool(y)], np.uint8)
        self._memory.push(vectors, labels)
        self.learn(vectors, labels)

    def predict_proba_one(self, x: dict[base.typing.FeatureName, Any], **_kwargs: Any) -> dict[base.typing.ClfTarget, float]:
        """Return the probability of both classes."""
        risk = float(self.scorer().risk(_row(x))[0])
        return {False: 1 - risk, True: risk}


def _row(x: dict[Hashable, Any]) -> npt.NDArray[np.uint8]:
    return np.array([[x.get(name, 0) for name in NAMES]], np.uint8)
