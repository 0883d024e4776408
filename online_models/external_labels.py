"""Labels from outside (a cancelled contract, a survey), for definitions of kind ``external``; pure.

A shard makes snapshots for such a definition as for any other, but it cannot know the label: when a snapshot matures, it gets the label that
has come from outside for its user and landmark by then. These labels travel on the `examples` topic like all that the trainer learns from,
so their order is that of the log. Hence a restart, a rebuild and a replay pair the same labels with the same snapshots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS, NO_LABEL
from online_models.example import Examples
from online_models.plain import Count, Millis, read


class ExternalLabel(msgspec.Struct, array_like=True, frozen=True):
    """One label.

    Attributes
    ----------
    offset : int
        Its offset in the topic `labels`, by which a repeat is recognised.
    landmark_ms : int
        The label holds for the user's last landmark at or before this time, which is less than a day before it.
    label : {0, 1}
        1 for churned.
    matured_ms : int
        When the label became known, ms; no model learns from it earlier.
    """

    offset: int
    user: str
    definition: str
    landmark_ms: int
    label: int
    matured_ms: int


class LabelBlock(msgspec.Struct, tag="labels", frozen=True):
    """Some labels, as they stand on the `examples` topic; `next_offset` is the offset of the next label in the topic `labels`."""

    next_offset: int
    labels: list[ExternalLabel]

    def pack(self) -> bytes:
        """Return the block as it stands on the topic."""
        return msgspec.msgpack.encode(self)


class ExternalLabelsState(msgspec.Struct, frozen=True):
    """What `ExternalLabels` goes on from after a restart."""

    next_offset: Count
    next_day: Millis
    counts: dict[str, Count]
    waiting: list[tuple[str, str, Millis, Annotated[int, msgspec.Meta(ge=0, le=1)], Millis]]
    """Definition, user, landmark (ms), label, and when it became known (ms)."""


class ExternalLabels:
    """Labels that wait for their snapshot to mature.

    Parameters
    ----------
    waits_ms : mapping of definition name to int
        How long a snapshot of each external definition waits, ms: its horizon and the lateness.

    Attributes
    ----------
    next_offset : int
        Offset in the topic `labels` of the first label that has not come yet.
    counts : Counter
        Labels by what became of them: ``learned``, ``repeated``, ``too late``, ``no snapshot``. ``censored`` counts snapshots for which no label came.
    """

    def __init__(self, waits_ms: Mapping[str, int]) -> None:
        self._waits_ms = waits_ms
        self._waiting: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
        self._next_day = 0
        self.next_offset = 0
        self.counts: Counter[str] = Counter()

    def add(self, block: LabelBlock, low_ms: int) -> None:
        """Add labels; snapshots have matured up to `low_ms`. A second label for the same user and landmark replaces the first."""
        for one in block.labels:
            if one.offset < self.next_offset:
                self.counts["repeated"] += 1
            elif one.landmark_ms + self._waits_ms.get(one.definition, 0) < low_ms:
                self.counts["too late"] += 1
            else:
                self._waiting.setdefault((one.definition, one.user), {})[one.landmark_ms] = (one.label, one.matured_ms)
        self.next_offset = max(self.next_offset, block.next_offset)

    def fill(self, items: Examples, names: Sequence[str], low_ms: int) -> npt.NDArray[np.bool_]:
        """Give labels, in place, to matured items without one; return a mask of the items to keep, which leaves out those for which no label came.

        When a label became known later than its item matured, the item matures at that later time.
        """
        stays = np.ones(len(items), np.bool_)
        open_rows = np.flatnonzero((items.label == NO_LABEL) & (items.matured_ms < low_ms))
        if not len(open_rows):
            return stays
        items.label, items.matured_ms = items.label.copy(), items.matured_ms.copy()
        for i in open_rows.tolist():
            found = self._pop(names[items.definition[i]], items.users[i], int(items.landmark_ms[i]))
            if found is None:
                stays[i] = False
            else:
                items.label[i], items.matured_ms[i] = found[0], max(found[1], int(items.matured_ms[i]))
        self.counts["censored"] += int((~stays).sum())
        self.counts["learned"] += len(open_rows) - int((~stays).sum())
        return stays

    def _pop(self, definition: str, user: str, landmark_ms: int) -> tuple[int, int] | None:
        waiting = self._waiting.get((definition, user), {})
        at = min((one for one in waiting if landmark_ms <= one < landmark_ms + DAY_MS), default=None)
        if at is None:
            return None
        found = waiting.pop(at)
        if not waiting:
            del self._waiting[definition, user]
        return found

    def forget(self, low_ms: int) -> None:
        """Drop labels whose snapshot can no longer come, and count them; does so once a day of event time only."""
        if low_ms // DAY_MS < self._next_day:
            return
        self._next_day = low_ms // DAY_MS + 1
        for key, waiting in list(self._waiting.items()):
            over = [landmark for landmark in waiting if landmark + self._waits_ms.get(key[0], 0) < low_ms]
            for landmark in over:
                del waiting[landmark]
            self.counts["no snapshot"] += len(over)
            if not waiting:
                del self._waiting[key]

    def erase(self, erased: Mapping[str, int]) -> None:
        """Forget the labels of users, each up to a time (ms)."""
        for key in [key for key in self._waiting if key[1] in erased]:
            self._waiting[key] = {at: one for at, one in self._waiting[key].items() if at > erased[key[1]]}
            if not self._waiting[key]:
                del self._waiting[key]

    def state(self) -> ExternalLabelsState:
        """Return all that a restarted trainer goes on from."""
        waiting = [(*key, landmark, *one) for key, labels in self._waiting.items() for landmark, one in labels.items()]
        return ExternalLabelsState(self.next_offset, self._next_day, dict(self.counts), waiting)

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not such a state.
        """
        one = read(state, ExternalLabelsState)
        self.next_offset, self._next_day, self.counts = one.next_offset, one.next_day, Counter(one.counts)
        self._waiting = {}
        for definition, user, landmark, label, matured in one.waiting:
            self._waiting.setdefault((definition, user), {})[landmark] = (label, matured)
