"""A seeded log: users with habits, retries, disorder, late ones, poison, silence; and the settings it is run under."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.spec import FeatureSpec
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from tests.simulation.world import LogRecord

HOUR_MS = 3_600_000
START_MS = 1_600_000_000_000
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
    return Scenario(spec, policy, clicks, rng.random() < 0.3, rng.random() < 0.5, events)
