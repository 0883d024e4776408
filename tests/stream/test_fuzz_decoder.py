"""Anything that a topic can hold, through the decoder and the shard: nothing stops them, and every record is counted once.

20 seconds in the usual run; CHURNWATCH_FUZZ_SECONDS says how many, such as 600.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from features.definitions.rules import NO_RULES, Rules
from features.events.columns import ColumnReader
from features.events.event import Reason
from features.store.memory import MemoryStore
from features.users.spec import FeatureSpec
from online_models.cadence import CadenceScorer
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from stream.outbox import unpack_entry
from stream.shard.causes import usual_cause
from stream.shard.dead_letters import DEAD_LETTERS, decode_dead_letter
from stream.shard.records import Records
from stream.shard.settings import ShardSettings
from stream.shard.step import Shard
from tests.poison import each, event

SECONDS = float(os.environ.get("CHURNWATCH_FUZZ_SECONDS", "20"))
ROUND = 60
"""Examples under one seed; the time is looked at between them."""
NOW_MS = 1_700_000_000_000
SPEC = FeatureSpec(key_events=("click",), channels=("mail",))
RULES = st.sampled_from([NO_RULES, Rules(strict_types=("click",), not_users=("0", "bot"), oldest_ms=NOW_MS - 10**9)])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["user", "ts", "type", "event_id", "session", "item", "value", "channel", "props", "other", ""])
TIMES = st.integers(NOW_MS - 10**10, NOW_MS + 10**6)
EVENTS = st.builds(
    lambda ts, fields: event(ts, **fields),
    TIMES | JSON,
    st.dictionaries(NAMES.filter(lambda name: name != "ts"), JSON | st.text(max_size=3), max_size=4),
)
SOUND = st.builds(
    lambda ts, user, kind, eid, value: event(ts, user=user, type=kind, event_id=eid, value=value),
    TIMES, st.sampled_from(["ann", "bob", "0", "é"]), st.sampled_from(["click", "view"]),
    st.none() | st.sampled_from(["a", "b"]), st.none() | st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
POISON = st.sampled_from([payload for _, payload in each(NOW_MS) if payload is None or len(payload) < 2_000])


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A payload with a few bytes changed, added or lost."""
    raw = bytearray(draw(EVENTS | SOUND))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        raw[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3) | st.sampled_from([b'"', b"\\u", b"{", b"]", b"e9", b"\x00"]))
    return bytes(raw)


PAYLOADS = (
    SOUND
    | EVENTS
    | spoiled()
    | POISON
    | st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
)


async def _through(shard: Shard, store: MemoryStore, records: Records) -> list[Any]:
    """Take all records; return the dead letters."""
    letters: list[Any] = []
    start = 0
    while start < records.columns.n:
        work = shard.advance(records, start)
        try:
            need = next(work)
            while True:
                need = work.send(await store.read(0, need))
        except StopIteration as end:
            step = end.value
        await store.commit(0, step.commit)
        shard.committed(step)
        start = step.taken
        letters += [decode_dead_letter(one.value) for one in map(unpack_entry, step.commit.outbox) if one.topic == DEAD_LETTERS]
    return letters


def check(batches: list[list[bytes | None]], rules: Rules) -> Counter[str]:
    """Read the batches as a shard does; return its outcomes."""
    store = MemoryStore(lambda: "n")
    champion = Champion(0, CadenceScorer(SPEC.definitions[0].horizon_ms))
    shard = Shard(ShardSettings("fuzz", 0, SPEC, PolicySettings(), capacity=64), asyncio.run(store.take(0, 1)), [champion])
    reader, sent = ColumnReader(SPEC, rules), 0
    for payloads in batches:
        columns = reader.read(payloads, np.full(len(payloads), NOW_MS, np.int64))
        assert columns.n == len(columns.users) == len(columns.code) == len(columns.item) == len(payloads)
        if payloads:
            offsets = np.arange(sent, sent + len(payloads))
            letters = asyncio.run(_through(shard, store, Records(columns, offsets, payloads, sent + len(payloads))))
            assert all(letter.reason in Reason.__members__ and usual_cause(letter) for letter in letters)
            rejected = (columns.code != Reason.ok) & (columns.code != Reason.duplicate)
            assert [letter.offset for letter in letters] == offsets[rejected].tolist()
            sent += len(payloads)
    totals = Counter(shard.meta.totals)
    assert totals.total() == sent
    assert set(totals) <= set(Reason.__members__)
    return totals


@pytest.mark.timeout(SECONDS + 240)
def test_no_payload_stops_the_shard_and_each_is_counted_once() -> None:
    until, outcomes = time.monotonic() + SECONDS, Counter[str]()
    for number in itertools.count():

        @seed(number)
        @settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.lists(PAYLOADS, max_size=12), min_size=1, max_size=3), RULES)
        def once(batches: list[list[bytes | None]], rules: Rules) -> None:
            outcomes.update(check(batches, rules))

        once()
        if time.monotonic() > until:
            break
    assert outcomes["ok"] > 100
    assert len(outcomes) > 12, outcomes
