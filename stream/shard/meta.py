"""What a shard remembers of itself and stores with every commit: where it stands in the log and in time, and which definitions it follows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from features.definitions.definition import ChurnDefinition
from features.definitions.rules import RulesSince
from features.users.state import NEVER
from stream.alerts.policy import DayCount
from stream.position import Position

NOT_YET = 2**62
"""A time after all times, in milliseconds."""


class Followed(msgspec.Struct, array_like=True, frozen=True):
    """A definition, and since when the shard follows it.

    Attributes
    ----------
    hash : str
        Hash of the definition as it was then (`ChurnDefinition.hash`).
    since_offset : int
        Offset of the first record that was judged by it.
    since_ms : int
        The watermark at that offset, ms; NEVER when it was followed from the beginning of the log. It knows a user from their first event
        after that, so it knows every active user one active window later.
    """

    name: str
    hash: str
    since_offset: int = 0
    since_ms: int = NEVER


class OtherDefinitions(ValueError):
    """The shard follows definitions that are not, in this order, the first ones of the configuration."""


class ShardMeta(msgspec.Struct, array_like=True, kw_only=True):
    """The shard's own record; a pure function of the log and of `rules`, except `published` and the counts of opened alerts.

    Attributes
    ----------
    next_offset : int
        Input offset to read next.
    max_ms : int
        Running maximum M of event time, ms since the epoch; NEVER before the first event.
    swept_ms : int
        Every timer with a due time (ms) below this has fired.
    cursor : (int, str) or None
        In the middle of a large instant: timers up to this (due time, user) have fired too.
    example_no : int
        Number of the next example.
    time_offset : int
        Offset in the `time` topic of the next tick to apply.
    lineage : str
        Names the history this shard's numbers belong to: "0", or another name when the log's beginning was gone at the first start.
    censored_before_ms : int
        Users first seen before this are left-censored: the log's beginning, and with it perhaps theirs, was gone. NEVER when it was
        not; `NOT_YET` until the first event says when the log begins.
    examples_after : int
        Input offset up to which an earlier lineage, lost with its Redis, has sent its examples: they are not sent again. -1 if there was none.
    spec_hash : str
        Hash of the feature spec that wrote the states, without its definitions.
    opened_today : list of DayCount
        Alerts opened so far in the present day, one count per definition.
    published : Position or None
        Last position known published when this was stored; Kafka's marker may be ahead of it, never behind.
    totals : dict of outcome to int
        Records by outcome (`features.events.event.Reason`) since the beginning of the lineage.
    definitions : list of Followed
        In the order of their places in the states.
    rules : list of RulesSince
        Every version of the rules of rejection that the shard has applied, and from which offset on.
    armed : int
        Users in the wheel after this commit; -1 where a build before this field stored it.
    gone : int
        How many users are remembered as erased.
    salt : bytes
        What the digests of erased users are made with; drawn at the first take, and no function of the log.
    """

    next_offset: int = 0
    max_ms: int = NEVER
    swept_ms: int = NEVER
    cursor: tuple[int, str] | None = None
    example_no: int = 0
    time_offset: int = 0
    lineage: str = "0"
    spec_hash: str = ""
    opened_today: list[DayCount] = []
    published: Position | None = None
    totals: dict[str, int] = {}
    censored_before_ms: int = NEVER
    examples_after: int = -1
    definitions: list[Followed] = []
    rules: list[RulesSince] = []
    armed: int = -1
    gone: int = 0
    salt: bytes = b""

    def watermark_ms(self, lateness_ms: int) -> int:
        """Return the watermark W = M - G, ms; NEVER before the first event.

        >>> ShardMeta(max_ms=10).watermark_ms(3)
        7
        """
        return NEVER if self.max_ms == NEVER else self.max_ms - lateness_ms

    def following(self, definitions: Sequence[ChurnDefinition], lateness_ms: int) -> list[Followed]:
        """Return what the shard follows from here on: all it has followed, then those that were appended.

        Raises
        ------
        OtherDefinitions
            When a definition that it follows is missing, or is not in its place.

        >>> [one.since_ms for one in ShardMeta(max_ms=10).following([ChurnDefinition()], lateness_ms=3)]
        [7]
        """
        has = self.definitions
        if [one.hash for one in has] != [one.hash for one in definitions[: len(has)]]:
            raise OtherDefinitions(
                f"it follows the churn definitions {', '.join(one.name for one in has)}, "
                f"this process was started with {', '.join(one.name for one in definitions)}"
            )
        here = self.next_offset, self.watermark_ms(lateness_ms)
        return has + [Followed(one.name, one.hash, *here) for one in definitions[len(has) :]]

    def pack(self) -> bytes:
        """Return the record as it is stored."""
        return _encoder.encode(self)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ShardMeta)


def unpack_meta(packed: bytes | None) -> ShardMeta:
    """Return the stored record, or that of a shard that has never committed. Raises `msgspec.DecodeError` when it cannot be read.

    >>> unpack_meta(ShardMeta(next_offset=7).pack()).next_offset
    7
    """
    return ShardMeta() if packed is None else _decoder.decode(packed)
