"""What the shards of an app remember of themselves, read from Redis without taking a shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.store.keys import META_FIELD, shard_keys
from stream.shard.meta import ShardMeta, unpack_meta

if TYPE_CHECKING:
    import redis


def stored_metas(client: redis.Redis, app: str, partitions: int) -> dict[int, ShardMeta]:
    """Return what every shard that has ever committed remembers of itself, by partition."""
    with client.pipeline(transaction=False) as pipe:
        for partition in range(partitions):
            pipe.hget(shard_keys(app, partition).meta, META_FIELD)
        found: list[Any] = pipe.execute()
    return {partition: unpack_meta(packed) for partition, packed in enumerate(found) if packed is not None}
