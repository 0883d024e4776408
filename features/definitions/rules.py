"""What a deployment rejects beyond what cannot be read, and what it sets aside, as data; and from which offset of a partition each version of these rules holds.

Rules are no part of the feature spec, so they may be changed at any start. A shard remembers from which offset each version holds, so that
every reading of the log rejects the same records (docs/decisions/0014-rules-have-offsets.md). `features.events.judge` applies the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

MAX_NOT_USERS = 256
"""Most reserved ids. They are stored with every commit of a shard, so there must not be many."""


RESERVED = ("identify", "alias", "consent", "erase", "feedback")
"""Event types that say something of a user and are no deed of theirs: traits, another id, consent, erasure, what a system knows of their opinion."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment rejects beyond what cannot be read, and what it sets aside; the default does neither.

    Attributes
    ----------
    strict_types : tuple of str or None
        When it is given, every other event type is rejected.
    not_users : tuple of str
        Ids that stand for no user, such as `anonymous`; at most 256.
    oldest_ms : int
        Events before this time are rejected, milliseconds since the epoch.
    set_aside : tuple of str
        Event types that are good and touch no state: no activity, no feature, no time. `strict_types` need not name them.
    """

    strict_types: tuple[str, ...] | None = None
    not_users: tuple[str, ...] = ()
    oldest_ms: int = 0
    set_aside: tuple[str, ...] = ()

    def for_senders(self) -> Rules:
        """Return the rules of whoever passes events on: the same are rejected, and nothing is set aside.

        >>> Rules(strict_types=("click",), set_aside=("identify",)).for_senders().strict_types
        ('click', 'identify')
        """
        strict = None if self.strict_types is None else (*self.strict_types, *self.set_aside)
        return msgspec.structs.replace(self, strict_types=strict, set_aside=())


NO_RULES = Rules()


class RulesSince(msgspec.Struct, array_like=True, frozen=True):
    """A version of the rules, and the first offset of its partition to which it was applied."""

    since_offset: int
    rules: Rules


def followed(history: Sequence[RulesSince], now: Rules, next_offset: int) -> list[RulesSince]:
    """Return the rules' history of a shard that applies `now` from `next_offset` on; the earlier part of the history is unchanged.

    >>> first = followed([], Rules(oldest_ms=5), 0)
    >>> [one.since_offset for one in followed(followed(first, Rules(oldest_ms=5), 70), NO_RULES, 90)]
    [0, 90]
    """
    if not history:
        return [RulesSince(0, now)]
    if history[-1].rules == now:
        return list(history)
    since = max(next_offset, history[-1].since_offset)
    return [*(one for one in history if one.since_offset < since), RulesSince(since, now)]


def pieces(history: Sequence[RulesSince], offsets: npt.NDArray[np.int64], next_offset: int) -> Iterator[tuple[slice, Rules, int]]:
    """Cut records, given by their offsets (n,), where the rules change; yield the rows of each piece, its rules, and the next offset after it.

    >>> history = [RulesSince(0, NO_RULES), RulesSince(7, Rules(oldest_ms=5))]
    >>> [(rows.start, rows.stop, rules.oldest_ms, after) for rows, rules, after in pieces(history, np.array([5, 6, 7, 9]), 11)]
    [(0, 2, 0, 7), (2, 4, 5, 11)]
    """
    start = 0
    for one, after in pairwise([*history, None]):
        stop = len(offsets) if after is None else int(offsets.searchsorted(after.since_offset))
        if stop > start and one is not None:
            rest = stop < len(offsets) and after is not None
            yield slice(start, stop), one.rules, after.since_offset if rest and after is not None else next_offset
            start = stop


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[RulesSince])


def pack_history(history: Sequence[RulesSince]) -> bytes:
    """Return a history as it stands in a marker of a shard."""
    return _encoder.encode(history)


def unpack_history(packed: bytes) -> list[RulesSince]:
    """Read a history back; no bytes stand for no history.

    >>> unpack_history(b""), unpack_history(pack_history([RulesSince(7, NO_RULES)]))[0].since_offset
    ([], 7)
    """
    return _decoder.decode(packed) if packed else []
