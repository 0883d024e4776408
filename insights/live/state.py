"""In what state is the whole page, what happens next, and when? One pure function, over a table of states.

Pure: what the engine says of itself, what Kafka says of the clicks, what is known of outcomes and the clock on the wall come in; one `State` goes out.
Each row of `RULES` is one state. The first row that fits wins, so the order of the table says which of two troubles is the one to mend first.
`insights.web.strip` says a state in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from features.definitions.definition import DAY_MS
from insights.live.engine import EngineView

Kind = Literal[
    "redis", "kafka", "no_worker", "unreadable", "stopped", "rejected", "behind", "no_events", "ended", "silent", "going_on", "warming", "no_trainer", "well",
]  # fmt: skip
Tone = Literal["bad", "warn", "quiet", "good"]
TONES: Mapping[Kind, Tone] = {
    "redis": "bad", "kafka": "bad", "unreadable": "bad", "stopped": "bad", "rejected": "bad", "going_on": "warn", "silent": "warn", "warming": "warn",
    "no_trainer": "warn", "no_worker": "quiet", "no_events": "quiet", "ended": "quiet", "behind": "quiet", "well": "good",
}  # fmt: skip
SILENT_MS = 5 * 60_000
"""Without an event for so long, the page says so. The engine itself holds scores much sooner, whenever all of intake is idle."""
BEHIND = 1_000
"""Events that wait, from which on the engine is catching up and not only busy with the newest ones."""
FURTHEST_MS = 365 * DAY_MS
"""An estimate further off than this is none."""
BATCHES = 8
"""The trainer makes its first version after a few of its batches; after so many without one, none is being made."""


class Clicks(NamedTuple):
    """What Kafka last said of the clicks.

    Attributes
    ----------
    reached : bool
        Whether it answered when it was last asked.
    quiet_ms : int or None
        Time since the newest click came in, by the clock on the wall, ms; None when that is not known.
    waiting : int
        Clicks that no worker has taken yet.
    taken_per_s : float
        Clicks taken a second, of late.
    workers : int or None
        Processes that take clicks; None when that is not known.
    """

    reached: bool
    quiet_ms: int | None = None
    waiting: int = 0
    taken_per_s: float = 0.0
    workers: int | None = None


class Clock(NamedTuple):
    """How the engine's time goes on without clicks: the settings `time.*`, in ms.

    Attributes
    ----------
    ticks : bool
        Whether time goes on at all when nobody clicks.
    hold_ms : int
        How long it stands still while all of intake is silent.
    most_behind_ms : int
        It stands still while the newest event is further behind the clock on the wall than this: an old log was loaded.
    """

    ticks: bool = True
    hold_ms: int = 30 * 60_000
    most_behind_ms: int = 3_600_000


class Learning(NamedTuple):
    """What one definition has learned from.

    Attributes
    ----------
    left, stayed : int
        Outcomes known, by what they were.
    needed : int
        How many of each are needed before a model may serve.
    batch : int
        Outcomes that the trainer learns in one step.
    rule : bool
        Whether the rule serves, and no model.
    version : int
        Number of the version that serves; 0 before the first one.
    pinned : bool
        Whether a person asked for this version.
    first_ms : int or None
        Event time at which the first outcome became known, ms, or will be; None before the first event.
    """

    left: int = 0
    stayed: int = 0
    needed: int = 200
    batch: int = 256
    rule: bool = True
    version: int = 0
    pinned: bool = False
    first_ms: int | None = None

    @property
    def scarcer(self) -> int:
        """Outcomes of the kind of which fewer are known: the one that is waited for."""
        return min(self.left, self.stayed)

    def enough_ms(self, as_of_ms: int | None) -> int | None:
        """Return the event time by which enough is known if outcomes go on coming as they have so far; None when that cannot be said.

        >>> Learning(left=50, stayed=900, needed=200, first_ms=0).enough_ms(as_of_ms=10)
        40
        """
        if as_of_ms is None or self.first_ms is None or not self.scarcer or as_of_ms <= self.first_ms:
            return None
        left_ms = (self.needed - self.scarcer) * (as_of_ms - self.first_ms) / self.scarcer
        return None if left_ms > FURTHEST_MS else as_of_ms + round(left_ms)


class State(NamedTuple):
    """What the page is in.

    Attributes
    ----------
    kind : str
        Which row of the table.
    as_of_ms : int or None
        Event time up to which the figures go, ms.
    answered_ms : int
        When the engine last answered, by the clock on the wall, ms; 0 for never.
    until_ms : int or None
        When it will be over, or what is waited for will come, ms: event time for outcomes, the clock on the wall for all else. Of "going_on": since
        when time has gone on without events.
    quiet_ms : int
        How long no event has come, ms.
    waiting : int
        Events that wait.
    records : int
        Records that were taken so far, usable or not.
    learning : Learning
    unreadable : tuple of int
        Shards of which nothing can be said.
    """

    kind: Kind
    as_of_ms: int | None
    answered_ms: int
    until_ms: int | None = None
    quiet_ms: int = 0
    waiting: int = 0
    records: int = 0
    learning: Learning = Learning()
    unreadable: tuple[int, ...] = ()

    @property
    def tone(self) -> Tone:
        """How loud it is."""
        return TONES[self.kind]


class Seen(NamedTuple):
    """All that is looked at."""

    view: EngineView
    clicks: Clicks | None
    learning: Learning
    clock: Clock
    now_ms: int

    @property
    def quiet_ms(self) -> int:
        """How long no event has come, ms; 0 when that is not known."""
        return 0 if self.clicks is None or self.clicks.quiet_ms is None else self.clicks.quiet_ms

    @property
    def waiting(self) -> int:
        """Events that wait."""
        return 0 if self.clicks is None else self.clicks.waiting

    @property
    def stands(self) -> bool:
        """Whether time does not go on without events."""
        newest_ms = self.view.newest_ms
        return not self.clock.ticks or (newest_ms is not None and self.now_ms - newest_ms > self.clock.most_behind_ms)


class Rule(NamedTuple):
    """One row: when a state is in force, and until when (see `State.until_ms`)."""

    kind: Kind
    fits: Callable[[Seen], bool]
    until: Callable[[Seen], int | None] = lambda _: None


def _is_silent(seen: Seen) -> bool:
    return seen.quiet_ms >= SILENT_MS


def _held_until_ms(seen: Seen) -> int:
    return seen.now_ms - seen.quiet_ms + seen.clock.hold_ms


def _caught_up_ms(seen: Seen) -> int | None:
    rate = 0.0 if seen.clicks is None else seen.clicks.taken_per_s
    return seen.now_ms + round(1000 * seen.waiting / rate) if rate > 0 else None


def _known_ms(seen: Seen) -> int | None:
    learning = seen.learning
    return learning.first_ms if not learning.left + learning.stayed else learning.enough_ms(seen.view.as_of_ms)


RULES: tuple[Rule, ...] = (
    Rule("redis", lambda seen: not seen.view.reached),
    Rule("kafka", lambda seen: seen.clicks is not None and not seen.clicks.reached),
    Rule("no_worker", lambda seen: seen.view.spec is None),
    Rule("unreadable", lambda seen: bool(seen.view.unreadable)),
    Rule("stopped", lambda seen: seen.clicks is not None and seen.clicks.workers == 0),
    Rule("rejected", lambda seen: seen.view.newest_ms is None and sum(seen.view.totals.values()) > 0),
    Rule("behind", lambda seen: seen.waiting >= BEHIND, _caught_up_ms),
    Rule("no_events", lambda seen: seen.view.newest_ms is None),
    Rule("ended", lambda seen: _is_silent(seen) and seen.stands),
    Rule("silent", lambda seen: _is_silent(seen) and seen.quiet_ms < seen.clock.hold_ms, _held_until_ms),
    Rule("going_on", _is_silent, _held_until_ms),
    Rule("warming", lambda seen: seen.learning.rule and seen.learning.scarcer < seen.learning.needed, _known_ms),
    Rule("no_trainer", lambda seen: not seen.learning.version and seen.learning.left + seen.learning.stayed >= BATCHES * seen.learning.batch),
    Rule("well", lambda _: True),
)  # fmt: skip
"""First that fits."""


def state_of(view: EngineView, learning: Learning, now_ms: int, clicks: Clicks | None = None, clock: Clock | None = None) -> State:
    """Return the state of the page.

    Parameters
    ----------
    view : EngineView
        What the engine says of itself.
    learning : Learning
        Of the definition that the page shows.
    now_ms : int
        The clock on the wall, ms since the epoch.
    clicks : Clicks, optional
        None when Kafka has not been asked yet; then nothing is said that only it can know.
    clock : Clock, optional

    >>> state_of(EngineView(None, {}, reached=False, answered_ms=0), Learning(), now_ms=0).kind
    'redis'
    """
    seen = Seen(view, clicks, learning, clock or Clock(), now_ms)
    rule = next(rule for rule in RULES if rule.fits(seen))
    records = sum(view.totals.values())
    return State(
        rule.kind, view.as_of_ms, view.answered_ms, rule.until(seen), seen.quiet_ms, seen.waiting, records, learning, view.unreadable
    )
