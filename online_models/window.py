"""The newest labels that candidates are compared on, with what each of them had stated, and the figures of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from features.users.catalog import WIDTH
from online_models.champion import Grades
from online_models.judged import Judged
from online_models.plain import array_of, labels_of
from online_models.quality import Progress, Tally, log_loss

LEAST_GRADED = 30
"""Candidates are compared once there are this many labels of each class."""
LEAST_SHARE = 0.5
"""And only those that had stated a risk for so much of the window."""

Scores = npt.NDArray[np.float32]
Rows = tuple[bytes, bytes, bytes]
"""Labels, scores and vectors, a row for each label, packed."""


@dataclass(slots=True)
class Window:
    """Labels, uint8 (n,), stated risks, float32 (n, candidates) with NaN where a candidate said nothing, and vectors, uint8 (n, F)."""

    labels: npt.NDArray[np.uint8]
    stated: Scores
    vectors: npt.NDArray[np.uint8]

    @classmethod
    def empty(cls, candidates: int) -> Self:
        """Return a window without labels."""
        return cls(np.zeros(0, np.uint8), np.zeros((0, candidates), np.float32), np.zeros((0, WIDTH), np.uint8))

    def push(self, labels: npt.NDArray[np.uint8], stated: Scores, vectors: npt.NDArray[np.uint8], most: int) -> None:
        """Take in labels, (n,), with their risks, (n, candidates), and vectors, (n, F); keep the newest `most`."""
        self.labels = np.concatenate([self.labels, labels])[-most:]
        self.stated = np.concatenate([self.stated, stated])[-most:]
        self.vectors = np.concatenate([self.vectors, vectors])[-most:]

    def cut(self, most: int) -> None:
        """Keep the newest `most` only."""
        self.push(self.labels[:0], self.stated[:0], self.vectors[:0], most)

    def grades(self, names: tuple[str, ...]) -> Grades | None:
        """Return the losses of all candidates that have stated enough, on the same labels; None while there are too few of these."""
        if not len(self.labels):
            return None
        places = np.flatnonzero((~np.isnan(self.stated)).mean(axis=0) >= LEAST_SHARE)
        there = ~np.isnan(self.stated[:, places]).any(axis=1)
        labels = self.labels[there]
        if min(labels.sum(), len(labels) - labels.sum()) < LEAST_GRADED:
            return None
        losses = log_loss(labels, self.stated[there][:, places])
        return Grades({names[place]: losses[:, column] for column, place in enumerate(places.tolist())})

    def figures(self, place: int) -> dict[str, float] | None:
        """Return the figures of the candidate at this place; None if it has stated nothing."""
        tally = self._tally(place)
        return tally.figures() if tally.n else None

    def segments(self, place: int, channels: tuple[str, ...]) -> dict[str, dict[str, float]]:
        """Return the figures of the candidate at this place by segment."""
        there, progress = self._there(place), Progress(channels)
        progress.add(self.labels[there], self.stated[there, place], self.vectors[there])
        return progress.figures()

    def tenths(self, place: int) -> list[Judged]:
        """Return what the candidate at this place stated against what came true, by tenths of the risk."""
        return self._tally(place).tenths()

    def _tally(self, place: int) -> Tally:
        there, tally = self._there(place), Tally()
        tally.add(self.labels[there], self.stated[there, place])
        return tally

    def _there(self, place: int) -> npt.NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.stated[:, place]))

    def packed(self) -> Rows:
        """Return the window as plain data."""
        return self.labels.tobytes(), self.stated.tobytes(), self.vectors.tobytes()

    @classmethod
    def of(cls, rows: Rows, candidates: int) -> Self:
        """Make the window that was saved.

        Raises
        ------
        ValueError
            If its parts do not fit each other.
        """
        return cls(*unpack_rows(*rows, candidates))


def unpack_rows(labels: bytes, scores: bytes, vectors: bytes, *shape: int) -> tuple[npt.NDArray[np.uint8], Scores, npt.NDArray[np.uint8]]:
    """Read labels with their scores, (n, *shape), and vectors, (n, F), a row for each label.

    Raises
    ------
    ValueError
        If there are not equally many, or any of them is none.
    """
    found = labels_of(labels), scores_of(scores, *shape), array_of(vectors, "u1", -1, WIDTH)
    if len({len(one) for one in found}) > 1:
        raise ValueError(f"{[len(one) for one in found]} labels, scores and vectors: there must be equally many")
    return found


def scores_of(packed: bytes, *shape: int) -> Scores:
    """Read scores, float32 (n, *shape), each from 0 to 1, or NaN where there is none.

    Raises
    ------
    ValueError
        If the bytes do not fit the shape, or a score is outside 0 to 1.
    """
    scores = np.frombuffer(packed, "<f4").reshape(-1, *shape).copy()
    if not (np.isnan(scores) | ((scores >= 0) & (scores <= 1))).all():
        raise ValueError("a score is not between 0 and 1")
    return scores
