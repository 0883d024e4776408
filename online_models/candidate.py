"""What the trainer needs of a model that learns."""

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
        """Return what has been learned so far, as a compiled scorer; None before anything has been learned."""
        ...

    def hurry(self) -> None:
        """Forget faster for a while: the world has changed."""
        ...

    def state(self) -> msgspec.Struct:
        """Return all that learning goes on from, as plain data (`online_models.plain`)."""
        ...

    def restore(self, state: Any) -> None:
        """Go on from a state. It comes from outside and is not trusted: `online_models.plain.read` checks its types first.

        Raises
        ------
        ValueError
            If it is not the state of this kind of model, or of another design of it.
        """
        ...
