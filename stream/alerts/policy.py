"""Which landmarks open an alert, and what ends one. Pure: moments and risks come in, decisions go out in order of position.

An alert opens at a landmark fired by silence whose calibrated risk reaches the threshold, if none is open, the cooldown has passed
and the day's cap of the shard is not used up. It ends at the first activity (cause ``returned``) or when its horizon has passed and its
label is known (cause ``horizon``). Where the shard has already published (see docs/architecture.md, adoption) the published decisions
are taken over as they are, whatever today's model would say.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS
from features.users.state import NEVER
from stream.position import EVENT_DUE, RESOLVED, Position, kind_of

Cause = Literal["returned", "horizon", "erased"]


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """What the policy is set to.

    Attributes
    ----------
    threshold : float
        Least calibrated risk, 0 to 1, that opens an alert.
    cooldown_ms : int
        Least time between two landmarks that open an alert for one user.
    daily_cap : int
        Most alerts one shard opens for one definition in a UTC day of event time.
    alert_max_age_ms : int or None
        A landmark opens nothing if it is older than this, measured from the broker's stamp of the record that moved time. None: no bound.
    """

    threshold: float = 0.7
    cooldown_ms: int = 14 * DAY_MS
    daily_cap: int = 10_000
    alert_max_age_ms: int | None = DAY_MS


@dataclass(frozen=True, slots=True)
class Landmark:
    """A landmark that was fired by silence, and at which the user is eligible."""

    position: Position
    slot: int
    may: bool
    """See `may_open`."""
    risk: float
    row: int
    """Row of the vector, for the reasons."""
    cause: int
    """Index of the record that caused it to fire."""
    return_offset: int
    """Input offset of the first activity after it in the same step, -1 if none."""
    return_ms: int
    """Event time of that activity, ms since the epoch; 0 if none."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends an open alert: activity, or a horizon that has passed (then `opened_ms` says which alert's)."""

    position: Position
    slot: int
    cause: Cause
    time_ms: int
    opened_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """Decision: open."""

    landmark: Landmark


@dataclass(frozen=True, slots=True)
class Resolved:
    """Decision: the alert opened at `opened_ms` has ended."""

    position: Position
    slot: int
    opened_ms: int
    cause: Cause
    time_ms: int


@dataclass(slots=True)
class DayCount:
    """How many alerts one shard has opened for one definition in a UTC day of event time, which is that of the landmark."""

    day: int = NEVER
    opened: int = 0

    def admit(self, landmark_ms: int, cap: int) -> bool:
        """Count one more if the cap allows.

        >>> count = DayCount()
        >>> [count.admit(5, cap=1), count.admit(6, cap=1), count.admit(5 + DAY_MS, cap=1)]
        [True, False, True]
        """
        day = landmark_ms // DAY_MS
        if day > self.day:
            self.day, self.opened = day, 0
        if self.opened >= cap:
            return False
        self.opened += 1
        return True


@dataclass(slots=True)
class Verdict:
    """What a step decided for one definition."""

    count: DayCount
    decisions: list[Opened | Resolved] = field(default_factory=list)
    alert: dict[int, tuple[bool, int]] = field(default_factory=dict)
    """slot -> (open, opened_ms) after the step, for every slot looked at."""
    capped: int = 0
    """Alerts not opened because the day's cap was used up."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """Decisions that are published already: up to `until`, the shard opens exactly the alerts in `opened`."""

    until: Position
    opened: frozenset[Position]

    def covers(self, position: Position) -> bool:
        """Whether the decision at this position is published already."""
        return position <= self.until


NOTHING_ADOPTED = Adopted(Position(-1, NEVER, "", 0), frozenset())


def may_open(
    settings: PolicySettings,
    risk: npt.NDArray[np.float32],
    due_ms: npt.NDArray[np.int64],
    age_ms: npt.NDArray[np.int64],
    opened_ms: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Judge which of n landmarks could open an alert, by what was known before the step; `decide` has the last word.

    Parameters
    ----------
    risk : float32 (n,)
        Calibrated, 0 to 1.
    due_ms : int64 (n,)
        The landmarks, ms since the epoch.
    age_ms : int64 (n,)
        Broker stamp of the causing record minus the landmark.
    opened_ms : int64 (n,)
        Landmark of the user's last alert. It only grows, so a user who is in the cooldown now is in it for the whole step.

    Returns
    -------
    may, too_old : bool (n,)
        Those that may open an alert, and those that only their age keeps from it.
    """
    wanted = (risk >= settings.threshold) & (due_ms - opened_ms >= settings.cooldown_ms)
    if settings.alert_max_age_ms is None:
        return wanted, np.zeros(len(wanted), np.bool_)
    fresh = age_ms <= settings.alert_max_age_ms
    return wanted & fresh, wanted & ~fresh


def decide(
    settings: PolicySettings,
    landmarks: Iterable[Landmark],
    endings: Iterable[Ending],
    before: Mapping[int, tuple[bool, int]],
    count: DayCount,
    k: int,
    adopted: Adopted = NOTHING_ADOPTED,
) -> Verdict:
    """Decide about the landmarks and endings of one definition, in order of position.

    Parameters
    ----------
    before : mapping of slot to (open, opened_ms)
        Alert state of every slot that occurs, as it was before the step.
    count : DayCount
        The count before the step; it is not changed, and the verdict has the count after it.
    k : int
        Definition index.
    """
    verdict = Verdict(DayCount(count.day, count.opened), alert=dict(before))
    queue: list[tuple[Position, int, Landmark | Ending]] = []
    items: list[Landmark | Ending] = [*landmarks, *endings]
    for serial, one in enumerate(items):
        queue.append((one.position, serial, one))
    heapq.heapify(queue)
    serial = len(queue)
    while queue:
        position, _, item = heapq.heappop(queue)
        is_open, opened_ms = verdict.alert[item.slot]
        if isinstance(item, Ending):
            if not is_open or (item.opened_ms is not None and item.opened_ms != opened_ms):
                continue
            verdict.decisions.append(Resolved(position, item.slot, opened_ms, item.cause, item.time_ms))
            verdict.alert[item.slot] = (False, opened_ms)
            continue
        if not _opens(settings, item, is_open, opened_ms, adopted, verdict):
            continue
        verdict.decisions.append(Opened(item))
        verdict.alert[item.slot] = (True, position.due_ms)
        if item.return_offset >= 0:
            back = Position(item.return_offset, EVENT_DUE, position.user, kind_of(k, RESOLVED))
            heapq.heappush(queue, (back, serial, Ending(back, item.slot, "returned", item.return_ms)))
            serial += 1
    return verdict


def _opens(
    settings: PolicySettings,
    landmark: Landmark,
    is_open: bool,
    opened_ms: int,
    adopted: Adopted,
    verdict: Verdict,
) -> bool:
    position = landmark.position
    if adopted.covers(position):
        if position not in adopted.opened:
            return False
        verdict.count.admit(position.due_ms, settings.daily_cap)
        return True
    if not landmark.may or is_open or position.due_ms - opened_ms < settings.cooldown_ms:
        return False
    if not verdict.count.admit(position.due_ms, settings.daily_cap):
        verdict.capped += 1
        return False
    return True
