"""Compile what learning and scoring need into the cache, by one step of every live candidate: ``python -m online_models.warm``."""

from __future__ import annotations

import numpy as np

from features.definitions.definition import DAY_MS
from features.users.catalog import WIDTH
from online_models.catalog import LIVE
from online_models.learner import Learner, LearnerSettings


def warm() -> None:
    """Make a learner take one step, and score after it."""
    learner = Learner("warm", LearnerSettings(DAY_MS, LIVE))
    vectors, labels = np.ones((256, WIDTH), np.uint8), np.tile(np.array([0, 1], np.uint8), 128)
    learner.hold(np.zeros(256, np.int64), vectors, labels, learner.score(vectors))
    learner.step(0)
    learner.score(vectors)


if __name__ == "__main__":
    warm()
