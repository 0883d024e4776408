"""What was rejected, and what is it usually? Dead letters, counted by reason and field as they come, from the newest few thousand on.

How many records were rejected is known exactly from the shards; letters say more of each: the field at fault, and what such a payload usually is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.kafka.clients import reader
from stream.settings import Settings
from stream.shard.causes import usual_cause
from stream.shard.dead_letters import DeadLetter, decode_dead_letter, with_field

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

MOST = 20_000
"""Letters that are read back at the start."""
POLL_MS = 200
ROUNDS = 20
"""Polls of one call of `read`, so that a flood of letters does not keep it for ever."""


class Rejected(NamedTuple):
    """Letters of one reason and field.

    Attributes
    ----------
    n : int
        How many were read.
    cause : str
        What most of them usually are, in English (`stream.shard.causes`).
    newest_ms : int
        The broker's stamp of the newest record of them, ms.
    """

    n: int
    cause: str
    newest_ms: int


Group = tuple[str, str | None]
"""Reason, and the field at fault where there is one."""


class Tally:
    """Counts letters. A letter of a label that comes again, because the trainer was killed, counts once.

    >>> tally = Tally()
    >>> tally.add([DeadLetter(partition=0, offset=3, reason="not_json", append_ms=5, payload_bytes=1, payload="ew==")])
    >>> tally.groups
    {('not_json', None): Rejected(n=1, cause='JSON that was cut off', newest_ms=5)}
    """

    def __init__(self) -> None:
        self._causes: dict[Group, Counter[str]] = defaultdict(Counter)
        self._newest: dict[Group, int] = {}
        self._labels_to = -1

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Take in some letters, in their order."""
        for letter in letters:
            if letter.topic != "clicks":
                if letter.offset <= self._labels_to:
                    continue
                self._labels_to = letter.offset
            group = letter.reason, letter.field
            self._causes[group][usual_cause(letter)] += 1
            self._newest[group] = max(letter.append_ms, self._newest.get(group, 0))

    @property
    def groups(self) -> Mapping[Group, Rejected]:
        """What was counted."""
        return {
            group: Rejected(causes.total(), causes.most_common(1)[0][0], self._newest[group])
            for group, causes in list(self._causes.items())
        }


class Letters:
    """Reads the topic of dead letters; `close` it in the end. Not for two threads at once.

    Attributes
    ----------
    tally : Tally
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: KafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}
        self.tally = Tally()

    def read(self) -> None:
        """Take in what has come since the last call.

        Raises
        ------
        UsageFault
            There is no broker, or no such topic.
        """
        consumer = self._opened()
        for _ in range(ROUNDS):
            came = consumer.poll(timeout_ms=POLL_MS)
            for place, records in came.items():
                self.tally.add(filter(None, (_letter(record.value) for record in records)))
                self._next[place] = records[-1].offset + 1
            if not came:
                return

    def _opened(self) -> KafkaConsumer:
        if self._consumer is None:
            consumer, partitions = reader(self._settings, "dead_letters")
            consumer.assign(partitions)
            first, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
            for place in partitions:
                consumer.seek(place, max(first[place], self._next.get(place, end[place] - MOST // len(partitions))))
            self._consumer = consumer
        return self._consumer

    def close(self) -> None:
        """Close the connection if there is one; the next call of `read` goes on where this one ended."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _letter(value: bytes | None) -> DeadLetter | None:
    """Return a letter; None for what is none, since anybody may write to a topic."""
    try:
        return None if value is None else with_field(decode_dead_letter(value))
    except (msgspec.DecodeError, KeyError, ValueError):
        return None
