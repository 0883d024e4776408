"""What is left of a log in which users are erased and let back, said plainly: one record after the other, and a list of rows for each user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Record(NamedTuple):
    """One record of a user who is always on one partition; times in ms since the epoch, `arrived_ms` rising."""

    user: str
    ts_ms: int
    kind: str
    arrived_ms: int
    part: int
    off: int
    granted: bool = True


def left(log: Iterable[Record]) -> list[tuple[int, int]]:
    """Return the places (part, offset) of the rows that may be there when everything is erased that was to be, sorted."""
    rows: dict[str, list[tuple[int, int]]] = {}
    erased_ms: dict[str, int] = {}
    away: set[str] = set()
    for one in log:
        if one.ts_ms <= erased_ms.get(one.user, -1):
            continue  # from before the user was erased
        if one.kind == "erase":
            rows[one.user] = []
            erased_ms[one.user] = one.arrived_ms
            away.add(one.user)
            continue
        if one.kind == "consent" and one.granted:
            away.discard(one.user)
        if one.user not in away:
            rows.setdefault(one.user, []).append((one.part, one.off))
    return sorted(place for places in rows.values() for place in places)
