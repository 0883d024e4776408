"""What the trainer wants of a model that learns."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from online_models.scorer import Scorer


class Candidate(Protocol):
    """A model that learns from mini-batches and is run as a compiled `Scorer`."""

    name: str

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """Learn one mini-batch: coded vectors, uint8 (n, F), and labels 0 or 1, (n,)."""
        ...

    def scorer(self) -> Scorer | None:
        """Return what has been learned so far, as arrays; None while that is nothing."""
        ...

    def hurry(self) -> None:
        """Forget faster for a while: the world has changed."""
        ...

    def state(self) -> msgspec.Struct:
        """All that learning goes on from, as plain data (`online_models.plain`)."""
        ...

    def restore(self, state: Any) -> None:
        """Go on from a state, which is hostile until it has been read: see `online_models.plain.read`.

        Raises
        ------
        ValueError
            If it is none, or is of another design.
        """
        ...
