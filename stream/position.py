"""The place of an output in the shard's history: the same on every replay and however batches are cut."""

from __future__ import annotations

from typing import NamedTuple

EVENT_DUE = 2**62
"""`due_ms` of what a record itself causes: after every timer it crossed."""

SNAPSHOT, LABEL, OPENED, RESOLVED = 0, 1, 2, 3
DEAD_LETTER = 255


class Position(NamedTuple):
    """Totally ordered: offset of the causing record, due time, user, kind.

    `kind` is ``8 * definition index + {SNAPSHOT, LABEL, OPENED, RESOLVED}``, or DEAD_LETTER.

    >>> Position(7, 1_000, "zoe", OPENED) < Position(7, EVENT_DUE, "ann", RESOLVED)
    True
    """

    offset: int
    due_ms: int
    user: str
    kind: int
