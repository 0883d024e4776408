"""The topic `labels`: what others may tell us of their users, and how it reaches the trainer.

A label is JSON: ``{"user": "ann", "definition": "contract", "landmark_ms": 1700000000000, "label": 1, "matured_ms": 1701000000000}``. The trainer's
process checks each label and copies the good ones, in blocks, to the topic `examples`. The trainer learns from that topic alone, so the place of
labels among snapshots is fixed in the log, and a restart or a rebuild learns the same (docs/decisions/0006-labels-join-the-examples.md). Copying
goes on from the checkpoint; a label that is copied twice after a kill is recognised by its offset. A bad label becomes a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition

from features.events.event import MAX_TS_MS, field_in
from online_models.external_labels import ExternalLabel, LabelBlock
from stream.kafka.connection import aio_consumer, aio_producer
from stream.kafka.shard_wire import ExamplesProducer, WireSettings
from stream.kafka.wire import WireUnavailable
from stream.shard.dead_letters import dead_label

log = logging.getLogger(__name__)

LABELS_SHARD = -1
"""Key of the blocks of labels on `examples`, which is no shard's."""
PAUSE_S = 1.0
MAX_BYTES = 64 << 10

_Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_TS_MS)]


class LabelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the topic; `online_models.external_labels.ExternalLabel` says what each field means."""

    user: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    definition: str
    landmark_ms: _Time
    label: Literal[0, 1]
    matured_ms: _Time


class BadLabel(ValueError):
    """A record that is no label.

    Attributes
    ----------
    reason : str
        One of `stream.shard.dead_letters.LABEL_REASONS`.
    field : str or None
        The field to blame, None where there is none.
    """

    def __init__(self, reason: str, why: str, field: str | None = None) -> None:
        super().__init__(why)
        self.reason, self.field = reason, field


_decoder = msgspec.json.Decoder(LabelEvent)


def read_label(offset: int, value: bytes | None, definitions: Collection[str]) -> ExternalLabel:
    """Check one record, and return its label.

    Parameters
    ----------
    definitions : collection of str
        Names of the definitions whose labels come from outside.

    Raises
    ------
    BadLabel
        The record is no label, or no definition takes it.

    >>> record = b'{"user": "ann", "definition": "contract", "landmark_ms": 5, "label": 1, "matured_ms": 9}'
    >>> read_label(7, record, ["contract"]).label
    1
    >>> read_label(7, record, ["other"])
    Traceback (most recent call last):
    stream.feedback.labels.BadLabel: no definition 'contract' of kind external; there are: other
    """
    if value is None or len(value) > MAX_BYTES:
        raise BadLabel("label_invalid", "empty, or longer than 64 KiB")
    try:
        one = _decoder.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        field = field_in(error) if isinstance(error, msgspec.ValidationError) else None
        raise BadLabel("label_invalid", str(error), field if field in LabelEvent.__struct_fields__ else None) from None
    if one.definition not in definitions:
        raise BadLabel(
            "label_definition", f"no definition {one.definition!r} of kind external; there are: {', '.join(definitions)}", "definition"
        )
    if one.matured_ms <= one.landmark_ms:
        raise BadLabel(
            "label_invalid", "matured_ms must be greater than landmark_ms: a label is known after its landmark only", "matured_ms"
        )
    return ExternalLabel(offset, one.user, one.definition, one.landmark_ms, one.label, one.matured_ms)


async def copy_labels(wires: WireSettings, definitions: Sequence[str], next_offset: int, stop: asyncio.Event) -> None:
    """Copy the labels of the topic to `examples`, from an offset on until `stop` is set.

    Raises
    ------
    RuntimeError
        When labels were lost to retention.
    """
    consumer = aio_consumer(
        wires.connection, enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="none",
    )  # fmt: skip
    examples = ExamplesProducer(wires)
    letters = aio_producer(wires.connection, enable_idempotence=True)
    place = TopicPartition(wires.topics["labels"], 0)
    await consumer.start()
    try:
        await letters.start()
        consumer.assign([place])
        first = (await consumer.beginning_offsets([place]))[place]
        if 0 < next_offset < first:
            raise RuntimeError(
                f"the topic {place.topic} begins at {first}, labels were copied up to {next_offset}: some were lost to retention"
            )
        consumer.seek(place, max(first, next_offset))
        while not stop.is_set():
            fetched: dict[Any, list[Any]] = await consumer.getmany(place, timeout_ms=200, max_records=2_000)
            if records := fetched.get(place):
                await _copy(records, await consumer.position(place), definitions, examples, letters, wires.topics["dead_letters"])
    finally:
        await consumer.stop()
        await letters.stop()
        await examples.close()


async def _copy(
    records: Sequence[Any], next_offset: int, definitions: Sequence[str], examples: ExamplesProducer, letters: AIOKafkaProducer, topic: str
) -> None:
    good, bad = [], 0
    for record in records:
        try:
            good.append(read_label(record.offset, record.value, definitions))
        except BadLabel as error:
            bad += 1
            letter = dead_label(record.offset, error.reason, record.timestamp, record.value, error.field)
            await letters.send_and_wait(topic, letter, headers=[("cw-reason", error.reason.encode())])
    block = LabelBlock(next_offset, good).pack()
    while True:
        try:
            await examples.send(LABELS_SHARD, [block])
            break
        except WireUnavailable as error:
            log.warning("labels not copied yet", extra={"why": str(error)})
            await asyncio.sleep(PAUSE_S)
    log.info("labels copied", extra={"labels": len(good), "rejected": bad, "offset": next_offset})
