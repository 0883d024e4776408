"""What is said of a user now is what a worker would state at this moment, whoever asks; and why."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.catalog import WIDTH
from features.users.landmarks import phase_of
from features.users.named import UserView, user_view
from features.users.spec import FeatureSpec
from features.users.state import init_state, state_dtype
from features.users.update import apply_event
from features.users.vector import write_vector
from online_models.cadence import CadenceScorer
from online_models.registry import MemoryRegistry
from online_models.scorer import Champion
from stream.alerts.reasons import contributions
from stream.alerts.sentences import say
from stream.ownership.risk_now import NEWEST, RiskNow, risk_now
from stream.ownership.served import ModelSource
from tests.online_models.test_learning import SETTINGS, make_blocks, run

START = 1_700_000_000_000
AT_MS = START + 9 * DAY_MS
DEFINITIONS = (ChurnDefinition(name="gone"), ChurnDefinition(name="gone30", horizon_ms=30 * DAY_MS))
SPEC = FeatureSpec(definitions=DEFINITIONS, key_events=("click",))


def ann() -> tuple[UserView, np.ndarray]:
    """A user who came every eight hours and has been silent for five days, and the vector that a worker would write then."""
    rows = np.zeros(1, state_dtype(2))
    init_state(rows, 0, phase_of("ann"))
    for n in range(12):
        apply_event(rows[0], START + n * DAY_MS // 3, SPEC.type_word("click"), float("nan"), 0, SPEC.session_gap_ms)
    vector = np.zeros(WIDTH, np.uint8)
    write_vector(rows[0], AT_MS, 0, np.empty(WIDTH), vector)
    return user_view("ann", rows[0], [one.name for one in DEFINITIONS], AT_MS, "UTC", 0), vector


@pytest.fixture(scope="module")
def learned() -> ModelSource:
    """Models of a registry in which the first definition has a learned one, and the second none yet."""
    registry = MemoryRegistry()
    run(make_blocks(1, 1_500), registry, settings=replace(SETTINGS, models=("cadence", "logistic")))
    source = ModelSource(registry, DEFINITIONS, "spec", b"key")
    source.refresh()
    return source


def is_said_by(one: RiskNow, champion: Champion, vector: np.ndarray) -> None:
    assert (one.model, one.version) == (champion.scorer.name, champion.version)
    assert one.risk == float(champion.scorer.risk(vector[None])[0])
    assert (one.raises, one.lowers) == contributions(champion.scorer.terms(vector), vector, SPEC)


def test_the_risk_is_that_of_the_vector_a_worker_would_write() -> None:
    view, vector = ann()
    told = risk_now(view, ModelSource(MemoryRegistry(), DEFINITIONS, SPEC.hash, b"k"), SPEC)
    assert [one.definition for one in told] == list(DEFINITIONS)
    for one in told:
        is_said_by(one, Champion(0, CadenceScorer(one.definition.horizon_ms)), vector)


def test_each_definition_is_judged_by_its_own_champion(learned: ModelSource) -> None:
    view, vector = ann()
    first, second = risk_now(view, learned, SPEC)
    champions = learned.champions(NEWEST)
    is_said_by(first, champions[0], vector)
    is_said_by(second, champions[1], vector)
    assert first.version > 0
    assert second.version == 0


def test_what_raises_it_and_what_lowers_it_is_said_in_both_languages_and_nothing_is_both(learned: ModelSource) -> None:
    view, _ = ann()
    told = risk_now(view, learned, SPEC)
    assert any(one.raises for one in told)
    assert any(one.lowers for one in told)
    for one in told:
        assert all(odds > 0 for _, odds in one.raises)
        assert all(odds < 0 for _, odds in one.lowers)
        assert not {reason.code for reason, _ in one.raises} & {reason.code for reason, _ in one.lowers}
        for reason, _ in (*one.raises, *one.lowers):
            assert say(reason, SPEC, "en") != say(reason, SPEC, "zh")


@pytest.mark.parametrize("days", [3, 30])
def test_the_silence_is_that_of_the_views_time(days: int) -> None:
    view, _ = ann()
    late = msgspec.structs.replace(view, features={**view.features, "recency_s": days * 86_400.0, "active_recency_s": days * 86_400.0})
    first, _ = risk_now(late, ModelSource(MemoryRegistry(), DEFINITIONS, SPEC.hash, b"k"), SPEC)
    [silence] = [reason for reason, _ in first.raises if reason.code == "silence"]
    assert silence.now == pytest.approx(days * 86_400.0, rel=0.03)
