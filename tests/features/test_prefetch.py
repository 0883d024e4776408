"""Asking ahead reaches the processor, and changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from features.compiled.prefetch import LINE_BYTES, prefetch
from features.users.state import state_dtype


@njit
def summed(array: Any, ahead: int) -> float:
    total = 0.0
    for i in range(array.shape[0]):
        prefetch(array, i + ahead)
        total += array[i]
    return total


@njit
def read(records: Any, row: int) -> int:
    prefetch(records, row)
    return records[row].version


@pytest.mark.parametrize("ahead", [0, 8, 10**9, -3])
def test_it_changes_nothing_wherever_it_points(ahead: int) -> None:
    assert summed(np.arange(100.0), ahead) == 4950


def test_every_line_of_a_record_is_asked_for() -> None:
    records = np.zeros(3, state_dtype(1))
    records["version"] = 7
    assert read(records, 2) == 7
    [asked] = read.inspect_llvm().values()
    most = 1 + -(-records.itemsize // LINE_BYTES)  # of lines that a record may touch, wherever it begins
    assert asked.count("call void @llvm.prefetch") == most > 2
