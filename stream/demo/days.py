"""How do the demo's days go by? First many days fast, then on and on at a pace that can be watched; never beyond the clock on the wall."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from confluent_kafka import Producer

from stream.demo.product import DAY_MS, Click

FAST_S, SECONDS_A_DAY = 50.0, 0.5
"""Days go by as fast as the second, or so that the first is enough for all of them."""
LIVE_SPEED = 3_600
"""Seconds of the product's time that go by in one of ours: an hour, so that somebody slips away or comes back every few seconds."""
LIVE_DAYS = 30
"""Days between the last fast one and today: twelve minutes. Then the product's time is that on the wall, and goes by no faster."""
LIVE_LOOK_S = 0.25


def seconds_a_day(days: int) -> float:
    """Return how long each of so many fast days is.

    >>> seconds_a_day(30), seconds_a_day(200)
    (0.5, 0.25)
    """
    return min(SECONDS_A_DAY, FAST_S / days)


def live_ms(since_ms: int, passed_s: float, now_ms: int) -> int:
    """Return the product's time when it has gone on live for some seconds, ms.

    >>> live_ms(0, 2.0, DAY_MS) / 3_600_000, live_ms(0, 30.0, DAY_MS) / DAY_MS
    (2.0, 1.0)
    """
    return min(since_ms + int(passed_s * 1000 * LIVE_SPEED), now_ms)


class Days:
    """Sends the product's clicks as its time goes by.

    Parameters
    ----------
    clicks : list of Click
        In order of time, beyond today.
    producer : confluent_kafka.Producer
    start_ms : int
        The product's first moment.
    passed : callable
        Hears the product's time, ms, after each part of a day.

    Attributes
    ----------
    sent : int
        Clicks sent so far.
    """

    def __init__(self, clicks: list[Click], producer: Producer, start_ms: int, passed: Callable[[int], None]) -> None:
        self._clicks, self._producer, self._now_ms, self._passed = clicks, producer, start_ms, passed
        self.sent = 0

    async def fast(self, days: int, keeps_up: Callable[[int], Awaitable[None]]) -> None:
        """Let some days go by, four parts a day.

        Parameters
        ----------
        keeps_up : callable
            Is awaited after each part, with the product's time, ms: for whoever must not be left behind.
        """
        pace_s = seconds_a_day(days) / 4
        for _ in range(days * 4):
            began = time.monotonic()
            self._until(self._now_ms + DAY_MS // 4)
            await asyncio.sleep(max(0.0, pace_s - (time.monotonic() - began)))
            await keeps_up(self._now_ms)
        self._producer.flush()

    async def live(self) -> None:
        """Go on for ever."""
        since_ms, began = self._now_ms, time.monotonic()
        while True:
            self._until(live_ms(since_ms, time.monotonic() - began, int(time.time() * 1000)))
            await asyncio.sleep(LIVE_LOOK_S)

    def _until(self, now_ms: int) -> None:
        self._now_ms, first = now_ms, self.sent
        while self.sent < len(self._clicks) and self._clicks[self.sent].ts < now_ms:
            click = self._clicks[self.sent]
            self._producer.produce("clicks", click.payload, click.user.encode(), timestamp=click.ts)
            self.sent += 1
        if self.sent > first:
            self._producer.poll(0)
        self._passed(now_ms)
