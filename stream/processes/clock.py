"""When to append a tick: silence is noticed only if time goes on, but a tracking outage must not make hours of honest clicks late.

Pure: what is known of the partitions comes in, a decision goes out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import exp
from typing import Literal

Decision = Literal["tick", "wait", "held"]


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """What decides whether a partition ticks.

    Attributes
    ----------
    tick_interval_ms : int
        How long a partition must be idle before a tick.
    tick_max_behind_ms : int
        No tick while the newest event is further behind the broker's stamp than this: an old log is being loaded.
    max_idle_hold_ms : int
        How long time may stand still while all of intake is silent.
    """

    tick_interval_ms: int = 10_000
    tick_max_behind_ms: int = 3_600_000
    max_idle_hold_ms: int = 1_800_000


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """What is known of one partition.

    Attributes
    ----------
    idle_ms : int
        Time since something was last read from it; 0 while it is not read to its end.
    behind_ms : int
        How far the running maximum of event time is behind the broker's stamp of the newest record.
    """

    idle_ms: int
    behind_ms: int


@dataclass(slots=True)
class Intake:
    """How fast all partitions together receive records, compared with their usual rate.

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
    """Time over which the usual rate is averaged, so that it follows the day and not the minute."""
    recent_s: float = 10.0
    """Time over which the present rate is averaged."""
    share: float = 0.1
    """Share of the usual rate below which intake falters."""
    least: float = 5.0
    """Usual rate, records a second, below which intake never counts as faltering."""
    _last: tuple[int, float] | None = None
    _usual: float = field(default=0.0)
    _recent: float = field(default=0.0)

    def saw(self, total: int, now_s: float) -> None:
        """Note how many records all partitions together have received by now."""
        if self._last is not None and now_s > self._last[1]:
            passed_s = now_s - self._last[1]
            rate = max(0, total - self._last[0]) / passed_s
            self._usual += (rate - self._usual) * (1 - exp(-passed_s / self.usual_s))
            self._recent += (rate - self._recent) * (1 - exp(-passed_s / self.recent_s))
        if self._last is None or now_s > self._last[1]:
            self._last = (total, now_s)

    @property
    def faltering(self) -> bool:
        """Whether intake is far below its usual rate. After a while the low rate becomes the usual one."""
        return self._usual > self.least and self._recent < self.share * self._usual


CLOCKS_APART_MS = 60_000
"""Difference between two clocks from which on one of them is wrong: machines whose time is kept differ by less than a second."""


@dataclass(slots=True)
class BrokerClocks:
    """What ticks have said of the brokers' clocks, by partition.

    >>> clocks = BrokerClocks()
    >>> clocks.compare(0, stamp_ms=200_000, now_ms=20_000), clocks.compare(0, stamp_ms=200_000, now_ms=20_000)
    (True, False)
    >>> clocks.in_words()
    ["the broker's clock of partition 0 is 3 minutes ahead of this machine's: one of the two is wrong"]
    """

    apart_ms: dict[int, int] = field(default_factory=dict)
    """Partition -> the broker's stamp of its last tick minus this machine's clock."""
    _ahead_ms: dict[int, int] = field(default_factory=dict)

    def compare(self, partition: int, stamp_ms: int, now_ms: int) -> bool:
        """Note a stamp; return whether it is the first that is too far from this machine's clock."""
        before = abs(self.apart_ms.get(partition, 0)) >= CLOCKS_APART_MS
        self.apart_ms[partition] = stamp_ms - now_ms
        return not before and abs(stamp_ms - now_ms) >= CLOCKS_APART_MS

    def refused(self, partition: int, stamp_ms: int, latest_ms: int) -> bool:
        """Note that a tick was not appended; return whether it is the first one."""
        first = partition not in self._ahead_ms
        self._ahead_ms[partition] = stamp_ms - latest_ms
        return first

    def waits(self, partition: int) -> None:
        """Note that nothing holds a partition's time: it has ticked, or needs no tick."""
        self._ahead_ms.pop(partition, None)

    def keep(self, partitions: Collection[int]) -> None:
        """Forget all partitions but these."""
        for known in (self.apart_ms, self._ahead_ms):
            for partition in known.keys() - set(partitions):
                del known[partition]

    @property
    def any_ahead(self) -> bool:
        """Whether a partition's time stands still because its broker's clock is not believed."""
        return bool(self._ahead_ms)

    def in_words(self) -> list[str]:
        """Return what is wrong, a sentence each; empty when all is well."""
        held = [
            f"time is held on partition {partition}: by the clicks, its broker's clock is at least {span_in_words(by_ms)} ahead"
            for partition, by_ms in sorted(self._ahead_ms.items())
        ]
        apart = [
            f"the broker's clock of partition {partition} is {span_in_words(abs(by_ms))} {'ahead of' if by_ms > 0 else 'behind'} this machine's: "
            "one of the two is wrong"
            for partition, by_ms in sorted(self.apart_ms.items())
            if abs(by_ms) >= CLOCKS_APART_MS
        ]
        return held + apart


def span_in_words(span_ms: int) -> str:
    """Say how long a span of milliseconds is.

    >>> span_in_words(172_800_000), span_in_words(90_000), span_in_words(1_500)
    ('48 hours', '2 minutes', '2 seconds')
    """
    for unit, name in ((3_600_000, "hours"), (60_000, "minutes")):
        if span_ms >= 1.5 * unit:
            return f"{round(span_ms / unit)} {name}"
    return f"{round(span_ms / 1000)} seconds"


def decide_tick(
    settings: ClockSettings, lag: PartitionLag, intake_silent_ms: int, faltering_ms: int = 0, *, known: bool = True
) -> Decision:
    """Decide whether one partition ticks now.

    Parameters
    ----------
    intake_silent_ms : int
        Time since any partition of the topic last grew.
    faltering_ms : int
        Time since intake fell far below its usual rate; 0 when it has not.
    known : bool
        Whether a record has come with which the broker's clock can be compared (`stream.ownership.event_clock`).

    Returns
    -------
    {"tick", "wait", "held"}
        `wait`: this partition need not tick yet. `held`: it would tick, but all of intake is silent or nearly so; after `max_idle_hold_ms`
        time goes on all the same. Or no record has come since the start, so nothing shows whether the broker's clock is right: then time
        waits for a record.

    >>> quiet = PartitionLag(idle_ms=20_000, behind_ms=500)
    >>> decide_tick(ClockSettings(), quiet, intake_silent_ms=0)
    'tick'
    >>> decide_tick(ClockSettings(), quiet, intake_silent_ms=20_000)
    'held'
    """
    if lag.idle_ms < settings.tick_interval_ms or lag.behind_ms > settings.tick_max_behind_ms:
        return "wait"
    if not known:
        return "held"
    if settings.tick_interval_ms <= intake_silent_ms < settings.max_idle_hold_ms or 0 < faltering_ms < settings.max_idle_hold_ms:
        return "held"
    return "tick"
