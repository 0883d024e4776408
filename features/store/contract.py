"""The contract of a shard's store: take a shard, read from it, commit to it in one atomic act.

Every implementation passes the same contract suite. Errors::

    StoreError
    |-- TakeRefused      an owner of a higher group generation holds the shard
    |-- StaleOwner       the token or the commit number is not the stored one; nothing was written
    |-- Damaged          what is stored of a shard is not what was written; the shard must be made again from the log
    `-- StoreUnavailable the server did not answer within the bound; whether a commit was applied is then unknown
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from features.compiled.texts import Texts


class StoreError(Exception):
    """Root of this module's errors."""


class TakeRefused(StoreError):
    """An owner of a higher group generation holds the shard."""

    def __init__(self, partition: int, stored_generation: int) -> None:
        super().__init__(f"shard {partition} is held by group generation {stored_generation}")
        self.partition, self.stored_generation = partition, stored_generation


class StaleOwner(StoreError):
    """The commit was refused: another owner took the shard, or the store went back in time."""

    def __init__(self, partition: int, why: str) -> None:
        super().__init__(f"shard {partition}: commit refused ({why})")
        self.partition, self.why = partition, why


class Damaged(StoreError):
    """What is stored of a shard is not what was written: bytes were changed, or a key was deleted or is of another type.

    Parameters
    ----------
    key : str, optional
        The key to name in the message. The message goes into logs, so a key with a user id is named by its digest (`features.store.keys.digest_of`).
    """

    def __init__(self, partition: int, why: str, key: str = "") -> None:
        super().__init__(f"shard {partition}: {why}" + (f" (key {key})" if key else ""))
        self.partition, self.why, self.key = partition, why, key


class StoreUnavailable(StoreError):
    """The server did not answer within the bound."""


Rebuild = Literal["", "whole", "partial"]
"""Whether a rebuild of the shard is asked for: not at all; yes; yes, even if the log's beginning is gone."""


@dataclass(frozen=True, slots=True)
class Token:
    """Proof of ownership. The epoch grows at every take; the nonce tells two owners of one epoch apart."""

    epoch: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a new owner gets: its token, and where the shard stands."""

    token: Token
    commit_no: int
    meta: bytes | None
    """The packed ShardMeta of the last commit; None on a shard that never committed."""
    outbox: Sequence[tuple[str, bytes]]
    """(stream id, entry), oldest first: alerts and dead letters not yet trimmed."""
    exbox: Sequence[tuple[str, bytes]]
    """(stream id, block), oldest first: examples not yet trimmed."""
    wheel: Mapping[int, int]
    """Number of armed users by bucket (0 to 287); empty buckets are left out."""
    gone: Mapping[bytes, bytes] = field(default_factory=dict)
    """What is remembered of erased users: digest of each, and when they were erased."""
    rebuild: Rebuild = ""
    """Whether a person asked that the shard be made again from the log. If so nothing else was read, and the shard must be cleared first."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a step needs to read; any part may be empty."""

    users: Sequence[str] | Texts = ()
    buckets: Sequence[int] = ()
    snaps: Sequence[tuple[str, int]] = ()
    """(definition name, landmark_ms) of each list of pending snapshots to read."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answers to a `Need`, in its order: None for a user without a state, members of buckets unsorted, chunks in the order they were appended."""

    states: Sequence[bytes | None] = ()
    members: Sequence[Sequence[str]] = ()
    chunks: Sequence[Sequence[bytes]] = ()


@dataclass(slots=True)
class Commit:
    """One atomic change of a shard. All values are absolute, so that to repeat it changes nothing."""

    token: Token
    commit_no: int
    """The number this commit expects to find; it stores this + 1."""
    meta: bytes
    users: Sequence[str] | Texts = ()
    states: Sequence[bytes] | Texts = ()
    fresh: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """The `users` who had no state, by bucket. If one of them is in the wheel, or their key holds something, the shard is damaged."""
    armed: Mapping[int, Sequence[str]] = field(default_factory=dict)
    disarmed: Mapping[int, Sequence[str]] = field(default_factory=dict)
    snaps: Mapping[tuple[str, int], bytes] = field(default_factory=dict)
    """The chunk to append to each list, by (definition name, landmark_ms)."""
    matured: Sequence[tuple[str, int]] = ()
    """Lists to delete, because all their snapshots have matured."""
    outbox: Sequence[bytes] = ()
    exbox: Sequence[bytes] = ()
    outbox_trim: str | None = None
    """Entries up to and including this stream id are known to be published, and are removed; None removes none."""
    exbox_trim: str | None = None
    mirror: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What to write to the mirror for feature stores: user -> {feature name: value}."""
    erased: Sequence[str] = ()
    """Users whose state and mirror are deleted; `disarmed` takes them out of the wheel."""
    rewritten: Mapping[tuple[str, int], bytes] = field(default_factory=dict)
    """What lists of pending snapshots hold instead of all that they held; a list that is to hold nothing is deleted."""
    gone: Mapping[bytes, bytes] = field(default_factory=dict)
    """What to remember of erased users; see `Taken.gone`."""


NOT_FRESH = "a user has timers or a key of another type, but no state"


def stream_id(commit_no: int, index: int) -> str:
    """Return the stream id of the entry with this index (from 0) of a commit; `commit_no` is the number stored after the commit.

    >>> stream_id(7, 0)
    '7-1'
    """
    return f"{commit_no}-{index + 1}"


class Store(Protocol):
    """The store of all shards of one app; each call names the partition of its shard."""

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        """Become the owner of a shard, with the next epoch and a new nonce.

        Raises
        ------
        TakeRefused
            If the stored generation is higher, unless forced.
        StoreUnavailable
            If the server does not answer.
        """
        ...

    async def owner(self, partition: int) -> Token | None:
        """Return the present owner's token, None if there is no owner. A new owner checks it again after it has fenced the old one's producer."""
        ...

    async def read(self, partition: int, need: Need) -> Found:
        """Read states, wheel buckets and snapshot lists in one round trip.

        Raises
        ------
        Damaged
            If a key is of another type. A key of a user's state is an exception: then the user seems to have no state, and the commit notices it.
        """
        ...

    async def commit(self, partition: int, commit: Commit) -> None:
        """Apply the whole commit or nothing of it. To repeat a commit that was applied is success.

        Raises
        ------
        StaleOwner
            If the token or the commit number is not the stored one.
        Damaged
            If one of the fresh users is not fresh, or a key is of another type.
        StoreUnavailable
            If the outcome is unknown; the caller repeats the same commit, or takes the shard again.
        """
        ...

    async def ask_rebuild(self, partition: int, *, partial: bool) -> None:
        """Ask that the next owner of the shard make it again from the log; see `Taken.rebuild`. `partial` allows it if the log's beginning is gone."""
        ...

    async def clear(self, partition: int, token: Token, meta: bytes) -> None:
        """Delete all that is stored of a shard, and begin anew with a meta at commit number 0.

        The request for a rebuild is removed last, together with writing the meta. So if the call is cut short, this owner or the next can repeat it.

        Raises
        ------
        StaleOwner
            If the token is not the stored one.
        """
        ...
