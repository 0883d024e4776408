"""The registry's contract. It keeps the versions of each definition's model and the trainer's own checkpoint, which are written in one atomic act.

Errors::

    RegistryStale    another trainer has taken over; nothing was written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

KEEP = 8
"""How many of the newest versions are kept for each definition."""


class RegistryStale(RuntimeError):
    """The trainer's claim or its commit number is not the stored one."""


class Wish(msgspec.Struct, frozen=True):
    """What a person asked for. The default asks for nothing: the best candidate serves, in its newest version.

    Attributes
    ----------
    version : int
        The version that workers serve even when newer ones come; 0 for the newest.
    candidate : str
        The candidate that the trainer puts in charge; "" for the best.
    """

    version: int = 0
    candidate: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A trainer's right to write to the registry, and the checkpoint it goes on from (None if there is none)."""

    epoch: int
    nonce: str
    commit_no: int
    checkpoint: bytes | None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """One sealed model; nothing that matured after `learned_until_ms` is in it."""

    definition: str
    number: int
    learned_until_ms: int
    sealed: bytes


@dataclass(slots=True)
class Save:
    """One atomic change: the trainer's checkpoint, and the versions made since the last change."""

    claim: Claim
    commit_no: int
    checkpoint: bytes
    versions: Sequence[NewVersion] = field(default_factory=list)


class Registry(Protocol):
    """All models of one app."""

    def claim(self) -> Claim:
        """Take the trainer's place. The trainer before it can write no more."""
        ...

    def save(self, save: Save) -> None:
        """Write all of it or nothing. To repeat a save that was applied is success.

        Raises
        ------
        RegistryStale
            If another trainer has taken over, or the commit number is not the stored one.
        """
        ...

    def versions(self, definition: str) -> Mapping[int, int]:
        """Return the numbers of the kept versions, each with its learned_until_ms."""
        ...

    def load(self, definition: str, number: int) -> bytes | None:
        """Return one sealed version, None if it is not kept."""
        ...

    def wish(self, definition: str) -> Wish:
        """Return what a person asked for."""
        ...

    def ask(self, definition: str, wish: Wish) -> None:
        """Store what a person asks for. A version that is asked for is kept, however old it grows."""
        ...


class MemoryRegistry:
    """A registry in memory, for demo, backtest and tests."""

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
