"""What is said to stand out surely does: chance alone is seldom said, a true difference is, and the order of the rows changes nothing."""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from insights.web.crowd.found import Row
from insights.web.crowd.standing import highest_first, lowest_first

GROUP = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))


def rows_of(groups: list[tuple[int, int]]) -> list[Row]:
    return [{"group": f"g{at}", "value": did / n if n else None, "n": n} for at, (did, n) in enumerate(groups)]


def sure(rows: list[Row]) -> list[str]:
    return [one.row["group"] for one in lowest_first(rows) if one.at_most < 0]


def test_of_groups_that_do_not_differ_one_is_seldom_said_to_stand_out() -> None:
    """Of 600 products in which nothing was planted, no more than one in twenty, whatever the number of groups and their share; so, too, of features."""
    rng = np.random.default_rng(5)
    for groups, share in product((2, 5, 12), (0.05, 0.5)):
        told = sum(bool(sure(rows_of([(int(rng.binomial(n, share)), n) for n in (200,) * groups]))) for _ in range(600))
        assert told <= 0.05 * 600 + 3 * (0.05 * 0.95 * 600) ** 0.5, (groups, share)
    noise = rng.standard_normal((600, 20))
    told = sum(
        highest_first([{"value": one, "low": one - 1.96, "high": one + 1.96} for one in of], nothing=0)[1] > 0 for of in noise.tolist()
    )
    assert told <= 0.05 * 600 + 3 * (0.05 * 0.95 * 600) ** 0.5


def test_a_group_that_truly_is_lower_stands_first_and_alone() -> None:
    assert sure(rows_of([(120, 200), (60, 200), (118, 200), (2, 3)])) == ["g1"]


@given(st.lists(GROUP, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(groups: list[tuple[int, int]], random: Random) -> None:
    rows = rows_of(groups)
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert set(sure(rows)) == set(sure(shuffled))


@given(st.lists(GROUP, max_size=8))
def test_whoever_is_surely_below_the_others_has_a_lower_share_and_others_are_those_that_are_left(groups: list[tuple[int, int]]) -> None:
    known = {f"g{at}": pair for at, pair in enumerate(groups) if pair[1]}
    found = lowest_first(rows_of(groups))
    assert {one.row["group"] for one in found} == set(known)
    for one in found:
        left = [pair for name, pair in known.items() if name != one.row["group"]]
        if left:
            assert abs(one.others - sum(did for did, _ in left) / sum(n for _, n in left)) < 1e-12
        assert one.at_most >= 0 or one.row["value"] < one.others
