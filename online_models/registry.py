"""The registry's contract: versions by definition, the trainer's own checkpoint, both written in one act; and what a worker asks of it.

Errors::

    RegistryStale    another trainer has taken over: nothing was written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

KEEP = 8
"""Versions kept of each definition."""


class RegistryStale(RuntimeError):
    """The trainer's token or commit number is not the stored one."""


class Wish(msgspec.Struct, frozen=True):
    """What a person asked for; nothing of it means: the best candidate, its newest version.

    Attributes
    ----------
    version : int
        The version that workers serve whatever comes after it, 0 for the newest.
    candidate : str
        The candidate that the trainer puts in charge, "" for the best.
    """

    version: int = 0
    candidate: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A trainer's hold on the registry, and the checkpoint to go on from."""

    epoch: int
    nonce: str
    commit_no: int
    checkpoint: bytes | None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """One sealed model."""

    definition: str
    number: int
    learned_until_ms: int
    sealed: bytes


@dataclass(slots=True)
class Save:
    """One atomic change: the trainer's checkpoint and the versions made since the last."""

    claim: Claim
    commit_no: int
    checkpoint: bytes
    versions: Sequence[NewVersion] = field(default_factory=list)


class Registry(Protocol):
    """All of one app's models."""

    def claim(self) -> Claim:
        """Take the trainer's place; fences the one before."""
        ...

    def save(self, save: Save) -> None:
        """Write it all or nothing. Raises RegistryStale; a repeat of an applied save is success."""
        ...

    def versions(self, definition: str) -> Mapping[int, int]:
        """Kept version numbers, each with its learned_until_ms."""
        ...

    def load(self, definition: str, number: int) -> bytes | None:
        """Return one sealed version."""
        ...

    def wish(self, definition: str) -> Wish:
        """Return what was asked for."""
        ...

    def ask(self, definition: str, wish: Wish) -> None:
        """Ask for something; a version that is asked for is kept however old it grows."""
        ...


class MemoryRegistry:
    """The contract in memory, for demo, backtest and tests."""

    def __init__(self) -> None:
        self._epoch, self._commit_no = 0, 0
        self._checkpoint: bytes | None = None
        self._versions: dict[str, dict[int, NewVersion]] = {}
        self._wishes: dict[str, Wish] = {}

    def claim(self) -> Claim:
        """See `Registry`."""
        self._epoch += 1
        return Claim(self._epoch, str(self._epoch), self._commit_no, self._checkpoint)

    def save(self, save: Save) -> None:
        """See `Registry`."""
        if save.claim.epoch != self._epoch:
            raise RegistryStale("another trainer has taken over")
        if self._commit_no == save.commit_no + 1:
            return
        if self._commit_no != save.commit_no:
            raise RegistryStale(f"commit number {self._commit_no}, expected {save.commit_no}")
        for version in save.versions:
            kept = self._versions.setdefault(version.definition, {})
            kept[version.number] = version
            for number in sorted(kept)[:-KEEP]:
                if number != self.wish(version.definition).version:
                    del kept[number]
        self._checkpoint, self._commit_no = save.checkpoint, save.commit_no + 1

    def versions(self, definition: str) -> Mapping[int, int]:
        """See `Registry`."""
        return {number: version.learned_until_ms for number, version in self._versions.get(definition, {}).items()}

    def load(self, definition: str, number: int) -> bytes | None:
        """See `Registry`."""
        version = self._versions.get(definition, {}).get(number)
        return None if version is None else version.sealed

    def wish(self, definition: str) -> Wish:
        """See `Registry`."""
        return self._wishes.get(definition, Wish())

    def ask(self, definition: str, wish: Wish) -> None:
        """See `Registry`."""
        self._wishes[definition] = wish
