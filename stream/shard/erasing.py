"""What a step does at records that erase a user, or let an erased one be known again. They are taken apart from all others, and move no time. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.compiled.texts import ids_of
from features.events.columns import Columns
from features.events.event import Reason
from features.users.arena import Arena
from features.users.catalog import WIDTH
from features.users.state import NEVER
from online_models.example import pack_rows, unpack_lists
from stream.shard.gone import FOR_GOOD, Gone

AT_ONCE = 16
"""Most such records of one commit: each may rewrite the lists of pending snapshots of a bucket, one for each day of the horizon."""


@dataclass(slots=True)
class Erased:
    """What a run of such records came to.

    Attributes
    ----------
    stop : int
        The first record behind them.
    alerts : list of (int, int, int, int)
        Alerts that end: record, slot, definition index, landmark at which it was opened.
    stored : dict of str to int
        Users who had a state, with their bucket.
    armed : dict of int to list of str
        Those of them who are in the wheel, by bucket.
    told : list of (str, int)
        Everybody who was erased, and when (ms).
    """

    stop: int
    alerts: list[tuple[int, int, int, int]] = field(default_factory=list)
    stored: dict[str, int] = field(default_factory=dict)
    armed: dict[int, list[str]] = field(default_factory=dict)
    told: list[tuple[str, int]] = field(default_factory=list)


def next_mark(columns: Columns, slots: npt.NDArray[np.int32], start: int, arena: Arena, gone: Gone) -> int:
    """Return the first record from `start` on that changes who is erased, or the number of records.

    What is older than the user's last erasure was sent again, so it changes nothing: it is set aside.
    """
    code = columns.code[start:]
    rows: npt.NDArray[np.intp] = ((code == Reason.erase) | (code == Reason.consent)).nonzero()[0] + start
    if not len(rows):
        return columns.n
    barred_ms = arena.barred_ms[slots[rows]]
    row: int
    for row, barred in zip(rows.tolist(), barred_ms.tolist(), strict=True):
        if barred == NEVER:
            if columns.code[row] == Reason.erase:
                return row
        elif columns.ts[row] <= gone.erased_ms(arena.users[slots[row]]):
            columns.code[row] = Reason.erased
        elif columns.code[row] == Reason.erase or barred == FOR_GOOD:
            return row
    return columns.n


def set_aside(columns: Columns, slots: npt.NDArray[np.int32], start: int, stop: int, arena: Arena) -> None:
    """Mark the events of erased users: all of those who have not consented since, of the others those from before."""
    code = columns.code[start:stop]
    barred = (code == Reason.ok) & (columns.ts[start:stop] <= arena.barred_ms[np.maximum(slots[start:stop], 0)]) & (slots[start:stop] >= 0)
    code[barred] = Reason.erased


def erase(columns: Columns, slots: npt.NDArray[np.int32], start: int, arena: Arena, gone: Gone) -> Erased:
    """Apply a run of such records to the arena and to what is remembered; the first one is `next_mark`'s."""
    found = Erased(start)
    while found.stop < columns.n and found.stop < start + AT_ONCE and next_mark(columns, slots, found.stop, arena, gone) == found.stop:
        row, slot = found.stop, int(slots[found.stop])
        name, at_ms = arena.users[slot], int(columns.append[row])
        found.stop += 1
        if columns.code[row] == Reason.consent:
            gone.let_back(name)
            arena.barred_ms[slot] = gone.barred_ms(name)
            continue
        if arena.barred_ms[slot] == FOR_GOOD:  # erased before, and nothing of them counted since
            gone.erase(name, at_ms)
            continue
        state, bucket = arena.states[slot], int(arena.states["phase"][slot])
        found.alerts += [(row, slot, k, int(state["opened_ms"][k])) for k in state["alert_open"].nonzero()[0].tolist()]
        if not arena.fresh[slot]:
            found.stored[name] = bucket
        if arena.armed[slot]:
            found.armed.setdefault(bucket, []).append(name)
        gone.erase(name, at_ms)
        arena.erase(slot)
        arena.barred_ms[slot] = FOR_GOOD
        found.told.append((name, at_ms))
    return found


def without(chunks: Sequence[bytes], users: Collection[str]) -> tuple[bytes, int]:
    """Return a list of pending snapshots without those of some users, and how many these were. Raises ValueError if it cannot be read."""
    snapshots, _ = unpack_lists([chunks], WIDTH)
    theirs = set(ids_of(list(users)))
    kept = np.array([user not in theirs for user in snapshots.users], np.bool_)
    return bytes(pack_rows(snapshots.take(kept.nonzero()[0]))[0]), int((~kept).sum())
