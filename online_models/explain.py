"""What a model looks at: each feature, and how much it adds to or takes from the log-odds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.users.catalog import NAMES
from online_models.scorer import Scorer


def importances(scorer: Scorer, vectors: npt.NDArray[np.uint8]) -> list[tuple[str, float]]:
    """Return every feature with the mean absolute size of its term over some vectors, uint8 (n, F), in log-odds; the largest comes first.

    The terms of a model that is a sum (logistic) are exact. Those of networks and trees are found by occlusion (`online_models.scorer.occlusion`).
    """
    sizes = np.mean([np.abs(scorer.terms(vector)) for vector in vectors], axis=0)
    return [(NAMES[index], float(sizes[index])) for index in np.argsort(-sizes, kind="stable").tolist()]
