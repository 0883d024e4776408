"""What is said between the page and a process that computes: one message a frame, four bytes of length and msgpack, over its standard input and output."""

from __future__ import annotations

from typing import Any, BinaryIO, Literal, TypeAlias

import msgspec

from insights.analyses.plain import Cell, Entry, Found, Known, Members, Rows
from stream.faults import UsageFault

Reason = Literal["usage", "no_history", "too_big", "too_long", "ended", "failed", "busy", "cancelled"]
"""Why there is no answer.

::

    usage       the question is wrong; the words say in what
    no_history  there is none in the folder
    too_big     it takes more memory than it may have
    too_long    it takes more time than it may have
    ended       the process that computed it is gone
    failed      a mistake of ours; the log has it
    busy        too many questions wait
    cancelled   somebody stopped it
"""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """The first message to a process: what it opens, how much memory it may take in all, MiB, and by how much it gives way to other processes."""

    folder: str
    complete_from_ms: int
    activity: tuple[str, ...]
    horizon_ms: int
    memory_mb: int
    releases: tuple[str, ...] = ()
    nice: int = 0


class Unless(msgspec.Struct, frozen=True):
    """What is held already: the stamp of the days up to one. If they are still as they were, nothing need be computed."""

    stamp: str
    until: str


class Ask(msgspec.Struct, frozen=True, tag=True):
    """An analysis; `segments` are those that its parameters speak of."""

    analysis: str
    parameters: dict[str, object]
    unless: Unless | None = None
    segments: tuple[Members, ...] = ()


class AskPeople(msgspec.Struct, frozen=True, tag=True):
    """The people behind a cell, at most so many."""

    analysis: str
    parameters: dict[str, object]
    cell: Cell
    most: int
    segments: tuple[Members, ...] = ()


class AskSql(msgspec.Struct, frozen=True, tag=True):
    """One SELECT, and how many rows at most."""

    text: str
    most: int


class AskFile(msgspec.Struct, frozen=True, tag=True):
    """A result as a file."""

    found: Found
    form: Literal["parquet", "xlsx"]


class AskTimeline(msgspec.Struct, frozen=True, tag=True):
    """The events of one person, the newest first: so many, past so many, of one type or ("") of all."""

    user: str
    kind: str
    skip: int
    most: int


Question: TypeAlias = Ask | AskPeople | AskSql | AskFile | AskTimeline


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The first message of a process: it is ready, and has these analyses."""

    entries: tuple[Entry, ...]


class Answered(msgspec.Struct, frozen=True, tag=True):
    """What an analysis found.

    Attributes
    ----------
    version : str
        Of the history, as `insights.asked.version` names it.
    stamp : str
        Of the days up to `until`, for `Unless`.
    until : str
        If no cell can change but by events of days up to this one, the day; else "".
    """

    found: Found
    version: str
    stamp: str
    until: str


class Same(msgspec.Struct, frozen=True, tag=True):
    """What is held is still so, as of a newer version."""

    version: str


class Listed(msgspec.Struct, frozen=True, tag=True):
    """People, or rows of SQL; `more` if there are more than were asked for."""

    as_of: Known
    rows: Rows
    more: bool


class Told(msgspec.Struct, frozen=True, tag=True):
    """Events of a person: the rows, whether there are more, how many there are of each type, and the newest things they said."""

    as_of: Known
    rows: Rows
    more: bool
    kinds: tuple[tuple[str, int], ...]
    feedback: Rows


class Written(msgspec.Struct, frozen=True, tag=True):
    """A file."""

    data: bytes


class Faulted(msgspec.Struct, frozen=True, tag=True):
    """There is no answer.

    Attributes
    ----------
    words : str
        In English.
    says, values
        The same before values were put in (`stream.faults.UsageFault`), for whoever says it in another language; "" where the words name none.
    """

    reason: Reason
    words: str
    says: str = ""
    values: dict[str, Any] = {}


def faulted(error: UsageFault) -> Faulted:
    """Say that a question is wrong."""
    return Faulted("usage", str(error), error.says, error.values)


Reply: TypeAlias = Hello | Answered | Same | Listed | Told | Written | Faulted

_encoder = msgspec.msgpack.Encoder(enc_hook=str)
SETUP = msgspec.msgpack.Decoder(Setup)
QUESTION: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)
REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_SIZE = 4


def frame_of(message: msgspec.Struct) -> bytes:
    """Return a message as it is sent."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_SIZE, "big") + body


def body_in(pipe: BinaryIO) -> bytes | None:
    """Read one frame; None at the end, or if it comes before the frame is whole."""
    size = pipe.read(_SIZE)
    if len(size) < _SIZE:
        return None
    body = pipe.read(int.from_bytes(size, "big"))
    return body if len(body) == int.from_bytes(size, "big") else None
