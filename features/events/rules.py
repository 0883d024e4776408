"""What is rejected although it can be read: one table of rules, run over every batch whether it comes live, from a replay or from a test.

What cannot be read at all (bytes that are no JSON, a field of another type) is judged where it is read, in `event.py`. A rule here sees
columns, looks at nothing but the record itself, its broker stamp and `Rules`, and says which rows break it.

`Rules` is what a deployment may change at any time. It is no part of the feature spec: a shard remembers from which offset each version
holds, so that reading the log again decides alike (docs/decisions/0014-rules-have-offsets.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit

from features.event import MAX_FUTURE_MS, MAX_USER_BYTES, Reason
from features.texts import Texts, equal

UNKNOWN = -1
"""Type word of an event type that strict rules do not name."""
MAX_NOT_USERS = 256
"""Most reserved ids: they are stored with every commit of a shard."""

Mask = npt.NDArray[np.bool_]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment rejects beyond what cannot be read; the default rejects nothing.

    Attributes
    ----------
    strict_types : tuple of str or None
        When given, an event type outside it is rejected.
    not_users : tuple of str
        Ids that are no user, such as `anonymous`; at most 256.
    oldest_ms : int
        An event before this time is rejected, milliseconds since the epoch.
    """

    strict_types: tuple[str, ...] | None = None
    not_users: tuple[str, ...] = ()
    oldest_ms: int = 0


NO_RULES = Rules()


class RulesSince(msgspec.Struct, array_like=True, frozen=True):
    """A version of the rules, and the first offset of its partition to which it was applied."""

    since_offset: int
    rules: Rules


def followed(history: Sequence[RulesSince], now: Rules, next_offset: int) -> list[RulesSince]:
    """Return the history of a shard that goes on under the rules of `now` at an offset: what was applied before stays as it was.

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
    """Cut records (n,) where the rules change; yield the rows of each piece, its rules, and the offset to go on from after it.

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


class Judged(Protocol):
    """Columns of n that rules look at; rows that are rejected already hold anything."""

    users: Texts
    ts: npt.NDArray[np.int64]
    append: npt.NDArray[np.int64]
    word: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


class Rule(NamedTuple):
    """One row: the reason, and which rows break it."""

    reason: Reason
    broken: Callable[[Judged, Rules], Mask]


RULES: tuple[Rule, ...] = (
    Rule(Reason.future, lambda one, _: one.ts > one.append + MAX_FUTURE_MS),
    Rule(Reason.unknown_type, lambda one, _: one.word == UNKNOWN),
    Rule(Reason.ts_implausible, lambda one, rules: one.ts < rules.oldest_ms),
    Rule(Reason.user_reserved, lambda one, rules: are_named(one.users, rules.not_users)),
)
"""In this order; the first that is broken is the reason."""


def judge(columns: Judged, code: npt.NDArray[np.uint8], rules: Rules) -> None:
    """Write the reason of each row that breaks a rule into `code` (n,); rows that have one keep it."""
    for rule in RULES:
        code[rule.broken(columns, rules) & (code == Reason.ok)] = rule.reason


def are_named(users: Texts, names: tuple[str, ...]) -> Mask:
    """Whether each of the users (n,) is one of the names.

    >>> are_named(Texts.of([b"ann", b"0", None]), ("0", "anonymous")).tolist()
    [False, True, False]
    """
    found = np.zeros(len(users), np.bool_)
    if names:
        of_length, reserved = _by_length(names)
        _named(users.buffer, users.at, users.end, reserved.buffer, reserved.at, reserved.end, of_length, found)
    return found


@lru_cache(maxsize=8)
def _by_length(names: tuple[str, ...]) -> tuple[npt.NDArray[np.int64], Texts]:
    """The names in order of length, and where those of each length begin: a user is compared with names of the same length only."""
    encoded = sorted({name.encode() for name in names}, key=len)
    lengths = np.array([len(name) for name in encoded], np.int64)
    return np.searchsorted(lengths, np.arange(MAX_USER_BYTES + 2)), Texts.of(encoded)


@njit(cache=True, nogil=True)
def _named(buffer: Any, at: Any, end: Any, names: Any, name_at: Any, name_end: Any, of_length: Any, found: Any) -> None:
    for i in range(at.shape[0]):
        length = end[i] - at[i]
        if at[i] < 0 or length >= of_length.shape[0] - 1:
            continue
        for name in range(of_length[length], of_length[length + 1]):
            if equal(buffer, at[i], end[i], names, name_at[name], name_end[name]):
                found[i] = True
                break
