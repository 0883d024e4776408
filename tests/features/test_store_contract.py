"""What every store promises; see features/store/contract.py. The same tests for the store in memory and for each Redis."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from features.store.contract import Commit, Damaged, Found, Need, StaleOwner, Store, Taken, TakeRefused, Token, stream_id

ALL = ["memory", "redis", "redis-bundled"]
pytestmark = pytest.mark.parametrize("new_store", ALL, indirect=True)
NewStore = Callable[[str], Store]

STRANGE = [
    "ann", "Zoë", "😀🧨", "with space", "{0}", "}{", "a:b:c", "*", "u:ann", "wheel:5", "\x00\x01\n\r",
    "$5\r\nhello", "007", "7", "-7", "'\"\\",
    "x" * 256, "ä" * 128, "owner", "meta",
]  # fmt: skip


def state(n: int, size: int = 440) -> bytes:
    return random.Random(n).randbytes(size)


def a_commit(taken: Taken, at: int | None = None, **parts: Any) -> Commit:
    return Commit(token=taken.token, commit_no=taken.commit_no if at is None else at, meta=b"meta", **parts)


def full_commit(taken: Taken, at: int | None = None) -> Commit:
    """Something of everything."""
    return a_commit(
        taken, at, users=["ann", "bob"], states=[state(1), state(2)], armed={5: ["ann", "bob"], 6: ["cyd"]}, disarmed={7: ["dan"]},
        snaps={("churn14", 300_000): b"chunk"}, matured=[("churn14", 0)], outbox=[b"alert", b"dead"], exbox=[b"block"],
        mirror={"ann": {"recency_s": "5"}},
    )  # fmt: skip


EVERYTHING = Need(users=["ann", "bob", "cyd", "dan"], buckets=[5, 6, 7], snaps=[("churn14", 0), ("churn14", 300_000)])


def sorted_members(found: Found) -> list[list[str]]:
    return [sorted(members) for members in found.members]


def plain(found: Found) -> tuple[list[bytes | None], list[list[str]], list[list[bytes]]]:
    return list(found.states), sorted_members(found), [list(chunks) for chunks in found.chunks]


async def box(store: Store, name: str, partition: int = 0) -> list[tuple[str, bytes]]:
    taken = await store.take(partition, 0, force=True)
    return list(getattr(taken, name))


# --- take


async def test_first_take_of_an_empty_shard(new_store: NewStore) -> None:
    store = new_store("")
    assert await store.owner(3) is None
    taken = await store.take(3, 1)
    assert taken.token.epoch == 1
    assert taken.token.nonce
    assert (taken.commit_no, taken.meta, list(taken.outbox), list(taken.exbox), dict(taken.wheel)) == (0, None, [], [], {})
    assert await store.owner(3) == taken.token
    assert await store.owner(4) is None


async def test_every_take_has_a_higher_epoch_and_another_nonce(new_store: NewStore) -> None:
    store = new_store("")
    first, second = await store.take(0, 5), await store.take(0, 5)
    assert second.token.epoch == first.token.epoch + 1
    assert second.token.nonce != first.token.nonce
    assert await store.owner(0) == second.token


async def test_a_lower_generation_is_refused_and_leaves_the_owner(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 5)
    with pytest.raises(TakeRefused) as refusal:
        await store.take(0, 4)
    assert (refusal.value.partition, refusal.value.stored_generation) == (0, 5)
    assert await store.owner(0) == taken.token
    await store.commit(0, full_commit(taken))


async def test_force_ignores_the_generation_and_stores_its_own(new_store: NewStore) -> None:
    store = new_store("")
    await store.take(0, 5)
    forced = await store.take(0, 2, force=True)
    assert forced.token.epoch == 2
    await store.take(0, 3)
    with pytest.raises(TakeRefused, match="generation 3"):
        await store.take(0, 2)


async def test_generations_compare_as_numbers(new_store: NewStore) -> None:
    store = new_store("")
    await store.take(0, 9)
    await store.take(0, 10)
    with pytest.raises(TakeRefused):
        await store.take(0, 9)


async def test_take_returns_where_the_shard_stands(new_store: NewStore) -> None:
    store = new_store("")
    await store.commit(0, full_commit(await store.take(0, 1)))
    taken = await store.take(0, 2)
    assert (taken.commit_no, taken.meta) == (1, b"meta")
    assert list(taken.outbox) == [("1-1", b"alert"), ("1-2", b"dead")]
    assert list(taken.exbox) == [("1-1", b"block")]
    assert dict(taken.wheel) == {5: 2, 6: 1}


# --- commit and read


async def test_a_commit_is_read_back_in_the_order_asked(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, full_commit(taken))
    found = await store.read(0, Need(["bob", "nobody", "ann"], [6, 5, 287], [("churn14", 300_000), ("churn14", 0)]))
    assert plain(found) == ([state(2), None, state(1)], [["cyd"], ["ann", "bob"], []], [[b"chunk"], []])


async def test_an_empty_read(new_store: NewStore) -> None:
    store = new_store("")
    assert plain(await store.read(0, Need())) == ([], [], [])


async def test_an_empty_commit_counts(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken))
    await store.commit(0, a_commit(taken, 1))
    assert (await store.take(0, 1)).commit_no == 2


async def test_values_replace_and_chunks_append(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    key = ("churn14", 300_000)
    await store.commit(0, a_commit(taken, users=["ann"], states=[b"old"], snaps={key: b"one"}, armed={5: ["ann", "bob"]}))
    await store.commit(
        0, a_commit(taken, 1, users=["ann"], states=[b"new"], snaps={key: b"two"}, armed={5: ["ann"], 6: []}, disarmed={5: ["bob"]})
    )
    need = Need(["ann"], [5], [key])
    assert plain(await store.read(0, need)) == ([b"new"], [["ann"]], [[b"one", b"two"]])
    await store.commit(0, a_commit(taken, 2, matured=[key], disarmed={5: ["ann"]}))
    assert plain(await store.read(0, need)) == ([b"new"], [[]], [[]])
    assert dict((await store.take(0, 1)).wheel) == {}


async def test_definitions_do_not_share_lists(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken, snaps={("a", 0): b"1", ("b", 0): b"2", ("a", -300_000): b"3"}))
    found = await store.read(0, Need(snaps=[("a", 0), ("b", 0), ("a", -300_000)]))
    assert [list(chunks) for chunks in found.chunks] == [[b"1"], [b"2"], [b"3"]]


async def test_binary_values_survive(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    every_byte = bytes(range(256)) + b"\r\n$3\r\n" + bytes(256)
    commit = a_commit(taken, users=["ann"], states=[every_byte], snaps={("d", 0): every_byte}, outbox=[every_byte, b""], exbox=[every_byte])
    await store.commit(0, replace(commit, meta=every_byte))
    assert plain(await store.read(0, Need(["ann"], [], [("d", 0)]))) == ([every_byte], [], [[every_byte]])
    taken = await store.take(0, 1)
    assert taken.meta == every_byte
    assert [entry for _, entry in (*taken.outbox, *taken.exbox)] == [every_byte, b"", every_byte]


async def test_strange_user_ids_stay_apart(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    mirror = {user: {"x": user} for user in STRANGE}
    await store.commit(0, a_commit(taken, users=STRANGE, states=[state(n) for n in range(len(STRANGE))], armed={5: STRANGE}, mirror=mirror))
    found = await store.read(0, Need(STRANGE, [5]))
    assert list(found.states) == [state(n) for n in range(len(STRANGE))]
    assert sorted_members(found) == [sorted(STRANGE)]
    await store.commit(0, a_commit(taken, 1, disarmed={5: STRANGE[1:]}))
    assert sorted_members(await store.read(0, Need(buckets=[5]))) == [["ann"]]
    assert await store.owner(0) == taken.token


@pytest.mark.parametrize("bad", [["\ud800"], ["ann", "b\udfff"]])
async def test_a_user_id_that_is_no_utf8_is_refused(new_store: NewStore, bad: list[str]) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    with pytest.raises(ValueError, match="surrogates"):
        await store.commit(0, a_commit(taken, users=bad, states=[b"x"] * len(bad)))
    await store.commit(0, full_commit(taken))


@pytest.mark.parametrize("name", ["", "a:b", "A", "a b", "{a}", "x" * 33, "a\n"])
async def test_a_definition_name_that_may_not_stand_in_a_key_is_refused(new_store: NewStore, name: str) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    for commit in (a_commit(taken, snaps={(name, 0): b"x"}), a_commit(taken, matured=[(name, 0)])):
        with pytest.raises(ValueError, match="definition name"):
            await store.commit(0, commit)
    with pytest.raises(ValueError, match="definition name"):
        await store.read(0, Need(snaps=[(name, 0)]))
    await store.commit(0, full_commit(taken))


async def test_states_must_match_users(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    with pytest.raises(ValueError, match="as many states as users"):
        await store.commit(0, a_commit(taken, users=["ann", "bob"], states=[b"x"]))


async def test_a_large_commit(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    users = [f"user{n}" for n in range(20_000)]
    states = [state(n) for n in range(len(users))]
    snaps = {("churn14", n * 300_000): b"x" * n for n in range(1, 400)}
    outbox, exbox = [b"%d" % n for n in range(9_000)], [b"e" * 200_000, b"f" * 50_000]
    mirror = {"ann": {f"feature_{n}": str(n) for n in range(5_000)}}
    await store.commit(
        0, a_commit(taken, users=users, states=states, armed={5: users}, snaps=snaps, outbox=outbox, exbox=exbox, mirror=mirror)
    )
    found = await store.read(0, Need(users, [5], list(snaps)))
    assert list(found.states) == states
    assert sorted_members(found) == [sorted(users)]
    assert [list(chunks) for chunks in found.chunks] == [[chunk] for chunk in snaps.values()]
    await store.commit(0, a_commit(taken, 1, disarmed={5: users[1:]}, matured=list(snaps)))
    taken = await store.take(0, 1)
    assert dict(taken.wheel) == {5: 1}
    assert [entry for _, entry in taken.outbox] == outbox
    assert [entry_id for entry_id, _ in taken.outbox] == [stream_id(1, n) for n in range(len(outbox))]
    assert [entry for _, entry in taken.exbox] == exbox


async def test_partitions_and_apps_are_separate(new_store: NewStore) -> None:
    store, other = new_store("a"), new_store("b")
    await store.commit(1, full_commit(await store.take(1, 1)))
    for elsewhere, partition in ((store, 11), (store, 0), (other, 1)):
        assert await elsewhere.owner(partition) is None
        assert plain(await elsewhere.read(partition, EVERYTHING)) == ([None] * 4, [[], [], []], [[], []])
        assert (await elsewhere.take(partition, 1)).commit_no == 0


# --- outbox


async def test_trim_reaches_up_to_and_including_the_id(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken, outbox=[b"1", b"2", b"3"], exbox=[b"a", b"b"]))
    await store.commit(0, a_commit(taken, 1, outbox=[b"4"], outbox_trim=stream_id(1, 1), exbox_trim=stream_id(1, 0)))
    assert await box(store, "outbox") == [("1-3", b"3"), ("2-1", b"4")]
    assert await box(store, "exbox") == [("1-2", b"b")]


async def test_trimming_the_last_entry_leaves_numbers_growing(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken, outbox=[b"1"], exbox=[b"a"]))
    await store.commit(0, a_commit(taken, 1, outbox_trim=stream_id(1, 0), exbox_trim=stream_id(1, 0)))
    assert await box(store, "outbox") == []
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken, outbox=[b"2"], outbox_trim=stream_id(1, 0)))
    assert await box(store, "outbox") == [("3-1", b"2")]


async def test_ids_grow_past_ten(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    for n in range(12):
        await store.commit(0, a_commit(taken, n, outbox=[b"%d" % k for k in range(12)]))
    await store.commit(0, a_commit(taken, 12, outbox_trim=stream_id(9, 9)))
    left = await box(store, "outbox")
    assert [entry_id for entry_id, _ in left[:3]] == ["9-11", "9-12", "10-1"]
    assert len(left) == 2 + 3 * 12


# --- the fence


async def refused(store: Store, commit: Commit, why: str) -> None:
    before = plain(await store.read(0, EVERYTHING))
    with pytest.raises(StaleOwner, match=why):
        await store.commit(0, commit)
    assert plain(await store.read(0, EVERYTHING)) == before


def wrong_tokens(token: Token) -> Iterable[Token]:
    yield Token(token.epoch - 1, token.nonce)
    yield Token(token.epoch + 1, token.nonce)
    yield Token(token.epoch, token.nonce + "x")
    yield Token(token.epoch, "")


async def test_a_stale_token_is_refused_and_nothing_is_written(new_store: NewStore) -> None:
    store = new_store("")
    stale = await store.take(0, 1)
    await store.commit(0, a_commit(stale, users=["ann"], states=[b"old"], outbox=[b"1"]))
    taken = await store.take(0, 1)
    await refused(store, full_commit(stale, 1), "token")
    for token in wrong_tokens(taken.token):
        await refused(store, replace(full_commit(taken), token=token), "token")
    after = await store.take(0, 1)
    assert (after.commit_no, list(after.outbox), list(after.exbox), dict(after.wheel)) == (1, [("1-1", b"1")], [], {})


@pytest.mark.parametrize("number", [0, 1, 4, 10])
async def test_a_wrong_number_is_refused_and_nothing_is_written(new_store: NewStore, number: int) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    for n in range(3):
        await store.commit(0, a_commit(taken, n, users=["ann"], states=[b"old"]))
    await refused(store, full_commit(taken, number), f"number is 3, expected {number}")
    after = await store.take(0, 1)
    assert (after.commit_no, list(after.outbox), dict(after.wheel)) == (3, [], {})


async def test_nobody_owns_a_shard_before_its_first_take(new_store: NewStore) -> None:
    store = new_store("")
    with pytest.raises(StaleOwner):
        await store.commit(0, Commit(Token(0, ""), 0, b"meta", ["ann"], [b"x"]))
    assert plain(await store.read(0, Need(["ann"]))) == ([None], [], [])


async def test_repeating_an_applied_commit_is_success_and_changes_nothing(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    for _ in range(3):
        await store.commit(0, full_commit(taken))
    assert plain(await store.read(0, EVERYTHING)) == ([state(1), state(2), None, None], [["ann", "bob"], ["cyd"], []], [[], [b"chunk"]])
    after = await store.take(0, 1)
    assert (after.commit_no, len(after.outbox), len(after.exbox)) == (1, 2, 1)


async def test_repeating_after_another_take_is_refused(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, full_commit(taken))
    await store.take(0, 1)
    await refused(store, full_commit(taken), "token")


# --- damage, and a shard that is made again


async def test_a_user_without_a_state_who_is_in_the_wheel_is_damage_and_nothing_is_written(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken, users=["ann"], states=[state(1)], armed={5: ["ann", "bob"]}))
    before = plain(await store.read(0, EVERYTHING))
    lost = {"users": ["cyd", "bob"], "states": [state(2), state(3)], "armed": {5: ["bob", "cyd"]}, "outbox": [b"alert"]}
    with pytest.raises(Damaged, match="no state"):
        await store.commit(0, a_commit(taken, 1, fresh={4: ["cyd"], 5: ["bob"]}, **lost))
    with pytest.raises(Damaged, match="no state"):
        await store.commit(0, a_commit(taken, 1, fresh={9: ["ann"]}, users=["ann"], states=[state(4)]))
    assert plain(await store.read(0, EVERYTHING)) == before
    assert await box(store, "outbox") == []


async def test_whoever_is_really_fresh_comes_in_and_a_repeat_of_their_commit_is_no_damage(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    commit = a_commit(
        taken, users=STRANGE, states=[state(1)] * len(STRANGE), fresh={5: STRANGE[:9], 6: STRANGE[9:]}, armed={5: STRANGE[:9]}
    )
    await store.commit(0, commit)
    await store.commit(0, commit)
    assert list((await store.read(0, Need(STRANGE))).states) == [state(1)] * len(STRANGE)


async def test_a_shard_that_shall_be_made_again_is_cleared_by_its_next_owner_and_begins_with_a_meta(new_store: NewStore) -> None:
    store = new_store("")
    old = await store.take(0, 5)
    await store.commit(0, full_commit(old))
    other = await store.take(1, 5)
    await store.commit(1, full_commit(other))
    await store.ask_rebuild(0, partial=False)
    taken = await store.take(0, 5)
    assert (taken.rebuild, taken.meta, taken.commit_no, list(taken.outbox), dict(taken.wheel)) == ("whole", None, 0, [], {})
    with pytest.raises(StaleOwner):
        await store.clear(0, old.token, b"new")
    again = await store.take(0, 5)  # the first was killed before it cleared anything
    assert again.rebuild == "whole"
    await store.clear(0, again.token, b"new")
    empty = ([None] * 4, [[], [], []], [[], []])
    assert plain(await store.read(0, EVERYTHING)) == empty
    await store.commit(0, a_commit(again, 0, users=["ann"], states=[state(7)], fresh={5: ["ann"]}, armed={5: ["ann"]}, outbox=[b"a"]))
    after = await store.take(0, 5)
    assert (after.rebuild, after.meta, after.commit_no, dict(after.wheel)) == ("", b"meta", 1, {5: 1})
    assert list(after.outbox) == [("1-1", b"a")]
    untouched = await store.take(1, 5)
    assert (untouched.rebuild, untouched.commit_no, len(untouched.outbox)) == ("", 1, 2)


async def test_how_much_of_the_log_must_be_there_is_part_of_the_wish(new_store: NewStore) -> None:
    store = new_store("")
    await store.ask_rebuild(0, partial=False)
    await store.ask_rebuild(0, partial=True)
    assert (await store.take(0, 1)).rebuild == "partial"


# --- erasing


async def test_an_erasure_takes_a_user_out_and_leaves_the_others(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, full_commit(taken))
    gone = {b"\x00digest": b"when"}
    lists = {("churn14", 300_000): b"kept", ("churn14", 600_000): b""}
    commit = a_commit(taken, 1, erased=["ann", "nobody"], disarmed={5: ["ann"]}, rewritten=lists, gone=gone)
    await store.commit(0, commit)
    await store.commit(0, commit)  # a repeat changes nothing
    states, members, chunks = plain(await store.read(0, EVERYTHING))
    assert states == [None, state(2), None, None]
    assert members == [["bob"], ["cyd"], []]
    assert chunks == [[], [b"kept"]]
    again = await store.take(0, 1)
    assert dict(again.gone) == gone
    assert dict(again.wheel) == {5: 1, 6: 1}
    await store.commit(0, a_commit(again, 2, gone={b"\x00digest": b"back", b"other": b"now"}, rewritten={("churn14", 300_000): b""}))
    assert dict((await store.take(0, 1)).gone) == {b"\x00digest": b"back", b"other": b"now"}
    assert plain(await store.read(0, EVERYTHING))[2] == [[], []]


async def test_an_erased_user_may_come_in_anew(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(
        0, a_commit(taken, users=["ann"], states=[state(1)], fresh={5: ["ann"]}, armed={5: ["ann"]}, mirror={"ann": {"a": "1"}})
    )
    await store.commit(0, a_commit(taken, 1, erased=["ann"], disarmed={5: ["ann"]}))
    await store.commit(0, a_commit(taken, 2, users=["ann"], states=[state(2)], fresh={5: ["ann"]}, armed={5: ["ann"]}))
    assert list((await store.read(0, Need(["ann"]))).states) == [state(2)]


async def test_what_is_remembered_of_erased_users_goes_when_the_shard_is_made_again(new_store: NewStore) -> None:
    store = new_store("")
    taken = await store.take(0, 1)
    await store.commit(0, a_commit(taken, gone={b"digest": b"when"}))
    await store.ask_rebuild(0, partial=False)
    again = await store.take(0, 1)
    assert dict(again.gone) == {}
    await store.clear(0, again.token, b"new")
    assert dict((await store.take(0, 1)).gone) == {}
