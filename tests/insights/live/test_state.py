"""Which state the page is in, at each border between two, and which of two troubles wins."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from features.definitions.definition import DAY_MS
from features.store.app_spec import AppSpec
from features.users.spec import FeatureSpec
from insights.live.engine import EngineView
from insights.live.state import BATCHES, BEHIND, RULES, SILENT_MS, TONES, Clicks, Clock, Kind, Learning, State, state_of
from stream.shard.meta import ShardMeta

NOW = 1_700_000_000_000
HOUR_MS = 3_600_000
SPEC = AppSpec(spec=FeatureSpec(lateness_ms=HOUR_MS), cluster_id="c", topic_id="t", partitions=2)
VIEW = EngineView(
    SPEC, {0: ShardMeta(max_ms=NOW, totals={"ok": 9}), 1: ShardMeta(max_ms=NOW - 1, totals={"late": 1})}, reached=True, answered_ms=NOW
)
NOT_YET = EngineView(SPEC, {}, reached=True, answered_ms=NOW)
LEARNED = Learning(left=500, stayed=5_000, needed=200, batch=256, rule=False, version=7, first_ms=NOW - 60 * DAY_MS)
EARLY = Learning(left=50, stayed=900, needed=200, batch=256, rule=True, version=0, first_ms=NOW - 10 * DAY_MS - HOUR_MS)
FLOWING = Clicks(reached=True, quiet_ms=1_000, waiting=3, taken_per_s=100.0, workers=2)


def state(view: EngineView = VIEW, learning: Learning = LEARNED, clicks: Clicks | None = FLOWING, clock: Clock | None = None) -> State:
    return state_of(view, learning, NOW, clicks, clock)


def flowing(**changed: Any) -> Clicks:
    return FLOWING._replace(**changed)


def seen(**changed: Any) -> EngineView:
    return msgspec.structs.replace(VIEW, **changed)


ONLY_REJECTS = seen(metas={0: ShardMeta(totals={"not_json": 3})})
OLD_LOG = seen(metas={0: ShardMeta(max_ms=NOW - 300 * DAY_MS, totals={"ok": 9})})


def quiet(ms: int) -> tuple[EngineView, Clicks]:
    """Nothing has come for so long, and time has stood still since."""
    return seen(metas={0: ShardMeta(max_ms=NOW - ms, totals={"ok": 9})}), flowing(quiet_ms=ms)


@pytest.mark.parametrize(
    ("kind", "is_so", "is_not"),
    [
        ("redis", state(seen(reached=False)), state()),
        ("kafka", state(clicks=flowing(reached=False)), state(clicks=flowing(reached=True))),
        ("kafka", state(clicks=flowing(reached=False)), state(clicks=None)),  # not asked yet is no trouble
        ("no_worker", state(seen(spec=None, metas={})), state(NOT_YET)),
        ("unreadable", state(seen(unreadable=(1,))), state()),
        ("stopped", state(clicks=flowing(workers=0)), state(clicks=flowing(workers=1))),
        ("stopped", state(clicks=flowing(workers=0)), state(clicks=flowing(workers=None))),
        ("rejected", state(ONLY_REJECTS), state(NOT_YET)),
        ("behind", state(clicks=flowing(waiting=BEHIND)), state(clicks=flowing(waiting=BEHIND - 1))),
        ("no_events", state(NOT_YET), state()),
        ("no_events", state(NOT_YET, clicks=flowing(waiting=BEHIND - 1)), state(NOT_YET, clicks=flowing(waiting=BEHIND))),
        ("ended", state(OLD_LOG, clicks=flowing(quiet_ms=SILENT_MS)), state(OLD_LOG, clicks=flowing(quiet_ms=SILENT_MS - 1))),
        ("ended", state(*[quiet(HOUR_MS + 1)[0]], clicks=flowing(quiet_ms=SILENT_MS)), state(quiet(HOUR_MS)[0], clicks=flowing(quiet_ms=SILENT_MS))),
        ("ended", state(clicks=flowing(quiet_ms=SILENT_MS), clock=Clock(ticks=False)), state(clicks=flowing(quiet_ms=SILENT_MS))),
        ("silent", state(clicks=flowing(quiet_ms=SILENT_MS)), state(clicks=flowing(quiet_ms=SILENT_MS - 1))),
        ("silent", state(clicks=flowing(quiet_ms=SILENT_MS)), state(clicks=flowing(quiet_ms=None))),
        ("silent", state(clicks=flowing(quiet_ms=30 * 60_000 - 1)), state(clicks=flowing(quiet_ms=30 * 60_000))),
        ("going_on", state(clicks=flowing(quiet_ms=30 * 60_000)), state(clicks=flowing(quiet_ms=30 * 60_000 - 1))),
        ("warming", state(learning=EARLY), state(learning=LEARNED)),
        ("warming", state(learning=EARLY._replace(left=199)), state(learning=EARLY._replace(left=200))),
        ("warming", state(learning=EARLY._replace(left=900, stayed=199)), state(learning=EARLY._replace(left=900, stayed=200))),
        ("no_trainer", state(learning=EARLY._replace(left=256, stayed=(BATCHES - 1) * 256)), state(learning=EARLY._replace(left=256, stayed=(BATCHES - 1) * 256 - 1))),
        ("no_trainer", state(learning=LEARNED._replace(version=0)), state(learning=LEARNED._replace(version=1))),
        ("well", state(), state(seen(reached=False))),
        ("well", state(learning=LEARNED._replace(rule=True)), state(learning=EARLY)),  # the rule serves because it was better
    ],
)  # fmt: skip
def test_each_border(kind: Kind, is_so: State, is_not: State) -> None:
    assert is_so.kind == kind
    assert is_not.kind != kind


def test_every_state_can_be_reached_and_has_a_tone() -> None:
    assert [rule.kind for rule in RULES] == list(get_args(Kind))
    assert TONES.keys() == set(get_args(Kind))


def test_of_two_troubles_the_one_to_mend_first_wins() -> None:
    """Each trouble is added to all those after it in the table."""
    no_worker = EngineView(None, {}, reached=True, answered_ms=NOW)
    assert state(seen(reached=False), EARLY, flowing(reached=False)).kind == "redis"
    assert state(no_worker, EARLY, flowing(reached=False)).kind == "kafka"
    assert state(no_worker, EARLY, flowing(workers=0)).kind == "no_worker"
    assert state(ONLY_REJECTS, EARLY, flowing(workers=0, waiting=BEHIND, quiet_ms=HOUR_MS)).kind == "stopped"
    assert state(ONLY_REJECTS, EARLY, flowing(waiting=BEHIND, quiet_ms=HOUR_MS)).kind == "rejected"
    assert state(NOT_YET, EARLY, flowing(waiting=BEHIND, quiet_ms=HOUR_MS)).kind == "behind"
    assert state(OLD_LOG, EARLY, flowing(waiting=BEHIND, quiet_ms=HOUR_MS)).kind == "behind"
    assert state(OLD_LOG, EARLY, flowing(quiet_ms=HOUR_MS)).kind == "ended"
    assert state(learning=EARLY, clicks=flowing(quiet_ms=10 * 60_000)).kind == "silent"
    assert state(learning=EARLY, clicks=flowing(quiet_ms=10 * HOUR_MS)).kind == "going_on"


def test_when_each_will_be_over() -> None:
    assert state(clicks=flowing(waiting=6_000)).until_ms == NOW + 60_000  # at 100 a second
    assert state(clicks=flowing(waiting=6_000, taken_per_s=0.0)).until_ms is None
    assert state(clicks=flowing(quiet_ms=22 * 60_000)).until_ms == NOW + 8 * 60_000  # time is held for half an hour
    assert state(clicks=flowing(quiet_ms=22 * 60_000)).quiet_ms == 22 * 60_000
    assert state(clicks=flowing(quiet_ms=50 * 60_000)).until_ms == NOW - 20 * 60_000  # since when it goes on
    assert state().until_ms is None


def test_the_model_is_expected_at_the_pace_of_the_outcomes_that_are_scarcer() -> None:
    as_of_ms = VIEW.as_of_ms
    assert as_of_ms == NOW - 1 - HOUR_MS
    early = EARLY._replace(first_ms=as_of_ms - 10 * DAY_MS)
    assert state(learning=early).until_ms == as_of_ms + 30 * DAY_MS  # 50 in 10 days, 150 are missing
    assert state(learning=early._replace(left=900, stayed=100)).until_ms == as_of_ms + 10 * DAY_MS


def test_before_the_first_outcome_the_date_is_that_of_the_first_one() -> None:
    first_ms = NOW + 3 * DAY_MS
    assert state(learning=Learning(first_ms=first_ms)).until_ms == first_ms
    assert state(learning=Learning(first_ms=None)).until_ms is None


@pytest.mark.parametrize(
    "learning",
    [
        EARLY._replace(left=0),  # of one kind none is known yet: no pace
        EARLY._replace(first_ms=NOW),  # all at one instant: no pace
        EARLY._replace(left=1, stayed=900),  # more than a year away
    ],
)
def test_a_date_that_cannot_be_known_is_not_said(learning: Learning) -> None:
    assert (state(learning=learning).kind, state(learning=learning).until_ms) == ("warming", None)
