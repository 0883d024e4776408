"""Turns the bytes of a fetch into columns, without making an object for each record.

Everything but the last step is aiokafka's own code, or follows it line by line: it checks a batch's checksum, skips aborted transactions and
control batches, and decompresses. The records inside are then read by a compiled pass. Batches in the formats before Kafka 0.11 are read by
aiokafka alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords
from numba import njit

from features.compiled.texts import Texts
from stream.shard.records import LogRecords, of_records

_INT = struct.Struct(">i")
_LENGTH_AT, _OVERHEAD, _MAGIC_AT, _COUNT_AT, _HEADER = 8, 12, 16, 57, 61
_COLUMNS_SINCE = 2
READ_AT_ONCE = 4
"""How many parts' worth of records are decompressed together."""
_USED_UP = object()
_CORRUPT = "the records of a batch are not what its header says"
_DECODE = {0: bytes, 1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, 4: codec.zstd_decode}


class KeptRecords:
    """aiokafka's records of one partition of a fetch, and the bytes they came from, which it hides."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._records = MemoryRecords(data)
        self.has_next = self._records.has_next
        self.next_batch = self._records.next_batch
        self.size_in_bytes = self._records.size_in_bytes


def keep_bytes() -> None:
    """Make all consumers of this process keep the bytes of what they fetch; nothing else about them changes."""
    vars(fetcher)["MemoryRecords"] = KeptRecords


def read_as_columns(fetched: Any, most: int) -> None:
    """Make a partition's `PartitionRecords` yield `LogRecords` of at most `most` records instead of single records; repeating the call changes nothing."""
    if isinstance(fetched._records, KeptRecords):
        fetched._records_iterator = _columns(fetched, fetched._records.data, most)
        fetched._records = None


def is_used_up(fetched: Any) -> bool:
    """Whether the part that was yielded last is the last one; aiokafka itself learns this only by asking for another."""
    return fetched._records is _USED_UP


async def next_records(consumer: Any, tp: Any, most: int) -> LogRecords | None:
    """Return the next records of a partition that an aiokafka consumer has fetched, at most `most`; None if there are none yet.

    When they are used up, the next fetch begins meanwhile. `keep_bytes` must have been called before the consumer was made.
    """
    of = consumer._fetcher
    result = of._records.get(tp)
    fetched = result._partition_records if type(result) is fetcher.FetchResult else None
    if fetched is not None:
        read_as_columns(fetched, most)
    records: LogRecords | None = next(iter((await of.fetched_records({tp}, timeout=0, max_records=1)).get(tp, ())), None)
    if records is not None and is_used_up(fetched):
        await of.fetched_records({tp}, timeout=0, max_records=1)
    return records


def _columns(fetched: Any, data: bytes, most: int) -> Iterator[LogRecords]:
    """Do what `PartitionRecords._unpack_records` does, but yield columns of at most `most` records.

    Several batches are read at once, so that most parts are full.
    """
    group: list[tuple[Any, bytes]] = []
    count, following = 0, fetched.next_fetch_offset
    for batch, raw in _batches(data):
        following = batch.next_offset
        if fetched._check_crcs and not batch.validate_crc():
            yield from _parts(fetched, group, most)  # what came before it is sound
            raise CorruptRecordException(f"Invalid CRC - {fetched._tp}")
        if not _is_wanted(fetched, batch):
            continue
        size = count_of(raw)
        if group and count + size > READ_AT_ONCE * most:
            yield from _parts(fetched, group, most)
            group, count = [], 0
        group.append((batch, raw))
        count += size
    yield from _parts(fetched, group, most, are_last=True)
    fetched.next_fetch_offset = following


def _batches(data: bytes) -> Iterator[tuple[Any, bytes]]:
    records = MemoryRecords(data)
    at = 0
    while records.has_next():
        start, at = at, at + _OVERHEAD + _INT.unpack_from(data, at + _LENGTH_AT)[0]
        yield records.next_batch(), data[start:at]


def _is_wanted(fetched: Any, batch: Any) -> bool:
    """Whether a batch holds records for a reader: neither a control mark, nor records of an aborted transaction."""
    if fetched._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
        fetched._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and fetched._contains_abort_marker(batch):
            fetched._aborted_producers.discard(batch.producer_id)
        if batch.is_transactional and batch.producer_id in fetched._aborted_producers:
            return False
    return not batch.is_control_batch


def _parts(fetched: Any, group: list[tuple[Any, bytes]], most: int, *, are_last: bool = False) -> Iterator[LogRecords]:
    if not group:
        return
    is_new = all(raw[_MAGIC_AT] >= _COLUMNS_SINCE for _, raw in group)
    rows = unpack(group) if is_new else of_records([record for batch, _ in group for record in batch])
    rows = rows[int(rows.offset.searchsorted(fetched.next_fetch_offset)) :]
    for first in range(0, len(rows), most):
        part = rows[first : first + most]
        fetched.next_fetch_offset = int(part.offset[-1]) + 1
        if are_last and first + most >= len(rows):
            fetched._records = _USED_UP
        yield part


