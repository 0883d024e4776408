"""Chooses key event types when none are configured: the 8 most frequent among the first 10,000 events of the topic, chosen once and stored."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable

from features.definitions.rules import RESERVED
from features.events.event import Rejected, decode_event
from features.users.spec import FIRST_EVENTS, KEY_SLOTS
from stream.faults import as_new_app
from stream.kafka.clients import reader
from stream.kafka.topics import topic_names
from stream.settings import Settings

log = logging.getLogger(__name__)

QUIET_S = 2.0
"""A topic that gives nothing for this long counts as read to its end."""
GATHER_S = 30.0
"""Longest time to gather events, for a topic that gives few but does not stop."""
FEW = 1_000
"""A choice from fewer events than this is logged as a warning."""


def choose(payloads: Iterable[bytes | None]) -> tuple[str, ...]:
    """Return the most frequent event types, at most 8; those that are equally frequent stand by name, and reserved types do not count.

    >>> choose([b'{"user": "a", "ts": 1, "type": "x"}', b'{"user": "a", "ts": 1, "type": "b"}', b"{"])
    ('b', 'x')
    >>> choose([b'{"user": "a", "ts": 1, "type": "identify"}', b'{"user": "a", "ts": 1, "type": "x"}'])
    ('x',)
    """
    counts: Counter[str] = Counter()
    for payload in payloads:
        try:
            counts[decode_event(payload).type] += 1
        except Rejected:
            continue
    for name in RESERVED:
        del counts[name]
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:KEY_SLOTS])


def settle(settings: Settings, stored: Callable[[], tuple[str, ...] | None]) -> tuple[str, ...]:
    """Choose from the first events of every partition, an equal share of each; while there are none, wait for them.

    Parameters
    ----------
    stored : callable
        Returns what another worker has chosen meanwhile, None if nobody has.
    """
    log.info("features.key_events is not set: choosing the most frequent types of the first events of clicks")
    consumer, partitions = reader(settings, "clicks")
    share = -(-FIRST_EVENTS // len(partitions))
    found: dict[object, list[bytes | None]] = {tp: [] for tp in partitions}
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    began = grown = 0.0
    said_once = False
    try:
        while any(len(values) < share for values in found.values()):
            for tp, records in consumer.poll(timeout_ms=200).items():
                found[tp] += [record.value for record in records]
                grown = time.monotonic()
            now = time.monotonic()
            if grown:
                began = began or grown
                if now - grown > QUIET_S or now - began > GATHER_S:
                    break
            elif (already := stored()) is not None:
                return already
            elif not said_once:
                log.info("clicks is empty: waiting for its first events; set features.key_events to start without them")
                said_once = True
    finally:
        consumer.close()
    payloads = [value for values in found.values() for value in values[:share]]
    chosen = choose(payloads)
    say = log.info if len(payloads) >= FEW else log.warning
    clicks = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
    say(
        "key events chosen, for good: to choose others, set features.key_events and start a new app: %s",
        as_new_app(settings["app.name"], clicks),
        extra={"key_events": ",".join(chosen), "events": len(payloads)},
    )
    return chosen
