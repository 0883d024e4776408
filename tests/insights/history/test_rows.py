"""Records as rows: every text as it was sent, nulls where there is none, rejects counted, lateness as the engine counts it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.events.columns import ColumnReader
from features.users.spec import FeatureSpec
from insights.history.live.rows import NEVER, SHORT, Read, read_rows
from tests.insights.history.topic import made_up

READER = ColumnReader(FeatureSpec())
ANY = st.sampled_from(["a", "ünï", 'q"\\', "x\x00", "\x00", "y" * (SHORT + 1), ""]) | st.none()
some_events = st.lists(
    st.fixed_dictionaries(
        {"user": st.sampled_from(["ann", "b\x00", "ü"]), "ts": st.integers(1_700_000_000_000, 1_700_000_000_020), "type": st.sampled_from(["view", "", "é"])},
        optional={"channel": ANY, "item": ANY, "session": ANY, "event_id": ANY, "value": st.sampled_from([1.5, 0, None]), "props": st.sampled_from([{}, {"a": [1]}, None])},
    ),
    max_size=12,
)  # fmt: skip


def read(payloads: Sequence[bytes], append: Sequence[int] | None = None, newest_ms: int = NEVER, lateness_ms: int = 0) -> Read:
    stamps = np.array(append if append is not None else [1_900_000_000_000] * len(payloads), np.int64)
    return read_rows(3, np.arange(10, 10 + len(payloads)), READER.read(payloads, stamps), newest_ms, lateness_ms)


def plain(read_: Read) -> list[dict[str, Any]]:
    names = ("user", "type", "channel", "item", "session", "value", "event_id", "props", "part", "off")
    rows = read_.rows.select(*names, ts=read_.rows["ts"].dt.epoch("ms")).to_dicts()
    return [row | {"props": None if row["props"] is None else json.loads(row["props"])} for row in rows]


def wanted(event: dict[str, Any], at: int) -> dict[str, Any]:
    texts = {name: event.get(name) for name in ("user", "type", "channel", "item", "session", "event_id", "ts", "value")}
    return texts | {"props": event.get("props") or None, "part": 3, "off": at}


@given(events=some_events, ascii_only=st.booleans())
def test_a_row_says_what_the_payload_says(events: list[dict[str, Any]], ascii_only: bool) -> None:
    found = read([json.dumps(event, ensure_ascii=ascii_only).encode() for event in events])
    assert plain(found) == [wanted(event, 10 + at) for at, event in enumerate(events)]
    assert not found.rejected


def test_what_is_no_event_is_counted_by_reason_and_is_no_row() -> None:
    payloads = [payload for _, payload in made_up(300)]
    found = read([*payloads, b"", b"[]"])
    broken = sum(payload == b"{broken" for payload in payloads)
    assert found.rejected == {"not_json": broken, "empty": 1, "wrong_type": 1}
    assert found.rows.height == 302 - found.rejected.total()


@given(
    times=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20),
    newest=st.sampled_from([NEVER, 1_700_000_000_010]),
    lateness=st.integers(0, 5),
)
def test_late_is_what_lies_before_the_watermark_that_stood_before_it(times: list[tuple[int, int]], newest: int, lateness: int) -> None:
    base, late, running = 1_700_000_000_000, 0, newest
    for ts, append in times:
        late += base + ts < running - lateness
        running = max(running, min(base + ts, base + append))
    payloads = [json.dumps({"user": "ann", "ts": base + ts, "type": "x"}).encode() for ts, _ in times]
    found = read(payloads, [base + append for _, append in times], newest, lateness)
    assert (found.late, found.newest_ms) == (late, running)
