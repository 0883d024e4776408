"""Reads the topic `examples`: what the shards write there, and the labels from outside between it."""

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
    # blocks are msgpack arrays, labels a map
    return _decoder.decode(packed) if packed and packed[0] & 0xF0 == _MAP else unpack_block(packed)
