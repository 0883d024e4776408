"""The stored form of a record: what plain Python makes of it, and back; nothing damaged is ever read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definitions.definition import DAY_MS
from features.users.packed_state import FORM, LAYOUT_OF, pack_states, read_states
from features.users.spec import FeatureSpec
from features.users.state import LAYOUT_VERSION, NEVER, LayoutError, state_dtype
from features.users.update import apply_event, init_state

DEFINITIONS = st.integers(1, 3)


def records(definitions: int, count: int, seed: int, there: float) -> npt.NDArray[np.void]:
    """Records of which a share of the words is not zero."""
    rng = np.random.default_rng(seed)
    size = state_dtype(definitions).itemsize // 2
    words = rng.integers(1, 65_536, (count, size)).astype(np.uint16) * (rng.random((count, size)) < there)
    rows = words.astype(np.uint16).view(state_dtype(definitions))[:, 0]
    rows["version"], rows["definitions"] = LAYOUT_VERSION, definitions
    return rows


def packed_plainly(record: bytes) -> bytes:
    """The form as its table says it, a word at a time."""
    words = [record[i : i + 2] for i in range(8, len(record), 2)]
    masks = [sum(1 << bit for bit, word in enumerate(words[i : i + 16]) if word != b"\0\0") for i in range(0, len(words), 16)]
    return bytes([FORM]) + record[1:8] + b"".join(mask.to_bytes(2, "little") for mask in masks) + b"".join(w for w in words if w != b"\0\0")


@settings(deadline=None)  # the first one may compile
@given(DEFINITIONS, st.integers(0, 12), st.integers(0, 99), st.sampled_from([0.0, 0.3, 0.9, 1.0]))
def test_what_is_stored_is_what_plain_python_makes_of_it_and_comes_back(definitions: int, count: int, seed: int, there: float) -> None:
    rows = records(definitions, count, seed, there)
    slots = np.random.default_rng(seed).permutation(count)
    packed = [one for one in pack_states(rows, slots) if one is not None]
    assert packed == [packed_plainly(rows[slot].tobytes()) for slot in slots]
    assert read_states(packed, definitions).tobytes() == rows[slots].tobytes()


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.tuples(DEFINITIONS, st.booleans()), min_size=1, max_size=8), st.integers(0, 99))
def test_records_of_older_forms_and_of_fewer_definitions_are_read_with_the_others(kinds: list[tuple[int, bool]], seed: int) -> None:
    stored, made = [], []
    for number, (definitions, is_packed) in enumerate(kinds):
        rows = records(definitions, 1, seed + number, 0.5)
        made.append(rows[0])
        stored.append(packed_plainly(rows[0].tobytes()) if is_packed else rows[0].tobytes())
    for row, old, (had, _) in zip(read_states(stored, 3), made, kinds, strict=True):
        assert row["definitions"] == 3
        assert row["version"] == LAYOUT_VERSION
        for name in set(state_dtype(3).names or ()) - {"definitions", "pad"}:
            if row[name].shape == old[name].shape:
                np.testing.assert_array_equal(row[name], old[name])
            else:
                np.testing.assert_array_equal(row[name][:had], old[name])
                assert set(row[name][had:].tolist()) <= {NEVER if name in {"last_active_ms", "opened_ms"} else 0}


@settings(deadline=None)  # the first one may compile
@given(st.integers(0, 99), st.data())
def test_a_damaged_record_is_refused(seed: int, data: st.DataObject) -> None:
    whole = packed_plainly(records(1, 1, seed, 0.4)[0].tobytes())
    change = data.draw(st.sampled_from(["cut", "longer", "mask"]))
    if change == "cut":
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    elif change == "longer":
        damaged = whole + data.draw(st.binary(min_size=1, max_size=9))
    else:
        bit = data.draw(st.integers(0, 14 * 16 - 1))  # one word more or less than is there, or one beyond the record
        damaged = bytearray(whole)
        damaged[8 + bit // 8] ^= 1 << bit % 8
        damaged = bytes(damaged)
    with pytest.raises(LayoutError):
        read_states([whole, damaged], 1)


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.binary(max_size=60), max_size=4), DEFINITIONS)
def test_any_bytes_are_read_as_a_record_or_refused(stored: list[bytes], definitions: int) -> None:
    stored = [bytes([FORM]) + one[1:7] + bytes([1]) + one[8:] if len(one) > 8 else one for one in stored]
    try:
        rows = read_states(stored, definitions)
    except LayoutError:
        return
    assert len(rows) == len(stored)


def test_an_ordinary_users_record_is_half_as_long() -> None:
    rows, spec = np.zeros(1, state_dtype(1)), FeatureSpec()
    init_state(rows, 0, 7)
    for n in range(60):
        apply_event(rows[0], 1_700_000_000_000 + n * DAY_MS // 2, spec.type_word("click"), float("nan"), 0, spec.session_gap_ms)
    [packed] = pack_states(rows, np.zeros(1, np.intp))
    assert packed is not None
    assert len(packed) < 0.6 * rows.itemsize


def test_a_new_layout_has_a_form_of_its_own() -> None:
    assert LAYOUT_OF[FORM] == LAYOUT_VERSION


def test_a_record_of_a_newer_form_or_of_more_definitions_is_refused_with_what_to_do() -> None:
    whole = packed_plainly(records(2, 1, 0, 0.4)[0].tobytes())
    with pytest.raises(LayoutError, match="run the version that wrote it"):
        read_states([bytes([FORM + 1]) + whole[1:]], 2)
    with pytest.raises(LayoutError, match="restore the removed definition"):
        read_states([whole], 1)
    with pytest.raises(LayoutError, match="form none"):
        read_states([b""], 1)
