from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled.texts import Texts
from features.users.user_index import UserIndex, _hash

IDS = st.binary(min_size=1, max_size=3) | st.binary(min_size=1, max_size=256)


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.lists(IDS, unique=True, max_size=40), max_size=6), st.lists(IDS, max_size=40))
def test_ids_have_the_slots_of_a_dictionary(rounds: list[list[bytes]], strangers: list[bytes]) -> None:
    index, expected = UserIndex(), {}
    for ids in rounds:
        new = [one for one in ids if one not in expected]
        index.add(Texts.of(new))
        expected |= {one: len(expected) + place for place, one in enumerate(new)}
        asked = [*expected, *strangers, b"", None]
        assert index.find(Texts.of(asked)).tolist() == [expected.get(one, -1) if one else -1 for one in asked]
    assert len(index) == len(expected)


def test_many_ids_grow_the_table() -> None:
    ids = [b"user-%d" % number for number in range(50_000)]
    index = UserIndex()
    for at in range(0, len(ids), 7_000):
        index.add(Texts.of(ids[at : at + 7_000]))
    assert index.find(Texts.of(ids)).tolist() == list(range(len(ids)))
    assert (index.find(Texts.of([b"user-%d" % number for number in range(50_000, 60_000)])) == -1).all()


def test_ids_whose_hashes_are_alike_are_told_apart() -> None:
    index = UserIndex()
    index.add(Texts.of([b"a", b"b"]))
    mark = int(_hash(index._texts, 1, 2, index._seed))  # of b
    index._table[:] = 0
    places = [(mark + step) % len(index._table) for step in (0, 1)]
    index._table[places] = [mark >> 32 << 32 | slot + 1 for slot in (0, 1)]  # both entries claim it
    assert index.find(Texts.of([b"b"])).tolist() == [1]
