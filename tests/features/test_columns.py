from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled.texts import Texts
from features.definitions.rules import NO_RULES, Rules
from features.events.columns import ColumnReader, tick_columns
from features.events.event import MAX_FUTURE_MS, REJECTS, Reason, decode_event
from features.users.spec import FeatureSpec
from tests.poison import UNNAMED_TYPE, each, event

NOW_MS = 1_700_000_000_000
SPEC = FeatureSpec(key_events=("click",), channels=("mail",))
STRICT = Rules(strict_types=("click", "purchase"), not_users=("anonymous", "0", ""), oldest_ms=946_684_800_000)
POISON = list(each(NOW_MS))
PAYLOADS = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.sampled_from([payload for _, payload in POISON if payload is None or len(payload) < 2_000]),
    st.builds(lambda user, ts: event(ts, user=user), st.text(max_size=300), st.integers() | st.text(max_size=30)),
    st.builds(
        lambda back, value: event(NOW_MS - back, value=value), st.integers(0, 10**9), st.floats(allow_nan=False, allow_infinity=False)
    ),
)


DETAILED = st.fixed_dictionaries(
    {},
    optional={
        "session": st.none() | st.text(max_size=5),
        "item": st.none() | st.text(max_size=5),
        "props": st.none() | st.text(max_size=5) | st.lists(st.integers() | st.text(max_size=3), max_size=2) | st.just({}),
        "user": st.sampled_from(["ann", "a\u00e9"]),
        "other": st.just({"a": [1]}),
    },
)


@pytest.mark.parametrize(("reason", "payload"), POISON)
def test_each_poison_has_its_reason(reason: Reason, payload: bytes | None) -> None:
    columns = ColumnReader(SPEC, STRICT).read([payload], [NOW_MS])
    assert Reason(int(columns.code[0])) is reason
    assert list(columns.users) == [None]


def test_poison_covers_every_reason_of_a_payload() -> None:
    assert {reason for reason, _ in POISON} == set(REJECTS) - {Reason.late}


def test_counts_by_reason_are_exact_among_good_ones() -> None:
    mixed: list[bytes | None] = []
    for i, (_, payload) in enumerate(POISON):
        mixed += [event(NOW_MS - i, user=f"u{i}"), payload]
    columns = ColumnReader(SPEC, STRICT).read(mixed, [NOW_MS] * len(mixed))
    assert Counter(columns.code.tolist()) == Counter(reason for reason, _ in POISON) + Counter({Reason.ok: len(POISON)})
    assert list(columns.users)[::2] == [b"u%d" % i for i in range(len(POISON))]
    assert columns.ts[::2].tolist() == [NOW_MS - i for i in range(len(POISON))]


def test_what_is_set_aside_is_good_and_touches_nobody() -> None:
    rules = Rules(strict_types=("click",), not_users=("bot",), set_aside=("identify",))
    sent = [event(NOW_MS, type="identify"), event(NOW_MS, type="identify", user="bot"), event(NOW_MS), event(NOW_MS, type="view")]
    columns = ColumnReader(SPEC, rules).read(sent, [NOW_MS] * 4)
    assert [Reason(code) for code in columns.code] == [Reason.set_aside, Reason.user_reserved, Reason.ok, Reason.unknown_type]
    assert list(columns.users) == [None, None, b"ann", None]
    passed_on = ColumnReader(SPEC, rules.for_senders()).read(sent, [NOW_MS] * 4)
    assert [Reason(code) for code in passed_on.code] == [Reason.ok, Reason.user_reserved, Reason.ok, Reason.unknown_type]


def test_an_erasure_has_its_user_and_a_consent_only_if_it_grants() -> None:
    rules = Rules(set_aside=("erase", "consent"))
    sent = [event(NOW_MS, type="erase"), event(NOW_MS, type="consent"), event(NOW_MS, type="consent", props={"granted": False})]
    columns = ColumnReader(SPEC, rules).read([*sent, event(NOW_MS, type="erase", user="")], [NOW_MS] * 4)
    assert [Reason(code) for code in columns.code] == [Reason.erase, Reason.consent, Reason.set_aside, Reason.user_empty]
    assert list(columns.users) == [b"ann", b"ann", None, None]
    assert columns.ts.tolist() == [NOW_MS, NOW_MS, 0, 0]
    named = ColumnReader(SPEC, Rules()).read(sent[:1], [NOW_MS])
    assert Reason(int(named.code[0])) is Reason.ok  # an app that uses the type for itself


def test_a_large_batch_is_the_sum_of_its_records() -> None:
    payloads = [POISON[i % len(POISON)][1] if i % 7 == 0 else event(NOW_MS - i, user=f"u{i}") for i in range(2_057)]
    stamps = [NOW_MS + i for i in range(len(payloads))]
    whole = ColumnReader(SPEC, STRICT).read(payloads, stamps)
    each = [ColumnReader(SPEC, STRICT).read([payload], [stamp]) for payload, stamp in zip(payloads, stamps, strict=True)]
    assert whole.n == len(payloads)
    assert list(whole.users) == [part.users[0] for part in each]
    for name in ("ts", "append", "word", "value", "eid", "code", "tick", "ask"):
        np.testing.assert_array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in each]), strict=True)


