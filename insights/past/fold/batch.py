"""What some records of the topics add to the past: decoded, without what was read before, as rows to merge. Pure.

Offsets say where to read on. They do not say what is new: a worker may publish a block of examples twice, cut differently, so the numbers of the
examples decide, as they do for the trainer (`online_models.example`). An alert is known by its id, and a label from outside by its offset in `labels`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
import numpy as np

from features.definitions.definition import DAY_MS
from features.users.landmarks import BUCKETS, PHASE_STEP_MS
from insights.past.fold.landmarks import LEFT, MATURED, STATED, STAYED, Entries, hash_of, hashes_of, items
from insights.past.fold.standing import ShardRead, Standing
from online_models.example import COLUMNS, LABEL, ExampleBlock, Examples
from online_models.example_blocks import unpack_record
from online_models.external_labels import LabelBlock
from stream.alerts.message import Alert, decode_alert
from stream.kafka.origin import Headers, app_of

_FLAGS_OF_LABEL = np.full(256, STATED | MATURED, np.uint8)
_FLAGS_OF_LABEL[0] |= STAYED
_FLAGS_OF_LABEL[1] |= LEFT


class Batch:
    """Records between two commits.

    Parameters
    ----------
    app, spec_hash : str
        Whose records count: those that name the app and, of a build that named none, those of its feature spec.
    standing : Standing
        How far the topics were read before; it is not changed.

    Attributes
    ----------
    standing : Standing
        How far they have been read with this batch.
    alerts : list of Alert
        In the order of their topic.
    erased : dict of str to int
        Users who were erased, and when last (ms).
    counts : Counter
        ``examples`` and ``alerts`` that are new; records that were ``foreign`` or ``unreadable``; examples that were ``repeated`` or ``missing``.
    """

    def __init__(self, app: str, spec_hash: str, standing: Standing) -> None:
        self._app, self._spec_hash = app, spec_hash
        self.standing = standing.copy()
        self.alerts: list[Alert] = []
        self.erased: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self._items: dict[str, list[Entries]] = {}

    def __len__(self) -> int:
        """How many alerts and examples are in it."""
        return self.counts["examples"] + self.counts["alerts"]

    def passed(self, topic: str, partition: int, next_offset: int) -> None:
        """Note that a partition has been read up to an offset; records that nobody may see (aborted ones, markers) are passed in this way too."""
        self.standing.positions[topic, partition] = next_offset

    def add_alert(self, value: bytes, headers: Headers) -> None:
        """Take in a record of `alerts`."""
        if app_of(headers) not in {None, self._app}:
            self.counts["foreign"] += 1
            return
        try:
            alert: Alert | None = decode_alert(value)
        except msgspec.DecodeError:
            alert = None
        if alert is None or (alert.type == "opened" and (alert.risk is None or alert.threshold is None)):
            self.counts["unreadable"] += 1
            return
        self.alerts.append(alert)
        self.counts["alerts"] += 1

    def add_examples(self, value: bytes, headers: Headers, stamp_ms: int) -> None:
        """Take in a record of `examples`: a shard's block, or labels from outside."""
        whose = app_of(headers)
        if whose not in {None, self._app}:
            self.counts["foreign"] += 1
            return
        try:
            block = unpack_record(value)
            if isinstance(block, ExampleBlock):
                _check(block)
        except (msgspec.DecodeError, ValueError):
            self.counts["unreadable"] += 1
            return
        if isinstance(block, LabelBlock):
            self._add_told(block)
        elif whose is None and block.spec_hash != self._spec_hash:
            self.counts["foreign"] += 1
        else:
            self._add_block(block, stamp_ms)

    def items(self) -> Mapping[str, Entries]:
        """Return what to merge, by definition, in the order of the topic."""
        return {definition: np.concatenate(parts) for definition, parts in self._items.items()}

    def _add_block(self, block: ExampleBlock, stamp_ms: int) -> None:
        for user, erased_ms in block.erased:
            self.erased[user] = max(erased_ms, self.erased.get(user, 0))
        unseen = self._unseen(block, stamp_ms)
        self.counts["examples"] += len(unseen)
        hashed = hashes_of(unseen.users)
        flags = np.where(unseen.kind == LABEL, _FLAGS_OF_LABEL[unseen.label], STATED).astype(np.uint8)
        for index in np.unique(unseen.definition).tolist():
            at = np.flatnonzero(unseen.definition == index)
            columns = (hashed[at], unseen.landmark_ms[at], unseen.risk[at], unseen.model_version[at], flags[at])
            self._items.setdefault(block.definitions[index], []).append(items(*columns))

    def _unseen(self, block: ExampleBlock, stamp_ms: int) -> Examples:
        """Return the examples that were not read before, and note how far the shard has come."""
        before = self.standing.shards.get(block.partition)
        last, watermark = block.first_number - 1, block.watermark_ms
        if before is not None:
            watermark = max(watermark, before.watermark_ms)
            if before.lineage == block.lineage:
                self.counts["missing"] += max(0, block.first_number - before.last_number - 1)
                last = max(last, before.last_number)
        skip = last + 1 - block.first_number
        last = max(last, block.first_number + len(block.items) - 1)
        self.counts["repeated"] += min(skip, len(block.items))
        self.standing.shards[block.partition] = ShardRead(block.lineage, last, watermark, stamp_ms)
        return block.items.take(slice(skip, None)) if skip else block.items

    def _add_told(self, block: LabelBlock) -> None:
        new = [label for label in block.labels if label.offset >= self.standing.told_offset]
        self.standing.told_offset = max(self.standing.told_offset, block.next_offset)
        for label in new:
            hashed = hash_of(label.user)
            landmark = np.array([_landmark_at(hashed, label.landmark_ms)], np.int64)
            flags = np.array([LEFT if label.label else STAYED], np.uint8)
            self._items.setdefault(label.definition, []).append(items(np.array([hashed], np.uint64), landmark, 0, 0, flags))


def _check(block: ExampleBlock) -> None:
    """Raise ValueError if a block's columns do not belong together: one bad record must not stop all that come after it."""
    if any(len(getattr(block.items, name)) != len(block.items) for name in COLUMNS):
        raise ValueError("its columns differ in length")
    if (block.items.definition >= len(block.definitions)).any():
        raise ValueError("it has an example of a definition that it does not name")


def _landmark_at(hashed: int, time_ms: int) -> int:
    """Return a user's last landmark at or before a time, ms: the one that a label from outside is about.

    >>> _landmark_at(3, 86_400_000 + 900_000), _landmark_at(3, 86_400_000 + 899_999)
    (87300000, 900000)
    """
    shift = hashed % BUCKETS * PHASE_STEP_MS
    return (time_ms - shift) // DAY_MS * DAY_MS + shift
