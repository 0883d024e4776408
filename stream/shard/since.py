"""Since when each churn definition is valid, as the shards remember it. A definition that was added later knows only what came after that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from features.definitions.definition import ChurnDefinition
from features.users.state import NEVER
from stream.shard.meta import Followed, ShardMeta


def since_in_words(definition: ChurnDefinition, metas: Mapping[int, ShardMeta]) -> str:
    """Say since when a definition is valid in all shards, and when it knows everybody.

    >>> from features.definitions.definition import DAY_MS
    >>> meta = ShardMeta(definitions=[Followed("churn14", "", 7, 20_000 * DAY_MS)])
    >>> since_in_words(ChurnDefinition(), {0: meta})
    'valid since 2024-10-04 00:00, knows everybody active since 2024-10-18 00:00'
    >>> since_in_words(ChurnDefinition(name="new"), {0: meta})
    'not taken up yet by shard 0: restart the workers'
    """
    followed = {partition: _one(definition.name, meta.definitions) for partition, meta in metas.items()}
    missing = [partition for partition, one in followed.items() if one is None]
    if missing:
        return f"not taken up yet by shard {', '.join(map(str, missing))}: restart the workers"
    since_ms = max((one.since_ms for one in followed.values() if one is not None), default=NEVER)
    if since_ms == NEVER:
        return "valid since the beginning of the log"
    return f"valid since {_minute(since_ms)}, knows everybody active since {_minute(since_ms + definition.active_window_ms)}"


def in_words(definitions: Iterable[Followed]) -> str:
    """Say what one shard follows, for a log line.

    >>> in_words([Followed("churn14", ""), Followed("churn30", "", 7, 0)])
    'churn14, churn30 since 1970-01-01 00:00'
    """
    return ", ".join(one.name if one.since_ms == NEVER else f"{one.name} since {_minute(one.since_ms)}" for one in definitions)


def _one(name: str, definitions: Sequence[Followed]) -> Followed | None:
    return next((one for one in definitions if one.name == name), None)


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
