"""A family of made-up products as data: one row of parameters each, drawn from a seed, and the log that a row makes.

Nobody tuned anything to these. Every product changes its regime once, in a way that is its kind's:

* `seasonal`: visits follow a wave and the week, and from the change on everybody comes more or less often;
* `cohort`: all users join at the start, and a second term begins, with another chance to leave;
* `growing`: newcomers become more from day to day, and from the change on they are of another kind;
* `outage`: nobody can do anything for some days, and some of those who were there never come back;
* `relabelled`: event types are renamed, and what told of leaving tells of staying.

A user comes on a day with a chance of their own, and leaves for good after a day they came with a chance that depends on who they are, how new they
are, and whether something failed that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from features.definitions.definition import DAY_MS, ChurnDefinition
from stream.backtest.log import COLUMNS, History, active_days

Kind = Literal["seasonal", "cohort", "growing", "outage", "relabelled"]
KINDS: tuple[Kind, ...] = ("seasonal", "cohort", "growing", "outage", "relabelled")
START_MS = 18_600 * DAY_MS
MANY = 100
TRIED = 600
"""Users of the small copy of a product on which its habits are sought."""
CHANNELS = ("organic", "ads", "referral")


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the family.

    Attributes
    ----------
    users : int
    base : float
        Share of landmarks before the change after which the user is silent for the horizon: what the habits are sought for.
    horizon : int
        H, in days; the active window too.
    daily : bool
        A landmark a day, as in a worker, or one at the end of each day with activity.
    strength : float
        By what factor the change of regime multiplies what it changes.
    wave : float
        How much the wave of `seasonal` moves the pace, 0 to 1.
    away : int
        Days of the outage.
    """

    name: str
    kind: Kind
    seed: int
    users: int
    base: float
    horizon: int
    daily: bool
    strength: float
    wave: float
    away: int

    @property
    def days(self) -> int:
        """Length of the log in days."""
        return 40 + 5 * self.horizon

    @property
    def change(self) -> int:
        """The first day of the new regime; of an outage, the day on which it begins."""
        return 20 + 2 * self.horizon

    @property
    def graded_from_ms(self) -> int:
        """Time from which risks are graded, ms: H + G (which is 0) after the last change."""
        last = self.change + (self.away if self.kind == "outage" else 0)
        return START_MS + (last + self.horizon) * DAY_MS

    @property
    def definition(self) -> ChurnDefinition:
        """What churned means for it."""
        return ChurnDefinition(name="gone", active_window_ms=self.horizon * DAY_MS, horizon_ms=self.horizon * DAY_MS)


def family(many: int = MANY, seed: int = 2026) -> list[Product]:
    """Return the rows. Rate, horizon, strength and wave cover their ranges evenly (a Latin hypercube); most products are small.

    The higher the rate, the fewer landmarks a user has. So a product has at least as many users as give it some 2,000 graded ones, and one with
    many users has a rate that keeps its log in bounds.

    >>> rows = family()
    >>> min(row.users for row in rows), max(row.users for row in rows) > 150_000, {row.kind for row in rows} == set(KINDS)
    (500, True, True)
    """
    rng = np.random.default_rng(seed)
    size, rate, horizon, strength, wave = ((rng.permutation(many) + 0.5) / many for _ in range(5))
    rows = []
    for i in range(many):
        kind = KINDS[i % len(KINDS)]
        wanted = 500 * 400 ** (size[i] / size.max()) ** 24
        lowest = 0.02 if wanted < 2_000 else 0.2 if wanted < 10_000 else 0.5
        base = float(lowest * (0.6 / lowest) ** rate[i])
        users = max(int(wanted), int(6_000 * base * (2 if kind == "cohort" else 1)))
        factor = float(np.exp((2 * strength[i] - 1) * np.log(2)))
        days = round(float(30 ** (horizon[i] / horizon.max())))
        rows.append(Product(
            name=f"{kind}-{i // len(KINDS):02d}", kind=kind, seed=seed + i, users=users, base=round(base, 3), horizon=days,
            daily=bool(wanted < 2_000 and rng.random() < 0.4), strength=round(factor, 2), wave=round(0.5 * float(wave[i]), 2), away=int(rng.integers(1, 8)),
        ))  # fmt: skip
    return rows


@dataclass(frozen=True, slots=True)
class Days:
    """Who came on which day, and whether something failed for them: three columns of equal length.

    Attributes
    ----------
    liking : float64 (users,)
        How much each user likes the product; it is seen in what they do.
    """

    user: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    failed: npt.NDArray[np.bool_]
    liking: npt.NDArray[np.float64]


