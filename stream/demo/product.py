"""Users with habits: some leave at once, some fade, some pause and come back. The same seed gives the same product, and it is known who leaves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import msgspec

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
CHANNELS = ("organic", "ads", "referral", "email")


@dataclass(frozen=True, slots=True)
class Click:
    """One event; `payload` is what a product would send."""

    ts: int
    user: str
    payload: bytes


@dataclass(slots=True)
class Product:
    """All clicks in order of time, and who left when.

    Attributes
    ----------
    left_ms : dict of user to int
        Time of the last click of each leaver.
    """

    clicks: list[Click] = field(default_factory=list)
    left_ms: dict[str, int] = field(default_factory=dict)
    users: int = 0


def make_product(start_ms: int, days: int, users: int, seed: int) -> Product:
    """Play a product for some days.

    A fifth more users join over time. A third leave for good: half of these fade for ten days (longer pauses, more errors), half go at once.
    A tenth pause for 6 to 12 days and come back.

    >>> one, two = make_product(0, 30, 20, 1), make_product(0, 30, 20, 1)
    >>> one.clicks == two.clicks and one.clicks == sorted(one.clicks, key=lambda click: click.ts)
    True
    """
    rng = random.Random(seed)
    product = Product(users=users + users // 5)
    end_ms = start_ms + days * DAY_MS
    encode = msgspec.json.Encoder().encode
    for index in range(product.users):
        name = f"user-{index:05d}"
        joins = start_ms + (rng.randrange(3 * DAY_MS) if index < users else rng.randrange(days * DAY_MS))
        for ts, kind, value, session in _life(rng, joins, end_ms, days, name, product):
            event = {"user": name, "ts": ts, "type": kind, "event_id": f"{index}-{ts}-{session}", "session": f"{index}-{session}"}
            event["channel"] = CHANNELS[index % len(CHANNELS)]
            if value:
                event["value"] = value
            product.clicks.append(Click(ts, name, encode(event)))
    product.clicks.sort(key=lambda click: (click.ts, click.user, click.payload))
    return product


def _life(rng: random.Random, joins: int, end_ms: int, days: int, name: str, product: Product) -> list[tuple[int, str, float, int]]:
    pause_days = min(max(rng.lognormvariate(0.1, 0.6), 0.3), 4.0)
    hour = rng.gauss(19, 2.5)
    roll = rng.random()
    leaves = joins + rng.randint(3, max(4, days - 5)) * DAY_MS if roll < 0.33 else None
    fades = roll < 0.165
    away = joins + rng.randint(8, max(9, days - 14)) * DAY_MS if 0.33 <= roll < 0.43 else None
    back = away + rng.randint(6, 12) * DAY_MS if away is not None else None
    events: list[tuple[int, str, float, int]] = []
    now, session = joins, 0
    while now < end_ms and (leaves is None or now < leaves):
        if away is not None and back is not None and away <= now < back:
            now = back
        fading = bool(fades and leaves and leaves - now < 10 * DAY_MS)
        ts = now
        for _ in range(1 + int(rng.expovariate(0.4 if not fading else 1.0))):
            if ts >= end_ms:
                break
            kind = rng.choices(("view", "click", "purchase", "error"), (6, 4, 0.3, 0.3 if not fading else 2.5))[0]
            events.append((ts, kind, round(rng.uniform(5, 80), 2) if kind == "purchase" else 0.0, session))
            ts += rng.randint(5_000, 240_000)
        session += 1
        gap = rng.expovariate(1 / (pause_days * (3.0 if fading else 1.0)))
        day = (now + int(max(gap, 0.2) * DAY_MS)) // DAY_MS * DAY_MS
        now = max(now + 2 * HOUR_MS, day + int(rng.gauss(hour, 1.5) % 24 * HOUR_MS))
    if leaves is not None and leaves < end_ms and events:
        product.left_ms[name] = events[-1][0]
    return events
