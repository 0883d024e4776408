"""Snapshots and labels: how a pending snapshot is stored, and how snapshots and labels travel to the trainer.

A *snapshot* is a user's coded vector at a landmark, with the risk that was stated then and the version of the model that stated it. A
*label* is the same snapshot once more when its horizon has passed, with what came true. Snapshots and labels of a shard share one numbering
without gaps, in order of position. By it a receiver drops what it has seen before and notices what is missing, wherever blocks were cut.

Columns of n items; vectors are uint8 (n, F).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from features.compiled.texts import Texts
from features.compiled.weave import ends_of, unravel, weave

SNAPSHOT, LABEL = 0, 1
OWN_RETURN = 1
"""Flag: the user's own return fired the landmark, so an alert was out of the question."""
LEFT_CENSORED = 2
"""Flag: the beginning of this user's history is not in the log."""
CONTACTED = 4
"""Flag: a win-back was sent."""

_HEAD = np.dtype([("length", "<u2"), ("risk", "<u2"), ("model_version", "<u4"), ("flags", "u1")])


@dataclass(slots=True)
class Snapshots:
    """Pending snapshots, a row each."""

    users: Texts
    risk: npt.NDArray[np.uint16]
    model_version: npt.NDArray[np.uint32]
    flags: npt.NDArray[np.uint8]
    vectors: npt.NDArray[np.uint8]

    def take(self, index: npt.NDArray[np.intp]) -> Snapshots:
        """Return those at some indices."""
        return Snapshots(self.users.take(index), self.risk[index], self.model_version[index], self.flags[index], self.vectors[index])


def pack_rows(snapshots: Snapshots) -> tuple[bytearray, npt.NDArray[np.int64]]:
    """Return all snapshots packed for the store, and where each ends, int64 (n,).

    A packed snapshot is 9 bytes, the vector, and the user id. A list in the store is any concatenation of these.

    >>> one = Snapshots(Texts.of([b"ann"]), np.array([9], "u2"), np.array([1], "u4"), np.array([0], "u1"), np.zeros((1, 4), "u1"))
    >>> packed, ends = pack_rows(one)
    >>> ends.tolist(), list(unpack_lists([[bytes(packed)]], 4)[0].users)
    ([16], [b'ann'])
    """
    sizes = snapshots.users.end - snapshots.users.at
    heads = np.zeros(len(sizes), _HEAD)
    heads["length"] = sizes
    heads["risk"], heads["model_version"], heads["flags"] = snapshots.risk, snapshots.model_version, snapshots.flags
    fixed = np.concatenate([heads.view(np.uint8).reshape(len(sizes), _HEAD.itemsize), snapshots.vectors], axis=1)
    return weave(snapshots.users, fixed), (sizes + fixed.shape[1]).cumsum()


def unpack_lists(lists: Sequence[Sequence[bytes]], width: int) -> tuple[Snapshots, list[int]]:
    """Unpack several lists, each a sequence of chunks; return all snapshots in order, and how many each list held.

    Parameters
    ----------
    width : int
        Features in a vector.

    Raises
    ------
    ValueError
        A list ends in the middle of a snapshot.
    """
    joined = [b"".join(chunks) for chunks in lists]
    table, users, counts = unravel(b"".join(joined), ends_of(joined), _HEAD.itemsize + width)
    heads = np.ascontiguousarray(table[:, : _HEAD.itemsize]).view(_HEAD).reshape(len(users))
    vectors = np.ascontiguousarray(table[:, _HEAD.itemsize :])
    return Snapshots(users, heads["risk"], heads["model_version"], heads["flags"], vectors), counts.tolist()


