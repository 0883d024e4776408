"""When to append a tick: silence is noticed only if time goes on, but a tracking outage must not make hours of honest clicks late.

Pure: what is known of the partitions in, a decision out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import Literal

Decision = Literal["tick", "wait", "held"]


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """Attributes

    ----------
    tick_interval_ms : int
        Idle time of a partition before a tick.
    tick_max_behind_ms : int
        No tick while the newest event is further behind the clock than this: an old log is being loaded.
    max_idle_hold_ms : int
        How long time may stand still while all of intake is silent.
    """

    tick_interval_ms: int = 10_000
    tick_max_behind_ms: int = 3_600_000
    max_idle_hold_ms: int = 1_800_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of one partition.

    Attributes
    ----------
    idle_ms : int
        Since something was last read from it; 0 while it is not read to its end.
    newest_event_ms : int
        Running maximum of event time.
    """

    idle_ms: int
    newest_event_ms: int


@dataclass(slots=True)
class Intake:
    """How fast all partitions together receive, against how fast they usually do.

    An outage upstream need not be total: when a hundred clicks a second become two, whoever is silent need not have left.

    >>> intake = Intake()
    >>> for second in range(600):
    ...     intake.saw(100 * second, second)
    >>> intake.faltering
    False
    >>> for second in range(600, 640):
    ...     intake.saw(60_000 + second, second)
    >>> intake.faltering
    True
    """

    usual_s: float = 600.0
    """Time over which the usual rate is averaged: it follows the day, not a minute."""
    recent_s: float = 10.0
    share: float = 0.1
    least: float = 5.0
    """Records a second below which there is no usual rate to speak of."""
    _last: tuple[int, float] | None = None
    _usual: float = field(default=0.0)
    _recent: float = field(default=0.0)

    def saw(self, total: int, now_s: float) -> None:
        """Note how many records all partitions have held by now."""
        if self._last is not None and now_s > self._last[1]:
            passed_s = now_s - self._last[1]
            rate = max(0, total - self._last[0]) / passed_s
            self._usual += (rate - self._usual) * (1 - exp(-passed_s / self.usual_s))
            self._recent += (rate - self._recent) * (1 - exp(-passed_s / self.recent_s))
        if self._last is None or now_s > self._last[1]:
            self._last = (total, now_s)

    @property
    def faltering(self) -> bool:
        """Whether intake is far below its usual rate; after a while the low rate is the usual one."""
        return self._usual > self.least and self._recent < self.share * self._usual


def decide_tick(settings: ClockSettings, shown: Shown, intake_silent_ms: int, now_ms: int, faltering_ms: int = 0) -> Decision:
    """Decide for one partition.

    Parameters
    ----------
    intake_silent_ms : int
        Since any partition of the topic last grew.
    faltering_ms : int
        Since intake fell far below its usual rate, 0 when it has not.

    Returns
    -------
    {"tick", "wait", "held"}
        `held`: this partition would tick, but all of intake is silent or nearly so; after `max_idle_hold_ms` time goes on all the same.

    >>> quiet = Shown(idle_ms=20_000, newest_event_ms=1_000_000)
    >>> decide_tick(ClockSettings(), quiet, intake_silent_ms=0, now_ms=1_020_000)
    'tick'
    >>> decide_tick(ClockSettings(), quiet, intake_silent_ms=20_000, now_ms=1_020_000)
    'held'
    """
    if shown.idle_ms < settings.tick_interval_ms or now_ms - shown.newest_event_ms > settings.tick_max_behind_ms:
        return "wait"
    if settings.tick_interval_ms <= intake_silent_ms < settings.max_idle_hold_ms or 0 < faltering_ms < settings.max_idle_hold_ms:
        return "held"
    return "tick"