@settings(max_examples=200)
@given(st.lists(PAYLOADS, max_size=12), st.integers(0, 12))
def test_never_raises_and_does_not_depend_on_the_batch(payloads: list[bytes | None], cut: int) -> None:
    whole = ColumnReader(SPEC).read(payloads, [NOW_MS] * len(payloads))
    assert whole.n == len(whole.users) == len(payloads)
    assert {Reason(code) for code in whole.code.tolist()} <= set(Reason) - {Reason.late, Reason.duplicate}
    parts = [ColumnReader(SPEC).read(part, [NOW_MS] * len(part)) for part in (payloads[:cut], payloads[cut:])]
    assert list(whole.users) == [*parts[0].users, *parts[1].users]
    for name in ("ts", "append", "word", "value", "eid", "code", "tick"):
        np.testing.assert_array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]), strict=True)


FIELDS: dict[str, Any] = {
    "event_id": st.none() | st.text(max_size=9),
    "value": st.none() | st.integers(-9, 9) | st.floats(-1e9, 1e9),
    "channel": st.sampled_from([None, "mail", "tv"]),
}


@given(
    st.lists(
        st.fixed_dictionaries(
            {"user": st.text(min_size=1, max_size=70), "type": st.sampled_from(["click", "purchase", "x"])}, optional=FIELDS
        )
    )
)
def test_columns_equal_the_fields_one_by_one(events: list[dict[str, Any]]) -> None:
    payloads = [json.dumps(one | {"ts": NOW_MS - i}, ensure_ascii=False).encode(errors="surrogatepass") for i, one in enumerate(events)]
    columns = ColumnReader(SPEC).read(payloads, [NOW_MS] * len(events))
    for i, one in enumerate(events):
        assert columns.code[i] == Reason.ok
        assert columns.users[i] == one["user"].encode()
        assert columns.ts[i] == NOW_MS - i
        assert columns.word[i] == SPEC.type_word(one["type"]) | SPEC.channel_bits(one.get("channel"))
        value, event_id = one.get("value"), one.get("event_id")
        assert math.isnan(columns.value[i]) if value is None else columns.value[i] == value
        assert columns.eid[i] == (0 if event_id is None else xxhash.xxh3_64_intdigest(event_id.encode()) or 1)


@pytest.mark.parametrize(("ts", "reason"), [(NOW_MS + MAX_FUTURE_MS, Reason.ok), (NOW_MS + MAX_FUTURE_MS + 1, Reason.future)])
def test_future_is_judged_against_the_record_s_own_stamp(ts: int, reason: Reason) -> None:
    assert ColumnReader(SPEC).read([event(ts)], [NOW_MS]).code[0] == reason


def test_a_type_is_unknown_only_where_the_configuration_is_strict() -> None:
    for rules, reason in ((NO_RULES, Reason.ok), (STRICT, Reason.unknown_type)):
        assert ColumnReader(SPEC, rules).read([event(NOW_MS, type=UNNAMED_TYPE)], [NOW_MS]).code[0] == reason


def test_keys_that_name_somebody_else_are_counted_whoever_read_the_payload() -> None:
    usual, other, bad = event(NOW_MS, user="ann"), event(NOW_MS, user="ann\u00e9"), b"{"
    keys = [b"ann", b"bob", None, "ann\u00e9".encode(), b"ann", b"bob"]
    payloads = [usual, usual, usual, other, other, bad]
    assert ColumnReader(SPEC).read(payloads, [NOW_MS] * len(payloads), Texts.of(keys)).foreign == 2


def test_a_flood_of_types_is_not_remembered() -> None:
    reader = ColumnReader(SPEC)
    payloads = [event(NOW_MS, type=f"t{i}") for i in range(70_000)]
    assert not reader.read(payloads, [NOW_MS] * len(payloads)).code.any()
    assert len(reader._words) == 65_536
    assert reader.read([event(NOW_MS, type="click")], [NOW_MS]).word[0] == SPEC.type_word("click")


@settings(max_examples=200)
@given(st.lists(PAYLOADS | st.builds(lambda fields: event(NOW_MS, **fields), DETAILED), max_size=12))
def test_details_equal_what_the_decoder_says_of_each_payload(payloads: list[bytes | None]) -> None:
    columns = ColumnReader(SPEC).read(payloads, [NOW_MS] * len(payloads))
    session, item, props = list(columns.session), list(columns.item), list(columns.props)
    assert len(session) == len(item) == len(props) == len(payloads)
    for i, payload in enumerate(payloads):
        if columns.code[i]:
            assert (session[i], item[i], props[i]) == (None, None, None)
            continue
        said = decode_event(payload)
        assert session[i] == (None if said.session is None else said.session.encode())
        assert item[i] == (None if said.item is None else said.item.encode())
        assert (props[i] or b"null") == (bytes(said.props) or b"null")


def test_a_tick_and_columns_made_elsewhere_have_no_details() -> None:
    assert list(tick_columns(7).item) == list(tick_columns(7).session) == list(tick_columns(7).props) == [None]


def test_a_record_that_is_late_keeps_its_details() -> None:
    columns = ColumnReader(SPEC).read([event(NOW_MS, item="sku")], [NOW_MS])
    columns.code[0] = Reason.late
    assert list(columns.item) == [b"sku"]
