"""What the history must hold of the topic of examples, said plainly: each numbered example once, each label from outside once, as it was first said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from online_models.example import LABEL, ExampleBlock
from online_models.external_labels import LabelBlock

NO_LABEL = 255


def expected(records: Iterable[ExampleBlock | LabelBlock]) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """Return the scores (user, definition, landmark, risk, version, flags, due, lineage, shard, number) and the outcomes
    (user, definition, landmark, label, known, source, lineage, shard, number), times in ms, risks to 6 digits."""
    scores: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    outcomes: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for block in records:
        if isinstance(block, LabelBlock):
            for told in block.labels:
                place = ("labels", -1, told.offset)
                outcomes.setdefault(place, (told.user, told.definition, None, told.label, told.matured_ms, "labels", *place))
            continue
        items = block.items
        for n, user in enumerate(items.users):
            place = (block.lineage, block.partition, block.first_number + n)
            who = (user, block.definitions[items.definition[n]], int(items.landmark_ms[n]))
            if items.kind[n] != LABEL:
                said = (round(int(items.risk[n]) / 65_535, 6), int(items.model_version[n]), int(items.flags[n]), int(items.matured_ms[n]))
                scores.setdefault(place, (*who, *said, *place))
            elif items.label[n] != NO_LABEL:
                outcomes.setdefault(place, (*who, int(items.label[n]), int(items.matured_ms[n]), "engine", *place))
    return set(scores.values()), set(outcomes.values())
