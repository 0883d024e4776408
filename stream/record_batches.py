"""What a fetch brought, as columns: aiokafka's own reading of record batches, but for the last step, which makes no object a record.

aiokafka checks a batch's sum, skips aborted transactions and control batches, and decompresses; all that is its code, or follows it line
by line. The records inside are then read by a compiled pass. Batches of the formats before Kafka 0.11 are read by aiokafka alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords
from numba import njit

from features.texts import Texts
from stream.records import LogRecords, of_records

_LENGTH_AT, _OVERHEAD, _MAGIC_AT, _COUNT_AT, _HEADER = 8, 12, 16, 57, 61
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
    """From now on consumers of this process keep the bytes of what they fetch; nothing else about them changes."""
    vars(fetcher)["MemoryRecords"] = KeptRecords


def read_as_columns(fetched: Any, most: int) -> None:
    """Make a partition's `PartitionRecords` yield `LogRecords` of at most so many instead of single records; repeating it changes nothing."""
    if isinstance(fetched._records, KeptRecords):
        fetched._records_iterator = _columns(fetched, fetched._records.data, most)
        fetched._records = None


def _columns(fetched: Any, data: bytes, most: int) -> Iterator[LogRecords]:
    """`PartitionRecords._unpack_records`, yielding columns."""
    records = MemoryRecords(data)
    at = 0
    while records.has_next():
        batch: Any = records.next_batch()
        start, at = at, at + _OVERHEAD + struct.unpack_from(">i", data, at + _LENGTH_AT)[0]
        if fetched._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {fetched._tp}")
        if fetched._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            fetched._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and fetched._contains_abort_marker(batch):
                fetched._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in fetched._aborted_producers:
                fetched.next_fetch_offset = batch.next_offset
                continue
        if batch.is_control_batch:
            fetched.next_fetch_offset = batch.next_offset
            continue
        rows = unpack(batch, data[start:at]) if data[start + _MAGIC_AT] >= 2 else of_records(list(batch))
        rows = rows[int(rows.offset.searchsorted(fetched.next_fetch_offset)) :]
        for first in range(0, len(rows), most):
            part = rows[first : first + most]
            fetched.next_fetch_offset = int(part.offset[-1]) + 1
            yield part
        fetched.next_fetch_offset = batch.next_offset


def unpack(batch: Any, data: bytes) -> LogRecords:
    """Records of one batch of format 2.

    Parameters
    ----------
    batch : aiokafka's DefaultRecordBatch
    data : bytes
        All of it, header and all.

    Raises
    ------
    CorruptRecordException
        The records are not what the header says.
    UnsupportedCodecError
    """
    count = struct.unpack_from(">i", data, _COUNT_AT)[0]
    decode = _DECODE.get(batch.compression_type)
    if decode is None:
        raise UnsupportedCodecError(f"codec {batch.compression_type} is none of gzip, snappy, lz4 and zstd")
    body = np.frombuffer(decode(data[_HEADER:]), np.uint8)
    places = np.empty((4, count), np.int64)
    offset, append_ms = np.empty(count, np.int64), np.empty(count, np.int64)
    if not _unpack(body, offset, append_ms, *places):
        raise CorruptRecordException("the records of a batch are not what its header says")
    offset += batch.base_offset
    append_ms += batch.first_timestamp
    if batch.timestamp_type == 1:
        append_ms[:] = batch.max_timestamp
    return LogRecords(offset, append_ms, Texts(body, places[0], places[1]), Texts(body, places[2], places[3]))


@njit(cache=True, nogil=True)
def _unpack(body: Any, offset: Any, since_ms: Any, key_at: Any, key_end: Any, value_at: Any, value_end: Any) -> bool:
    """Fill the columns with what stands in the records, relative to their batch; whether they are whole and nothing is left over.

    A record: length, attributes (1 byte), time, offset, key length, key, value length, value, number of headers, headers; all numbers are
    variable-length and zigzag, -1 is the length of nothing (Kafka protocol guide, "Record").
    """
    i, size = 0, body.shape[0]
    for row in range(offset.shape[0]):
        length, i = _number(body, i)
        stop = i + length
        if length < 1 or stop > size:
            return False
        since_ms[row], i = _number(body, i + 1)
        offset[row], i = _number(body, i)
        length, i = _number(body, i)
        key_at[row], key_end[row] = (i, i + length) if length >= 0 else (-1, -1)
        length, i = _number(body, i + max(length, 0))
        value_at[row], value_end[row] = (i, i + length) if length >= 0 else (-1, -1)
        headers, i = _number(body, i + max(length, 0))
        if headers < 0:
            return False
        for _ in range(2 * headers):
            length, i = _number(body, i)
            i += max(length, 0)
            if i > stop:
                return False
        if i != stop:
            return False
    return bool(i == size)


@njit(cache=True, nogil=True)
def _number(body: Any, i: int) -> tuple[Any, int]:
    """A zigzag number and where it ends; past the end of the body, and after 10 bytes, a negative one that no length can be."""
    number, shift = np.uint64(0), np.uint64(0)
    while 0 <= i < body.shape[0] and shift < 70:
        byte = np.uint64(body[i])
        i += 1
        number |= (byte & np.uint64(127)) << shift
        if byte < 128:
            return np.int64(number >> np.uint64(1)) ^ -np.int64(number & np.uint64(1)), i
        shift += np.uint64(7)
    return -2, body.shape[0] + 1
