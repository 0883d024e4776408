"""Whatever the compiled pass accepts, the decoder accepts too, and reads it alike."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.compiled.texts import Texts
from features.events.event import Rejected, check_user, decode_event, time_of
from features.events.plain_event import CHANNEL, EVENT_ID, TYPE, USER, read_plain

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
ODD = TEXT | st.text(max_size=5)
FIELDS: dict[str, Any] = {
    "user": ODD | st.integers(),
    "ts": st.integers(-5, 10**16) | st.floats() | ODD,
    "type": TEXT,
    "event_id": st.none() | ODD | st.text("x", min_size=250, max_size=260),
    "session": st.none() | TEXT | st.booleans(),
    "item": TEXT,
    "value": st.none() | st.integers(-(10**17), 10**17) | st.floats() | st.decimals(-1e6, 1e6, places=4).map(float) | TEXT,
    "channel": st.none() | TEXT,
    "props": st.none() | TEXT | st.dictionaries(TEXT, st.integers() | TEXT, max_size=2),
    "other": TEXT | st.integers(),
}
OBJECTS = st.fixed_dictionaries({}, optional=FIELDS)
GOOD = b'{"user": "ann", "ts": 1700000000000, "type": "click", "value": 12.50, "channel": null, "event_id": "e1"}'


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """An object of mostly the right fields; sometimes with other blanks, a field twice, or one byte changed."""
    fields = draw(OBJECTS) if draw(st.booleans()) else {"user": "ann", "ts": 1, "type": "x"} | draw(OBJECTS)
    text = json.dumps(
        fields, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([(",", ":"), (", ", " : "), ("\n,", ":\t")]))
    )
    raw = bytearray(text.encode(errors="surrogatepass"))
    if draw(st.integers(0, 4)) == 0:
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    if draw(st.integers(0, 9)) == 0:
        raw = raw[: draw(st.integers(0, len(raw)))]
    return bytes(raw)


def same(payload: bytes) -> bool:
    """Compare with the decoder where the pass takes a payload; return whether it does."""
    found = read_plain(Texts.of([payload]))
    if not found.usual[0]:
        return False
    event = decode_event(payload)
    check_user(event.user)
    texts = [
        None if found.at[0, of] < 0 else payload[found.at[0, of] : found.end[0, of]].decode() for of in (USER, TYPE, EVENT_ID, CHANNEL)
    ]
    assert texts == [event.user, event.type, event.event_id, event.channel]
    assert found.ts[0] == time_of(event.ts)
    value = found.value[0]
    assert math.isnan(value) if event.value is None else (value == event.value and math.copysign(1, value) == math.copysign(1, event.value))
    return True


@settings(max_examples=1_000, deadline=None)  # the first one may compile
@given(payloads())
@example(GOOD)
@example(GOOD.replace(b"12.50", b"-0"))
@example(GOOD.replace(b"12.50", b"012"))
@example(GOOD.replace(b"12.50", b"0.1000000000000000055"))
@example(GOOD.replace(b"12.50", b"1e5"))
@example(GOOD.replace(b'"ann"', b'"a\\nn"'))
@example(GOOD.replace(b"1700000000000", b"1700000000000.0"))
@example(GOOD.replace(b"}", b',"user":"bob"}'))
@example(GOOD + b" x")
def test_what_is_taken_is_what_the_decoder_says(payload: bytes) -> None:
    same(payload)


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
        GOOD.replace(b"}", b',"page":"/home"}'),
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
