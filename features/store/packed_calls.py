"""A read and a commit in the bytes that Redis is sent. The long parts of them are packed by hand.

State records are read and written whole (MGET, MSET), so nearly all of these bytes are keys and states; compiled passes lay them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import hiredis
import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.texts import Texts, copied, ids_of
from features.store.contract import Commit, Need, stream_id
from features.store.keys import META_FIELD, NUMBER_FIELD, ShardKeys

_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command
KEYS_A_CALL = 4_000
"""Most keys of one MGET. While it runs the server does nothing else, and this many take it about 2 ms."""
LOOKS = 5
"""How many calls of `pack_look` come before those about fresh users."""


def pack_calls(*calls: tuple[Any, ...]) -> bytes:
    """Return calls in the bytes that Redis is sent. Packing them all at once saves redis-py's work for each argument."""
    return b"".join(map(_pack, calls))


def pack_read(keys: ShardKeys, need: Need) -> tuple[bytes, int]:
    r"""Return the calls of a read, and how many of them are MGET. These come first, then a call for each bucket and for each list.

    Raises
    ------
    ValueError
        If a definition's name may not stand in a key.

    >>> pack_read(ShardKeys("cw:shop:{7}:"), Need(["ann"]))
    (b'*2\r\n$4\r\nMGET\r\n$17\r\ncw:shop:{7}:u:ann\r\n', 1)
    """
    users = ids_of(need.users)
    calls: list[bytes | bytearray] = [_of_states(b"MGET", keys, users[at : at + KEYS_A_CALL]) for at in range(0, len(users), KEYS_A_CALL)]
    mgets = len(calls)
    calls += [_pack(("SMEMBERS", keys.wheel(bucket))) for bucket in need.buckets]
    calls += [_pack(("LRANGE", keys.snap(name, landmark), 0, -1)) for name, landmark in need.snaps]
    return b"".join(calls), mgets


def pack_look(keys: ShardKeys, commit: Commit) -> tuple[bytes, int]:
    r"""Return the calls that find out whether a commit may be applied, and how many they are.

    They ask first who owns the shard, and for its commit number. Then they ask how many of the fresh users have a state, in as many calls as that
    takes, and who of them is in the wheel, with a call for each bucket.

    >>> from features.store.contract import Token
    >>> pack_look(ShardKeys("cw:shop:{7}:"), Commit(Token(1, "n"), 4, b"meta", fresh={5: ["ann"]}))[1]
    7
    """
    look: list[bytes | bytearray] = [
        pack_calls(
            ("WATCH", keys.owner, keys.meta),
            ("HMGET", keys.owner, "epoch", "nonce", "server"),
            ("HGET", keys.meta, NUMBER_FIELD),
            ("EXISTS", keys.outbox, keys.exbox),
            ("INFO", "server"),
        )
    ]
    fresh = ids_of(list(chain.from_iterable(commit.fresh.values())))
    exists = [_of_states(b"EXISTS", keys, fresh[at : at + KEYS_A_CALL]) for at in range(0, len(fresh), KEYS_A_CALL)]
    members = [_pack(("SMISMEMBER", keys.wheel(bucket), *users)) for bucket, users in commit.fresh.items() if users]
    return b"".join([*look, *exists, *members]), LOOKS + len(exists) + len(members)


def pack_commit(keys: ShardKeys, commit: Commit) -> tuple[bytes | bytearray, int]:
    """Return the calls of a commit, and how many answers they have; the last one is EXEC's.

    Raises
    ------
    ValueError
        If there are not as many states as users, or a definition's name may not stand in a key.

    >>> from features.store.contract import Token
    >>> pack_commit(ShardKeys("cw:shop:{7}:"), Commit(Token(1, "n"), 4, b"meta", ["ann"], [b"state"]))[1]
    4
    """
    if len(commit.users) != len(commit.states):
        raise ValueError(f"as many states as users are needed, got {len(commit.states)} for {len(commit.users)}")
    calls = list(_calls(keys, commit))
    begin, end, answers = pack_calls(("MULTI",)), pack_calls(*calls, ("EXEC",)), 2 + bool(commit.users) + len(calls)
    if not commit.users:
        return begin + end, answers
    return _with_states(keys, ids_of(commit.users), Texts.of(commit.states), begin, end), answers


def _with_states(keys: ShardKeys, users: Texts, states: Texts, begin: bytes, end: bytes) -> bytearray:
    """Return the bytes of the beginning, of an MSET of all states, and of the end."""
    begin += b"*%d\r\n$4\r\nMSET\r\n" % (1 + 2 * len(states))
    name = np.frombuffer(keys.states.encode(), np.uint8)
    sizes, values = users.end - users.at + len(name), states.end - states.at
    key_digits, value_digits = _digits(sizes), _digits(values)
    out = bytearray(len(begin) + int((10 + key_digits + sizes + value_digits + values).sum()) + len(end))
    out[: len(begin)] = begin
    out[len(out) - len(end) :] = end
    view = np.frombuffer(out, np.uint8)
    _lay_out(view, len(begin), name, users.buffer, users.at, users.end, key_digits, states.buffer, states.at, states.end, value_digits)
    return out


