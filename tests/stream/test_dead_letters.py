from __future__ import annotations

import base64
import json
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events.event import REJECTS, WORDS, Reason
from stream.feedback.labels import BadLabel, read_label
from stream.position import DEAD_LETTER, EVENT_DUE, Position
from stream.shard.dead_letters import KEPT_BYTES, LABEL_REASONS, dead_label, dead_letter, decode_dead_letter
from tests.poison import each

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
    VALIDATOR.validate(json.loads(dead_label(70, reason, NOW_MS, payload)))
