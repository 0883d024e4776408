"""What is rejected although it can be read: one table of rules, applied to every batch, whether it comes live, from a replay or from a test.

What cannot be read at all (bytes that are not JSON, a field of another type) is judged in `event.py`, where it is read. A rule here sees columns,
and says which rows break it. It looks at nothing but the record itself, its broker stamp and `Rules`.

To reject something else, add a row to `RULES`, then its reason, words and field in `event.py`, and its name in
`stream/shard/dead_letter.schema.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.texts import Texts, equal
from features.definitions.rules import Rules
from features.events.event import MAX_FUTURE_MS, MAX_USER_BYTES, Reason

UNKNOWN = -1
"""Stands in the place of the type word for an event type that `Rules.strict_types` does not name."""
ASIDE = -2
"""Stands there for an event type that `Rules.set_aside` names."""
ERASE, CONSENT = -3, -4
"""Stand there for two of these types, by which the shard forgets a user, and may know them again."""

Mask = npt.NDArray[np.bool_]


class Judged(Protocol):
    """The columns that rules look at, with n rows; a row that is rejected already may hold anything."""

    users: Texts
    ts: npt.NDArray[np.int64]
    append: npt.NDArray[np.int64]
    word: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


class Rule(NamedTuple):
    """One rule: the reason it gives, and a function that marks the rows that break it."""

    reason: Reason
    broken: Callable[[Judged, Rules], Mask]


RULES: tuple[Rule, ...] = (
    Rule(Reason.future, lambda one, _: one.ts > one.append + MAX_FUTURE_MS),
    Rule(Reason.unknown_type, lambda one, _: one.word == UNKNOWN),
    Rule(Reason.ts_implausible, lambda one, rules: one.ts < rules.oldest_ms),
    Rule(Reason.user_reserved, lambda one, rules: are_named(one.users, rules.not_users)),
    Rule(Reason.set_aside, lambda one, _: one.word == ASIDE),
    Rule(Reason.erase, lambda one, _: one.word == ERASE),
    Rule(Reason.consent, lambda one, _: one.word == CONSENT),
)
"""Rules in the order in which they are applied; the first one that a row breaks gives the reason. The last three are no faults: a row that breaks them is good."""


def judge(columns: Judged, code: npt.NDArray[np.uint8], rules: Rules) -> None:
    """Write the reason of each row that breaks a rule into `code` (n,); a row that has a reason already keeps it."""
    for rule in RULES:
        broken = rule.broken(columns, rules)
        if broken.any():
            code[broken & (code == Reason.ok)] = rule.reason


def are_named(users: Texts, names: tuple[str, ...]) -> Mask:
    """Return a mask, bool (n,), of the users that are one of the names.

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
    """Return where the names of each length begin, and the names in order of length; so a user is compared only with names of the same length."""
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
