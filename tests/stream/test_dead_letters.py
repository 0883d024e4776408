from __future__ import annotations

import base64
import json
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definitions.rules import Rules
from features.events.columns import ColumnReader
from features.events.event import REJECTS, WORDS, Reason
from features.users.spec import FeatureSpec
from stream.feedback.labels import BadLabel, read_label
from stream.position import DEAD_LETTER, EVENT_DUE, Position
from stream.shard.causes import usual_cause
from stream.shard.dead_letters import KEPT_BYTES, LABEL_REASONS, dead_label, dead_letter, decode_dead_letter
from tests.poison import each, event

SCHEMA = json.loads(files("stream.shard").joinpath("dead_letter.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize(("reason", "payload"), list(each(NOW_MS)))
def test_every_poison_makes_a_letter_of_the_schema(reason: Reason, payload: bytes | None) -> None:
    entry = dead_letter(3, 70, reason, NOW_MS, payload)
    VALIDATOR.validate(json.loads(entry.value))
    assert entry.position == Position(70, EVENT_DUE, "", DEAD_LETTER)
    assert dict(entry.headers)["cw-reason"] == reason.name.encode()
    assert entry == dead_letter(3, 70, reason, NOW_MS, payload)


@given(st.binary(max_size=2 * KEPT_BYTES))
def test_the_first_kib_survives_byte_for_byte(payload: bytes) -> None:
    letter = decode_dead_letter(dead_letter(0, 0, Reason.not_json, NOW_MS, payload).value)
    assert letter.payload is not None
    assert base64.b64decode(letter.payload, validate=True) == payload[:KEPT_BYTES]
    assert letter.payload_bytes == len(payload)


def test_the_schema_names_every_reason_and_every_reason_has_words() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["reason"]["enum"] == [*(reason.name for reason in REJECTS), *LABEL_REASONS]
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize(
    ("payload", "field", "cause"),
    [
        (b"\x00\x00\x00\x00\x07\x06ann\x02", None, "Avro or Protobuf"),
        (b'\x00\x00\x00\x00\x07{"user": "ann"}', None, "JSON Schema framing"),
        (b"Obj\x01\x04\x16avro.schema", None, "an Avro file"),
        (b"\x1f\x8b\x08\x00", None, "compressed by hand"),
        (b"\xef\xbb\xbf" + event(NOW_MS), None, "byte order mark"),
        (event(NOW_MS).decode().encode("utf-16"), None, "UTF-16"),
        (event(NOW_MS, user="?").replace(b"?", b"\xe9"), None, "Latin-1"),
        (event(NOW_MS) + b"\n" + event(NOW_MS), None, "several events in one record"),
        (b"[" + event(NOW_MS) + b"]", None, "a list of events"),
        (json.dumps(event(NOW_MS).decode()).encode(), None, "encoded twice"),
        (b"{'user': 'ann'}", None, "single quotes"),
        (b"ann,1700000000000,click", None, "CSV"),
        (event(NOW_MS)[:-9], None, "cut off"),
        (b"hello", None, "no JSON"),
        (event(NOW_MS, value=float("nan")), "value", "NaN or Infinity"),
        (event(NOW_MS, props={"a": [float("inf")]}), "props", "NaN or Infinity"),
        (event(NOW_MS, other=float("inf")), None, "NaN or Infinity"),
        (b'{"before": null, "after": {"user": "ann"}, "op": "c"}', "user", "Debezium"),
        (b'{"schema": {}, "payload": {"user": "ann"}}', "user", "Kafka Connect"),
        (b'{"user_id": "ann", "ts": 1, "type": "click"}', "user", "name it user"),
        (b'{"user": "ann", "timestamp": 1, "type": "click"}', "ts", "name it ts"),
        (b'{"user": "ann", "ts": 1, "event": "click"}', "type", "name it type"),
        (event(NOW_MS, user=7), "user", "a number where text is asked"),
        (event(NOW_MS, item=7), "item", "a number where text is asked"),
        (event(NOW_MS, user=None), "user", "null"),
        (event(NOW_MS, session={}), "session", "nested"),
        (event(NOW_MS, channel=True), "channel", "true or false"),
        (event(NOW_MS + 0.5), "ts", "whole milliseconds"),
        (event(str(NOW_MS)), "ts", "in quotes: leave"),
        (event("2024-02-29 12:00"), "ts", "without its zone"),
        (event(NOW_MS, value="9.5"), "value", "text where a number is asked"),
        (event(NOW_MS // 1000), "ts", "seconds since the epoch"),
        (event(0), "ts", "never set"),
        (event(NOW_MS * 1000), "ts", "microseconds"),
        (event(NOW_MS * 10**6), "ts", "nanoseconds"),
        (event(-5), "ts", "before 1970"),
        (event("1999-01-01T00:00:00Z"), "ts", "features.oldest"),
        (event(NOW_MS + 3_600_000), "ts", "the broker's is behind"),
        (event(NOW_MS, type="other"), "type", "features.strict_types"),
        (event(NOW_MS, user="0"), "user", "features.not_users"),
        (event(NOW_MS, user=""), "user", "empty"),
        (None, None, "no value"),
    ],
)
def test_a_letter_names_the_field_and_what_such_a_payload_usually_is(payload: bytes | None, field: str | None, cause: str) -> None:
    rules = Rules(strict_types=("click",), not_users=("0",), oldest_ms=946_684_800_000)
    reason = Reason(int(ColumnReader(FeatureSpec(), rules).read([payload], [NOW_MS]).code[0]))
    assert reason is not Reason.ok
    entry = dead_letter(3, 70, reason, NOW_MS, payload)
    VALIDATOR.validate(json.loads(entry.value))
    letter = decode_dead_letter(entry.value)
    assert letter.field == field
    assert cause in usual_cause(letter)


@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode), st.sampled_from(REJECTS))
def test_any_payload_has_a_field_or_none_and_a_cause(payload: bytes, reason: Reason) -> None:
    entry = dead_letter(0, 0, reason, NOW_MS, payload)
    VALIDATOR.validate(json.loads(entry.value))
    assert usual_cause(decode_dead_letter(entry.value))


GOOD = {"user": "ann", "definition": "contract", "landmark_ms": NOW_MS, "label": 1, "matured_ms": NOW_MS + 1}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, "label_invalid"),
        (b"", "label_invalid"),
        (b"\xff", "label_invalid"),
        (b"[" * 60_000, "label_invalid"),
        (b"{" + b" " * 70_000 + b"}", "label_invalid"),
        (json.dumps(GOOD | {"label": 2}).encode(), "label_invalid"),
        (json.dumps(GOOD | {"label": None}).encode(), "label_invalid"),
        (json.dumps(GOOD | {"user": ""}).encode(), "label_invalid"),
        (json.dumps(GOOD | {"landmark_ms": -1}).encode(), "label_invalid"),
        (json.dumps(GOOD | {"landmark_ms": 10**18}).encode(), "label_invalid"),
        (json.dumps(GOOD | {"matured_ms": NOW_MS}).encode(), "label_invalid"),
        (json.dumps({name: GOOD[name] for name in GOOD if name != "user"}).encode(), "label_invalid"),
        (json.dumps(GOOD | {"definition": "gone"}).encode(), "label_definition"),
    ],
)
def test_every_bad_label_makes_a_letter_of_the_schema(payload: bytes | None, reason: str) -> None:
    assert read_label(0, json.dumps(GOOD).encode(), ["contract"]).label == 1
    with pytest.raises(BadLabel) as bad:
        read_label(0, payload, ["contract"])
    assert bad.value.reason == reason
    VALIDATOR.validate(json.loads(dead_label(70, reason, NOW_MS, payload, bad.value.field)))
