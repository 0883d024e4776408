from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events.event import (
    MAX_DEPTH,
    MAX_PAYLOAD_BYTES,
    MAX_TS_MS,
    Reason,
    Rejected,
    check_user,
    decode_event,
    depth_of,
    screen,
    time_of,
)
from tests.poison import event

SCHEMA = json.loads(files("features.events").joinpath("event.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def moments() -> st.SearchStrategy[datetime]:
    """Wall clocks whose instant lies within 1970 to 2100 in every zone."""
    return st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30))  # noqa: DTZ001 - the zone is the test's to choose


def verdict_of(payload: bytes | None) -> Reason:
    try:
        decoded = decode_event(payload)
        check_user(decoded.user)
        time_of(decoded.ts)
    except Rejected as rejected:
        return rejected.reason
    return Reason.ok


@given(st.one_of(st.binary(), st.text().map(str.encode), st.from_regex(rb'[\[\]{}":,\\0-9a-eNI ]*', fullmatch=True)))
def test_any_bytes_have_a_verdict(payload: bytes) -> None:
    assert verdict_of(payload) in Reason


@given(
    st.recursive(
        st.none() | st.text(alphabet='[]{}"\\a'),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_depth_is_that_of_the_parsed_value(value: Any) -> None:
    def depth(node: Any) -> int:
        inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    assert depth_of(json.dumps(value).encode()) == depth(value)


def test_depth_of_broken_text_is_bounded_work() -> None:
    assert depth_of(b'"' + b"\\" * MAX_PAYLOAD_BYTES) == 0
    assert depth_of(b'"\\"' * 20_000) == 0
    assert depth_of(b"]" * 100) == 0


@pytest.mark.parametrize(("levels", "verdict"), [(MAX_DEPTH - 1, Reason.ok), (MAX_DEPTH, Reason.too_deep)])
def test_depth_limit_is_exact(levels: int, verdict: Reason) -> None:
    inner: list[Any] = []
    for _ in range(levels - 1):
        inner = [inner]
    assert verdict_of(event(1, props=inner)) == verdict


def test_size_limit_is_exact() -> None:
    payload = event(1, props="").replace(b'"props": ""', b'"props": "%s"' % (b"x" * (MAX_PAYLOAD_BYTES - len(event(1, props="")))))
    assert len(payload) == MAX_PAYLOAD_BYTES
    assert screen(payload) is Reason.ok
    assert screen(payload + b" ") is Reason.too_large


@given(moments(), st.integers(-23 * 60, 23 * 60))
def test_rfc_3339_equals_milliseconds(moment: datetime, offset_minutes: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert time_of(there.isoformat()) == (there - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_a_bool_is_no_time_and_a_short_year_no_date() -> None:
    for ts in (True, "24-01-01T00:00:00Z", "2024-01-01", "", "2024-01-01T00:00:00", "2024-01-01T00:00:00+01"):
        assert verdict_of(event(ts)) is Reason.wrong_type


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, MAX_TS_MS + 5),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    st.text(max_size=5),
    st.text("x", min_size=255, max_size=257),
    moments().map(lambda moment: moment.isoformat() + "Z"),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.just(good) | JSON_VALUES
            for name, good in [("user", "ann"), ("ts", 1), ("type", "click"), ("event_id", "7"), ("value", 1.5)]
        }
        | dict.fromkeys(("session", "item", "channel", "props", "unread"), JSON_VALUES),
    )
    | JSON_VALUES
)
def test_schema_agrees_with_the_decoder(value: Any) -> None:
    assert VALIDATOR.is_valid(value) == (verdict_of(json.dumps(value).encode()) is Reason.ok)


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
