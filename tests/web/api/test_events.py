"""Which events of a batch are taken: as a worker would take them, with the ids that a file would give, and from Segment's calls as from its export."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.answers import Verdict
from features.definitions.rules import Rules
from features.events.columns import ColumnReader
from features.events.event import MAX_FUTURE_MS, Reason
from features.files.event_json import EventIds, payloads
from features.users.spec import FeatureSpec
from insights.web.api.events import MOST_EVENT_BYTES, Message, judged
from insights.web.api.segment import event_of, name_of
from tests.features.files.reading import NOW_MS, read, text

RULES = Rules(strict_types=None, not_users=("anonymous",), oldest_ms=946_684_800_000)
READER = ColumnReader(FeatureSpec(), RULES)
TS = NOW_MS - 86_400_000


def judge(*events: Any, reader: ColumnReader = READER) -> tuple[list[Verdict], list[Message]]:
    return judged([one if isinstance(one, bytes) else json.dumps(one).encode() for one in events], reader, NOW_MS)


def click(**fields: Any) -> dict[str, Any]:
    return {"user": "ann", "ts": TS, "type": "click", **fields}


def test_one_that_is_wrong_spoils_no_other() -> None:
    verdicts, messages = judge(click(event_id="a"), {"user": "ann"}, b"7", click(event_id="b", user="bob"))
    assert [one.status for one in verdicts] == ["accepted", "rejected", "rejected", "accepted"]
    assert [(one.reason, one.field) for one in verdicts] == [(None, None), ("missing_field", "ts"), ("wrong_type", None), (None, None)]
    assert [(one.key, json.loads(one.value)["event_id"]) for one in messages] == [(b"ann", "a"), (b"bob", "b")]


@pytest.mark.parametrize(
    ("event", "reason", "field"),
    [
        (click(user=""), "user_empty", "user"),
        (click(user="u" * 257), "user_too_long", "user"),
        (click(user=7), "wrong_type", "user"),
        (click(user="anonymous"), "user_reserved", "user"),
        (click(ts=NOW_MS + MAX_FUTURE_MS + 1), "future", "ts"),
        (click(ts=5), "ts_implausible", "ts"),
        (click(ts=-5), "ts_out_of_range", "ts"),
        (click(ts="yesterday"), "wrong_type", "ts"),
        (click(ts="2026-03-14T09:00:00"), "wrong_type", "ts"),
        (click(value="9.5"), "wrong_type", "value"),
        (click(props="x" * MOST_EVENT_BYTES), "too_large", None),
        (b'{"user": "ann", "ts": 1700000000000, "type": "click", "value": 1e999}', "not_finite", "value"),
        (b'{"user": "\xff", "ts": 1700000000000, "type": "click"}', "not_utf8", None),
        (b'{"user": "ann", "ts": 1700000000000, "type": "click", "props": ' + b"[" * 70 + b"]" * 70 + b"}", "too_deep", None),
    ],
)  # fmt: skip
def test_what_is_rejected_and_why(event: Any, reason: str, field: str | None) -> None:
    verdicts, messages = judge(event)
    assert [(one.status, one.reason, one.field) for one in verdicts] == [("rejected", reason, field)]
    assert verdicts[0].says
    assert not messages


def test_rules_of_the_app_hold() -> None:
    strict = ColumnReader(FeatureSpec(), Rules(strict_types=("click",)))
    verdicts, _ = judge(click(), click(type="view"), reader=strict)
    assert [(one.reason, one.field) for one in verdicts] == [(None, None), ("unknown_type", "type")]


SOME = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64), st.floats(), st.text(max_size=5), st.sampled_from(["", "ann", "2026-03-14T09:00:00Z", TS, "9"])
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["user", "ts", "type", "value", "event_id", "item", "session", "channel", "props", "x"]), SOME),
        max_size=12,
    )
)
def test_what_is_sent_is_what_a_worker_accepts(events: list[dict[str, Any]]) -> None:
    payload = [json.dumps(click(**one)).encode() for one in events]
    verdicts, messages = judged(payload, READER, NOW_MS)
    codes = READER.read(payload, [NOW_MS] * len(payload)).code
    assert [one.reason for one in verdicts] == [None if code == Reason.ok else Reason(code).name for code in codes]
    sent = READER.read([one.value for one in messages], [NOW_MS] * len(messages))
    assert not sent.code.any()
    assert list(sent.users) == [one.key for one in messages]
    assert all(sent.eid), "each has an id"
    accepted = [one for one, verdict in zip(payload, verdicts, strict=True) if verdict.status == "accepted"]
    before = READER.read(accepted, [NOW_MS] * len(accepted))
    assert (sent.ts.tolist(), sent.word.tolist()) == (before.ts.tolist(), before.word.tolist())
    assert [msgspec.json.decode(one.value)["event_id"] for one in messages] == [
        one.event_id for one in verdicts if one.event_id is not None
    ]


def test_an_event_with_an_id_is_sent_as_it_came() -> None:
    raw = b'{ "user": "ann", "ts": 1700000000000, "type": "click", "event_id": "x", "more": [1, 2] }'
    _, messages = judge(raw)
    assert messages[0].value == raw


def test_a_retry_has_the_same_ids_and_two_alike_are_two() -> None:
    events = [click(), click(), click(value=1.5), click(ts=TS - 1), click(item="i"), click(user="bob"), click(event_id="mine")]
    (first, _), (second, _) = judge(*events), judge(*events)
    ids = [one.event_id for one in first]
    assert ids == [one.event_id for one in second]
    assert len(set(ids)) == len(ids)
    assert ids[1] == f"{ids[0]}-1"


def test_ids_are_those_that_a_file_of_the_same_events_gets() -> None:
    events = [
        {"user": "ann", "ts": TS + 5, "type": "click", "value": None, "item": None},
        {"user": "ann", "ts": TS, "type": "purchase", "value": 9.5, "item": "i"},
        {"user": "zoë", "ts": TS, "type": "purchase", "value": 1e21, "item": None},
        {"user": "ann", "ts": TS, "type": "purchase", "value": 9.5, "item": "i"},
    ]
    frame = pl.DataFrame(events, schema={"user": pl.String, "ts": pl.Int64, "type": pl.String, "value": pl.Float64, "item": pl.String})
    in_order = frame.with_columns(file=pl.lit(0), n=pl.int_range(pl.len())).sort("ts", maintain_order=True)
    _, values = payloads(in_order.drop("n"), EventIds())
    from_file = {n: json.loads(value)["event_id"] for n, value in zip(in_order["n"].to_list(), values, strict=True)}
    verdicts, _ = judge(*events)
    assert [one.event_id for one in verdicts] == [from_file[n] for n in range(len(events))]


def test_a_time_as_text_gives_the_id_of_the_same_time_as_a_number() -> None:
    (number, _), (words, _) = judge(click(ts=1_773_478_800_000)), judge(click(ts="2026-03-14T09:00:00Z"))
    assert number[0].event_id == words[0].event_id


CALLS: list[dict[str, Any]] = [
    {"type": "track", "event": "Order Completed", "userId": "ann", "timestamp": "2026-03-14T09:00:00.123Z", "messageId": "m1",
     "properties": {"revenue": 9.5, "product_id": "p1", "x": [1, {"y": None}]}, "context": {"campaign": {"source": "ads"}}},
    {"type": "page", "name": "Home", "anonymousId": "a-1", "timestamp": "2026-03-14T09:00:01+02:00", "messageId": "m2", "properties": {}},
    {"type": "identify", "userId": 7, "anonymousId": "a-1", "originalTimestamp": "2026-03-14T09:00:02Z", "traits": {"email": "x"}},
    {"type": "track", "event": "Paid", "userId": " é ", "timestamp": "2026-03-14T09:00:03Z", "properties": {"value": "12.50", "sku": 77}},
    {"type": "track", "event": "Free", "userId": "bob", "timestamp": "2026-03-14T09:00:04Z", "messageId": "null", "properties": {"total": "n/a"}},
    {"type": "track", "userId": "", "anonymousId": "only", "timestamp": "2026-03-14T09:00:05Z", "event": "X", "messageId": ""},
    {"type": "screen", "userId": 7.0, "timestamp": "2026-03-14T09:00:06Z", "properties": {"revenue": 0, "product_id": ""}},
    {"type": "track", "event": "", "userId": "carl", "timestamp": "2026-03-14T09:00:07Z"},
]  # fmt: skip
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "track", "event": "X", "timestamp": "2026-03-14T09:00:00Z"}, "missing_field", "userId"),
    ({"type": "track", "event": "X", "userId": "ann"}, "missing_field", "timestamp"),
    ({"userId": "ann", "timestamp": "2026-03-14T09:00:00Z"}, "missing_field", "type"),
    ({"type": "track", "event": "X", "userId": ["ann"], "timestamp": "2026-03-14T09:00:00Z"}, "wrong_type", "userId"),
    ({"type": "track", "event": "X", "userId": True, "timestamp": "2026-03-14T09:00:00Z"}, "wrong_type", "userId"),
    ({"type": "track", "event": "X", "userId": "ann", "timestamp": "2026-03-14"}, "wrong_type", "timestamp"),
    ({"type": "track", "event": "X", "userId": "ann", "timestamp": "2026-03-14T09:00:00Z", "properties": {"revenue": "much"}}, "wrong_type", "properties.revenue"),
]  # fmt: skip


def test_a_call_over_http_is_the_event_that_a_segment_export_gives(tmp_path: Path) -> None:
    """Each column of the file's reader, which shares no code with the mapping of calls but the table of places."""
    keys = {
        "messageId": None,
        "userId": None,
        "anonymousId": None,
        "timestamp": None,
        "originalTimestamp": None,
        "type": None,
        "event": None,
    }
    every = {
        **keys,
        "context": {"campaign": {"source": None}},
        "properties": {"revenue": None, "value": None, "total": None, "product_id": None, "sku": None},
    }
    header = json.dumps(every)  # so that the file has every column
    file = text(tmp_path, "\n".join([header, *map(json.dumps, CALLS)]), "calls.jsonl")
    frame, _ = read(file)
    taken = [json.loads(event_of(json.dumps(call).encode())) for call in CALLS]
    verdicts, messages = judged([event_of(json.dumps(call).encode()) for call in CALLS], READER, NOW_MS)
    assert [one.status for one in verdicts] == ["accepted"] * len(CALLS)
    columns = READER.read([one.value for one in messages], [NOW_MS] * len(messages))
    assert frame["user"].to_list() == [user.decode() for user in columns.users if user is not None]
    assert frame["ts"].to_list() == columns.ts.tolist()
    for name in ("type", "value", "item", "channel", "event_id"):
        assert frame[name].to_list() == [one.get(name) for one in taken], name


