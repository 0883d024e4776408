"""The names of all keys in Redis, in one place; the table in docs/architecture.md says what each holds.

All keys of a shard have the same hash tag, ``{partition}``. Names of apps and definitions are checked here, so that the first brace of a key is
always that of the tag. A user id stands last, so it may hold any bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import xxhash

from features.definitions.names import checked_name

META_FIELD, NUMBER_FIELD = "meta", "commit_no"
"""The fields of the hash `ShardKeys.meta`."""


class ShardKeys(NamedTuple):
    """The keys of one shard.

    Attributes
    ----------
    prefix : str
        What all of them begin with; the braces are the hash tag of Redis Cluster.

    >>> keys = shard_keys("shop", 7)
    >>> keys.owner, keys.state("ann"), keys.wheel(5), keys.snap("churn14", 300_000)
    ('cw:shop:{7}:owner', 'cw:shop:{7}:u:ann', 'cw:shop:{7}:wheel:5', 'cw:shop:{7}:snap:churn14:300000')
    """

    prefix: str

    @property
    def owner(self) -> str:
        """Hash: who owns the shard."""
        return self.prefix + "owner"

    @property
    def meta(self) -> str:
        """Hash: the commit number, and what the shard remembers of itself."""
        return self.prefix + "meta"

    @property
    def outbox(self) -> str:
        """Stream: alerts and dead letters."""
        return self.prefix + "outbox"

    @property
    def exbox(self) -> str:
        """Stream: blocks of examples."""
        return self.prefix + "exbox"

    @property
    def gone(self) -> str:
        """Hash: digests of erased users, and when they were erased."""
        return self.prefix + "gone"

    @property
    def states(self) -> str:
        """What stands before a user id in the key of their state."""
        return self.prefix + "u:"

    @property
    def wheels(self) -> str:
        """What stands before the number of a bucket."""
        return self.prefix + "wheel:"

    def state(self, user: str) -> str:
        """String: the state of a user."""
        return self.states + user

    def wheel(self, bucket: int) -> str:
        """Set: the armed users of a bucket (0 to 287)."""
        return f"{self.wheels}{bucket}"

    def snap(self, definition: str, landmark_ms: int) -> str:
        """List: chunks of pending snapshots.

        Raises
        ------
        ValueError
            If the definition's name may not stand in a key.
        """
        return f"{self.prefix}snap:{checked_name('definition name', definition)}:{landmark_ms:d}"

    def mirror(self, user: str) -> str:
        """Hash: the features of a user, by name."""
        return f"{self.prefix}feat:{user}"


class AppKeys(NamedTuple):
    """The keys of an app that belong to no shard.

    >>> app_keys("shop").spec, app_keys("shop").version("churn14", 3)
    ('cw:shop:spec', 'cw:shop:model:churn14:3')
    """

    prefix: str

    @property
    def spec(self) -> str:
        """String: what the app was started with."""
        return self.prefix + "spec"

    @property
    def trainer(self) -> str:
        """Hash: which trainer may write models, and its checkpoint."""
        return self.prefix + "trainer"

    def models(self, definition: str) -> str:
        """Hash: the kept versions of a definition's model."""
        return f"{self.prefix}model:{definition}"

    def version(self, definition: str, number: int) -> str:
        """String: one version of a model."""
        return f"{self.models(definition)}:{number}"

    def wish(self, definition: str) -> str:
        """Hash: which candidate and version a person asked for."""
        return f"{self.models(definition)}:wish"


@lru_cache(maxsize=256)
def app_keys(app: str) -> AppKeys:
    """Return the keys of an app that belong to no shard.

    Raises
    ------
    ValueError
        If the app's name may not stand in a key.
    """
    return AppKeys(f"cw:{checked_name('app name', app)}:")


@lru_cache(maxsize=4096)
def shard_keys(app: str, partition: int) -> ShardKeys:
    """Return the keys of a shard.

    Raises
    ------
    ValueError
        If the app's name may not stand in a key.
    """
    return ShardKeys(f"{app_keys(app).prefix}{{{partition}}}:")


def digest_of(key: str) -> str:
    """Return 8 hex digits that stand for a key where a user id must not be shown; they suffice to find the key again in its shard.

    >>> digest_of("cw:shop:{7}:u:ann")
    '07de74df'
    """
    return f"{xxhash.xxh3_64_intdigest(key.encode()) >> 32:08x}"
