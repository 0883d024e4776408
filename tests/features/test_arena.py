"""Who is brought into the arena has their own record, or nobody is brought in."""

from __future__ import annotations

import pytest

from features.compiled.texts import Texts
from features.users.arena import Arena
from features.users.state import LayoutError


def stored(user: str, events: int) -> bytes:
    arena = Arena(1)
    arena.admit([user], [None])
    arena.states["events"][0] = events
    [packed] = arena.packed(arena.slots(Texts.of([user.encode()])).astype(int))
    assert packed is not None
    return packed


@pytest.mark.parametrize("capacity", [1, 1 << 18])  # with the first, it grows while it takes them in
def test_each_user_has_his_own_record(capacity: int) -> None:
    arena = Arena(1, capacity)
    arena.admit(["ann"], [stored("ann", 7)])
    arena.admit(["bob", "cyd"], [None, stored("cyd", 9)])
    slots = arena.slots(Texts.of([b"cyd", b"bob", b"ann", b"dan"]))
    assert arena.states["events"][slots[:3]].tolist() == [9, 0, 7]
    assert slots[3] == -1


def test_an_empty_record_is_refused_and_not_another_users() -> None:
    with pytest.raises(LayoutError):
        Arena(1).admit(["ann", "bob"], [stored("ann", 7), b""])


@pytest.mark.parametrize(("users", "states"), [(["ann", "bob"], [None]), (Texts.of([b"ann", None]), [None, None])])
def test_not_a_state_for_each_user(users: list[str] | Texts, states: list[None]) -> None:
    with pytest.raises(ValueError, match="users"):
        Arena(1).admit(users, states)
