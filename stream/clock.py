"""When to append a tick: silence is noticed only if time goes on, but a tracking outage must not make hours of honest clicks late.

Pure: what is known of the partitions in, a decision out.
"""

from __future__ import annotations

from dataclasses import dataclass
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


def decide_tick(settings: ClockSettings, shown: Shown, intake_silent_ms: int, now_ms: int) -> Decision:
    """Decide for one partition.

    Parameters
    ----------
    intake_silent_ms : int
        Since any partition of the topic last grew.

    Returns
    -------
    {"tick", "wait", "held"}
        `held`: this partition would tick, but all of intake is silent; after `max_idle_hold_ms` time goes on all the same.

    >>> quiet = Shown(idle_ms=20_000, newest_event_ms=1_000_000)
    >>> decide_tick(ClockSettings(), quiet, intake_silent_ms=0, now_ms=1_020_000)
    'tick'
    >>> decide_tick(ClockSettings(), quiet, intake_silent_ms=20_000, now_ms=1_020_000)
    'held'
    """
    if shown.idle_ms < settings.tick_interval_ms or now_ms - shown.newest_event_ms > settings.tick_max_behind_ms:
        return "wait"
    if settings.tick_interval_ms <= intake_silent_ms < settings.max_idle_hold_ms:
        return "held"
    return "tick"