def count_of(raw: bytes) -> int:
    """Return the number of records that a batch's header gives. Formats before 2 have no count; assume 1."""
    return int(_INT.unpack_from(raw, _COUNT_AT)[0]) if raw[_MAGIC_AT] >= _COLUMNS_SINCE else 1


def unpack(group: Sequence[tuple[Any, bytes]]) -> LogRecords:
    """Read the records of some batches of format 2.

    Parameters
    ----------
    group : sequence of (aiokafka's DefaultRecordBatch, bytes)
        Each batch with all of its bytes, header and all.

    Raises
    ------
    CorruptRecordException
        The records do not match the header of a batch.
    UnsupportedCodecError
        A batch is compressed in a way that Kafka does not define.
    """
    bodies = [_body(batch, raw) for batch, raw in group]
    counts = np.array([count_of(raw) for _, raw in group], np.int64)
    heads = np.array([_head(batch) for batch, _ in group], np.int64)
    ends = np.array(list(map(len, bodies)), np.int64).cumsum()
    if (counts < 0).any() or counts.sum() > ends[-1]:
        raise CorruptRecordException(_CORRUPT)
    body = np.frombuffer(bodies[0] if len(bodies) == 1 else b"".join(bodies), np.uint8)
    n = int(counts.sum())
    offset, append_ms, *places = np.empty((6, n), np.int64)
    if not _unpack(body, ends, counts, heads, offset, append_ms, *places):
        raise CorruptRecordException(_CORRUPT)
    return LogRecords(offset, append_ms, Texts(body, places[0], places[1]), Texts(body, places[2], places[3]))


def _body(batch: Any, raw: bytes) -> bytes:
    decode = _DECODE.get(batch.compression_type)
    if decode is None:
        raise UnsupportedCodecError(f"codec {batch.compression_type} is none of gzip, snappy, lz4 and zstd")
    return bytes(decode(raw[_HEADER:]))


def _head(batch: Any) -> tuple[int, int, int]:
    """Return the offset and the time (ms) that a batch's numbers count from, and the broker's stamp for the whole batch, or -1 where it has none."""
    return batch.base_offset, batch.first_timestamp, batch.max_timestamp if batch.timestamp_type == 1 else -1


@njit(cache=True, nogil=True)
def _unpack(
    body: Any, ends: Any, counts: Any, heads: Any, offset: Any, append_ms: Any, key_at: Any, key_end: Any, value_at: Any, value_end: Any
) -> bool:
    """Fill the columns; return whether all records are whole and no bytes are left over.

    A record consists of: length, attributes (1 byte), time, offset, key length, key, value length, value, number of headers, headers. All
    numbers are of variable length and zigzag; a length of -1 means that there is no key or value (Kafka protocol guide, "Record").
    """
    i = row = 0
    for batch in range(ends.shape[0]):
        base_offset, base_ms, stamp_ms = heads[batch]
        for _ in range(counts[batch]):
            length, i = _number(body, i)
            stop = i + length
            if length < 1 or stop > ends[batch]:
                return False
            since_ms, i = _number(body, i + 1)
            append_ms[row] = stamp_ms if stamp_ms >= 0 else base_ms + since_ms
            since, i = _number(body, i)
            offset[row] = base_offset + since
            length, i = _number(body, i)
            key_at[row], key_end[row] = (i, i + length) if length >= 0 else (-1, -1)
            length, i = _number(body, i + max(length, 0))
            value_at[row], value_end[row] = (i, i + length) if length >= 0 else (-1, -1)
            headers, i = _number(body, i + max(length, 0))
            if headers < 0:
                return False
            for _header in range(2 * headers):
                length, i = _number(body, i)
                i += max(length, 0)
                if i > stop:
                    return False
            if i != stop:
                return False
            row += 1
        if i != ends[batch]:
            return False
    return True


@njit(cache=True, nogil=True)
def _number(body: Any, i: int) -> tuple[Any, int]:
    """Return a zigzag number, and where it ends; past the end of the body, or after 10 bytes, the number is -2, which no length can be."""
    number, shift = np.uint64(0), np.uint64(0)
    while 0 <= i < body.shape[0] and shift < 70:
        byte = np.uint64(body[i])
        i += 1
        number |= (byte & np.uint64(127)) << shift
        if byte < 128:
            return np.int64(number >> np.uint64(1)) ^ -np.int64(number & np.uint64(1)), i
        shift += np.uint64(7)
    return -2, body.shape[0] + 1
