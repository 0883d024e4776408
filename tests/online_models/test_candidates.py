"""Every candidate can run what it has learned as plain arrays, and goes on from its stored state. Compiled models score as River's own do."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics

from features.users.catalog import INDEX, WIDTH
from online_models.calibration import Calibrator
from online_models.candidate import Candidate
from online_models.catalog import CATALOG
from online_models.champion import FALL_BACK, Grades, Standing, choose
from online_models.drift import GROUP, DriftWatch
from online_models.logistic import Logistic
from online_models.memory import Memory
from online_models.network import Network
from online_models.plain import pack_arrays
from online_models.quality import FIGURES, Progress, Tally, first_day
from online_models.scorer import NetworkScorer, Scorer, log_odds, occlusion, platt
from online_models.tree_scorers import BoostingScorer, TreesScorer
from online_models.trees import AdaptiveTree
from online_models.unpacking import unpack

LEARNERS = [model.name for model in CATALOG if model.make is not None]


def made(name: str, seed: int = 0) -> Candidate:
    make = next(model.make for model in CATALOG if model.name == name)
    assert make is not None
    return make(seed, Memory(seed))


def teach(candidate: Candidate, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
    """Teach as the learner does: first the memory, for a candidate that looks back."""
    memory = getattr(candidate, "_memory", None)
    if memory is not None:
        memory.push(vectors, labels)
    candidate.learn(vectors, labels)


def scorer_of(candidate: Candidate) -> Scorer:
    scorer = candidate.scorer()
    assert scorer is not None
    return scorer


def lesson(n: int = 1_500, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Vectors, and labels that depend on two features together and on a third alone."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(0, 256, (n, WIDTH)).astype(np.uint8)
    a, b, c = (vectors[:, INDEX[name]].astype(float) / 255 - 0.5 for name in ("active_days_28", "active_recency_s", "tenure_days"))
    chance = 1 / (1 + np.exp(-(12 * a * b + 2 * c)))
    return vectors, (rng.random(n) < chance).astype(np.uint8)


def taught(candidate: Candidate, n: int = 1_500) -> Candidate:
    vectors, labels = lesson(n)
    for at in range(0, n, 100):
        teach(candidate, vectors[at : at + 100], labels[at : at + 100])
    return candidate


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_what_is_there_to_learn(name: str) -> None:
    vectors, labels = lesson(1_000, seed=7)
    risk = scorer_of(taught(made(name), 4_000)).risk(vectors)
    assert metrics.roc_auc_score(labels, risk) > 0.6


@pytest.mark.parametrize("name", LEARNERS)
def test_goes_on_from_its_state_as_if_nothing_was(name: str) -> None:
    candidate = taught(made(name))
    again = made(name, seed=99)
    again.restore(candidate.state())
    if hasattr(candidate, "_memory"):
        again._memory.restore(candidate._memory.state())  # type: ignore[attr-defined]
    vectors, labels = lesson(600, seed=2)
    for one in (candidate, again):
        teach(one, vectors, labels)
    assert np.array_equal(scorer_of(candidate).risk(vectors), scorer_of(again).risk(vectors))


@pytest.mark.parametrize("name", LEARNERS)
def test_packed_and_unpacked_it_scores_alike_whatever_the_batch(name: str) -> None:
    scorer = scorer_of(taught(made(name)))
    vectors, _ = lesson(300, seed=3)
    back = unpack(scorer.pack())
    whole = scorer.risk(vectors)
    assert np.array_equal(whole, back.risk(vectors))
    assert np.array_equal(whole, np.concatenate([back.risk(vectors[at : at + 7]) for at in range(0, 300, 7)]))
    assert np.allclose(scorer.terms(vectors[0]), back.terms(vectors[0]))
    assert ((whole >= 0) & (whole <= 1)).all()


def test_a_compiled_tree_gives_the_shares_of_rivers_leaves() -> None:
    candidate = AdaptiveTree(seed=1)
    taught(candidate, 4_000)
    vectors, _ = lesson(400, seed=4)
    compiled, river = candidate.scorer().risk(vectors), candidate.predict(vectors)
    # leaves are drawn towards their parents a little; the order of users is River's
    assert np.corrcoef(compiled, river)[0, 1] > 0.9
    assert np.abs(compiled - river).mean() < 0.08


def test_the_networks_arrays_are_the_network() -> None:
    network = Network(seed=1)
    taught(network)
    vectors, _ = lesson(50, seed=5)
    (w1, w2, w3), (b1, b2, b3) = network._mean.weights, network._mean.biases
    from online_models.design import design

    scaled = (design(vectors) - network._moments.mean) * network._moments.scale
    hidden = np.maximum(np.maximum(scaled @ w1 + b1, 0) @ w2 + b2, 0)
    plain = 1 / (1 + np.exp(-(hidden @ w3 + b3)[:, 0]))
    assert np.allclose(plain, network.scorer().risk(vectors), atol=1e-4)


def test_trees_that_lead_in_circles_are_refused() -> None:
    nodes = AdaptiveTree().scorer().nodes | {
        "roots": np.zeros(1, np.int64), "feature": np.zeros(1, np.int64), "threshold": np.zeros(1), "left": np.zeros(1, np.int64),
        "right": np.zeros(1, np.int64), "value": np.zeros(1),
    }  # fmt: skip
    with pytest.raises(ValueError, match="lead nowhere"):
        TreesScorer("circle", nodes, np.zeros(WIDTH, np.uint8))


def test_weights_that_are_no_numbers_are_refused() -> None:
    layers = taught(Network()).scorer()
    assert isinstance(layers, NetworkScorer)
    broken = dict(layers.layers) | {"b3": np.array([np.nan], np.float32)}
    with pytest.raises(ValueError, match="not finite"):
        NetworkScorer("broken", broken, layers.usual)


def test_reasons_by_occlusion_point_at_what_matters() -> None:
    scorer = taught(Network(), 4_000).scorer()
    usual = np.full(WIDTH, 128, np.uint8)
    vector = usual.copy()
    vector[INDEX["tenure_days"]] = 255
    terms = occlusion(scorer, vector, usual)
    assert int(np.argmax(terms)) == INDEX["tenure_days"]
    assert np.count_nonzero(terms) == 1


def test_river_says_what_the_tables_say() -> None:
    model = Logistic()
    taught(model)
    vectors, _ = lesson(200, seed=8)
    assert np.allclose(model.predict(vectors), model.scorer().risk(vectors), atol=1e-6)


# -- calibration -------------------------------------------------------------------------------------------------


def test_a_model_that_overstates_is_calibrated() -> None:
    rng = np.random.default_rng(1)
    truth = rng.beta(2, 5, 8_000)
    labels = (rng.random(8_000) < truth).astype(np.uint8)
    overstated = (1 / (1 + np.exp(-(2.5 * log_odds(truth) + 1)))).astype(np.float32)
    calibrator = Calibrator(4_096, 10.0)
    for at in range(0, 6_000, 250):
        calibrator.learn(overstated[at : at + 250], labels[at : at + 250])
    before, after = Tally(), Tally()
    before.add(labels[6_000:], overstated[6_000:])
    after.add(labels[6_000:], platt(overstated[6_000:], calibrator.slope, calibrator.shift))
    assert before.ece > 0.1
    assert after.ece < 0.03
    assert after.auc == pytest.approx(before.auc, abs=0.002)


# -- quality -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_sklearns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.beta(1, 3, 4_000)
    labels = (rng.random(4_000) < scores).astype(np.uint8)
    tally = Tally()
    for at in range(0, 4_000, 300):
        tally.add(labels[at : at + 300], scores[at : at + 300])
    got = tally.figures()
    assert got["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-3)
    assert got["pr_auc"] == pytest.approx(metrics.average_precision_score(labels, scores), abs=5e-3)
    assert got["log_loss"] == pytest.approx(metrics.log_loss(labels, scores), abs=1e-5)
    assert got["brier"] == pytest.approx(metrics.brier_score_loss(labels, scores), abs=1e-9)
    top = np.argsort(-scores)[:400]
    assert got["lift_10"] == pytest.approx(labels[top].mean() / labels.mean(), abs=0.05)
    edges = np.minimum((scores * 10).astype(int), 9)
    ece = sum(abs(scores[edges == b].mean() - labels[edges == b].mean()) * (edges == b).mean() for b in range(10) if (edges == b).any())
    assert got["ece"] == pytest.approx(ece, abs=1e-9)


def test_a_first_day_is_told_from_a_second() -> None:
    from features.users.catalog import scale_tables
    from features.users.vector import code_vector

    raw, coded = np.zeros(WIDTH), np.zeros((3, WIDTH), np.uint8)
    assert scale_tables().shape[0] == WIDTH
    for row, days in enumerate((1, 2, 30)):
        raw[INDEX["active_days_total"]] = days
        code_vector(raw, coded[row])
    assert first_day(coded).tolist() == [True, False, False]


# -- who serves --------------------------------------------------------------------------------------------------


def graded(**means: float) -> Grades:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, 1_000)
    return Grades({name: mean + noise * (1 + index / 10) for index, (name, mean) in enumerate(means.items())})


def test_the_rule_serves_until_there_are_grades_then_the_mix() -> None:
    standing = Standing()
    assert choose(standing, None, "mix") is None
    change = choose(standing, graded(cadence=0.6, mix=0.6), "mix")
    assert (standing.champion, change and change.why) == ("mix", "enough labels")


def test_a_challenger_must_be_clearly_better_and_twice() -> None:
    standing = Standing("mix", begun=True)
    close, clear = graded(cadence=0.7, mix=0.5, tree=0.47), graded(cadence=0.7, mix=0.5, tree=0.42)
    assert choose(standing, close, "mix") is None
    assert choose(standing, clear, "mix") is None
    assert choose(standing, close, "mix") is None, "a check that it does not win begins the probation anew"
    assert choose(standing, clear, "mix") is None
    assert choose(standing, clear, "mix") is not None
    assert standing.champion == "tree"


def test_a_champion_that_is_worse_than_the_rule_goes_at_once() -> None:
    standing = Standing("tree", begun=True)
    change = choose(standing, graded(cadence=0.5, mix=0.5, tree=0.5 * (1 + 3 * FALL_BACK)), "mix")
    assert (standing.champion, change and change.why) == ("cadence", "worse than the rule")


def test_the_mix_goes_only_when_it_is_broken() -> None:
    standing = Standing("mix", begun=True)
    assert choose(standing, graded(cadence=0.5, mix=0.55), "mix") is None
    assert choose(standing, graded(cadence=0.5, mix=0.7), "mix") is not None
    assert standing.champion == "cadence"


def test_the_mix_is_back_as_soon_as_the_newest_labels_are_for_it() -> None:
    standing = Standing("cadence", begun=True)
    rng = np.random.default_rng(0)
    mix = np.concatenate([np.full(750, 0.9), np.full(250, 0.4)]) + rng.normal(0, 0.02, 1_000)
    grades = Grades({"cadence": np.full(1_000, 0.5), "mix": mix})
    assert grades.means["mix"] > grades.means["cadence"], "over the whole window it is worse"
    assert [choose(standing, grades, "mix") is None for _ in range(2)] == [True, False]
    assert standing.champion == "mix"
    assert choose(standing, grades, "mix") is None, "and it stays"


def test_whom_a_person_wants_serves_and_stays() -> None:
    standing = Standing("mix", begun=True)
    grades = graded(cadence=0.5, mix=0.5, tree=0.9)
    assert choose(standing, grades, "mix", "boosting") is None
    assert choose(standing, grades, "mix", "tree") is not None
    assert choose(standing, grades, "mix", "tree") is None
    assert standing.champion == "tree"


# -- drift -------------------------------------------------------------------------------------------------------


def losses(rng: np.random.Generator, days: int, share: float = 0.3) -> npt.NDArray[np.float64]:
    """Log-losses of a calibrated model over some days of 200 users each, with a weekly wave that is no drift."""
    chunks = []
    for day in range(days):
        p = rng.beta(2, 5, 200)
        y = rng.random(200) < np.clip(p * share / 0.286 * (1 + 0.05 * np.sin(2 * np.pi * day / 7)), 0, 1)
        chunks.append(-np.where(y, np.log(p), np.log1p(-p)))
    return np.concatenate(chunks)


def test_no_false_alarm_in_thirty_stationary_runs() -> None:
    alarms = 0
    for seed in range(30):
        watch = DriftWatch()
        alarms += watch.feed(losses(np.random.default_rng(seed), 120))
    assert alarms == 0


def test_a_change_is_found_soon() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        watch = DriftWatch()
        assert not watch.feed(losses(rng, 60))
        assert watch.feed(losses(rng, 30, share=0.55)), seed


def test_a_watch_goes_on_from_its_state() -> None:
    rng = np.random.default_rng(5)
    one, again = DriftWatch(), DriftWatch()
    one.feed(losses(rng, 40)[: 40 * 200 - GROUP // 2])
    again.restore(one.state())
    rest = losses(rng, 30, share=0.6)
    assert [one.feed(rest[at : at + 50]) for at in range(0, len(rest), 50)] == [
        again.feed(rest[at : at + 50]) for at in range(0, len(rest), 50)
    ]


def test_every_figure_has_a_heading_and_is_in_no_other_list() -> None:
    assert FIGURES.keys() == Tally().figures().keys()


def test_figures_by_segment_come_in_a_readable_order() -> None:
    progress = Progress(("ads",))
    vectors, labels = lesson(500, seed=12)
    for at in range(0, 500, 5):
        progress.add(labels[at : at + 5], np.random.default_rng(at).random(5), vectors[at : at + 5])
    names = list(progress.figures())
    assert names[:2] == ["all", "repeat days"]
    kinds = [name.split()[0] for name in names]
    assert kinds == sorted(kinds, key=["all", "repeat", "tenure", "score", "channel"].index)
    assert [name for name in names if name.startswith("score")] == ["score 0-.1", "score .1-.3", "score .3-.5", "score .5-.7", "score .7-1"]


def test_boosted_trees_are_the_walk_from_root_to_leaf_and_bad_ones_are_refused() -> None:
    rng = np.random.default_rng(4)
    feature, threshold = rng.integers(0, WIDTH, (5, 7)).astype(np.uint8), rng.integers(0, 256, (5, 7)).astype(np.uint8)
    value, usual = rng.normal(size=(5, 8)).astype(np.float32), np.zeros(WIDTH, np.uint8)
    scorer = BoostingScorer("boosting", feature, threshold, value, 0.25, usual)
    for vector, risk in zip(vectors := rng.integers(0, 256, (40, WIDTH)).astype(np.uint8), scorer.risk(vectors), strict=True):
        odds = 0.25
        for tree in range(5):
            node = 0
            while node < 7:
                node = 2 * node + (2 if vector[feature[tree, node]] > threshold[tree, node] else 1)
            odds += float(value[tree, node - 7])
        assert risk == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-6)
    for broken in ({"feature": np.full((5, 7), WIDTH, np.uint8)}, {"value": np.full((5, 8), np.nan, np.float32)}, {"value": value[:, :7]}):
        with pytest.raises(ValueError, match=r"lead nowhere|not finite"):
            unpack(msgspec.structs.replace(scorer.pack(), **pack_arrays(broken)))
