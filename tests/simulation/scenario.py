"""A seeded log: users with habits, retries, disorder, late ones, poison, silence; and the settings it is run under."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.definitions.rules import NO_RULES, Rules
from features.users.landmarks import BUCKETS, phase_of
from features.users.spec import FeatureSpec
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from tests.simulation.world import LogRecord

HOUR_MS = 3_600_000
START_MS = 1_600_000_000_000
CROWD_EVERY, FIRST_CROWD = 250, 77
"""A crowd takes as long as thirty other seeds, so it is not every seed's."""
BEFORE_ERASURES = (128, 288, 1017, 2067)
"""Seeds that are named for something else; they keep the log that they are named for."""
POISON = (
    None,
    b"",
    b"\xff\xfe",
    b"{",
    b"[1]",
    b'{"user": "u1"}',
    b'{"user": 5, "ts": 1, "type": "c"}',
    b'{"user": "", "ts": 1, "type": "c"}',
)


@dataclass
class Scenario:
    spec: FeatureSpec
    policy: PolicySettings
    clicks: list[list[LogRecord]]
    learning: bool
    ticks: bool
    events: int
    rules: tuple[Rules, ...] = (NO_RULES,)
    """Each worker starts with one of them."""
    wrong_clocks: bool = False
    budgets: tuple[int, ...] = (2, 30, 2000, 2000)
    """Most timers of a commit, of which each worker draws one."""
    crowd: bool = False
    """Whether every instant holds more timers than the budget."""


class HashScorer:
    """A pure function of the vector that jumps about: every landmark may or may not alert."""

    name = "hash"

    def __init__(self, salt: int) -> None:
        self._weights = np.random.default_rng(salt).integers(1, 997, 64).astype(np.float64)

    def risk(self, vectors: np.ndarray) -> np.ndarray:
        mixed = vectors.dot(self._weights[: vectors.shape[1]])  # whole numbers far below 2^53: exact in any order
        return ((mixed % 1009) / 1009).astype(np.float32)

    def terms(self, vector: np.ndarray) -> np.ndarray:
        return vector.astype(np.float64) - 100


@lru_cache(maxsize=1024)
def _champion(salt: int, k: int) -> Champion:
    return Champion(salt, HashScorer(salt * 10 + k))


def champions(scenario: Scenario, salt: int) -> list[Champion]:
    return [_champion(salt, k) for k in range(len(scenario.spec.definitions))]


def make_scenario(seed: int) -> Scenario:
    """Return the log of a seed; one seed in `CROWD_EVERY` has a crowd."""
    return _crowd(seed) if seed % CROWD_EVERY == FIRST_CROWD else _habits(seed)


def _crowd(seed: int) -> Scenario:
    """More users than budget in every bucket of the day, so that every instant must be cut into slices, and records in between.

    The first click of each user arms them; then some of them click on for two days.
    """
    rng = random.Random(f"crowd {seed}")
    lateness_ms = rng.choice([0, 17, HOUR_MS])
    definition = ChurnDefinition(name="gone", active_window_ms=rng.choice([1, 2]) * DAY_MS, horizon_ms=DAY_MS)
    spec = FeatureSpec(key_events=("click",), lateness_ms=lateness_ms, definitions=(definition,))
    policy = PolicySettings(threshold=0.3, cooldown_ms=DAY_MS, daily_cap=1000, alert_max_age_ms=None)
    users = _users_by_bucket(2)
    rng.shuffle(users)
    now = START_MS + rng.randrange(DAY_MS)
    times = [(user, now + number * 60_000) for number, user in enumerate(users)]
    now = times[-1][1] + 1
    while now < times[0][1] + 2.2 * DAY_MS:
        now += rng.choice([20_000, 40_000, 6 * HOUR_MS, 1]) if rng.random() < 0.1 else rng.randint(0, 16 * 60_000)
        times.append((rng.choice(users), now))
    clicks = [
        LogRecord(offset, ts, json.dumps({"user": user, "ts": ts, "type": "click"}).encode()) for offset, (user, ts) in enumerate(times)
    ]
    return Scenario(spec, policy, [clicks], learning=False, ticks=True, events=len(clicks), budgets=(1, 1, 2), crowd=True)


def _users_by_bucket(each: int) -> list[str]:
    """So many users of every bucket of the day."""
    found: dict[int, list[str]] = {bucket: [] for bucket in range(BUCKETS)}
    for number in itertools.count():
        user = f"u{number}"
        bucket = found[phase_of(user)]
        if len(bucket) < each:
            bucket.append(user)
            if all(len(one) == each for one in found.values()):
                break
    return [user for bucket in found.values() for user in bucket]


