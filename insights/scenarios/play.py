"""Plays a scenario: all users at once, visit by visit, as arrays. The same seed gives the same events, and it is known who left, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from insights.scenarios.scenario import END, Cause, Prop, Scenario

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
LONGEST_VISIT = 60
"""Steps of a visit, at most."""
NOBODY = -1

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Played:
    """What happened, with one row an event, in the order in which it was played.

    Attributes
    ----------
    user, visit, place : int64 (events,)
        Number of the user, of their visit and of the event in it, from 0.
    ts : int64 (events,)
        Milliseconds since the epoch.
    step : int64 (events,)
        Index into `Scenario.steps`.
    props : dict of str to int64 (events,)
        Index into `Prop.names`; for `release` -1 before the first.
    value, latency_ms : float64 (events,)
        NaN for none.
    channel : int64 (users,)
        Index into `Scenario.channels`.
    left_ms : int64 (users,)
        When the user left for good, at the end of their last visit; -1 for who stayed.
    because : int64 (users,)
        Index of the cause without which they would have stayed then; -1 for none of those planted, and for who stayed.
    touched : bool (users, causes)
        Whether the user met the cause.
    """

    user: Ints
    visit: Ints
    place: Ints
    ts: Ints
    step: Ints
    props: dict[str, Ints]
    value: Floats
    latency_ms: Floats
    channel: Ints
    left_ms: Ints
    because: Ints
    touched: npt.NDArray[np.bool_]


def play(scenario: Scenario, *, end_ms: int, days: int, users: int, seed: int) -> Played:
    """Play a scenario for some days that end at a time.

    >>> from insights.scenarios.scenario import load
    >>> one, two = (play(load("education"), end_ms=10**12, days=30, users=50, seed=1) for _ in range(2))
    >>> bool((one.ts == two.ts).all()), bool(one.ts.max() < 10**12)
    (True, True)
    """
    return _Game(scenario, end_ms, days, users, np.random.default_rng(seed)).play()


class _Game:
    def __init__(self, scenario: Scenario, end_ms: int, days: int, users: int, rng: np.random.Generator) -> None:
        self.scenario, self.rng, self.users, self.end_ms = scenario, rng, users, end_ms
        self.offset_ms = _offset_ms(scenario.timezone, end_ms)
        self.begin_ms = (end_ms + self.offset_ms) // DAY_MS * DAY_MS - self.offset_ms - (days - 1) * DAY_MS
        self.names = list(scenario.steps)
        self.channel = rng.choice(len(scenario.channels), users, p=_shares(scenario.channels))
        self.fixed = {name: _drawn(rng, prop, users) for name, prop in scenario.props.items() if prop.of == "user"}
        self.pause_ms = DAY_MS * scenario.pause_days * np.exp(scenario.pause_spread * rng.standard_normal(users))
        self.touched = np.zeros((users, len(scenario.causes)), np.bool_)
        self.left_ms = np.full(users, -1, np.int64)
        self.because = np.full(users, NOBODY, np.int64)
        self.rows: list[dict[str, npt.NDArray[np.generic]]] = []

    @cached_property
    def ahead(self) -> Floats:
        """Chance of each next step, the visit's end last, summed up, of each step: float (steps, steps + 1)."""
        found = np.zeros((len(self.names), len(self.names) + 1))
        for row, step in enumerate(self.scenario.steps.values()):
            for name, weight in step.next.items():
                found[row, len(self.names) if name == END else self.names.index(name)] += weight
        return np.cumsum(found / found.sum(1, keepdims=True), axis=1)

    def play(self) -> Played:
        scenario, rng = self.scenario, self.rng
        early = rng.random(self.users) < scenario.at_start
        joins = np.where(early, 3 * rng.random(self.users), rng.random(self.users) * ((self.end_ms - self.begin_ms) / DAY_MS))
        at = self._at_an_hour(self.begin_ms + (joins * DAY_MS).astype(np.int64))
        who, visit = np.arange(self.users), 0
        while len(who):
            here = at[who] < self.end_ms
            who = who[here]
            ended = self._visit(who, at[who], visit)
            gone = self._leaves(who, ended)
            who, ended = who[~gone], ended[~gone]
            pause = rng.exponential(self.pause_ms[who]).astype(np.int64)
            then = self._at_an_hour(ended + pause)
            at[who] = np.where(then < ended + HOUR_MS, then + DAY_MS, then)
            visit += 1
        rows = {name: np.concatenate([row[name] for row in self.rows]) for name in self.rows[0]}
        props = {name: rows.pop(name) for name in scenario.props}
        return Played(**rows, props=props, channel=self.channel, left_ms=self.left_ms, because=self.because, touched=self.touched)

    def _at_an_hour(self, at: Ints) -> Ints:
        """Return a time of the same local day, at an hour at which visits begin."""
        day = (at + self.offset_ms) // DAY_MS * DAY_MS - self.offset_ms
        hour = self.rng.choice(24, len(at), p=_shares(dict(enumerate(self.scenario.hours))))
        return day + hour * HOUR_MS + self.rng.integers(0, HOUR_MS, len(at))

    def _visit(self, who: Ints, began: Ints, visit: int) -> Ints:
        """Play one visit of each of these users; return when it ended."""
        rng, ended = self.rng, began.copy()
        once = {name: _drawn(rng, prop, len(who)) for name, prop in self.scenario.props.items() if prop.of == "visit"}
        walking = np.arange(len(who))
        step = np.full(len(who), self.names.index(self.scenario.start if visit else self.scenario.first))
        seconds = np.array([one.seconds for one in self.scenario.steps.values()])
        for place in range(LONGEST_VISIT):
            at = ended[walking]
            walking, step, at = (one[at < self.end_ms] for one in (walking, step, at))
            if not len(walking):
                break
            props = {name: self._prop(name, prop, who[walking], visit, at, once, walking) for name, prop in self.scenario.props.items()}
            hits = [self._hit(cause, step, props, at) for cause in self.scenario.causes]
            self._note(who[walking], visit, place, at, step, props, hits)
            going = (rng.random(len(walking))[:, None] >= self.ahead[step]).sum(1)
            for number, (cause, hit) in enumerate(zip(self.scenario.causes, hits, strict=True)):
                self.touched_now[who[walking[hit]], number] = True
                going[hit & (rng.random(len(walking)) < cause.stop)] = len(self.names)
            ended[walking] = at + 1 + rng.exponential(1_000 * seconds[step]).astype(np.int64)
            on = going < len(self.names)
            walking, step = walking[on], going[on]
        return ended

    @cached_property
    def touched_now(self) -> npt.NDArray[np.bool_]:
        """Which causes each user met in the visit that is played: bool (users, causes)."""
        return np.zeros_like(self.touched)

    def _prop(self, name: str, prop: Prop, who: Ints, visit: int, at: Ints, once: dict[str, Ints], walking: Ints) -> Ints:
        if prop.of == "user":
            return self.fixed[name][who]
        if prop.of == "visit":
            return once[name][walking]
        if prop.of == "stage":
            return np.full(len(who), min(visit // prop.visits, prop.stages - 1))
        return np.searchsorted(np.array(list(prop.days.values())), (at - self.begin_ms) // DAY_MS, side="right") - 1

    def _hit(self, cause: Cause, step: Ints, props: dict[str, Ints], at: Ints) -> npt.NDArray[np.bool_]:
        where = cause.where
        hit = np.ones(len(step), np.bool_)
        if where.step:
            hit &= step == self.names.index(where.step)
        for name, value in where.props.items():
            hit &= props[name] == self.scenario.props[name].names.index(value)
        if where.hours is not None:
            hour = (at + self.offset_ms) // HOUR_MS % 24
            hit &= (hour >= where.hours[0]) & (hour < where.hours[1])
        if where.days is not None:
            day = (at - self.begin_ms) // DAY_MS
            hit &= (day >= where.days[0]) & (day < where.days[1])
        return hit

    def _note(
        self, who: Ints, visit: int, place: int, at: Ints, step: Ints, props: dict[str, Ints], hits: list[npt.NDArray[np.bool_]]
    ) -> None:
        steps = list(self.scenario.steps.values())
        value, latency = np.array([one.value for one in steps])[step], np.array([one.latency_ms for one in steps])[step]
        for row, one in enumerate(steps):
            for name, by in one.value_by.items():
                factors = np.array([by.get(known, 1.0) for known in self.scenario.props[name].names])
                value = np.where(step == row, value * factors[props[name]], value)
        for cause, hit in zip(self.scenario.causes, hits, strict=True):
            latency = np.where(hit, latency * cause.latency, latency)
        n = len(who)
        noise = np.exp(0.5 * self.rng.standard_normal((2, n)))
        self.rows.append(
            {
                "user": who, "visit": np.full(n, visit), "place": np.full(n, place), "ts": at, "step": step, **props,
                "value": np.where(value > 0, np.round(value * noise[0], 2), np.nan),
                "latency_ms": np.where(latency > 0, np.round(latency * noise[1]), np.nan),
            }
        )  # fmt: skip

    def _leaves(self, who: Ints, ended: Ints) -> npt.NDArray[np.bool_]:
        """Decide who of these leaves after this visit, and because of what."""
        met = self.touched_now[who]
        for number, cause in enumerate(self.scenario.causes):
            if cause.where.ever:
                met[:, number] |= self.touched[who, number]
        self.touched[who] |= met
        self.touched_now[who] = False
        factors = np.where(met, np.array([one.leave for one in self.scenario.causes]), 1.0)
        chance = np.minimum(self.scenario.leave * factors.prod(1), 0.95)
        roll = self.rng.random(len(who))
        gone: npt.NDArray[np.bool_] = roll < chance
        self.left_ms[who[gone]] = ended[gone]
        because = gone & (roll >= self.scenario.leave)  # they would have stayed but for the causes: the strongest of these is to blame
        if factors.shape[1]:
            self.because[who[because]] = factors[because].argmax(1)
        return gone


def _drawn(rng: np.random.Generator, prop: Prop, count: int) -> Ints:
    return rng.choice(len(prop.values), count, p=_shares(prop.values))


def _shares(weights: dict[str, float] | dict[int, float]) -> Floats:
    found = np.array(list(weights.values()), np.float64)
    whole: Floats = found / found.sum()
    return whole


def _offset_ms(timezone: str, at_ms: int) -> int:
    """Return the zone's offset at a time, ms east of UTC; a scenario keeps it for all its days."""
    offset = ZoneInfo(timezone).utcoffset(datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(timezone)))
    return 0 if offset is None else int(offset.total_seconds() * 1000)
