from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definitions.definition import DAY_MS
from stream.alerts.message import SCHEMA_ID, Alert, ReasonCode, alert_id, decode_alert, entry_of
from stream.position import EVENT_DUE, OPENED, RESOLVED, Position, has_position, position_of
from tests.simulation.run import Simulation

SCHEMA = json.loads(files("stream.alerts").joinpath("alert.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FACTS = st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=3), st.integers(-9, 9))
LANDMARK_MS = 1_700_000_000_000
ALERT = Alert(
    alert_id=alert_id("shop", "churn14", "ann", LANDMARK_MS),
    type="opened",
    cause=None,
    user="ann",
    definition="churn14",
    risk=0.81,
    threshold=0.7,
    horizon_ms=14 * DAY_MS,
    landmark_ms=LANDMARK_MS,
    valid_until_ms=LANDMARK_MS + 14 * DAY_MS,
    event_time_ms=LANDMARK_MS,
    scored_ms=LANDMARK_MS + 5,
    reasons=["No activity for 9.8 days; usually back within 23 hours", "26% of recent actions were errors", "Came through “ads”"],
    reason_codes=[
        ReasonCode("silence", 846_700.0, 82_800.0, "seconds"),
        ReasonCode("errors", 0.26, None, "share"),
        ReasonCode("channel", 1.0, None, "channel"),
    ],
    model="cadence",
    model_version=0,
    partition=3,
    input_offset=70,
)
RESOLVED_ALERT = msgspec.structs.replace(ALERT, type="resolved", cause="returned", risk=None, threshold=None, reasons=[], reason_codes=[])


def test_the_schema_is_one_and_names_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_ID
    assert list(SCHEMA["properties"]) == list(Alert.__struct_fields__)
    assert set(Alert.__struct_fields__) - set(SCHEMA["required"]) == {"reason_codes"}, "alerts of an older build are of the schema, too"
    code = SCHEMA["properties"]["reason_codes"]["items"]
    assert list(code["properties"]) == code["required"] == list(ReasonCode.__struct_fields__)


@pytest.mark.parametrize("alert", [ALERT, RESOLVED_ALERT])
def test_a_message_is_of_the_schema_and_comes_back(alert: Alert) -> None:
    entry = entry_of("shop", Position(70, LANDMARK_MS, "ann", OPENED), alert)
    VALIDATOR.validate(json.loads(entry.value))
    assert decode_alert(entry.value) == alert


def test_what_the_first_build_said_is_of_the_schema_and_is_read_without_codes() -> None:
    golden = json.loads((Path(__file__).parents[1] / "golden" / "first_build.json").read_text())
    values = [stored["value"] for stored in golden["outbox"] if stored["topic"] == "alerts"]
    assert [json.loads(value)["type"] for value in values] == ["opened", "resolved"]
    for value in values:
        VALIDATOR.validate(json.loads(value))
        alert = decode_alert(value.encode())
        assert alert.reason_codes == []
        assert alert.reasons == json.loads(value)["reasons"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cause": "returned"},
        {"risk": None},
        {"risk": 1.2},
        {"reasons": ["a", "b"]},
        {"reason_codes": []},
        {"reason_codes": [{"code": "silence", "now": None, "usual": None, "unit": "seconds"}] * 3},
        {"reason_codes": [{"code": "silence", "now": 1, "unit": "seconds"}] * 3},
        {"alert_id": "7"},
        {"user": ""},
        {"type": "resolved"},
        {"type": "closed"},
    ],
)
def test_the_schema_refuses_what_is_no_alert(wrong: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid(json.loads(entry_of("shop", Position(1, 1, "ann", OPENED), ALERT).value) | wrong)


@given(FACTS, FACTS)
def test_ids_are_equal_only_for_the_same_fact(one: tuple[str, str, str, int], other: tuple[str, str, str, int]) -> None:
    assert (alert_id(*one) == alert_id(*other)) == (one == other)


def test_the_id_is_written_in_stone() -> None:
    assert alert_id("shop", "churn14", "ann", LANDMARK_MS) == "e7f3eb7ba3ff61552815a7fbbbfe55e1"


@given(st.integers(0, 2**62), st.integers(-(2**62), EVENT_DUE), st.text(max_size=20), st.integers(0, 255))
def test_the_position_survives_the_headers(offset: int, due_ms: int, user: str, kind: int) -> None:
    position = Position(offset, due_ms, user, kind)
    entry = entry_of("shop", position, ALERT)
    assert has_position(entry.headers)
    assert position_of(entry.headers) == position
    assert not has_position([("ce_id", b"foreign")])


def test_headers_are_a_cloud_event_of_its_own_for_each_message() -> None:
    opened = dict(entry_of("shop", Position(70, LANDMARK_MS, "ann", OPENED), ALERT).headers)
    resolved = dict(entry_of("shop", Position(90, EVENT_DUE, "ann", RESOLVED), RESOLVED_ALERT).headers)
    assert (opened["ce_specversion"], opened["content-type"]) == (b"1.0", b"application/json")
    assert (opened["ce_type"], resolved["ce_type"]) == (b"churnwatch.alert.opened", b"churnwatch.alert.resolved")
    assert opened["ce_source"] == resolved["ce_source"]
    assert opened["ce_id"] != resolved["ce_id"]
    assert datetime.fromisoformat(opened["ce_time"].decode()).timestamp() * 1000 == LANDMARK_MS


@pytest.mark.simulation
def test_what_the_engine_says_is_of_the_schema_in_pairs_and_in_order() -> None:
    opened: dict[str, Alert] = {}
    resolved: dict[str, Alert] = {}
    for seed in range(3):
        simulation = Simulation(seed)
        simulation.run()
        for entries in simulation.world.alerts.values():
            assert all(before.position < after.position for before, after in pairwise(entries))
            for entry in entries:
                VALIDATOR.validate(json.loads(entry.value))
                alert = decode_alert(entry.value)
                assert position_of(entry.headers) == entry.position
                if alert.type == "opened":
                    opened[alert.alert_id] = alert
                else:
                    assert opened[alert.alert_id].user == alert.user
                    resolved[alert.alert_id] = alert
        opened.clear()
    assert resolved
