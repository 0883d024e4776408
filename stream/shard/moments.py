"""What a step looks at once the compiled passes have run: the moments they found, the snapshots that mature, and the risk at each moment.

All of this is only read: `stream.shard.examples`, `stream.shard.decisions` and `stream.shard.outputs` turn it into what the step says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.users.arena import Arena
from features.users.catalog import WIDTH
from features.users.kernel import RETURNED, Moments
from features.users.segment import inside, segment_of
from online_models.example import Snapshots, unpack_lists
from online_models.scorer import Champion
from stream.shard.records import Records
from stream.shard.settings import ShardSettings


@dataclass(frozen=True, slots=True)
class Matured:
    """Snapshots whose labels are due now, as columns of length n; times in ms since the epoch."""

    k: npt.NDArray[np.uint8]
    """Definition index."""
    landmark_ms: npt.NDArray[np.int64]
    due_ms: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int32]
    snapshots: Snapshots

    def take(self, index: npt.NDArray[np.intp]) -> Matured:
        """Return the snapshots at the given indices."""
        return Matured(self.k[index], self.landmark_ms[index], self.due_ms[index], self.slots[index], self.snapshots.take(index))


NOTHING_MATURED = Matured(
    np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32), unpack_lists([], WIDTH)[0]
)


@dataclass(frozen=True, slots=True)
class StepFacts:
    """All that a step has found.

    Attributes
    ----------
    moments : Moments
        The first `count` rows are filled.
    watermarks : int64 (records,)
        W after each record that the step took, ms.
    first, last : int
        Indices of the first and the last record that can be the cause of a timer.
    """

    settings: ShardSettings
    champions: Sequence[Champion]
    records: Records
    arena: Arena
    moments: Moments
    count: int
    matured: Matured
    watermarks: npt.NDArray[np.int64]
    first: int
    last: int

    def offsets_of(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        """Return the offset of the record that caused each moment."""
        offsets: npt.NDArray[np.int64] = self.records.offsets[self.moments.cause[rows]]
        return offsets

    def causes_of(self, due_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return, for each due time, the offset of the first record whose W exceeds it."""
        index = self.first + self.watermarks[self.first : self.last + 1].searchsorted(due_ms, side="right")
        return self.records.offsets[np.minimum(index, self.last)]

    def rows_of(self, kind: int) -> npt.NDArray[np.intp]:
        """Return the rows of the moments of one kind."""
        return np.asarray((self.moments.kind[: self.count] == kind).nonzero()[0], np.intp)


@dataclass(frozen=True, slots=True)
class Risks:
    """What the champions say of the moments.

    Attributes
    ----------
    rows : intp (m,)
        Moments that have a vector: all but RETURNED.
    stated : float32 (D, n)
        Risk, 0 to 1, by each definition at each moment; 0 where there is no vector, or the user is outside the segment.
    concerns : bool (D, n)
        Whether a moment concerns a definition: the passes found that the user is eligible, or back, and the user is inside its segment.
    """

    rows: npt.NDArray[np.intp]
    stated: npt.NDArray[np.float32]
    concerns: npt.NDArray[np.bool_]


def risks(facts: StepFacts) -> Risks:
    """Score all moments, one call per definition."""
    kind, bits = facts.moments.kind[: facts.count], facts.moments.defs[: facts.count]
    rows = (kind != RETURNED).nonzero()[0]
    vectors, spec = facts.moments.vectors[: facts.count][rows], facts.settings.spec
    stated = np.zeros((len(facts.champions), facts.count), np.float32)
    concerns = np.zeros((len(facts.champions), facts.count), np.bool_)
    for k, champion in enumerate(facts.champions):
        concerns[k] = bits & (1 << k) != 0
        if not len(rows):
            continue
        stated[k, rows] = champion.scorer.risk(vectors)
        if spec.definitions[k].segment:
            outside = rows[~inside(segment_of(spec.definitions[k].segment, spec.channels), vectors)]
            stated[k, outside] = 0
            concerns[k, outside] = False
    return Risks(rows, stated, concerns)


def u16_of(risk: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Return risks (0 to 1) as states and examples keep them, 0 to 65,535."""
    return np.rint(risk.astype(np.float64) * 65_535).astype(np.uint16)
