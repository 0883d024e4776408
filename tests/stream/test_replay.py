"""What becomes of dead letters that are sent again, before they are."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definitions.rules import NO_RULES, Rules
from features.events.columns import ColumnReader
from features.events.event import REJECTS, Reason
from features.users.spec import FeatureSpec
from stream.shard.dead_letters import DeadLetter, dead_letter, decode_dead_letter
from stream.shard.replay import Plan, in_words, plan_replay, with_event_id
from tests.poison import each, event

NOW_MS = 1_700_000_000_000


def letter(reason: Reason, payload: bytes | None, offset: int = 7, partition: int = 2) -> DeadLetter:
    return decode_dead_letter(dead_letter(partition, offset, reason, NOW_MS, payload).value)


def test_a_letter_gets_an_event_id_of_its_own_and_goes_to_its_user() -> None:
    plan = plan_replay([letter(Reason.unknown_type, event(NOW_MS, user="é", props={"a": [1]}))], NO_RULES, NOW_MS, {2: NOW_MS}, ())
    (one,) = plan.send
    assert one.key == "é".encode()
    assert json.loads(one.value) == json.loads(event(NOW_MS, user="é", props={"a": [1]})) | {"event_id": "dlq-2-7"}
    assert plan.late == 0


@pytest.mark.parametrize("own", ["e1", "", "dlq-0-0"])
def test_an_event_id_of_its_own_stays(own: str) -> None:
    payload = event(NOW_MS, event_id=own)
    assert plan_replay([letter(Reason.unknown_type, payload)], NO_RULES, NOW_MS, {}, ()).send[0].value == payload


@given(
    st.dictionaries(st.sampled_from(["event_id", "value", "props", "other"]), st.none() | st.integers(-9, 9) | st.lists(st.floats(-1, 1)))
)
def test_nothing_but_the_event_id_changes(fields: dict[str, object]) -> None:
    fields.pop("event_id", None)
    before = event(NOW_MS, **fields)
    assert json.loads(with_event_id(before, "x")) == json.loads(before) | {"event_id": "x"}


def test_what_was_sent_before_is_left_out_and_so_is_what_a_letter_has_only_the_beginning_of() -> None:
    letters = [letter(Reason.unknown_type, event(NOW_MS), offset) for offset in range(5)]
    letters.append(letter(Reason.unknown_type, event(NOW_MS, props="x" * 2_000), 9))
    plan = plan_replay(letters, NO_RULES, NOW_MS, {}, {("clicks", 2, 1), ("clicks", 2, 3), ("clicks", 1, 2)})
    assert [one.letter.offset for one in plan.send] == [0, 2, 4]
    assert (plan.sent_before, plan.cut) == (2, 1)


def test_what_would_be_rejected_again_is_left_out_with_its_reason() -> None:
    rules = Rules(strict_types=("click",), not_users=("bot",), oldest_ms=5)
    letters = [letter(reason, payload) for reason, payload in each(NOW_MS) if payload is None or len(payload) <= 1_024]
    letters.append(letter(Reason.unknown_type, event(NOW_MS, user="bot")))
    letters.append(letter(Reason.unknown_type, event(4)))
    plan = plan_replay(letters, rules, NOW_MS, {}, ())
    assert plan.rejected["user_reserved", "user"] == 1
    assert plan.rejected["ts_implausible", "ts"] >= 2
    assert plan.rejected["not_json", None] > 5
    assert plan.rejected["wrong_type", "user"] == 1
    values = [one.value for one in plan.send]
    assert not ColumnReader(FeatureSpec(), rules).read(values, [NOW_MS] * len(values)).code.any()
    said = "\n".join(in_words(plan, "unknown_type"))
    assert "1 would be rejected again (user_reserved, user): left out" in said
    assert "restart the workers first" in said


def test_those_behind_the_watermark_are_said_to_be_late_and_late_ones_are_not_sent_at_all() -> None:
    letters = [letter(Reason.unknown_type, event(NOW_MS - 1_000 * hour), hour) for hour in range(10)]
    plan = plan_replay(letters, NO_RULES, NOW_MS, {2: NOW_MS - 4_000}, ())
    assert (len(plan.send), plan.late) == (10, 5)
    assert any("5 of them are behind" in line and "dead letter of reason late" in line for line in in_words(plan, "unknown_type"))
    late = plan_replay([letter(Reason.late, event(NOW_MS))], NO_RULES, NOW_MS, {}, ())
    assert not late.send
    assert any("count them a second time" in line for line in in_words(late, "late"))


@given(st.binary(max_size=60), st.sampled_from(REJECTS))
def test_any_letter_has_one_fate(payload: bytes, reason: Reason) -> None:
    plan: Plan = plan_replay([letter(reason, payload)], NO_RULES, NOW_MS, {}, ())
    assert len(plan.send) + plan.sent_before + plan.cut + plan.applied + plan.rejected.total() == 1


def test_the_last_of_two_ids_is_the_one_the_reader_takes() -> None:
    twice = event(NOW_MS)[:-1] + b', "event_id": "a", "event_id": null}'
    value = with_event_id(twice, "dlq-0-1")
    assert msgspec.json.decode(value)["event_id"] == "dlq-0-1"
