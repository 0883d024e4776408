"""What a model looks at: every feature with the size of its term."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.users.catalog import NAMES
from online_models.scorer import Scorer


def importances(scorer: Scorer, vectors: npt.NDArray[np.uint8]) -> list[tuple[str, float]]:
    """Return every feature with the mean size of its term over some vectors, uint8 (n, F), in log-odds, the largest first.

    For sums of terms (logistic) the terms are exact; for networks and trees they are by occlusion (`online_models.scorer.occlusion`).
    """
    sizes = np.mean([np.abs(scorer.terms(vector)) for vector in vectors], axis=0)
    return [(NAMES[index], float(sizes[index])) for index in np.argsort(-sizes, kind="stable").tolist()]
