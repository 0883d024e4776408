"""What the events say of the time, so that a broker's clock that has gone wrong is not believed.

Event time that has gone too far cannot be put right: a tick from a broker whose clock is two days ahead makes all clicks of the next two days
late. So a tick is compared with what is known without that clock: the newest event time that the records of any shard have brought, and the
time that has passed here since then, by a clock that only goes forward.

Pure: every time is passed in.
"""

from __future__ import annotations

LEAST_SLACK_MS = 60_000
"""Least slack, however little lateness is allowed: the clocks of one cluster do not agree to the second."""


class EventClock:
    """How far event time can have come, judged by the records that a process has applied.

    A tick may be ahead of the newest event by the time that has passed since that event came, plus the allowed lateness. Then the watermark
    after the tick is no further than the events themselves would be by now, and a source that goes on as before sends nothing that is late.

    >>> clock = EventClock()
    >>> clock.latest_ms(now_ms=50, lateness_ms=3_600_000) is None
    True
    >>> clock.saw(event_ms=1_000_000, now_ms=50)
    >>> clock.latest_ms(now_ms=10_050, lateness_ms=3_600_000) - 1_000_000
    3610000
    """

    def __init__(self) -> None:
        self._ahead_ms: int | None = None

    @property
    def known(self) -> bool:
        """Whether any record has come, so that there is something to hold a tick against."""
        return self._ahead_ms is not None

    def saw(self, event_ms: int, now_ms: int) -> None:
        """Note an event that was not late.

        Parameters
        ----------
        event_ms : int
            Its time, or its broker stamp if that is earlier, ms since the epoch.
        now_ms : int
            Milliseconds by any clock that only goes forward.
        """
        ahead_ms = event_ms - now_ms
        self._ahead_ms = ahead_ms if self._ahead_ms is None else max(self._ahead_ms, ahead_ms)

    def latest_ms(self, now_ms: int, lateness_ms: int) -> int | None:
        """Return the latest time that a tick may carry now, ms since the epoch; None while no record has come."""
        return None if self._ahead_ms is None else self._ahead_ms + now_ms + max(lateness_ms, LEAST_SLACK_MS)