def joined(row: Product, users: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the day on which each user joins, int64 (users,); before 0: they were there already. A growing product has eight times as many a day at its end."""
    if row.kind == "cohort":
        return rng.integers(0, 8, users)
    if row.kind == "growing":
        return np.asarray(row.days * np.log1p(7 * rng.random(users)) / np.log(8), np.int64)
    return rng.integers(-row.days // 2, row.days, users)


def lived(row: Product, users: int, ease: float, *, changes: bool = True) -> Days:
    """Play the days of a product.

    Parameters
    ----------
    ease : float
        The higher, the rarer users come and the sooner they leave.
    changes : bool
        Whether the regime changes.
    """
    rng = np.random.default_rng(row.seed)
    kind, power = row.kind, row.strength
    joins = joined(row, users, rng)
    liking = rng.normal(size=users)
    if kind == "growing" and changes:
        liking[joins >= row.change] -= np.log(power)
    pace = np.exp(0.7 * rng.normal(size=users) + 0.2 * liking) * 3 / (row.horizon * ease)
    leaves = np.minimum(0.12 * ease * np.exp(-0.6 * liking), 0.9)
    came, when, failed = [], [], []
    there, visits = np.ones(users, np.bool_), np.zeros(users)
    for day in range(row.days):
        after = changes and day >= row.change
        rhythm = 1 + row.wave * np.sin(2 * np.pi * day / (4 * row.horizon + 20)) if kind == "seasonal" else 1.0
        rhythm *= 0.7 if day % 7 > 4 else 1.1
        if after and kind == "seasonal":
            rhythm *= power
        if after and kind == "outage" and day < row.change + row.away:
            continue
        if after and kind == "outage" and day == row.change + row.away:
            there &= rng.random(users) > 0.1
        comes = there & (joins <= day) & ((rng.random(users) < -np.expm1(-pace * rhythm)) | (joins == day))
        who = np.flatnonzero(comes)
        fails = rng.random(len(who)) < 0.15
        telling = np.where(fails, 0.4, 1.2) if after and kind == "relabelled" else np.where(fails, 2.5, 0.8)
        chance = leaves[who] * telling * (1 + 1.5 * np.exp(-visits[who]))
        if after and kind in {"cohort", "relabelled"}:
            chance = chance * power
        there[who[rng.random(len(who)) < chance]] = False
        visits[who] += 1
        came.append(who)
        when.append(np.full(len(who), day))
        failed.append(fails)
    return Days(np.concatenate(came), np.concatenate(when), np.concatenate(failed), liking)


def log_of(row: Product, users: int, ease: float, *, changes: bool = True) -> History:
    """Return the log of a product: one to some events on each day that a user came."""
    days, rng = lived(row, users, ease, changes=changes), np.random.default_rng(row.seed + 1)
    hour = np.clip(rng.normal(15, 4, users), 0.5, 21)
    many = 1 + rng.poisson(0.7, len(days.user)) + days.failed
    which = np.repeat(np.arange(len(days.user)), many)
    first = np.r_[True, which[1:] != which[:-1]]
    user, day = days.user[which], days.day[which]
    buys = rng.random(len(which)) < 0.2 * np.exp(0.5 * np.clip(days.liking[user], -2, 2))
    kinds = np.where(first & days.failed[which], 2, np.where(buys, 1, 0))
    if row.kind == "relabelled" and changes:
        kinds = np.where(day >= row.change, np.array([3, 0, 4])[kinds], kinds)
    ts = START_MS + day * DAY_MS + ((hour[user] + rng.uniform(0, 2.5, len(which))) * 3_600_000).astype(np.int64)
    names = np.array([f"u{i}" for i in range(users)])
    frame = pl.DataFrame(
        {
            "user": names[user], "ts": ts, "type": np.array(["view", "buy", "error", "look", "notice"])[kinds],
            "channel": np.array(CHANNELS)[user % len(CHANNELS)],
        }
    )  # fmt: skip
    full = frame.sort("ts", "user", "type").with_columns(value=pl.lit(None, pl.Float64), event_id=pl.lit(None, pl.String))
    return History(full.select(COLUMNS), 0, sorted_here=False)


def rate_of(days: Days, row: Product) -> float:
    """Return the share of landmarks before the change, and not in the first horizon, after which the user is silent for the horizon."""
    came = np.zeros((int(days.user.max(initial=0)) + 1, row.days), np.int32)
    came[days.user, days.day] = 1
    total = np.pad(np.cumsum(came, axis=1), ((0, 0), (1, 0)))
    at = np.arange(row.horizon, row.change)
    back = total[:, at + 1 + row.horizon] - total[:, at + 1] > 0
    eligible = total[:, at + 1] - total[:, at + 1 - row.horizon] > 0 if row.daily else came[:, at] > 0
    return float((eligible & ~back).sum() / max(eligible.sum(), 1))


def made(row: Product) -> History:
    """Return the log of a product whose habits are such that its base rate is the one asked for, as nearly as a search on a small copy finds."""
    low, high = -5.0, 3.0
    for _ in range(12):
        middle = (low + high) / 2
        if rate_of(lived(row, TRIED, float(np.exp(middle)), changes=False), row) < row.base:
            low = middle
        else:
            high = middle
    return log_of(row, row.users, float(np.exp(low)))


def landmarks_of(row: Product, history: History) -> pl.DataFrame | None:
    """Return the landmarks that are asked for, with their labels; None for daily ones, which the shard makes itself."""
    return None if row.daily else active_days(history, row.definition, "UTC", 0)
