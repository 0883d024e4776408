"""A commit as it goes over the wire to Redis: MULTI, the writes, EXEC, packed by hand where a commit is long.

The record of a user is written whole (MSET), so nearly all of a commit is keys and states. A key is packed once and remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import hiredis

from features.keys import snap_name
from features.store import Commit, stream_id
from features.weave import Rows, weave

_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command
_MOST_HEADS = 1 << 19
"""Users whose packed key is remembered; about 100 bytes each. More forget all of them, and they are packed again."""


class StateHeads(dict[str, bytes]):
    r"""User -> all that stands between the state before his and his own in an MSET: length and name of the key, length of the state.

    >>> StateHeads("cw:shop:{7}:", 440)["ann"]
    b'\r\n$17\r\ncw:shop:{7}:u:ann\r\n$440\r\n'
    """

    def __init__(self, prefix: str, size: int) -> None:
        super().__init__()
        self._prefix, self._size = f"{prefix}u:", size

    def __missing__(self, user: str) -> bytes:
        if len(self) >= _MOST_HEADS:
            self.clear()
        key = (self._prefix + user).encode()
        head = self[user] = b"\r\n$%d\r\n%b\r\n$%d\r\n" % (len(key), key, self._size)
        return head


def pack_calls(*calls: tuple[Any, ...]) -> bytes:
    """Return calls as they go over the wire; what redis-py does per argument costs as much again."""
    return b"".join(map(_pack, calls))


def pack_commit(prefix: str, commit: Commit, heads: dict[int, StateHeads]) -> tuple[bytes | bytearray, int]:
    """Return the calls of a commit, and how many answers they have; the last one is EXEC's.

    Parameters
    ----------
    prefix : str
        Of the shard's keys.
    heads : dict of state size to StateHeads
        What is remembered of this shard's users; filled here.

    Raises
    ------
    ValueError
        Users and states of different number, or a definition's name that may not stand in a key.

    >>> from features.store import Token
    >>> pack_commit("cw:shop:{7}:", Commit(Token(1, "n"), 4, b"meta", ["ann"], [b"state"]), {})[1]
    4
    """
    if len(commit.users) != len(commit.states):
        raise ValueError(f"as many states as users are needed, got {len(commit.states)} for {len(commit.users)}")
    calls = list(_calls(prefix, commit))
    begin, end, answers = pack_calls(("MULTI",)), pack_calls(*calls, ("EXEC",)), 2 + bool(commit.users) + len(calls)
    if not commit.users:
        return begin + end, answers
    if not isinstance(commit.states, Rows):
        keys = map(f"{prefix}u:".__add__, commit.users)
        return begin + pack_calls(("MSET", *chain.from_iterable(zip(keys, commit.states, strict=True)))) + end, answers
    states = commit.states.matrix
    known = heads.get(states.shape[1])
    if known is None:
        known = heads[states.shape[1]] = StateHeads(prefix, states.shape[1])
    begin += b"*%d\r\n$4\r\nMSET" % (1 + 2 * len(states))
    return weave(list(map(known.__getitem__, commit.users)), states, begin, b"\r\n" + end), answers


def _calls(prefix: str, commit: Commit) -> Iterator[tuple[Any, ...]]:
    """Everything but the states; the number comes last."""
    number = commit.commit_no + 1
    for command, side in (("SADD", commit.armed), ("SREM", commit.disarmed)):
        for bucket, users in side.items():
            if users:
                yield (command, f"{prefix}wheel:{bucket}", *users)
    for (name, landmark), chunk in commit.snaps.items():
        yield ("RPUSH", prefix + snap_name(name, landmark), chunk)
    if commit.matured:
        yield ("DEL", *(prefix + snap_name(name, landmark) for name, landmark in commit.matured))
    for box, entries, trim in (("outbox", commit.outbox, commit.outbox_trim), ("exbox", commit.exbox, commit.exbox_trim)):
        for index, entry in enumerate(entries):
            yield ("XADD", prefix + box, stream_id(number, index), "e", entry)
        if trim is not None:
            yield ("XTRIM", prefix + box, "MINID", _first_kept(trim))
    for user, fields in commit.mirror.items():
        if fields:
            yield ("HSET", f"{prefix}feat:{user}", *chain.from_iterable(fields.items()))
    yield ("HSET", f"{prefix}meta", "meta", commit.meta, "commit_no", number)


def _first_kept(trim: str) -> str:
    """Return the id just above the last one to trim: XTRIM MINID keeps the id it is given.

    >>> _first_kept("7-1")
    '7-2'
    """
    major, minor = trim.split("-")
    return f"{major}-{int(minor) + 1}"
