"""The place of an output in the shard's history: the same on every replay and however batches are cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

EVENT_DUE = 2**62
"""`due_ms` of what a record itself causes: after every timer it crossed."""

SNAPSHOT, LABEL, OPENED, RESOLVED = 0, 1, 2, 3
KINDS = 8
"""Number of kinds that each definition has room for."""
DEAD_LETTER = 255


def kind_of(k: int, what: int) -> int:
    """Return the kind of an output of definition k: SNAPSHOT, LABEL, OPENED or RESOLVED.

    >>> kind_of(2, OPENED), divmod(kind_of(2, OPENED), KINDS)
    (18, (2, 2))
    """
    return KINDS * k + what


class Position(NamedTuple):
    """Totally ordered: offset of the causing record, due time, user, kind.

    `kind` is that of `kind_of`, or DEAD_LETTER.

    >>> Position(7, 1_000, "zoe", OPENED) < Position(7, EVENT_DUE, "ann", RESOLVED)
    True
    """

    offset: int
    due_ms: int
    user: str
    kind: int


HEADER = "cw-position"
"""Name of the Kafka header that carries the position of an alert."""


def position_header(position: Position) -> tuple[str, bytes]:
    """Return the Kafka header that says where a message was decided.

    >>> position_of([position_header(Position(7, 1_000, "zoe", OPENED))])
    Position(offset=7, due_ms=1000, user='zoe', kind=2)
    """
    return HEADER, _encoder.encode(position)


def has_position(headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a message says where it was decided; one that does not is none of ours."""
    return any(name == HEADER for name, _ in headers)


def position_of(headers: Iterable[tuple[str, bytes]]) -> Position:
    """Return the position at which a message was decided, from its headers. Raises KeyError when it has none (`has_position`)."""
    return _decoder.decode(dict(headers)[HEADER])


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Position)
