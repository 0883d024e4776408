"""The registry's contract: versions by definition, the trainer's own checkpoint, both written in one act; and what a worker asks of it.

Errors::

    RegistryStale    another trainer has taken over: nothing was written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

KEEP = 8
"""Versions kept of each definition."""


class RegistryStale(RuntimeError):
    """The trainer's token or commit number is not the stored one."""


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


class MemoryRegistry:
    """The contract in memory, for demo, backtest and tests."""

    def __init__(self) -> None:
        self._epoch, self._commit_no = 0, 0
        self._checkpoint: bytes | None = None
        self._versions: dict[str, dict[int, NewVersion]] = {}

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
                del kept[number]
        self._checkpoint, self._commit_no = save.checkpoint, save.commit_no + 1

    def versions(self, definition: str) -> Mapping[int, int]:
        """See `Registry`."""
        return {number: version.learned_until_ms for number, version in self._versions.get(definition, {}).items()}

    def load(self, definition: str, number: int) -> bytes | None:
        """See `Registry`."""
        version = self._versions.get(definition, {}).get(number)
        return None if version is None else version.sealed
