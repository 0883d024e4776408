"""What Redis holds of users, and whether their erasure has been applied; read without taking a shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.store.keys import shard_keys
from stream.ownership.stored import stored_metas
from stream.shard.gone import digest_of_user, is_away

if TYPE_CHECKING:
    import redis

MANY = 5_000
"""Users that are asked about in one round trip."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one shard holds of one user.

    Attributes
    ----------
    state : bool
        Whether it knows them: a state, or a mirror for feature stores.
    erased_ms : int or None
        When they were erased, ms since the epoch; None if they were not.
    away : bool
        Whether they were erased and have not consented since, so that what comes of them counts for nothing.
    """

    user: str
    partition: int
    state: bool
    erased_ms: int | None
    away: bool = False


def held(client: redis.Redis, app: str, partitions: int, users: Sequence[str]) -> Iterator[Held]:
    """Yield what each shard holds of each user, shard by shard."""
    metas = stored_metas(client, app, partitions)
    for partition in range(partitions):
        keys, salt = shard_keys(app, partition), metas[partition].salt if partition in metas else b""
        for start in range(0, len(users), MANY):
            some = users[start : start + MANY]
            with client.pipeline(transaction=False) as pipe:
                for user in some:
                    pipe.exists(keys.state(user), keys.mirror(user))
                pipe.hmget(keys.gone, [digest_of_user(user, salt) for user in some])
                *states, gone = pipe.execute()
            for user, state, packed in zip(some, states, gone, strict=True):
                yield Held(user, partition, bool(state), None if packed is None else int.from_bytes(packed[:8], "big"), is_away(packed))


def on_their_way(client: redis.Redis, app: str, partitions: int, users: Sequence[str]) -> int:
    """Return how many messages that name one of some users wait in Redis for Kafka to confirm them; the next commits take them away."""
    names = [user.encode() for user in users]
    count = 0
    for partition in range(partitions):
        keys = shard_keys(app, partition)
        for box in (keys.outbox, keys.exbox):
            entries: Any = client.xrange(box)
            count += sum(any(name in packed for name in names) for _, fields in entries for packed in fields.values())
    return count