def _of_states(command: bytes, keys: ShardKeys, users: Texts) -> bytearray:
    """Return the bytes of a command whose arguments are the keys of the users' states."""
    begin = b"*%d\r\n$%d\r\n%s\r\n" % (1 + len(users), len(command), command)
    name = np.frombuffer(keys.states.encode(), np.uint8)
    sizes = users.end - users.at + len(name)
    digits = _digits(sizes)
    out = bytearray(len(begin) + int((5 + digits + sizes).sum()))
    out[: len(begin)] = begin
    _lay_out_keys(np.frombuffer(out, np.uint8), len(begin), name, users.buffer, users.at, users.end, digits)
    return out


def _digits(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many decimal digits each size has.

    >>> _digits(np.array([0, 9, 10, 99_999]))
    array([1, 1, 2, 5])
    """
    return np.asarray(1 + (sizes[:, None] >= 10 ** np.arange(1, 10)).sum(axis=1), np.int64)


@njit(cache=True, nogil=True)
def _lay_out(
    out: Any, i: int, name: Any, users: Any, at: Any, end: Any, digits: Any, states: Any, begins: Any, ends: Any, state_digits: Any
) -> None:
    r"""Write ``$17\r\ncw:shop:{7}:u:ann\r\n$230\r\n<state>\r\n`` for each user, from place `i` of `out` on."""
    for row in range(at.shape[0]):
        i = _key(out, i, name, users, at[row], end[row], digits[row])
        i = _head(out, i, ends[row] - begins[row], state_digits[row])
        i = copied(out, i, states, begins[row], ends[row])
        i = _line_end(out, i)


@njit(cache=True, nogil=True)
def _lay_out_keys(out: Any, i: int, name: Any, users: Any, at: Any, end: Any, digits: Any) -> None:
    r"""Write ``$17\r\ncw:shop:{7}:u:ann\r\n`` for each user, from place `i` of `out` on."""
    for row in range(at.shape[0]):
        i = _key(out, i, name, users, at[row], end[row], digits[row])


@njit(cache=True, nogil=True)
def _key(out: Any, i: int, name: Any, users: Any, at: int, end: int, digits: int) -> int:
    i = _head(out, i, name.shape[0] + end - at, digits)
    i = copied(out, i, name, 0, name.shape[0])
    return _line_end(out, copied(out, i, users, at, end))


@njit(cache=True, nogil=True)
def _head(out: Any, i: int, size: int, digits: int) -> int:
    out[i] = 36  # $
    for digit in range(digits, 0, -1):
        out[i + digit] = 48 + size % 10
        size //= 10
    return _line_end(out, i + digits + 1)


@njit(cache=True, nogil=True)
def _line_end(out: Any, i: int) -> int:
    out[i], out[i + 1] = 13, 10
    return i + 2


def _calls(keys: ShardKeys, commit: Commit) -> Iterator[tuple[Any, ...]]:
    """Yield the calls of a commit, without those for states; the one that sets the commit number comes last."""
    number = commit.commit_no + 1
    for command, side in (("SADD", commit.armed), ("SREM", commit.disarmed)):
        for bucket, users in side.items():
            if users:
                yield (command, keys.wheel(bucket), *users)
    for (name, landmark), chunk in commit.snaps.items():
        yield ("RPUSH", keys.snap(name, landmark), chunk)
    if commit.matured:
        yield ("DEL", *(keys.snap(name, landmark) for name, landmark in commit.matured))
    yield from _forgetting(keys, commit)
    for box, entries, trim in ((keys.outbox, commit.outbox, commit.outbox_trim), (keys.exbox, commit.exbox, commit.exbox_trim)):
        for index, entry in enumerate(entries):
            yield ("XADD", box, stream_id(number, index), "e", entry)
        if trim is not None:
            yield ("XTRIM", box, "MINID", _first_kept(trim))
    for user, fields in commit.mirror.items():
        if fields:
            yield ("HSET", keys.mirror(user), *chain.from_iterable(fields.items()))
    yield ("HSET", keys.meta, META_FIELD, commit.meta, NUMBER_FIELD, number)


def _forgetting(keys: ShardKeys, commit: Commit) -> Iterator[tuple[Any, ...]]:
    """Yield the calls by which erased users go."""
    for (name, landmark), chunk in commit.rewritten.items():
        yield ("DEL", keys.snap(name, landmark))
        if chunk:
            yield ("RPUSH", keys.snap(name, landmark), chunk)
    if commit.erased:
        yield ("DEL", *map(keys.state, commit.erased), *map(keys.mirror, commit.erased))
    if commit.gone:
        yield ("HSET", keys.gone, *chain.from_iterable(commit.gone.items()))


def _first_kept(trim: str) -> str:
    """Return the stream id right after the last one to remove, because XTRIM MINID keeps the id that it is given.

    >>> _first_kept("7-1")
    '7-2'
    """
    major, minor = trim.split("-")
    return f"{major}-{int(minor) + 1}"
