"""A block of examples as rows of the tables: snapshots are scores, labels are outcomes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from features.definitions.definition import DAY_MS, NO_LABEL
from features.users.landmarks import first_instant, phase_of
from insights.history.tables import OUTCOMES, SCORES
from online_models.example import COLUMNS, LABEL, SNAPSHOT, ExampleBlock, Examples
from online_models.external_labels import ExternalLabel

ENGINE, TOLD = "engine", "labels"
"""Sources of an outcome: the label that a shard found, or one that was told on the topic `labels`."""
MOST_RISK = 65_535
"""A risk of 1 as examples keep it."""


def numbers_of(block: ExampleBlock) -> npt.NDArray[np.int64]:
    """Return the number of each example of a block.

    Raises
    ------
    ValueError
        If its columns do not belong together.
    """
    items = block.items
    if any(len(getattr(items, name)) != len(items) for name in COLUMNS):
        raise ValueError("its columns differ in length")
    if (items.definition >= len(block.definitions)).any():
        raise ValueError("it has an example of a definition that it does not name")
    return np.arange(block.first_number, block.first_number + len(items), dtype=np.int64)


def scores_of(block: ExampleBlock, new: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Return the snapshots of a block among those that are new, as rows of `SCORES` but its day."""
    at = np.flatnonzero(new & (block.items.kind == SNAPSHOT))
    items = block.items.take(at)
    said = {"risk": items.risk / MOST_RISK, "model_version": items.model_version.astype(np.int32), "flags": items.flags.astype(np.int32)}
    columns = {**_who(block, items), **said, "matured": _time(items.matured_ms), **_place(block, at)}
    return pl.DataFrame(columns, schema=SCORES.in_files)


def outcomes_of(block: ExampleBlock, new: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Return the labels of a block among those that are new, as rows of `OUTCOMES` but its day; one that is to be told from outside says nothing yet."""
    at = np.flatnonzero(new & (block.items.kind == LABEL) & (block.items.label != NO_LABEL))
    items = block.items.take(at)
    said = {"label": items.label.astype(np.int32), "matured": _time(items.matured_ms), "source": [ENGINE] * len(items)}
    return pl.DataFrame({**_who(block, items), **said, **_place(block, at)}, schema=OUTCOMES.in_files)


def labels_of(labels: Sequence[ExternalLabel]) -> pl.DataFrame:
    """Return labels from outside as rows of `OUTCOMES` but its day: each holds for the user's last landmark at or before its time."""
    marks = [first_instant(phase_of(label.user), label.landmark_ms - DAY_MS + 1) for label in labels]
    columns = {
        "user": [label.user for label in labels],
        "definition": [label.definition for label in labels],
        "landmark": _time(np.array(marks, np.int64)),
        "label": [label.label for label in labels],
        "matured": _time(np.array([label.matured_ms for label in labels], np.int64)),
        "source": [TOLD] * len(labels),
        "lineage": [TOLD] * len(labels),
        "shard": [-1] * len(labels),
        "number": [label.offset for label in labels],
    }
    return pl.DataFrame(columns, schema=OUTCOMES.in_files)


def _who(block: ExampleBlock, items: Examples) -> dict[str, object]:
    definition = [block.definitions[index] for index in items.definition.tolist()]
    return {"user": items.users, "definition": definition, "landmark": _time(items.landmark_ms)}


def _place(block: ExampleBlock, at: npt.NDArray[np.intp]) -> dict[str, object]:
    return {"lineage": [block.lineage] * len(at), "shard": [block.partition] * len(at), "number": block.first_number + at}


def _time(ms: npt.NDArray[np.int64]) -> pl.Series:
    return pl.Series(ms * 1000, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
