"""What the records of the last minutes show that a person should know: clocks that differ, and one user who makes most of the traffic.

Pure: every time is passed in, in seconds by any clock that only goes forward.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from features.compiled.texts import Texts
from stream.ownership.observer import Observer
from stream.shard.step import Shard, Step

WINDOW_S = 300.0
"""How long records are looked back on."""
FUTURE_SHARE = 0.05
FUTURE_LEAST = 20
"""Share and number of `future` rejects in the window from which on a server's clock must be wrong, not just those of a few producers."""


@dataclass(slots=True)
class FutureShare:
    """The share of the records of the last five minutes that were rejected because their time lies after their broker stamp.

    A broker whose clock is behind rejects all that honest producers send.

    >>> share = FutureShare()
    >>> share.saw({"ok": 10, "future": 30}, now_s=0.0)
    >>> share.of(now_s=60.0), share.of(now_s=400.0)
    (0.75, 0.0)
    """

    _parts: deque[tuple[float, int, int]] = field(default_factory=deque)

    def saw(self, outcomes: Mapping[str, int], now_s: float) -> None:
        """Note the outcomes of a step; steps of one second are kept as one."""
        future, every = outcomes.get("future", 0), sum(outcomes.values())
        if self._parts and now_s - self._parts[-1][0] < 1:
            began_s, before, all_before = self._parts.pop()
            self._parts.append((began_s, before + future, all_before + every))
        else:
            self._parts.append((now_s, future, every))

    def _counts(self, now_s: float) -> tuple[int, int]:
        while self._parts and now_s - self._parts[0][0] > WINDOW_S:
            self._parts.popleft()
        return sum(part[1] for part in self._parts), sum(part[2] for part in self._parts)

    def of(self, now_s: float) -> float:
        """Return the share, 0 to 1."""
        future, every = self._counts(now_s)
        return future / every if every else 0.0

    def in_words(self, now_s: float) -> list[str]:
        """Return a sentence that a clock is wrong; empty when all is well."""
        future, every = self._counts(now_s)
        if future < FUTURE_LEAST or future < FUTURE_SHARE * every:
            return []
        said = f"{future / every:.0%} of the records of the last 5 minutes are rejected as future"
        return [f"{said}: the brokers' clocks are behind, or the producers' are ahead"]


@dataclass(slots=True)
class LargestUser:
    """The share of one partition's events that its most active user has. Up to 10,000 events a minute are counted; counting all would cost too much.

    >>> largest = LargestUser()
    >>> largest.saw(Texts.of([b"bot"] * 900 + [b"u%d" % i for i in range(300)]), now_s=0.0)
    >>> largest.share
    0.75
    """

    least: int = 1_000
    most: int = 10_000
    every_s: float = 60.0
    _began_s: float | None = None
    _counts: Counter[bytes] = field(default_factory=Counter)
    _counted: int = 0
    _last: float | None = None

    def saw(self, users: Texts, now_s: float) -> None:
        """Count the users of a batch; records without a user are left out."""
        if self._began_s is not None and now_s - self._began_s >= self.every_s and self._counted >= self.least:
            self._last, self._began_s, self._counted = self.share, None, 0
            self._counts.clear()
        if self._counted < self.most:
            self._began_s = now_s if self._began_s is None else self._began_s
            named = [user for user in users if user is not None]
            self._counts.update(named)
            self._counted += len(named)

    @property
    def share(self) -> float | None:
        """The share, 0 to 1; None before `least` events have been counted."""
        return self._last if self._counted < self.least else self._counts.most_common(1)[0][1] / self._counted


class IntakeWatch(Observer):
    """Observes the sessions, and keeps `FutureShare` and `LargestUser` up to date.

    Parameters
    ----------
    now_s : callable
        Seconds by a clock that only goes forward.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._future = FutureShare()
        self._largest: dict[int, LargestUser] = defaultdict(LargestUser)

    def read(self, partition: int, users: Texts) -> None:
        """See `stream.ownership.observer.Observer`."""
        self._largest[partition].saw(users, self._now_s())

    def stepped(self, partition: int, step: Step, shard: Shard, commit_s: float) -> None:
        """See `stream.ownership.observer.Observer`."""
        del partition, shard, commit_s
        self._future.saw(step.outcomes, self._now_s())

    @property
    def future_share(self) -> float:
        """Share of `future` rejects, 0 to 1; see `FutureShare`."""
        return self._future.of(self._now_s())

    def largest_share(self, partition: int) -> float | None:
        """Return the share of a partition's most active user, 0 to 1, or None; see `LargestUser`."""
        return self._largest[partition].share

    def in_words(self) -> list[str]:
        """Return what is wrong, a sentence each; empty when all is well."""
        return self._future.in_words(self._now_s())
