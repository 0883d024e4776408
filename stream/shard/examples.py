"""What a step sends to the trainer, in order of position: snapshots at landmarks, and labels of snapshots that mature. And which snapshots it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS, NO_LABEL
from features.users.catalog import WIDTH
from features.users.kernel import ASKED, BY_RETURN, BY_SILENCE
from online_models.example import (
    LABEL,
    LEFT_CENSORED,
    OWN_RETURN,
    SNAPSHOT,
    Examples,
    Snapshots,
    concatenate,
    empty_examples,
    pack_rows,
)
from stream.position import KINDS
from stream.shard.moments import Risks, StepFacts, u16_of

_NONE = empty_examples(WIDTH)
_Part = tuple[Examples, npt.NDArray[np.int64], npt.NDArray[np.int32]]
"""Examples, the offset of the record that caused each, and the slot of its user."""


@dataclass(frozen=True, slots=True)
class ForTrainer:
    """The examples that a step sends to the trainer, and the snapshots that it keeps until their labels are known."""

    examples: Examples = field(default_factory=lambda: _NONE)
    chunks: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """Pending snapshots to store, by (definition index, landmark)."""
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    """How many snapshots each chunk holds."""


def examples(facts: StepFacts, risks: Risks, censored_before_ms: int, examples_after: int) -> ForTrainer:
    """Return the examples of a step, in order of position.

    Parameters
    ----------
    censored_before_ms, examples_after : int
        See `stream.shard.meta.ShardMeta`.
    """
    definitions = range(len(facts.settings.spec.definitions))
    made = [_snapshots(facts, risks, k, censored_before_ms) for k in definitions] + [_labels(facts, k) for k in definitions]
    parts = [part for part in made if part is not None]
    if not parts:
        return ForTrainer()
    every, of = concatenate([items for items, _, _ in parts], WIDTH), np.concatenate([slots for _, _, slots in parts])
    users = facts.arena.users
    every.users = [users[slot] for slot in of.tolist()]
    cause = np.concatenate([offsets for _, offsets, _ in parts])
    order = _by_position(every, cause)
    ordered = every.take(order)
    chunks, counts = _pending(facts, ordered, of[order]) if facts.settings.spec.landmarks == "daily" else ({}, {})
    if examples_after >= 0:
        ordered = ordered.take(np.flatnonzero(cause[order] > examples_after))
    return ForTrainer(ordered, chunks, counts)


def _snapshots(facts: StepFacts, risks: Risks, k: int, censored_before_ms: int) -> _Part | None:
    kind, moments = facts.moments.kind[: facts.count], facts.moments
    at_landmark = (kind == BY_SILENCE) | (kind == BY_RETURN) | (kind == ASKED)
    rows = (at_landmark & risks.concerns[k]).nonzero()[0]
    if not len(rows):
        return None
    spec, slots, due_ms = facts.settings.spec, moments.slot[rows], moments.due[rows]
    flags = (kind[rows] == BY_RETURN) * OWN_RETURN
    flags |= (facts.arena.states["first_ms"][slots] < censored_before_ms) * LEFT_CENSORED
    version = np.full(len(rows), facts.champions[k].version, np.uint32)
    risk, matures_ms = u16_of(risks.stated[k, rows]), due_ms + (spec.definitions[k].horizon_ms + spec.lateness_ms)
    items = _items(SNAPSHOT, k, due_ms, matures_ms, risk, version, flags, np.full(len(rows), NO_LABEL), moments.vectors[rows])
    return items, facts.offsets_of(rows), slots


def _labels(facts: StepFacts, k: int) -> _Part | None:
    definitions = facts.settings.spec.definitions
    matured = facts.matured
    one = matured.take((matured.k == k).nonzero()[0]) if len(definitions) > 1 else matured
    if not len(one.slots):
        return None
    hits = facts.arena.states["hit"][one.slots, k]
    hit = (hits >> (one.landmark_ms // DAY_MS & 63).astype(np.uint64)) & np.uint64(1) != 0
    label = np.where(hit, definitions[k].label(hit=True), definitions[k].label(hit=False))
    old = one.snapshots
    items = _items(LABEL, k, one.landmark_ms, one.due_ms, old.risk, old.model_version, old.flags, label, old.vectors)
    return items, facts.causes_of(one.due_ms), one.slots


def _by_position(every: Examples, cause: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the indices that put examples in the order of `stream.position.Position`: cause, due time, user, kind."""
    due_ms = np.where(every.kind == SNAPSHOT, every.landmark_ms, every.matured_ms)
    kinds = every.definition.astype(np.int64) * KINDS + every.kind
    place = {user: number for number, user in enumerate(sorted(set(every.users)))}
    by_user = np.fromiter(map(place.__getitem__, every.users), np.int64, len(every))
    return np.lexsort((kinds, by_user, due_ms, cause))


def _pending(
    facts: StepFacts, items: Examples, slots: npt.NDArray[np.int32]
) -> tuple[dict[tuple[int, int], bytes], dict[tuple[int, int], int]]:
    """Pack the snapshots of each (definition, landmark), and count them."""
    chunks: dict[tuple[int, int], bytes] = {}
    counts: dict[tuple[int, int], int] = {}
    snapshots = (items.kind == SNAPSHOT).nonzero()[0]
    if not len(snapshots):
        return chunks, counts
    rows = snapshots[np.lexsort((items.landmark_ms[snapshots], items.definition[snapshots]))]
    k, landmark_ms = items.definition[rows], items.landmark_ms[rows]
    users = facts.arena.ids(slots[rows])
    packed, ends = pack_rows(Snapshots(users, items.risk[rows], items.model_version[rows], items.flags[rows], items.vectors[rows]))
    changes = (landmark_ms[1:] != landmark_ms[:-1]) | (k[1:] != k[:-1])
    start = row = 0
    for last in [*changes.nonzero()[0].tolist(), len(rows) - 1]:
        key, end = (int(k[last]), int(landmark_ms[last])), int(ends[last])
        chunks[key], counts[key] = bytes(packed[start:end]), last + 1 - row
        start, row = end, last + 1
    return chunks, counts


def _items(
    kind: int,
    k: int,
    landmark_ms: npt.NDArray[np.int64],
    matured_ms: npt.NDArray[np.int64],
    risk: npt.NDArray[np.uint16],
    version: npt.NDArray[np.uint32],
    flags: npt.NDArray[np.uint8],
    label: npt.NDArray[np.int64],
    vectors: npt.NDArray[np.uint8],
) -> Examples:
    n = len(landmark_ms)
    return Examples(
        kind=np.full(n, kind, np.uint8),
        definition=np.full(n, k, np.uint8),
        landmark_ms=np.asarray(landmark_ms, np.int64),
        matured_ms=np.asarray(matured_ms, np.int64),
        risk=np.asarray(risk, np.uint16),
        model_version=np.asarray(version, np.uint32),
        flags=np.asarray(flags, np.uint8),
        label=np.asarray(label, np.uint8),
        vectors=vectors,
        users=[],
    )
