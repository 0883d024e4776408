"""Reads the records of the topic `examples`: blocks that the shards write, and among them the labels from outside."""

from __future__ import annotations

import msgspec

from online_models.example import ExampleBlock, unpack_block
from online_models.external_labels import LabelBlock

_decoder = msgspec.msgpack.Decoder(LabelBlock)
_MAP = 0x80


def unpack_record(packed: bytes) -> ExampleBlock | LabelBlock:
    """Read one record of `examples`: a shard's block, or labels.

    Raises
    ------
    msgspec.DecodeError, ValueError
        If the bytes are neither.

    >>> unpack_record(LabelBlock(3, []).pack())
    LabelBlock(next_offset=3, labels=[])
    """
    # A shard's block is a msgpack array, and labels are a map: the first byte says which.
    return _decoder.decode(packed) if packed and packed[0] & 0xF0 == _MAP else unpack_block(packed)
