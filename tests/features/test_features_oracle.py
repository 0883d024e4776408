"""Every row of the catalog equals the brute-force oracle on any log."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.definitions.calendar import offset_at, zone_table
from features.users.catalog import FEATURES, INDEX, NAMES, WIDTH, value_table
from features.users.state import init_state, state_dtype
from features.users.update import apply_event, apply_late
from features.users.vector import code_vector, raw_vector
from tests.oracles.features import DAY, GAP, Seen, features

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati")
BORDER_MS = 1_616_893_200_000  # 2021-03-28 01:00 UTC: summer time begins in Berlin
TOLERANCE = {"gap_z": 2e-3, "gap_spread": 2e-3, "gap_mean_s": 2e-3}


def word_of(e: Seen) -> int:
    return (15 if e.key is None else e.key) | e.revenue << 4 | e.error << 5 | e.step << 6 | e.channel << 10 | e.active << 16 | 1 << 24


def fast(arrived: list[Seen], t: int, zone: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = np.zeros(1, state_dtype(1))
    init_state(rows, 0, 0)
    table = zone_table(zone)
    for e in arrived:
        if e.late:
            apply_late(rows[0], e.ts, word_of(e))
        else:
            apply_event(rows[0], e.ts, word_of(e), math.nan if e.value is None else e.value, offset_at(*table, e.ts), GAP)
    raw = np.empty(WIDTH)
    raw_vector(rows[0], t, offset_at(*table, t), raw)
    return raw


def assert_same(arrived: list[Seen], t: int, zone: str) -> None:
    raw, expected = fast(arrived, t, zone), features(arrived, t, zone)
    assert expected.keys() == set(NAMES)
    wrong = []
    for name in NAMES:
        got, want = float(raw[INDEX[name]]), float(expected[name])
        same = (math.isnan(got) and math.isnan(want)) or math.isclose(got, want, rel_tol=TOLERANCE.get(name, 5e-4), abs_tol=2e-3)
        if not same:
            wrong.append(f"{name}: {got!r}, the oracle says {want!r}")
    assert not wrong, "\n".join(wrong)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Seen], int, str]:
    zone = draw(st.sampled_from(ZONES))
    now = BORDER_MS - draw(st.sampled_from([0, DAY, 40 * DAY]))
    arrived: list[Seen] = []
    newest = now
    steps = st.one_of(
        st.integers(0, 3 * 60_000), st.integers(0, 5 * 3_600_000), st.integers(0, 9 * DAY), st.sampled_from([400 * DAY, GAP, GAP - 1, DAY])
    )
    for _ in range(draw(st.integers(1, 25))):
        now += draw(steps)
        back = draw(st.sampled_from([0, 0, 0, 60_000, GAP, 3_600_000]))
        late = bool(arrived) and draw(st.integers(0, 9)) == 0
        arrived.append(
            Seen(
                ts=newest - 2 * 3_600_000 if late else now - back,
                key=draw(st.sampled_from([None, 0, 1, 7])),
                active=draw(st.booleans()),
                revenue=draw(st.booleans()),
                error=draw(st.booleans()),
                step=draw(st.integers(0, 3)),
                channel=draw(st.integers(0, 2)),
                value=draw(st.sampled_from([None, 0.0, 1.5, -3.0, 1e6])),
                late=late,
            )
        )
        newest = max(newest, arrived[-1].ts)
    t = max(e.ts for e in arrived) + draw(st.one_of(st.integers(0, DAY), st.integers(0, 90 * DAY)))
    return arrived, t, zone


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs())
@example(([Seen(BORDER_MS - 1), Seen(BORDER_MS + DAY)], BORDER_MS + DAY, "Europe/Berlin"))
@example(([Seen(BORDER_MS + day * DAY) for day in range(70)], BORDER_MS + 70 * DAY, "UTC"))
def test_equals_the_oracle(log: tuple[list[Seen], int, str]) -> None:
    assert_same(*log)


def test_hops_and_days_are_order_free() -> None:
    rng = np.random.default_rng(2)
    ts = np.sort(rng.integers(0, 30 * DAY, 200)) + BORDER_MS
    arrived = [Seen(int(one)) for one in ts]
    commutative = [INDEX[f.name] for f in FEATURES if f.order == "commutative"]
    straight = fast(arrived, int(ts[-1]), "UTC")
    swapped = arrived[:]
    for i in range(0, 198, 2):
        if ts[i + 1] - ts[i] < 3_600_000:
            swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
    assert np.allclose(straight[commutative], fast(swapped, int(ts[-1]), "UTC")[commutative], rtol=1e-4, equal_nan=True)


def test_stepik(shared_data: Path, full: bool) -> None:
    frame = pl.read_parquet(shared_data / "stepik" / "events.parquet").sort("ts", maintain_order=True)
    users = frame["user"].unique(maintain_order=True).to_list()
    chosen = set(users if full else users[:: len(users) // 150])
    rng = np.random.default_rng(1)
    for (_,), part in frame.filter(pl.col("user").is_in(chosen)).group_by("user", maintain_order=True):
        arrived = [
            Seen(ts, key=0 if kind == "correct" else 1, error=kind == "wrong") for ts, kind in zip(part["ts"], part["event"], strict=True)
        ]
        assert_same(arrived, arrived[-1].ts + int(rng.integers(0, 20 * DAY)), "UTC")


def test_codes_say_what_they_stand_for() -> None:
    """A code's value lies within half a step of what was coded, on the feature's own scale."""
    rng = np.random.default_rng(3)
    table = value_table()
    for index, feature in enumerate(FEATURES):
        raw = np.full(WIDTH, np.nan)
        for x in rng.uniform(feature.low, feature.high, 20):
            raw[index] = x
            code = np.zeros(WIDTH, np.uint8)
            code_vector(raw, code)
            again = np.zeros(WIDTH, np.uint8)
            raw[index] = table[index, code[index]]
            code_vector(raw, again)
            assert code[index] == again[index] > 0
            assert code[(index + 1) % WIDTH] == 0


def test_sums_of_money_stay_numbers_however_large_the_values() -> None:
    """Twenty events of 1e308 are beyond the doubles; a sum stops at the largest one, and what is taken off it counts again."""
    for values in ([1e308] * 20, [1e308] * 20 + [-1e308], [-1e308] * 20 + [5.0], [1e308, -1e308] * 3, [1e39, -1e39], [3e38, 3e38]):
        arrived = [Seen(BORDER_MS + i * 60_000, key=0, revenue=True, value=value) for i, value in enumerate(values)]
        raw = fast(arrived, arrived[-1].ts, "UTC")
        expected = features(arrived, arrived[-1].ts, "UTC")
        assert raw[INDEX["revenue"]] == expected["revenue"] < math.inf
        assert 0 <= raw[INDEX["key_0_value"]] < math.inf
        code = np.zeros(WIDTH, np.uint8)
        code_vector(raw.copy(), code)
        top = np.zeros(WIDTH, np.uint8)
        code_vector(np.full(WIDTH, 1e12), top)
        for name in ("revenue", "key_0_value"):
            assert code[INDEX[name]] > 0, f"{name} of {values} is missing"
            if raw[INDEX[name]] > 1e12:
                assert code[INDEX[name]] == top[INDEX[name]], f"{name} of {values} is not the largest"
