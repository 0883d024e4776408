"""What does the engine say? The demo listens as any consumer of the topic `alerts` would, and shows alerts as they come."""

from __future__ import annotations

import time

from aiokafka import TopicPartition

from features.users.spec import FeatureSpec
from stream.alerts.message import ALERTS, Alert, decode_alert
from stream.alerts.sentences import said as reasons
from stream.alerts.spoken import Lang
from stream.alerts.words import because, headline
from stream.demo.servers import PARTITIONS
from stream.demo.words import said
from stream.kafka.connection import aio_consumer, connection_of
from stream.screen import Screen
from stream.settings import Settings
from stream.shown import Styled

SHOWN = 20
"""While days go by fast, the first so many messages are shown one by one; after them every tenth of those that say who is at risk."""


class Heard:
    """All alerts so far.

    Parameters
    ----------
    began : float
        When the demo was started, by a clock that only goes forward, s.
    names : FeatureSpec
        What the product calls what people do.
    lang : str

    Attributes
    ----------
    alerts : list of Alert
    opened : int
        How many of them say that somebody is at risk, and not that it is over.
    every : bool
        Whether each of them is shown from now on.
    """

    def __init__(self, screen: Screen, began: float, names: FeatureSpec, lang: Lang) -> None:
        self._screen, self._began, self._names, self._lang = screen, began, names, lang
        self.alerts: list[Alert] = []
        self.opened = 0
        self.every = False

    async def listen(self, settings: Settings) -> None:
        """Listen for ever."""
        # Checksums of the broker in memory do not hold in transactions, so they are not looked at.
        consumer = aio_consumer(connection_of(settings), enable_auto_commit=False, fetch_max_wait_ms=100, check_crcs=False)
        await consumer.start()
        try:
            places = [TopicPartition(ALERTS, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            for place in places:
                consumer.seek(place, 0)
            async for message in consumer:
                self._hear(decode_alert(message.value))
        finally:
            await consumer.stop()

    def _hear(self, alert: Alert) -> None:
        self.alerts.append(alert)
        opens = alert.type == "opened"
        self.opened += opens
        if len(self.alerts) == 1:
            self._screen.line(Styled(said("first", self._lang, seconds=time.monotonic() - self._began), "dim"))
        if self.every or len(self.alerts) <= SHOWN or (opens and self.opened % 10 == 0):
            self._screen.entry(headline(alert, self._lang), because(reasons(alert, self._names, self._lang), self._lang), margin=18)
