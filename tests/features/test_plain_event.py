"""Whatever the compiled pass accepts, the decoder accepts too, and reads it alike."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled.texts import Texts
from features.events.event import MAX_TS_MS, Rejected, check_user, decode_event, time_of
from features.events.plain_event import CHANNEL, EVENT_ID, ITEM, PROPS, SESSION, TYPE, USER, detail_places, read_plain

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
PLAIN = TEXT.filter(lambda text: not {'"', "\\"} & set(text))
ODD = TEXT | st.text(max_size=5)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=6,
)
FIELDS: dict[str, Any] = {
    "user": ODD | st.integers(),
    "ts": st.integers(-5, 10**16) | st.floats() | ODD,
    "type": ODD | st.none(),
    "event_id": st.none() | ODD | st.text("x", min_size=250, max_size=260),
    "session": st.none() | ODD | st.booleans(),
    "item": st.none() | ODD | st.integers(),
    "value": st.none() | st.integers(-(10**17), 10**17) | st.floats() | st.decimals(-1e6, 1e6, places=4).map(float) | TEXT,
    "channel": st.none() | ODD,
    "props": NESTED,
    "other": NESTED,
}
SOUND = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(-99, 99, places=2).map(float) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
USUAL = st.fixed_dictionaries(
    {"user": PLAIN.filter(bool), "ts": st.integers(1, 10**13).filter(lambda ts: ts <= MAX_TS_MS), "type": PLAIN},
    optional={
        "event_id": st.none() | PLAIN,
        "session": st.none() | PLAIN,
        "item": st.none() | PLAIN,
        "value": st.none() | st.integers(-(10**14), 10**14) | st.decimals(-1e6, 1e6, places=4).map(float),
        "channel": st.none() | PLAIN,
        "props": SOUND,
        "other": SOUND,
    },
)
SPACES = st.sampled_from([(",", ":"), (", ", " : "), ("\n,", ":\t")])
GOOD = (
    b'{"user": "ann", "ts": 1700000000000, "type": "click", "value": 12.50, "channel": null, "event_id": "e1", '
    b'"session": "s", "item": "sku 7", "props": {"a": [1, -0.5, true, null, {"b": "\\u00e9\\n"}], "": {}}}'
)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """A good event with one thing changed: a field, a name said twice, the blanks, one byte, the end; or nothing."""
    fields = dict(draw(USUAL))
    change = draw(st.sampled_from(["nothing", "field", "absent", "twice", "ascii", "byte", "cut"]))
    if change == "field":
        name = draw(st.sampled_from(sorted(FIELDS)))
        fields[name] = draw(FIELDS[name])
    elif change == "absent":
        del fields[draw(st.sampled_from(sorted(fields)))]
    raw = json.dumps(fields, ensure_ascii=change != "ascii", separators=draw(SPACES)).encode(errors="surrogatepass")
    if change == "twice":
        name = draw(st.sampled_from(sorted(FIELDS)))
        raw = raw[:-1] + b"," + json.dumps({name: draw(FIELDS[name])}).encode()[1:]
    elif change == "byte":
        at = draw(st.integers(0, len(raw) - 1))
        raw = raw[:at] + bytes([draw(st.integers(0, 255))]) + raw[at + 1 :]
    elif change == "cut":
        raw = raw[: draw(st.integers(0, len(raw)))]
    return raw


def same(payload: bytes) -> bool:
    """Compare with the decoder where the pass takes a payload; return whether it does."""
    payloads = Texts.of([payload])
    found = read_plain(payloads)
    if not found.usual[0]:
        return False
    event = decode_event(payload)
    check_user(event.user)
    texts = [
        None if at < 0 else payload[at:end].decode()
        for at, end in [(found.at[0, of], found.end[0, of]) for of in (USER, TYPE, EVENT_ID, CHANNEL)]
        + [(at[0], end[0]) for at, end in (detail_places(found, payloads, of) for of in (SESSION, ITEM, PROPS))]
    ]
    props = bytes(event.props).decode()
    assert texts == [
        event.user,
        event.type,
        event.event_id,
        event.channel,
        event.session,
        event.item,
        None if props in {"", "null"} else props,
    ]
    assert found.ts[0] == time_of(event.ts)
    value = found.value[0]
    assert math.isnan(value) if event.value is None else (value == event.value and math.copysign(1, value) == math.copysign(1, event.value))
    return True


def test_what_is_taken_is_what_the_decoder_says_and_most_of_what_is_tried_is_taken() -> None:
    reached: Counter[bool] = Counter()

    @settings(max_examples=1_500, deadline=None)  # the first one may compile
    @given(payloads())
    def compare(payload: bytes) -> None:
        reached[same(payload)] += 1

    compare()
    assert reached[True] >= reached.total() / 2, reached


@pytest.mark.parametrize(
    "payload",
    [
        GOOD.replace(b"12.50", b"-0"),
        GOOD.replace(b"12.50", b"012"),
        GOOD.replace(b"12.50", b"0.1000000000000000055"),
        GOOD.replace(b"12.50", b"1e5"),
        GOOD.replace(b'"ann"', b'"a\\nn"'),
        GOOD.replace(b"1700000000000", b"1700000000000.0"),
        GOOD[:-1] + b',"user":"bob"}',
        GOOD + b" x",
        GOOD.replace(b"[1,", b"[1.,"),
        GOOD.replace(b"[1,", b"[01,"),
        GOOD.replace(b"[1,", b"[,"),
        GOOD.replace(b"[1,", b"[1,,"),
        GOOD.replace(b"null,", b"nul,"),
        GOOD.replace(b"00e9", b"d800"),
        GOOD.replace(b"00e9", b"00g9"),
        GOOD.replace(b"\\n", b"\\x"),
        GOOD.replace(b"{}}}", b"{]}}"),
        GOOD.replace(b"{}}}", b"{}}"),
        GOOD.replace(b"{}}}", b"{},}}"),
        GOOD.replace(b'"": {}', b'"": {"a"}'),
        GOOD.replace(b'"": {}', b'"": NaN'),
        GOOD.replace(b'"": {}', b'"": 1e5'),
    ],
)
def test_what_needs_more_care_is_left_to_the_decoder(payload: bytes) -> None:
    assert payload != GOOD
    assert not same(payload)


@pytest.mark.parametrize("levels", [1, 59, 60, 61, 200])
def test_nesting_is_taken_up_to_a_bound(levels: int) -> None:
    for start, end in ((b"[", b"]"), (b'{"a":', b"}")):
        inner = b"" if start == b"[" else b"1"
        payload = GOOD.replace(b'{"b"', start * levels + inner + end * levels + b', {"b"').replace(b"[1, -0.5", b"[1")
        taken = read_plain(Texts.of([payload])).usual[0]
        assert taken == (levels + 2 <= 60)
        assert not taken or same(payload)


@pytest.mark.parametrize(
    "payload",
    [
        GOOD,
        GOOD.replace(b"12.50", b"-3"),
        GOOD.replace(b"12.50", b"0.1"),
        GOOD.replace(b"12.50", b"null"),
        GOOD.replace(b'"channel": null', b'"channel": "mail"'),
        GOOD.replace(b", ", b",").replace(b": ", b":"),
        GOOD.replace(b", ", b"\n , "),
        GOOD[:-1] + b',"page":"/home"}',
        GOOD[:-1] + b',"page":[{"a":{}},[[]],-1.5,"\\\\"]}',
        GOOD.replace(b'{"a"', b'"x", "more": {"a"'),
    ],
)
def test_usual_payloads_are_taken(payload: bytes) -> None:
    assert same(payload)


@settings(deadline=None)  # the first one may compile
@given(st.integers(0, 10**15 - 1), st.integers(0, 14))
def test_a_decimal_is_the_nearest_double(digits: int, after: int) -> None:
    text = str(digits).rjust(after + 1, "0")
    number = f"{text[: len(text) - after]}.{text[len(text) - after :]}" if after else text
    payload = GOOD.replace(b"12.50", number.encode())
    if len(text) <= 15:
        assert same(payload)
    found = read_plain(Texts.of([payload]))
    assert not found.usual[0] or found.value[0] == float(number)


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "ab", ""]), st.sampled_from([None, "", "a", "b"])), max_size=9))
def test_rows_of_one_kind_have_one_type_and_channel(kinds: list[tuple[str, str | None]]) -> None:
    rows = [json.dumps({"user": "u", "ts": 1, "type": kind, "channel": channel}).encode() for kind, channel in kinds]
    found = read_plain(Texts.of(rows))
    assert found.usual.all()
    assert [kinds[found.kinds[kind]] for kind in found.kind.tolist()] == kinds
    assert len(found.kinds) == len(set(kinds))


def test_further_kinds_are_left_to_the_decoder() -> None:
    rows = [b'{"user":"u","ts":1,"type":"t%d"}' % (i % 70) for i in range(140)]
    found = read_plain(Texts.of(rows))
    assert found.usual.tolist() == [i % 70 < 64 for i in range(140)]


@settings(deadline=None)  # the first one may compile
@given(st.lists(st.none() | st.binary(max_size=5)), st.integers(0, 5), st.integers(0, 5))
def test_texts_are_the_sequence_they_were_made_of(values: list[bytes | None], start: int, stop: int) -> None:
    texts = Texts.of(values)
    assert list(texts) == values
    assert list(texts[start:stop]) == values[start:stop]
    assert Texts.of(texts) is texts


@pytest.mark.parametrize("bad", [GOOD.replace(b"12.50", b"012"), GOOD[:-1], GOOD.replace(b'"ann"', b'""'), GOOD.replace(b"17", b"-17", 1)])
def test_what_the_decoder_refuses_is_not_taken(bad: bytes) -> None:
    with pytest.raises(Rejected):
        check_user((event := decode_event(bad)).user) or time_of(event.ts)
    assert not read_plain(Texts.of([bad])).usual[0]
