"""A commit as it goes over the wire to Redis: MULTI, the writes, EXEC, packed by hand where a commit is long.

The record of a user is written whole (MSET), so nearly all of a commit is keys and states: a compiled pass lays these out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import hiredis
import numpy as np
from numba import njit

from features.keys import snap_name
from features.store import Commit, stream_id
from features.texts import Texts, ids_of, names_of
from features.weave import Matrix, Rows

_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command


def pack_calls(*calls: tuple[Any, ...]) -> bytes:
    """Return calls as they go over the wire; what redis-py does per argument costs as much again."""
    return b"".join(map(_pack, calls))


def pack_commit(prefix: str, commit: Commit) -> tuple[bytes | bytearray, int]:
    """Return the calls of a commit, and how many answers they have; the last one is EXEC's.

    Parameters
    ----------
    prefix : str
        Of the shard's keys.

    Raises
    ------
    ValueError
        Users and states of different number, or a definition's name that may not stand in a key.

    >>> from features.store import Token
    >>> pack_commit("cw:shop:{7}:", Commit(Token(1, "n"), 4, b"meta", ["ann"], [b"state"]))[1]
    4
    """
    if len(commit.users) != len(commit.states):
        raise ValueError(f"as many states as users are needed, got {len(commit.states)} for {len(commit.users)}")
    calls = list(_calls(prefix, commit))
    begin, end, answers = pack_calls(("MULTI",)), pack_calls(*calls, ("EXEC",)), 2 + bool(commit.users) + len(calls)
    if not commit.users:
        return begin + end, answers
    if not isinstance(commit.states, Rows):
        pairs = zip((f"{prefix}u:{user}" for user in names_of(commit.users)), commit.states, strict=True)
        return begin + pack_calls(("MSET", *chain.from_iterable(pairs))) + end, answers
    return _with_states(prefix, ids_of(commit.users), commit.states.matrix, begin, end), answers


def _with_states(prefix: str, users: Texts, states: Matrix, begin: bytes, end: bytes) -> bytearray:
    """The beginning, an MSET of all states, the end."""
    begin += b"*%d\r\n$4\r\nMSET\r\n" % (1 + 2 * len(states))
    name, mark = f"{prefix}u:".encode(), b"\r\n$%d\r\n" % states.shape[1]
    sizes = users.end - users.at + len(name)
    digits = 1 + (sizes[:, None] >= 10 ** np.arange(1, 6)).sum(axis=1)
    each = len(b"$\r\n") + digits + sizes + len(mark) + states.shape[1] + len(b"\r\n")
    out = bytearray(len(begin) + int(each.sum()) + len(end))
    out[: len(begin)] = begin
    out[len(out) - len(end) :] = end
    view = np.frombuffer(out, np.uint8)
    _lay_out(view, len(begin), np.frombuffer(name, np.uint8), np.frombuffer(mark, np.uint8), users.buffer, users.at, sizes, digits, states)
    return out


@njit(cache=True, nogil=True)
def _lay_out(out: Any, i: int, name: Any, mark: Any, texts: Any, at: Any, sizes: Any, digits: Any, states: Any) -> None:
    r"""``$17\r\ncw:shop:{7}:u:ann\r\n$440\r\n<state>\r\n`` for each user."""
    for row in range(at.shape[0]):
        out[i] = 36  # $
        left = sizes[row]
        for digit in range(digits[row], 0, -1):
            out[i + digit] = 48 + left % 10
            left //= 10
        i += digits[row] + 1
        out[i], out[i + 1] = 13, 10
        i += 2
        for j in range(name.shape[0]):
            out[i + j] = name[j]
        i += name.shape[0]
        for j in range(sizes[row] - name.shape[0]):
            out[i + j] = texts[at[row] + j]
        i += sizes[row] - name.shape[0]
        for j in range(mark.shape[0]):
            out[i + j] = mark[j]
        i += mark.shape[0]
        for j in range(states.shape[1]):
            out[i + j] = states[row, j]
        i += states.shape[1]
        out[i], out[i + 1] = 13, 10
        i += 2


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