@pytest.mark.parametrize(("call", "reason", "field"), WRONG)
def test_what_is_wrong_with_a_call_is_said_in_segments_words(call: dict[str, Any], reason: str, field: str) -> None:
    verdicts, _ = judged([event_of(json.dumps(call).encode())], READER, NOW_MS)
    assert [(one.reason, name_of(one.field)) for one in verdicts] == [(reason, field)]


@pytest.mark.parametrize("call", [b"7", b"[]", b"null", b'"x"', b"{", b"\xff", b"[" * 10_000])
def test_a_call_that_is_no_object_is_left_to_the_judge(call: bytes) -> None:
    verdicts, messages = judged([event_of(call)], READER, NOW_MS)
    assert verdicts[0].status == "rejected"
    assert not messages


def test_a_call_without_a_time_has_that_of_its_batch() -> None:
    call = {"type": "track", "event": "X", "userId": "ann"}
    made = event_of(json.dumps(call).encode(), "2026-03-14T09:00:00Z")
    assert json.loads(made)["ts"] == "2026-03-14T09:00:00Z"
    own = event_of(json.dumps(call | {"timestamp": "2026-03-13T09:00:00Z"}).encode(), "2026-03-14T09:00:00Z")
    assert json.loads(own)["ts"] == "2026-03-13T09:00:00Z"


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(SOME, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=20)
)
def test_no_call_breaks_the_mapping(value: Any) -> None:
    for place in itertools.chain(["userId", "timestamp", "type", "event", "properties", "context", "messageId"]):
        judged([event_of(json.dumps({"type": "track", "event": "X", "userId": "ann", place: value}).encode())], READER, NOW_MS)
