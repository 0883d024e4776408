"""Made-up records of the topic of examples: shards that send blocks cut anyhow, some of them twice, and labels from outside among them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from online_models.example import ExampleBlock, Examples
from online_models.external_labels import ExternalLabel, LabelBlock

DAY_MS = 86_400_000
START_MS = 20_380 * DAY_MS
DEFINITIONS = ["churn14", "contract"]


def block(shard: int, first: int, count: int, lineage: str = "0") -> ExampleBlock:
    """Some examples of a shard; what each is follows from its number alone."""
    numbers = np.arange(first, first + count)
    kind = (numbers % 3 == 0).astype(np.uint8)
    definition = (numbers % 5 == 4).astype(np.uint8)
    landmark = START_MS + numbers // 7 * DAY_MS // 4
    items = Examples(
        kind=kind,
        definition=definition,
        landmark_ms=landmark,
        matured_ms=landmark + 15 * DAY_MS,
        risk=(numbers * 7_919 % 65_536).astype(np.uint16),
        model_version=(numbers // 50).astype(np.uint32),
        flags=(numbers % 4).astype(np.uint8),
        label=np.where(kind == 0, 255, np.where(definition == 1, 255, numbers % 2)).astype(np.uint8),
        vectors=np.zeros((count, 3), np.uint8),
        users=[f"user {shard}-{n % 11}" for n in numbers.tolist()],
    )
    return ExampleBlock(lineage, shard, first, START_MS + (first + count) * 60_000, "spec", DEFINITIONS, items)


def records(seed: int, each: int = 300, shards: int = 3) -> Iterator[ExampleBlock | LabelBlock]:
    """Yield the records of a topic, in order."""
    chance = random.Random(seed)
    ends, told = dict.fromkeys(range(shards), 1), 0
    while any(end <= each for end in ends.values()):
        shard = chance.choice([one for one, end in ends.items() if end <= each])
        begin = ends[shard] if chance.random() < 0.7 else max(1, ends[shard] - chance.randrange(40))  # some again, cut differently
        ends[shard] = max(ends[shard], begin + chance.randrange(30))
        yield block(shard, begin, ends[shard] - begin)
        if chance.random() < 0.2:
            back, more = chance.randrange(min(told, 2) + 1), chance.randrange(4)
            yield LabelBlock(told + more, [_told(offset) for offset in range(told - back, told + more)])
            told += more


def _told(offset: int) -> ExternalLabel:
    return ExternalLabel(
        offset, f"user 0-{offset % 11}", "contract", START_MS + offset * 3_600_000, offset % 2, START_MS + offset * 3_700_000
    )
