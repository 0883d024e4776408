"""What is said of a user now is what a worker would state at this moment, whoever asks."""

from __future__ import annotations

import numpy as np

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.catalog import WIDTH
from features.users.landmarks import phase_of
from features.users.named import user_view
from features.users.spec import FeatureSpec
from features.users.state import init_state, state_dtype
from features.users.update import apply_event
from features.users.vector import write_vector
from online_models.cadence import CadenceScorer
from online_models.registry import MemoryRegistry
from stream.ownership.served import ModelSource, risk_now

START = 1_700_000_000_000


def test_the_risk_is_that_of_the_vector_a_worker_would_write() -> None:
    definitions = (ChurnDefinition(name="a"), ChurnDefinition(name="b", horizon_ms=30 * DAY_MS))
    spec = FeatureSpec(definitions=definitions)
    rows = np.zeros(1, state_dtype(2))
    init_state(rows, 0, phase_of("ann"))
    for n in range(12):
        apply_event(rows[0], START + n * DAY_MS // 3, spec.type_word("click"), float("nan"), 0, spec.session_gap_ms)
    at_ms = START + 4 * DAY_MS
    vector = np.zeros(WIDTH, np.uint8)
    write_vector(rows[0], at_ms, 0, np.empty(WIDTH), vector)
    said = risk_now(user_view("ann", rows[0], ["a", "b"], at_ms, "UTC", 0), ModelSource(MemoryRegistry(), definitions, spec.hash, b"k"))
    assert [one.definition.name for one in said] == ["a", "b"]
    for one in said:
        np.testing.assert_array_equal(one.vector, vector)
        assert one.champion.version == 0
        assert one.risk == float(CadenceScorer(one.definition.horizon_ms).risk(vector[None])[0])
