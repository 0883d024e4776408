"""The stored form of a record: what plain Python makes of it, and back; what every form of the past holds; nothing damaged is ever read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled.texts import Texts
from features.definitions.definition import DAY_MS
from features.users.packed_state import FORM, FORMS, pack_states, read_states
from features.users.spec import FeatureSpec
from features.users.state import FIELDS, LAYOUT_VERSION, NEVER, DamagedRecord, LayoutError, init_state, state_dtype
from features.users.update import apply_event

DEFINITIONS = st.integers(1, 3)
GOLDEN = Path(__file__).parents[1] / "golden"
STATES: list[dict[str, Any]] = json.loads((GOLDEN / "first_build.json").read_text())["states"]
CHECKED: dict[str, str] = json.loads((GOLDEN / "checked_states.json").read_text())


def records(definitions: int, count: int, seed: int, there: float) -> npt.NDArray[np.void]:
    """Records of which a share of the words is not zero."""
    rng = np.random.default_rng(seed)
    size = state_dtype(definitions).itemsize // 2
    words = rng.integers(1, 65_536, (count, size)).astype(np.uint16) * (rng.random((count, size)) < there)
    rows = words.astype(np.uint16).view(state_dtype(definitions))[:, 0]
    rows["version"], rows["definitions"] = LAYOUT_VERSION, definitions
    return rows


def sparse_plainly(record: bytes, form: int) -> bytes:
    """Without its zero words, a word at a time."""
    words = [record[i : i + 2] for i in range(8, len(record), 2)]
    masks = [sum(1 << bit for bit, word in enumerate(words[i : i + 16]) if word != b"\0\0") for i in range(0, len(words), 16)]
    return bytes([form]) + record[1:8] + b"".join(mask.to_bytes(2, "little") for mask in masks) + b"".join(w for w in words if w != b"\0\0")


def checked_plainly(user: str, packed: bytes) -> bytes:
    """With the checksum at its end."""
    check = xxhash.xxh64_intdigest(packed, xxhash.xxh64_intdigest(user.encode())) & 0xFFFFFFFF
    return packed + check.to_bytes(4, "little")


def packed_plainly(user: str, record: bytes, form: int = FORM) -> bytes:
    """The forms as their table says them."""
    if form == 1:
        return record
    return sparse_plainly(record, 2) if form == 2 else checked_plainly(user, sparse_plainly(record, 3))


def ids(count: int) -> list[str]:
    return [f"user {n} \u00e9" * (1 + n % 4) for n in range(count)]


@settings(deadline=None)  # the first one may compile
@given(DEFINITIONS, st.integers(0, 12), st.integers(0, 99), st.sampled_from([0.0, 0.3, 0.9, 1.0]))
def test_what_is_stored_is_what_plain_python_makes_of_it_and_comes_back(definitions: int, count: int, seed: int, there: float) -> None:
    rows, users = records(definitions, count, seed, there), ids(count)
    slots = np.random.default_rng(seed).permutation(count)
    packed = [one for one in pack_states(rows, slots, Texts.of([user.encode() for user in users])) if one is not None]
    assert packed == [packed_plainly(user, rows[slot].tobytes()) for user, slot in zip(users, slots, strict=True)]
    assert read_states(users, packed, definitions).tobytes() == rows[slots].tobytes()


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.tuples(DEFINITIONS, st.sampled_from(sorted(FORMS))), min_size=1, max_size=8), st.integers(0, 99))
def test_records_of_older_forms_and_of_fewer_definitions_are_read_with_the_others(kinds: list[tuple[int, int]], seed: int) -> None:
    stored, made, users = [], [], ids(len(kinds))
    for number, (definitions, form) in enumerate(kinds):
        rows = records(definitions, 1, seed + number, 0.5)
        made.append(rows[0])
        stored.append(packed_plainly(users[number], rows[0].tobytes(), form))
    for row, old, (had, _) in zip(read_states(users, stored, 3), made, kinds, strict=True):
        assert row["definitions"] == 3
        assert row["version"] == LAYOUT_VERSION
        for name in set(state_dtype(3).names or ()) - {"definitions", "pad"}:
            if row[name].shape == old[name].shape:
                np.testing.assert_array_equal(row[name], old[name])
            else:
                np.testing.assert_array_equal(row[name][:had], old[name])
                assert set(row[name][had:].tolist()) <= {NEVER if name in {"last_active_ms", "opened_ms"} else 0}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_that_was_ever_stored_means_what_it_meant(form: int) -> None:
    """Bytes that builds of the past wrote, beside the value of every field."""
    for one in STATES:
        packed = bytes.fromhex(one[f"form {form}"] if form < 3 else CHECKED[one["user"]])
        assert packed[0] == form
        [row] = read_states([one["user"]], [packed], one["definitions"])
        assert {name: np.asarray(row[name]).tolist() for name in one["fields"]} == one["fields"]
    assert set(CHECKED) == {one["user"] for one in STATES}


def test_todays_form_is_the_golden_one() -> None:
    for one in STATES:
        rows = read_states([one["user"]], [bytes.fromhex(one["form 1"])], one["definitions"])
        [packed] = pack_states(rows, np.zeros(1, np.intp), Texts.of([one["user"].encode()]))
        assert packed == bytes.fromhex(CHECKED[one["user"]])


@settings(deadline=None)  # the first one may compile
@given(st.integers(0, 99), st.sampled_from(sorted(FORMS)), st.data())
def test_a_damaged_record_is_refused_and_named(seed: int, form: int, data: st.DataObject) -> None:
    whole = packed_plainly("ann", records(1, 1, seed, 0.4)[0].tobytes(), form)
    change = data.draw(st.sampled_from(["cut", "longer", "mask"]))
    if change == "cut":
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    elif change == "longer":
        damaged = whole + data.draw(st.binary(min_size=1, max_size=9))
    else:
        form = FORM if form == 1 else form  # the first has no masks
        bit = data.draw(st.integers(0, 14 * 16 - 1))  # one word more or less than is there, or one beyond the record
        damaged = bytearray(packed_plainly("ann", records(1, 1, seed, 0.4)[0].tobytes(), form))
        damaged[8 + bit // 8] ^= 1 << bit % 8
        damaged = bytes(damaged)
    with pytest.raises(LayoutError) as refusal:
        read_states(
            ["bob", "cyd", "ann"], [*(packed_plainly(user, records(1, 1, seed, 0.4)[0].tobytes()) for user in ("bob", "cyd")), damaged], 1
        )
    assert refusal.value.row == 2


@settings(deadline=None, max_examples=400)  # the first one may compile
@given(st.integers(0, 99), st.sampled_from([0.0, 0.4, 1.0]), st.data())
def test_no_bit_of_a_record_may_change_and_no_user_have_anothers(seed: int, there: float, data: st.DataObject) -> None:
    whole = packed_plainly("ann", records(1, 1, seed, there)[0].tobytes())
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LayoutError):
        read_states(["ann"], [bytes(changed)], 1)
    with pytest.raises(DamagedRecord, match="of another user"):
        read_states(["bob"], [whole], 1)


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.binary(max_size=60), max_size=4), DEFINITIONS, st.sampled_from(sorted(FORMS)))
def test_any_bytes_are_read_as_a_record_or_refused(stored: list[bytes], definitions: int, form: int) -> None:
    stored = [bytes([form]) + one[1:7] + bytes([1]) + one[8:] if len(one) > 8 else one for one in stored]
    users = ids(len(stored))
    if form == FORM:  # a checksum that fits must not be all that is looked at
        stored = [checked_plainly(user, one) if len(one) > 8 else one for user, one in zip(users, stored, strict=True)]
    try:
        rows = read_states(users, stored, definitions)
    except LayoutError:
        return
    assert len(rows) == len(stored)


def test_an_ordinary_users_record_is_half_as_long() -> None:
    rows, spec = np.zeros(1, state_dtype(1)), FeatureSpec()
    init_state(rows, 0, 7)
    for n in range(60):
        apply_event(rows[0], 1_700_000_000_000 + n * DAY_MS // 2, spec.type_word("click"), float("nan"), 0, spec.session_gap_ms)
    [packed] = pack_states(rows, np.zeros(1, np.intp), Texts.of([b"ann"]))
    assert packed is not None
    assert len(packed) < 0.6 * rows.itemsize


def test_a_new_layout_has_a_form_of_its_own() -> None:
    assert FORMS[FORM].layout == LAYOUT_VERSION == max(field.since for field in FIELDS)


def test_a_record_of_a_newer_form_or_of_more_definitions_is_refused_with_what_to_do() -> None:
    whole = packed_plainly("ann", records(2, 1, 0, 0.4)[0].tobytes())
    with pytest.raises(LayoutError, match="run the version that wrote it"):
        read_states(["ann"], [bytes([FORM + 1]) + whole[1:]], 2)
    with pytest.raises(LayoutError, match="restore the removed definition"):
        read_states(["ann"], [whole], 1)
    with pytest.raises(DamagedRecord, match="0 bytes in the place of a state record"):
        read_states(["ann"], [b""], 1)