def _habits(seed: int) -> Scenario:
    rng = random.Random(f"scenario {seed}")
    definitions = [ChurnDefinition(name="gone", active_window_ms=rng.choice([2, 3, 5]) * DAY_MS, horizon_ms=rng.choice([1, 2, 3]) * DAY_MS)]
    if rng.random() < 0.3:
        definitions.append(
            ChurnDefinition(
                name="cancel",
                kind="did_event",
                target=("cancel",),
                activity=("click",),
                active_window_ms=2 * DAY_MS,
                horizon_ms=rng.choice([DAY_MS, 2 * DAY_MS + HOUR_MS]),
            )
        )
    if random.Random(f"segment {seed}").random() < 0.2:
        definitions[0] = msgspec.structs.replace(definitions[0], segment=("active_days_total >= 2",))
    spec = FeatureSpec(
        key_events=("click", "buy"),
        lateness_ms=rng.choice([0, HOUR_MS, HOUR_MS + 17, 6 * HOUR_MS]),
        definitions=tuple(definitions),
        timezone=rng.choice(["UTC", "Europe/Berlin", "America/St_Johns"]),
    )
    policy = PolicySettings(
        threshold=rng.choice([0.3, 0.6]),
        cooldown_ms=rng.choice([0, DAY_MS, 4 * DAY_MS]),
        daily_cap=rng.choice([1, 3, 1000]),
        alert_max_age_ms=rng.choice([None, DAY_MS, 6 * HOUR_MS]),
    )
    partitions = rng.choice([2, 3])
    clicks: list[list[LogRecord]] = [[] for _ in range(partitions)]
    users = [f"u{i}" for i in range(rng.randint(6, 16))]
    away: dict[str, int] = {}
    events = rng.randint(300, 380)
    span_ms = rng.choice([8, 12, 20]) * DAY_MS
    now = START_MS + rng.randrange(DAY_MS)
    sent: list[tuple[str, bytes]] = []
    for serial in range(events):
        step = span_ms // events
        now += rng.randint(0, 2 * step) if rng.random() > 0.02 else rng.choice([DAY_MS, 3 * DAY_MS, 9 * DAY_MS])
        here = [user for user in users if away.get(user, 0) <= now] or users[:1]
        user = rng.choice(here)
        if rng.random() < 0.05:
            away[user] = now + rng.randint(1, 8) * DAY_MS
        partition = users.index(user) % partitions
        roll = rng.random()
        if roll < 0.05:
            value = rng.choice(POISON)
        elif roll < 0.12 and sent:
            user, value = rng.choice(sent[-30:])
            partition = users.index(user) % partitions
        else:
            ts = now
            if roll < 0.3:
                ts -= rng.randrange(1 + int(spec.lateness_ms * 1.3) + 1000)
            elif roll < 0.32:
                ts += rng.choice([60_000, 20 * 60_000])
            event = {"user": user, "ts": ts, "type": rng.choice(["click", "click", "buy", "cancel"])}
            if rng.random() < 0.8:
                event["event_id"] = f"e{serial}"
            if rng.random() < 0.3:
                event["value"] = rng.random() * 10
            value = json.dumps(event).encode()
            sent.append((user, value))
        log = clicks[partition]
        # control records and aborted transactions leave holes in the offsets
        offset = (log[-1].offset + 1 + (rng.random() < 0.05)) if log else (1_000 if seed % 5 == 0 else 0)
        log.append(LogRecord(offset, now, value))
    added = random.Random(f"rules and clocks {seed}")
    aside = ("cancel",) if random.Random(f"no deed {seed}").random() < 0.5 else ()
    rules = (
        NO_RULES,
        Rules(strict_types=("click", "buy")),
        Rules(not_users=("u3", "u5"), oldest_ms=START_MS + 2 * DAY_MS, set_aside=aside),
    )
    learning, ticks = rng.random() < 0.3, rng.random() < 0.5
    rules, wrong_clocks = rules if added.random() < 0.4 else (NO_RULES,), added.random() < 0.4
    if seed not in BEFORE_ERASURES and random.Random(f"erasures {seed}").random() < 0.6:
        clicks = [_with_erasures(log, random.Random(f"erasures {seed} {number}")) for number, log in enumerate(clicks)]
        rules = tuple(msgspec.structs.replace(one, set_aside=(*one.set_aside, "erase", "consent")) for one in rules)
    return Scenario(spec, policy, clicks, learning, ticks, events, rules, wrong_clocks)


def _with_erasures(log: list[LogRecord], rng: random.Random) -> list[LogRecord]:
    """Put records into a log that erase users, and some that let them be known again, at offsets behind others'; some are sent again later."""
    found: list[LogRecord] = []
    sent: list[LogRecord] = []
    for record in log:
        found.append(LogRecord(2 * record.offset, record.timestamp, record.value))
        if record.value and rng.random() < 0.05:
            user = _user_of(rng.choice(log).value or record.value) if rng.random() < 0.5 else _user_of(record.value)
            body = {"user": user, "ts": record.timestamp + rng.choice([0, 1, -HOUR_MS]), "type": rng.choice(["erase", "erase", "consent"])}
            if rng.random() < 0.2:
                body["props"] = {"granted": rng.random() < 0.5}
            again = sent and rng.random() < 0.2
            value = rng.choice(sent).value if again else json.dumps(body).encode()
            sent.append(LogRecord(2 * record.offset + 1, record.timestamp, value))
            found.append(sent[-1])
    return found


def _user_of(value: bytes) -> str:
    try:
        user = json.loads(value)["user"]
    except (ValueError, LookupError, TypeError):
        user = ""
    return user if isinstance(user, str) and user else "u1"
