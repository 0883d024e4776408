"""The contract of a shard's store: take it, read from it, commit to it as one atomic act.

Every implementation passes the same contract suite. Errors::

    StoreError
    |-- TakeRefused      a higher group generation holds the shard
    |-- StaleOwner       the token or the commit number is not the stored one: nothing was written
    |-- Damaged          what is stored of a shard is not what was written; only making it again helps
    `-- StoreUnavailable the server did not answer within the bound; the outcome of a commit is then unknown
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from features.compiled.texts import Texts


class StoreError(Exception):
    """Root of this module's errors."""


class TakeRefused(StoreError):
    """Somebody with a higher group generation holds the shard."""

    def __init__(self, partition: int, stored_generation: int) -> None:
        super().__init__(f"shard {partition} is held by group generation {stored_generation}")
        self.partition, self.stored_generation = partition, stored_generation


class StaleOwner(StoreError):
    """The commit was refused: another owner took the shard, or the store went back in time."""

    def __init__(self, partition: int, why: str) -> None:
        super().__init__(f"shard {partition}: commit refused ({why})")
        self.partition, self.why = partition, why


class Damaged(StoreError):
    """What is stored of a shard is not what was written: bytes changed, a key was deleted, or is of another type.

    Parameters
    ----------
    key : str, optional
        Named in the message: one with a user id by a digest (`features.store.keys.digest_of`), for the message goes into logs.
    """

    def __init__(self, partition: int, why: str, key: str = "") -> None:
        super().__init__(f"shard {partition}: {why}" + (f" (key {key})" if key else ""))
        self.partition, self.why, self.key = partition, why, key


class StoreUnavailable(StoreError):
    """The server did not answer within the bound."""


Rebuild = Literal["", "whole", "partial"]
"""Not asked for; asked for; asked for although the log's beginning may be gone."""


@dataclass(frozen=True, slots=True)
class Token:
    """Proof of ownership: grows at every take; the nonce tells two owners of one epoch apart."""

    epoch: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What the new owner gets: its token and where the shard stands."""

    token: Token
    commit_no: int
    meta: bytes | None
    """The packed ShardMeta of the last commit; None on a shard that never committed."""
    outbox: Sequence[tuple[str, bytes]]
    """(stream id, entry), oldest first: alerts and dead letters not yet trimmed."""
    exbox: Sequence[tuple[str, bytes]]
    """(stream id, block), oldest first: examples not yet trimmed."""
    wheel: Mapping[int, int]
    """Armed users per bucket (0..287), buckets of zero left out."""
    rebuild: Rebuild = ""
    """Whether somebody asked that the shard be made again from the log: then nothing else of it was read, and it must be cleared first."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a step wants to read; any part may be empty."""

    users: Sequence[str] | Texts = ()
    buckets: Sequence[int] = ()
    snaps: Sequence[tuple[str, int]] = ()
    """(definition name, landmark_ms) lists of pending snapshots."""


@dataclass(frozen=True, slots=True)
class Found:
    """Answers in the order asked: None for a user without state; members unsorted; chunks in append order."""

    states: Sequence[bytes | None] = ()
    members: Sequence[Sequence[str]] = ()
    chunks: Sequence[Sequence[bytes]] = ()


@dataclass(slots=True)
class Commit:
    """One atomic change of a shard. All values absolute, so that repeating it changes nothing."""

    token: Token
    commit_no: int
    """The number this commit expects to find; it stores this + 1."""
    meta: bytes
    users: Sequence[str] | Texts = ()
    states: Sequence[bytes] | Texts = ()
    fresh: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Those of `users` whose state was not there, by bucket: if they are in the wheel, or something is under their key, that is damage."""
    armed: Mapping[int, Sequence[str]] = field(default_factory=dict)
    disarmed: Mapping[int, Sequence[str]] = field(default_factory=dict)
    snaps: Mapping[tuple[str, int], bytes] = field(default_factory=dict)
    """Chunks to append, by (definition name, landmark_ms)."""
    matured: Sequence[tuple[str, int]] = ()
    """Lists whose snapshots have all matured: deleted."""
    outbox: Sequence[bytes] = ()
    exbox: Sequence[bytes] = ()
    outbox_trim: str | None = None
    """Entries up to and including this stream id are known published: trimmed."""
    exbox_trim: str | None = None
    mirror: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Optional feature-store mirror: user -> {feature name: value}."""


NOT_FRESH = "a user has timers or a key of another type, but no state"


def stream_id(commit_no: int, index: int) -> str:
    """The explicit stream id of the index-th outbox entry of a commit (commit_no as stored after it).

    >>> stream_id(7, 0)
    '7-1'
    """
    return f"{commit_no}-{index + 1}"


class Store(Protocol):
    """One shard store for all partitions of one app; calls name the partition."""

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        """Become the owner: epoch + 1, new nonce. Refused (TakeRefused) if the stored generation is higher, unless forced."""
        ...

    async def owner(self, partition: int) -> Token | None:
        """The present owner's token, to check it again after the producer is fenced."""
        ...

    async def read(self, partition: int, need: Need) -> Found:
        """Read states, wheel buckets and snapshot lists in one round trip.

        Raises
        ------
        Damaged
            A key is of another type. Only for the key of a state this is not seen here: that user seems to have none.
        """
        ...

    async def commit(self, partition: int, commit: Commit) -> None:
        """Apply all of it or nothing.

        Raises
        ------
        StaleOwner
            Token or number differ. A repeat of an applied commit (stored number is mine + 1 with my token) is success.
        Damaged
            One of the fresh users is not fresh, or a key is of another type.
        StoreUnavailable
            The outcome is unknown; the caller repeats the same commit or takes again.
        """
        ...

    async def ask_rebuild(self, partition: int, *, partial: bool) -> None:
        """Have the shard's next owner make it again from the log, whoever that is; see `Taken.rebuild`."""
        ...

    async def clear(self, partition: int, token: Token, meta: bytes) -> None:
        """Delete all that is stored of a shard, begin with a meta at commit number 0, and take the wish for it back, at last and at once.

        Cut short it may be repeated, by this owner or the next.

        Raises
        ------
        StaleOwner
            The token is not the stored one.
        """
        ...
