"""Fetched batches as columns hold what aiokafka's own reading of them gives, record by record."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.intake.record_batches import KeptRecords, is_used_up, read_as_columns, unpack

TP = TopicPartition("clicks", 0)
ATTRIBUTES_AT = 21
CONTROL = 0x20
RECORD = st.tuples(
    st.integers(-(10**12), 10**12),
    st.none() | st.binary(max_size=200),
    st.none() | st.binary(max_size=70),
    st.lists(st.tuples(st.text(max_size=4), st.none() | st.binary(max_size=4)), max_size=3),
)
Row = tuple[int, int, bytes | None, bytes | None]


def batch(
    records: list[Any], base: int = 0, codec: int = 0, producer: int = -1, control: bool = False, append_ms: int | None = None
) -> bytes:
    """A batch of format 2 as a broker sends it."""
    builder = DefaultRecordBatchBuilder(2, codec, int(producer >= 0), producer, 0, 0, 1 << 24)
    for number, (timestamp, key, value, headers) in enumerate(records):
        builder.append(number, timestamp, key, value, headers)
    data = bytearray(builder.build())
    attributes = struct.unpack_from(">h", data, ATTRIBUTES_AT)[0] | (CONTROL if control else 0)
    if append_ms is not None:
        attributes |= 8
        struct.pack_into(">q", data, 35, append_ms)
    struct.pack_into(">h", data, ATTRIBUTES_AT, attributes)
    struct.pack_into(">I", data, 17, calc_crc32c(bytes(data[ATTRIBUTES_AT:])))
    struct.pack_into(">q", data, 0, base)
    return bytes(data)


def plain(count: int) -> list[Any]:
    return [(1_000 + i, b"k%d" % i, b"v%d" % i, []) for i in range(count)]


def fetched(
    data: bytes, offset: int = 0, aborted: Any = None, level: int = READ_COMMITTED, records: Callable[[bytes], Any] = KeptRecords
) -> Any:
    return PartitionRecords(TP, records(data), aborted, offset, None, None, True, level)


def as_columns(data: bytes, most: int = 7, **how: Any) -> tuple[list[Row], list[int], int]:
    """All rows, the sizes of the parts, and the offset of the next fetch."""
    one = fetched(data, **how)
    read_as_columns(one, most)
    read_as_columns(one, most)
    parts = []
    for part in one:
        parts.append(part)
        assert one.next_fetch_offset == part.offset[-1] + 1
    if not parts:
        return [], [], one.next_fetch_offset
    rows = [row for part in parts for row in zip(part.offset.tolist(), part.append_ms.tolist(), part.keys, part.values, strict=True)]
    return rows, [len(part) for part in parts], one.next_fetch_offset


def one_by_one(data: bytes, **how: Any) -> tuple[list[Row], int]:
    one = fetched(data, records=MemoryRecords, **how)
    rows = [(record.offset, record.timestamp, record.key, record.value) for record in one]
    return rows, one.next_fetch_offset


@settings(max_examples=150, deadline=None)  # the first one may compile
@given(
    st.lists(st.tuples(st.lists(RECORD, min_size=1, max_size=20), st.integers(0, 4), st.integers(0, 9)), max_size=4),
    st.integers(0, 30),
    st.integers(1, 9),
    st.none() | st.integers(0, 10**13),
)
def test_columns_are_the_records(batches: list[Any], offset: int, most: int, append_ms: int | None) -> None:
    data, base = b"", 0
    for records, codec, gap in batches:
        data += batch(records, base, codec, append_ms=append_ms)
        base += len(records) + gap
    rows, sizes, following = as_columns(data, most, offset=offset)
    expected, end = one_by_one(data, offset=offset)
    # given a batch that lies before the offset as a whole, which no broker sends, aiokafka goes back to it
    assert (rows, following) == ([row for row in expected if row[0] >= offset], end)
    assert all(0 < size <= most for size in sizes)


@pytest.mark.parametrize("level", [READ_COMMITTED, READ_UNCOMMITTED])
def test_aborted_and_control_batches_are_left_out_as_aiokafka_does(level: int) -> None:
    abort, commit = struct.pack(">hh", 0, 0), struct.pack(">hh", 0, 1)
    data = b"".join(
        [
            batch(plain(3), 0),
            batch(plain(3), 3, producer=7),
            batch([(0, abort, b"\0" * 6, [])], 6, producer=7, control=True),
            batch(plain(2), 7, producer=7),
            batch([(0, commit, b"\0" * 6, [])], 9, producer=7, control=True),
            batch(plain(1), 10),
            batch([(0, commit, b"\0" * 6, [])], 11, producer=8, control=True),
        ]
    )
    rows, _, following = as_columns(data, aborted=[(7, 3)], level=level)
    assert (rows, following) == one_by_one(data, aborted=[(7, 3)], level=level)
    kept = {0, 1, 2, 7, 8, 10} if level == READ_COMMITTED else {0, 1, 2, 3, 4, 5, 7, 8, 10}
    assert {row[0] for row in rows} == kept
    assert following == 12


def test_batches_of_older_formats_are_read_too() -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 1 << 16)
    for number in range(3):
        builder.append(number, timestamp=5, key=None, value=b"v%d" % number)
    data = bytes(builder.build())
    assert as_columns(data)[0] == one_by_one(data)[0] == [(number, 5, None, b"v%d" % number) for number in range(3)]


def test_a_batch_cut_off_by_the_fetch_is_left_for_the_next() -> None:
    data = batch(plain(3)) + batch(plain(3), 3)[:-5]
    rows, _, following = as_columns(data)
    assert [row[0] for row in rows] == [0, 1, 2]
    assert following == 3


def test_a_broken_sum_is_refused() -> None:
    data = bytearray(batch(plain(3)))
    data[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        as_columns(bytes(data))


@settings(deadline=None)  # the first one may compile
@given(st.data(), st.lists(RECORD, min_size=1, max_size=4))
def test_records_that_are_not_what_the_header_says_are_refused_and_never_read_past(data: st.DataObject, records: list[Any]) -> None:
    good = batch(records)
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        bad[data.draw(st.integers(61, len(bad) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        bad = bad[: data.draw(st.integers(61, len(bad)))]
    try:
        rows = unpack([(DefaultRecordBatch(good), good), (DefaultRecordBatch(good), bytes(bad))])
    except CorruptRecordException:
        return
    for texts in (rows.keys, rows.values):
        there = texts.at >= 0
        assert ((texts.at <= texts.end) & (texts.end <= len(texts.buffer)))[there].all()


@pytest.mark.parametrize("count", [-1, 2**31 - 1])
def test_a_number_of_records_that_cannot_be_is_refused(count: int) -> None:
    data = bytearray(batch(plain(1)))
    struct.pack_into(">i", data, 57, count)
    with pytest.raises(CorruptRecordException):
        unpack([(DefaultRecordBatch(bytes(data)), bytes(data))])


def test_parts_are_full_whatever_the_sizes_of_the_batches() -> None:
    small = b"".join(batch(plain(3), 3 * number) for number in range(6))
    assert as_columns(small, 7)[1] == [7, 7, 4]
    assert as_columns(small + batch(plain(20), 18), 7)[1] == [7, 7, 4, 7, 7, 6]  # together they are more than are read at once


def test_it_is_known_when_the_last_part_was_given() -> None:
    commit = struct.pack(">hh", 0, 1)
    one = fetched(batch(plain(5)) + batch([(0, commit, b"\0" * 6, [])], 5, producer=7, control=True))
    read_as_columns(one, 2)
    known = []
    for _ in one:
        known.append(is_used_up(one))
    assert known == [False, False, True]
    assert one.next_fetch_offset == 6


def test_what_came_before_a_broken_batch_is_not_lost() -> None:
    broken = bytearray(batch(plain(3), 6))
    broken[-1] ^= 1
    one = fetched(b"".join(batch(plain(1), number) for number in range(6)) + bytes(broken))
    read_as_columns(one, 1)
    assert [next(one).offset.tolist() for _ in range(6)] == [[0], [1], [2], [3], [4], [5]]
    with pytest.raises(CorruptRecordException):
        next(one)
    assert one.next_fetch_offset == 6


def test_an_unknown_codec_is_named() -> None:
    data = bytearray(batch(plain(1)))
    data[ATTRIBUTES_AT + 1] |= 6
    with pytest.raises(UnsupportedCodecError, match="codec 6"):
        unpack([(DefaultRecordBatch(bytes(data)), bytes(data))])
