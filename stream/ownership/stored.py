"""What the shards of an app remember of themselves, read from Redis without taking a shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from features.store.keys import META_FIELD, shard_keys
from stream.shard.meta import ShardMeta, unpack_meta

if TYPE_CHECKING:
    import redis


class Metas(NamedTuple):
    """What was read.

    Attributes
    ----------
    readable : dict of int to ShardMeta
        What every shard that has ever committed remembers of itself, by partition.
    unreadable : tuple of int
        Shards of which that cannot be read: it is damaged, or a newer build wrote it.
    """

    readable: dict[int, ShardMeta]
    unreadable: tuple[int, ...]


def stored_metas(client: redis.Redis, app: str, partitions: int) -> dict[int, ShardMeta]:
    """Return what every shard that has ever committed remembers of itself, by partition. Raises `msgspec.DecodeError` when one cannot be read."""
    return {partition: unpack_meta(packed) for partition, packed in _packed(client, app, partitions).items()}


def readable_metas(client: redis.Redis, app: str, partitions: int) -> Metas:
    """Return the same of those that can be read, and which cannot."""
    readable, unreadable = {}, []
    for partition, packed in _packed(client, app, partitions).items():
        try:
            readable[partition] = unpack_meta(packed)
        except msgspec.DecodeError:
            unreadable.append(partition)
    return Metas(readable, tuple(unreadable))


def _packed(client: redis.Redis, app: str, partitions: int) -> dict[int, bytes]:
    with client.pipeline(transaction=False) as pipe:
        for partition in range(partitions):
            pipe.hget(shard_keys(app, partition).meta, META_FIELD)
        found: list[Any] = pipe.execute()
    return {partition: packed for partition, packed in enumerate(found) if packed is not None}
