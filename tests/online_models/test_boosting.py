"""One tree against a brute force that looks at every split of every node."""

from __future__ import annotations

import numpy as np

from online_models.boosting import BITS, CELLS, DEPTH, L2, LEAST_WEIGHT, LEAVES, RATE, _grow_tree


def test_a_tree_has_the_best_split_of_every_node() -> None:
    rng = np.random.default_rng(3)
    codes = (rng.random((3_000, 7)) ** 3 * 255).astype(np.uint8)
    rows, columns = np.flatnonzero(rng.random(3_000) < 0.7), np.array([5, 0, 3, 6])
    risk = rng.uniform(0.2, 0.8, len(rows))
    slope, weight = risk - (rng.random(len(rows)) < codes[rows, 3] / 255), risk * (1 - risk)
    feature, threshold, value = np.zeros(LEAVES - 1, np.uint8), np.zeros(LEAVES - 1, np.uint8), np.zeros(LEAVES, np.float32)
    _grow_tree(codes, rows, columns, slope, weight, feature, threshold, value)

    members = {0: np.arange(len(rows))}  # node of a heap -> places in `rows`
    splits = 0
    for node in range(LEAVES - 1):
        inside = members[node]
        g, h = slope[inside].sum(), weight[inside].sum()
        best, found = g * g / (h + L2) + 1e-6, (0, 255)
        for column in columns.tolist():
            for cell in range(CELLS - 1):
                left = inside[codes[rows[inside], column] >> BITS <= cell]
                left_g, left_h = slope[left].sum(), weight[left].sum()
                gain = left_g**2 / (left_h + L2) + (g - left_g) ** 2 / (h - left_h + L2)
                if min(left_h, h - left_h) >= LEAST_WEIGHT and gain > best + 1e-9:
                    best, found = gain, (column, ((cell + 1) << BITS) - 1)
        assert (feature[node], threshold[node]) == found
        splits += found[1] < 255
        right = codes[rows[inside], found[0]] > found[1]
        members[2 * node + 1], members[2 * node + 2] = inside[~right], inside[right]
    assert splits >= 2 * DEPTH
    leaves = [members[LEAVES - 1 + leaf] for leaf in range(LEAVES)]
    np.testing.assert_allclose(value, [-RATE * slope[leaf].sum() / (weight[leaf].sum() + L2) for leaf in leaves], rtol=1e-5, atol=1e-7)