@dataclass(slots=True)
class Examples:
    """Snapshots and labels, a row each, in order of position."""

    kind: npt.NDArray[np.uint8]
    definition: npt.NDArray[np.uint8]
    landmark_ms: npt.NDArray[np.int64]
    matured_ms: npt.NDArray[np.int64]
    """Event time at which the label is due, ms: landmark + horizon + lateness. A snapshot has it too, and so says when to expect its label."""
    risk: npt.NDArray[np.uint16]
    model_version: npt.NDArray[np.uint32]
    flags: npt.NDArray[np.uint8]
    label: npt.NDArray[np.uint8]
    """0 or 1; NO_LABEL on a snapshot, and on a label that comes from outside."""
    vectors: npt.NDArray[np.uint8]
    users: list[str]

    def __len__(self) -> int:
        return len(self.users)

    def take(self, index: npt.NDArray[np.intp] | slice) -> Examples:
        """Return the items at some indices."""
        arrays = {name: getattr(self, name)[index] for name in COLUMNS}
        users = self.users[index] if isinstance(index, slice) else [self.users[i] for i in index.tolist()]
        return Examples(**arrays, users=users)


COLUMNS = ("kind", "definition", "landmark_ms", "matured_ms", "risk", "model_version", "flags", "label", "vectors")
_TYPES = {
    "kind": "u1",
    "definition": "u1",
    "landmark_ms": "<i8",
    "matured_ms": "<i8",
    "risk": "<u2",
    "model_version": "<u4",
    "flags": "u1",
    "label": "u1",
}


def empty_examples(width: int) -> Examples:
    """Return examples without a row, for vectors of `width` features."""
    return Examples(**{name: np.zeros(0, kind) for name, kind in _TYPES.items()}, vectors=np.zeros((0, width), np.uint8), users=[])


def concatenate(parts: Sequence[Examples], width: int) -> Examples:
    """Return all rows of all parts, in order."""
    if not parts:
        return empty_examples(width)
    if len(parts) == 1:
        return parts[0]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return Examples(**arrays, users=[user for part in parts for user in part.users])


def pack_examples(items: Examples) -> tuple[list[bytes], list[str]]:
    """Return the columns as bytes, in the order of `COLUMNS`, and the users."""
    return [np.ascontiguousarray(getattr(items, name)).tobytes() for name in COLUMNS], items.users


def unpack_examples(packed: tuple[list[bytes], list[str]], width: int) -> Examples:
    """Read what `pack_examples` gave, vectors of `width` features.

    Raises
    ------
    ValueError
        If the bytes are not examples.
    """
    columns, users = packed
    arrays = {name: np.frombuffer(data, _TYPES[name]) for name, data in zip(COLUMNS[:-1], columns, strict=False)}
    return Examples(**arrays, vectors=np.frombuffer(columns[-1], np.uint8).reshape(len(users), width), users=users)


class _Wire(msgspec.Struct, array_like=True):
    lineage: str
    partition: int
    first_number: int
    watermark_ms: int
    spec_hash: str
    definitions: list[str]
    width: int
    columns: list[bytes]
    users: list[str]
    erased: list[tuple[str, int]] = []


class ExampleBlock(msgspec.Struct, frozen=True):
    """What one commit of a shard tells the trainer. A block without items still says how far the shard's time has come.

    Attributes
    ----------
    lineage : str
        Names the history that the numbers belong to; a shard that is made anew begins another one.
    first_number : int
        Number of the first item; the next ones follow without gaps.
    watermark_ms : int
        The shard's watermark W after the commit, ms.
    definitions : list of str
        Names, by definition index.
    erased : list of (str, int)
        Users who were erased, and when (ms): whoever reads this forgets them, up to that time.
    """

    lineage: str
    partition: int
    first_number: int
    watermark_ms: int
    spec_hash: str
    definitions: list[str]
    items: Examples
    erased: list[tuple[str, int]] = []

    def pack(self) -> bytes:
        """Return the block as it stands on the `examples` topic (msgpack, columns as bytes)."""
        columns, users = pack_examples(self.items)
        head = (self.lineage, self.partition, self.first_number, self.watermark_ms, self.spec_hash, self.definitions)
        return _encoder.encode(_Wire(*head, self.items.vectors.shape[1], columns, users, self.erased))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Wire)


def unpack_block(packed: bytes) -> ExampleBlock:
    """Read a block back.

    Raises
    ------
    msgspec.DecodeError, ValueError
        If the bytes are not a block.
    """
    wire = _decoder.decode(packed)
    items = unpack_examples((wire.columns, wire.users), wire.width)
    return ExampleBlock(
        wire.lineage, wire.partition, wire.first_number, wire.watermark_ms, wire.spec_hash, wire.definitions, items, wire.erased
    )
