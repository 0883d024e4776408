"""The best chain that the compiled pass finds is the one that trying every chain finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.passes.chains import FOREVER
from insights.analyses.passes.funnel import ORDERS, Shape, best_chains
from insights.analyses.passes.timelines import Timelines
from tests.oracles.analyses import funnel as oracle

DAY = 10
LOGS = st.lists(
    st.builds(
        oracle.Seen,
        st.integers(0, 25),
        st.frozensets(st.integers(0, 3), max_size=3),
        st.frozensets(st.integers(0, 1), max_size=1),
        st.none() | st.sampled_from("abc"),
    ),
    max_size=7,
)
EXCLUDE = st.lists(st.sampled_from([(0, 1), (1, 2), (0, 2), (2, 3)]), min_size=2, max_size=2)


def bits(numbers: frozenset[int]) -> int:
    return sum(1 << number for number in numbers)


def found(
    logs: list[list[oracle.Seen]], asked: oracle.Asked, cuts: list[int], value_step: int = 0
) -> dict[tuple[int, int], tuple[oracle.Answer, int]]:
    """What the pass says of each user and period, and the code of the value."""
    logs = [sorted(log, key=lambda e: e.at) for log in logs]
    whole = [e for log in logs for e in log]
    starts = np.cumsum([0, *map(len, logs)])
    lines = Timelines(
        np.arange(len(logs)), starts, np.array([e.at for e in whole], np.int64), np.array([bits(e.steps) for e in whole], np.int32), {}
    )
    shape = Shape(
        steps=asked.steps,
        order=ORDERS.index(asked.order),
        window=FOREVER if asked.window is None else asked.window,
        cuts=np.array(cuts, np.int64),
        within_period=asked.window is None,
        first_entry=asked.first_entry,
        exclude=np.array(asked.exclude, np.int64).reshape(-1, 2),
        value_step=value_step,
    )
    value = np.array([-1 if e.value is None else ord(e.value) for e in whole], np.int32)
    chains = best_chains(lines, np.array([bits(e.spoils) for e in whole], np.int32), value, shape)
    return {
        (int(line), int(period)): (oracle.Answer(int(n), tuple(map(int, times[: max(n, 1)])), int(deadline)), int(code))
        for line, period, n, times, deadline, code in zip(*chains, strict=True)
    }


@settings(max_examples=300, deadline=None)
@given(
    logs=st.lists(LOGS, max_size=3),
    steps=st.integers(1, 4),
    window=st.integers(0, 20),
    order=st.sampled_from(ORDERS),
    first=st.booleans(),
    value_step=st.integers(0, 2),
)
def test_a_chain_is_the_best_of_all(
    logs: list[list[oracle.Seen]], steps: int, window: int, order: str, first: bool, value_step: int
) -> None:
    asked = oracle.Asked(steps, window, 3, 20, order, first_entry=first)
    logs = [[e._replace(steps=frozenset(s for s in e.steps if s < steps)) for e in log] for log in logs]
    answers = found(logs, asked, [3, 20], value_step)
    for user, log in enumerate(logs):
        right = oracle.best(log, asked)
        answer, code = answers.get((user, 0), (None, -1))
        assert answer == right
        if right is not None:
            value = oracle.value_at(log, right.times, value_step, asked) if value_step < max(right.reached, 1) else ""
            assert code == (-2 if value == "" else -1 if value is None else ord(value))


@settings(max_examples=300, deadline=None)
@given(logs=st.lists(LOGS, max_size=3), steps=st.integers(2, 4), window=st.integers(0, 20), exclude=EXCLUDE)
def test_a_chain_with_exclusions_is_the_best_unspoiled_one(
    logs: list[list[oracle.Seen]], steps: int, window: int, exclude: list[tuple[int, int]]
) -> None:
    asked = oracle.Asked(steps, window, 0, 20, exclude=tuple((a, b) for a, b in exclude if b < steps))
    logs = [[e._replace(steps=frozenset(s for s in e.steps if s < steps)) for e in log] for log in logs]
    answers = found(logs, asked, [0, 20])
    for user, log in enumerate(logs):
        assert answers.get((user, 0), (None, 0))[0] == oracle.best(log, asked)


@settings(max_examples=100, deadline=None)
@given(logs=st.lists(LOGS, max_size=3), steps=st.integers(1, 3), window=st.none() | st.integers(0, 20), order=st.sampled_from(ORDERS))
def test_each_day_of_entry_has_its_own_answer(logs: list[list[oracle.Seen]], steps: int, window: int | None, order: str) -> None:
    logs = [[e._replace(steps=frozenset(s for s in e.steps if s < steps)) for e in log] for log in logs]
    answers = found(logs, oracle.Asked(steps, window, 0, 30, order), [0, 10, 20, 30])
    for user, log in enumerate(logs):
        for day in range(3):
            asked = oracle.Asked(steps, window, DAY * day, DAY * (day + 1), order, day=DAY)
            assert answers.get((user, day), (None, 0))[0] == oracle.best(log, asked)


def test_strict_uses_an_instant_between_whole() -> None:
    first, last = oracle.Seen(1, frozenset({0})), oracle.Seen(3, frozenset({2}))
    asked = oracle.Asked(3, 10, 0, 20, "strict")
    alone = [first, oracle.Seen(2, frozenset({1})), last]
    beside = [*alone, oracle.Seen(2, frozenset())]
    for log, reached in ((alone, 3), (beside, 2)):
        assert oracle.best(log, asked) == found([log], asked, [0, 20])[0, 0][0]
        assert found([log], asked, [0, 20])[0, 0][0].reached == reached
