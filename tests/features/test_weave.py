"""A compiled pass weaves the same buffer that plain Python makes of the same texts and rows."""

from __future__ import annotations

from itertools import chain

import hiredis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled.texts import ids_of, names_of
from features.store import packed_calls
from features.store.contract import Commit, Need, Token
from features.store.keys import shard_keys
from features.store.packed_calls import pack_commit, pack_read
from online_models.example import Snapshots, pack_rows, unpack_lists

USERS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), max_size=9, unique=True)
WIDTH = 5


def snapshots(users: list[str], seed: int) -> Snapshots:
    rng, n = np.random.default_rng(seed), len(users)
    numbers = [rng.integers(0, 200, n).astype(kind) for kind in ("u2", "u4", "u1")]
    return Snapshots(ids_of(users), numbers[0], numbers[1], numbers[2], rng.integers(0, 256, (n, WIDTH)).astype(np.uint8))


@settings(deadline=None)  # the first one may compile
@given(USERS)
def test_a_commit_is_byte_for_byte_what_the_client_would_send(users: list[str]) -> None:
    rng = np.random.default_rng(len(users))
    states = [rng.bytes(int(size)) for size in rng.integers(0, 1_200, len(users))]
    packed, answers = pack_commit(shard_keys("shop", 7), Commit(Token(1, "n"), 4, b"meta", users, states))
    pairs = [(f"cw:shop:{{7}}:u:{user}".encode(), state) for user, state in zip(users, states, strict=True)]
    calls = [
        ("MULTI",),
        *([("MSET", *chain.from_iterable(pairs))] if users else []),
        ("HSET", "cw:shop:{7}:meta", "meta", b"meta", "commit_no", 5),
        ("EXEC",),
    ]
    assert bytes(packed) == b"".join(map(hiredis.pack_command, calls))
    assert answers == len(calls)


@settings(deadline=None)  # the first one may compile
@given(USERS, st.integers(1, 4), st.lists(st.integers(0, 287), max_size=3), st.lists(st.integers(0, 10**13), max_size=3))
def test_a_read_is_byte_for_byte_what_the_client_would_send(users: list[str], most: int, buckets: list[int], landmarks: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_calls, "KEYS_A_CALL", most)
        found = [
            pack_read(shard_keys("shop", 7), Need(one, buckets, [("churn14", landmark) for landmark in landmarks]))
            for one in (users, ids_of(users))
        ]
    keys = [f"cw:shop:{{7}}:u:{user}".encode() for user in users]
    mgets = [("MGET", *keys[at : at + most]) for at in range(0, len(keys), most)]
    rest = [("SMEMBERS", f"cw:shop:{{7}}:wheel:{bucket}") for bucket in buckets]
    rest += [("LRANGE", f"cw:shop:{{7}}:snap:churn14:{landmark}", 0, -1) for landmark in landmarks]
    assert found == 2 * [(b"".join(map(hiredis.pack_command, [*mgets, *rest])), len(mgets))]


@settings(deadline=None)  # the first one may compile
@given(st.lists(USERS, min_size=1, max_size=4))
def test_lists_come_back_as_they_were_whatever_their_chunks(parts: list[list[str]]) -> None:
    stored = [snapshots(users, seed) for seed, users in enumerate(parts)]
    back, counts = unpack_lists([[bytes(pack_rows(one)[0])] for one in stored], WIDTH)
    together, [count] = unpack_lists([[bytes(pack_rows(one)[0]) for one in stored]], WIDTH)
    assert counts == [len(users) for users in parts]
    assert count == sum(counts)
    for found in (back, together):
        assert names_of(found.users) == [user for users in parts for user in users]
        for name in ("risk", "model_version", "flags", "vectors"):
            np.testing.assert_array_equal(getattr(found, name), np.concatenate([getattr(one, name) for one in stored]))


def test_each_snapshot_ends_where_it_is_said_to() -> None:
    whole = snapshots(["ann", "\u00e9mile", "x"], 1)
    packed, ends = pack_rows(whole)
    assert [unpack_lists([[bytes(packed[:end])]], WIDTH)[1] for end in ends] == [[1], [2], [3]]


def test_a_list_that_is_cut_off_is_refused_wherever() -> None:
    packed, ends = pack_rows(snapshots(["ann", "bob"], 1))
    for end in set(range(1, len(packed))) - set(ends.tolist()):
        with pytest.raises(ValueError, match="middle"):
            unpack_lists([[bytes(packed[:end])]], WIDTH)
