"""One app for each topic prefix: the first app that starts on it writes its name into `progress`, and any other is refused at its start.

Two apps on one prefix would learn from each other's examples and take each other's ticks. The claim is a record under a key of its own on
partition 0 of `progress`, which is compacted and so keeps it for good. Of two apps that start at the same moment the one whose claim stands
first in the log has the prefix, and the other takes its claim back. Builds before this one claimed nothing, but left markers that name
their app: where only those stand, the prefix belongs to whoever has one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from stream.kafka.clients import everything, producer_to, reader
from stream.kafka.reach import PATIENCE_S
from stream.settings import Settings

_CLAIM = b"app:"
_MARKER = re.compile(rb"^(?!.*-replayed-)([a-z0-9_-]{1,32})-\d+$")
"""Key of a shard's marker, as `KafkaWire` writes it; a note of `stream.kafka.replayed` is none."""


class Claims(NamedTuple):
    """What partition 0 of `progress` says: the apps that claimed the prefix, in the order of their claims, and the apps that have published there."""

    claimed: Sequence[str]
    published: frozenset[str]

    def holder(self, app: str) -> str | None:
        """Return the app that holds the prefix, as `app` must see it; None when the prefix is free.

        >>> Claims(["shop"], frozenset()).holder("blog"), Claims([], frozenset({"shop"})).holder("blog")
        ('shop', 'shop')
        >>> Claims([], frozenset({"shop", "blog"})).holder("blog"), Claims([], frozenset()).holder("blog")
        ('blog', None)
        """
        if self.claimed:
            return self.claimed[0]
        return app if app in self.published else min(self.published, default=None)


def read_claims(settings: Settings) -> Claims:
    """Read the whole partition; what a compacted topic holds is bounded.

    Raises
    ------
    UsageFault
        When there is no broker or no such topic.
    """
    consumer, partitions = reader(settings, "progress")
    claimed: dict[str, None] = {}
    published = set()
    for record in everything(consumer, partitions[:1]):
        key = record.key or b""
        if key.startswith(_CLAIM):
            name = key.removeprefix(_CLAIM).decode()
            if record.value is None:
                claimed.pop(name, None)
            else:
                claimed.setdefault(name)
        elif (marker := _MARKER.match(key)) is not None:
            published.add(marker[1].decode())
    return Claims(list(claimed), frozenset(published))


def claim(settings: Settings) -> str:
    """Claim the prefix for this app unless it is another's; return the app that has it.

    Raises
    ------
    UsageFault
        When there is no broker or no such topic.
    OSError
        When Kafka did not confirm the claim.
    """
    app = settings["app.name"]
    claims = read_claims(settings)
    if (holder := claims.holder(app)) not in {None, app}:
        return str(holder)
    if app not in claims.claimed:
        _write(settings, app, b"1")
        holder = read_claims(settings).holder(app)
        if holder != app:
            _write(settings, app, None)
    return str(holder)


def _write(settings: Settings, app: str, value: bytes | None) -> None:
    sender, topic = producer_to(settings, "progress")
    failed: list[str] = []
    sender.produce(
        topic, value, _CLAIM + app.encode(), partition=0, on_delivery=lambda error, _: failed.append(str(error)) if error else None
    )
    left = sender.flush(2 * PATIENCE_S)
    if left or failed:
        raise OSError(f"the claim on {topic} was not written: {failed[0] if failed else 'no answer'}")
