"""A commit as the arguments of commit.lua: whole keys beside their values, so that the script hands them on as they are."""

from __future__ import annotations

from itertools import chain
from typing import Any

from features.keys import snap_name
from features.store import Commit, stream_id


def commit_arguments(prefix: str, commit: Commit) -> list[Any]:
    """Return ARGV of commit.lua, in the order given there.

    Parameters
    ----------
    prefix : str
        Of the shard's keys.

    Raises
    ------
    ValueError
        Users and states of different number, or a definition's name that may not stand in a key.

    >>> from features.store import Token
    >>> commit_arguments("cw:shop:{7}:", Commit(Token(1, "n"), 4, b"meta", ["ann"], [b"state"]))[-2:]
    ['cw:shop:{7}:u:ann', b'state']
    """
    if len(commit.users) != len(commit.states):
        raise ValueError(f"as many states as users are needed, got {len(commit.states)} for {len(commit.users)}")
    number = commit.commit_no + 1
    mirror = {user: fields for user, fields in commit.mirror.items() if fields}
    sadd, srem = ({bucket: users for bucket, users in side.items() if users} for side in (commit.armed, commit.disarmed))
    args: list[Any] = [
        commit.token.epoch, commit.token.nonce, commit.commit_no, number, commit.meta,
        _first_kept(commit.outbox_trim), _first_kept(commit.exbox_trim),
        2 * len(commit.users), len(sadd), len(srem), len(commit.snaps), len(commit.matured),
        len(commit.outbox), len(commit.exbox), len(mirror),
    ]  # fmt: skip
    users: list[Any] = [None] * (2 * len(commit.users))
    users[::2] = map(f"{prefix}u:".__add__, commit.users)
    users[1::2] = commit.states
    args += users
    for side in (sadd, srem):
        for bucket, members in side.items():
            args += (f"{prefix}wheel:{bucket}", len(members), *members)
    for (name, landmark), chunk in commit.snaps.items():
        args += (prefix + snap_name(name, landmark), chunk)
    args += [prefix + snap_name(name, landmark) for name, landmark in commit.matured]
    for box in (commit.outbox, commit.exbox):
        for index, entry in enumerate(box):
            args += (stream_id(number, index), entry)
    for user, fields in mirror.items():
        args += (f"{prefix}feat:{user}", 2 * len(fields), *chain.from_iterable(fields.items()))
    return args


def _first_kept(trim: str | None) -> str:
    """Return the id just above the last one to trim: XTRIM MINID keeps the id it is given.

    >>> _first_kept("7-1"), _first_kept(None)
    ('7-2', '')
    """
    if trim is None:
        return ""
    major, minor = trim.split("-")
    return f"{major}-{int(minor) + 1}"
