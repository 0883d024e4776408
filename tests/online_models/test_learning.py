"""The trainer learns each matured label once, in order of maturity, graded by the score it had on arrival; after any kill it goes on as if nothing had happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from features.definitions.definition import NO_LABEL
from features.users.catalog import INDEX, WIDTH
from online_models.checkpoint import CheckpointRefused, Header, seal, unseal, unseal_version
from online_models.example import LABEL, SNAPSHOT, ExampleBlock, Examples, concatenate, empty_examples, unpack_block
from online_models.logistic import Logistic
from online_models.registry import MemoryRegistry, RegistryStale, Save
from online_models.trainer import Gap, Trainer, TrainerSettings, UnknownDefinition
from stream.processes.trainer import Training

DAY = 86_400_000
SETTINGS = TrainerSettings({"gone": 14 * DAY}, batch=64, window=500, min_labels=50, publish_every=2)


def make_blocks(partitions: int = 2, per_partition: int = 1_500, seed: int = 0) -> list[tuple[int, ExampleBlock]]:
    """(broker stamp, block) in topic order: snapshots, and a day later their labels; churners are silent for long."""
    rng = np.random.default_rng(seed)
    blocks: list[tuple[int, ExampleBlock]] = []
    for partition in range(partitions):
        landmark = np.sort(rng.integers(0, 40 * DAY, per_partition))
        vectors = rng.integers(1, 256, (per_partition, WIDTH)).astype(np.uint8)
        chance = 1 / (1 + np.exp(-(vectors[:, INDEX["active_recency_s"]].astype(float) - 128) / 20))
        label = (rng.random(per_partition) < chance).astype(np.uint8)
        when = np.concatenate([landmark, landmark + DAY])
        kind = np.repeat([SNAPSHOT, LABEL], per_partition).astype(np.uint8)
        order = np.lexsort((kind, when))
        row = np.tile(np.arange(per_partition), 2)[order]
        items = Examples(
            kind=kind[order],
            definition=np.zeros(2 * per_partition, np.uint8),
            landmark_ms=landmark[row],
            matured_ms=landmark[row] + DAY,
            risk=np.zeros(2 * per_partition, np.uint16),
            model_version=np.zeros(2 * per_partition, np.uint32),
            flags=np.zeros(2 * per_partition, np.uint8),
            label=np.where(kind[order] == LABEL, label[row], NO_LABEL).astype(np.uint8),
            vectors=vectors[row],
            users=[f"p{partition}-{i}" for i in row],
        )
        at = 0
        while at < len(items):
            size = int(rng.integers(1, 120))
            part = items.take(slice(at, at + size))
            watermark = int(when[order][min(at + size, len(items)) - 1])
            blocks.append((watermark, ExampleBlock("0", partition, at, watermark, "spec", ["gone"], part)))
            at += size
    return sorted(blocks, key=lambda one: one[0])


def run(
    blocks: list[tuple[int, ExampleBlock]],
    registry: MemoryRegistry,
    kills: frozenset[int] = frozenset(),
    settings: TrainerSettings = SETTINGS,
) -> Training:
    packed = [(0, block.pack()) for _, block in blocks]  # one broker stamp: every shard is live
    training = Training(settings, registry, "spec", b"key")
    number = 0
    killed: set[int] = set()
    while number < len(packed):
        if number in kills and number not in killed:
            killed.add(number)
            training = Training(settings, registry, "spec", b"key")
            number = training.next_offset
            continue
        training.feed(number, *packed[number])
        number += 1
    return training


def test_learns_every_matured_label_once_and_beats_the_rule() -> None:
    blocks = make_blocks()
    training = run(blocks, MemoryRegistry())
    learner = training.trainer.learners["gone"]
    low = min(max(block.watermark_ms for _, block in blocks if block.partition == p) for p in (0, 1))
    matured = sum(int(((block.items.kind == LABEL) & (block.items.matured_ms < low)).sum()) for _, block in blocks)
    assert learner.learned + learner.waiting == matured
    sealed = training._registry.load("gone", learner.version)
    assert sealed is not None
    header, _ = unseal_version(sealed, b"key", "spec")
    assert header.champion != "cadence"
    losses = {name: row["log_loss"] for name, row in header.figures.items() if row["log_loss"] is not None}
    assert losses[header.champion] < losses["cadence"]


def test_killed_twenty_times_it_ends_where_the_undisturbed_one_does() -> None:
    blocks = make_blocks(seed=1)
    rng = np.random.default_rng(4)
    kills = frozenset(int(one) for one in rng.choice(len(blocks), 20, replace=False))
    probe = rng.integers(0, 256, (50, WIDTH)).astype(np.uint8)
    undisturbed, killed = run(blocks, MemoryRegistry()), run(blocks, MemoryRegistry(), kills)
    a, b = undisturbed.trainer.learners["gone"], killed.trainer.learners["gone"]
    assert (a.learned, a.churned, a.version, a.waiting) == (b.learned, b.churned, b.version, b.waiting)
    # a candidate that had learned nothing says NaN, which is no value to compare
    assert np.array_equal(a.score(probe), b.score(probe), equal_nan=True)
    assert (a.standing, a.figures()) == (b.standing, b.figures())


@pytest.mark.parametrize("batch", [8, 64, 200])
def test_another_step_size_after_a_restart_learns_everything_once(batch: int) -> None:
    blocks, registry = make_blocks(per_partition=300), MemoryRegistry()
    half = len(blocks) // 2
    before = run(blocks[:half], registry)
    assert before.trainer.learners["gone"].waiting > 8
    before.save()
    after = Training(replace(SETTINGS, batch=batch), registry, "spec", b"key")
    for number in range(after.next_offset, len(blocks)):
        after.feed(number, 0, blocks[number][1].pack())
    learner, whole = after.trainer.learners["gone"], run(blocks, MemoryRegistry()).trainer.learners["gone"]
    assert learner.learned + learner.waiting == whole.learned + whole.waiting
    assert learner.waiting < batch


def test_saved_and_restored_after_every_block_it_says_and_keeps_the_same() -> None:
    """This holds from the first block on, when nothing has been learned yet."""
    undisturbed, restored = Trainer(SETTINGS), Trainer(SETTINGS)
    for _, block in make_blocks(per_partition=400, seed=2):
        undisturbed.feed(block, 0)
        restored.feed(block, 0)
        saved = msgspec.Raw(msgspec.msgpack.encode(restored.state()))
        restored = Trainer(SETTINGS)
        restored.restore(saved)
    assert undisturbed.learners["gone"].learned > 200
    assert restored._kept.keys() == undisturbed._kept.keys()
    assert all(np.array_equal(one, undisturbed._kept[key], equal_nan=True) for key, one in restored._kept.items())
    probe = np.random.default_rng(3).integers(0, 256, (50, WIDTH)).astype(np.uint8)
    assert np.array_equal(*(one.learners["gone"].score(probe) for one in (undisturbed, restored)), equal_nan=True)


def test_stopped_in_the_middle_of_what_matured_at_once_it_goes_on_there() -> None:
    blocks = [block for _, block in make_blocks(per_partition=600, seed=5)]
    first, *others = (block for block in blocks if block.partition == 1)
    late = msgspec.structs.replace(others[-1], first_number=others[0].first_number, items=concatenate([one.items for one in others], WIDTH))
    log = [first, *(block for block in blocks if block.partition == 0), late]  # all that the other shard said waits for this one
    undisturbed, stopped = Trainer(SETTINGS), Trainer(SETTINGS)
    numbers: list[list[int]] = [[], []]
    for block in log:
        numbers[0] += [version.number for version in undisturbed.feed(block, 0)]
        numbers[1] += [version.number for version in stopped.feed(block, 0, after(2))]
    before = stopped.learners["gone"].learned
    while (ready := stopped.go_on(after(3))) or stopped.learners["gone"].learned < undisturbed.learners["gone"].learned:
        numbers[1] += [version.number for version in ready]
        saved = stopped.state()
        stopped = Trainer(SETTINGS)
        stopped.restore(saved)
    assert before + 512 < stopped.learners["gone"].learned == undisturbed.learners["gone"].learned
    assert numbers[0] == numbers[1] != []
    assert stopped._kept.keys() == undisturbed._kept.keys()
    probe = np.random.default_rng(3).integers(0, 256, (50, WIDTH)).astype(np.uint8)
    assert np.array_equal(*(one.learners["gone"].score(probe) for one in (undisturbed, stopped)), equal_nan=True)


def after(batches: int) -> Callable[[], bool]:
    """Asks to stop after so many batches."""
    asked = itertools.count()
    return lambda: next(asked) >= batches


def test_nothing_beyond_the_lowest_watermark_of_the_shards_is_learned() -> None:
    blocks = make_blocks(seed=2)
    alone = run(blocks, MemoryRegistry()).trainer.learners["gone"]
    assert alone.until_ms <= min(max(b.watermark_ms for _, b in blocks if b.partition == p) for p in (0, 1))


def test_repeats_are_dropped_and_a_gap_stops() -> None:
    blocks = make_blocks(partitions=1, seed=3)
    doubled = [one for block in blocks for one in (block, block)]
    once, twice = run(blocks, MemoryRegistry()), run(doubled, MemoryRegistry())
    assert once.trainer.learners["gone"].learned == twice.trainer.learners["gone"].learned
    with pytest.raises(Gap, match="expected"):
        run([blocks[0], blocks[2]], MemoryRegistry())


BOTH = replace(SETTINGS, horizons_ms={"gone": 14 * DAY, "longer": 30 * DAY})


def told_of_two(block: ExampleBlock) -> ExampleBlock:
    """The same block from a worker that follows a second definition, by which everybody was judged alike."""
    twice = np.repeat(np.arange(len(block.items)), 2)
    items = block.items.take(twice)
    items.definition = np.tile(np.array([0, 1], np.uint8), len(block.items))
    return msgspec.structs.replace(block, first_number=2 * block.first_number, definitions=["gone", "longer"], items=items)


def test_a_checkpoint_goes_on_with_a_definition_that_was_added() -> None:
    blocks = make_blocks(partitions=1, seed=7)
    half = len(blocks) // 2
    registry = MemoryRegistry()
    run(blocks[:half], registry)
    training = Training(BOTH, registry, "spec", b"key")
    number = training.next_offset
    for offset, (_, block) in enumerate(blocks[number:], number):
        training.feed(offset, 0, msgspec.structs.replace(block, definitions=["gone", "longer"]).pack())
    undisturbed, added = run(blocks, MemoryRegistry()).trainer.learners["gone"], training.trainer.learners
    probe = np.random.default_rng(1).integers(0, 256, (50, WIDTH)).astype(np.uint8)
    assert added["gone"].learned == undisturbed.learned
    assert np.array_equal(added["gone"].score(probe), undisturbed.score(probe), equal_nan=True)
    assert added["longer"].learned == 0


def test_a_worker_that_has_not_been_restarted_yet_takes_no_label_from_the_new_definition() -> None:
    """Two shards: one follows the new definition, the other does not know it; its blocks release what the first one's hold."""
    blocks = [(at, told_of_two(block) if block.partition == 0 else block) for at, block in make_blocks(seed=8)]
    learners = run(blocks, MemoryRegistry(), settings=BOTH).trainer.learners
    low = min(max(block.watermark_ms for _, block in blocks if block.partition == p) for p in (0, 1))
    for k, (name, learner) in enumerate(learners.items()):
        matured = sum(
            int(((block.items.kind == LABEL) & (block.items.definition == k) & (block.items.matured_ms < low)).sum()) for _, block in blocks
        )
        assert learner.learned + learner.waiting == matured > 0, name


def test_examples_of_a_definition_it_was_not_told_of_stop_the_trainer() -> None:
    _, block = make_blocks(partitions=1)[0]
    with pytest.raises(UnknownDefinition, match="workers' configuration"):
        run([(0, told_of_two(block))], MemoryRegistry())


def test_graded_by_the_score_of_arrival_not_by_what_is_known_at_maturity() -> None:
    """Labels are pure noise given the vector: a candidate that peeked would look better than a coin; an honest one cannot."""
    blocks = make_blocks(seed=5)
    rng = np.random.default_rng(9)
    for _, block in blocks:
        labels = block.items.kind == LABEL
        block.items.label[labels] = rng.integers(0, 2, int(labels.sum()))
    learner = run(blocks, MemoryRegistry()).trainer.learners["gone"]
    for name, tally in learner.totals.items():
        assert tally.loss / tally.n > np.log(2) * 0.98, name


def test_one_table_scores_as_river_does() -> None:
    rng = np.random.default_rng(1)
    model = Logistic()
    vectors = rng.integers(0, 256, (2_000, WIDTH)).astype(np.uint8)
    for at in range(0, 2_000, 100):
        model.learn(vectors[at : at + 100], (vectors[at : at + 100, 0] > 128).astype(np.uint8))
    assert np.allclose(model.predict(vectors), model.scorer().risk(vectors), atol=1e-6)
    assert np.isfinite(model.scorer().table).all()


class Counting(MemoryRegistry):
    """Counts saves."""

    saves = 0

    def save(self, save: Save) -> None:
        self.saves += 1
        super().save(save)


def test_a_trainer_that_may_hardly_save_publishes_the_newest_and_tells_what_happened_between() -> None:
    blocks, always, seldom = make_blocks(seed=6), Counting(), Counting()
    run(blocks, always)
    training = Training(SETTINGS, seldom, "spec", b"key", saving_share=1e-9)
    made = [version for number, (_, block) in enumerate(blocks) for version in training.feed(number, 0, block.pack())]
    assert seldom.saves == 1 < always.saves, "the first save is due at once, the next in a thousand million times its length"
    saved = training.save()["gone"]
    assert saved.number == made[-1].number == max(seldom.versions("gone"))
    assert sorted(seldom.versions("gone")) == [made[0].number, made[-1].number]
    assert saved.why == [version.why for version in made[1:] if version.why][-1] != ""
    assert len(saved.drifts) == sum(len(version.drifts) for version in made[1:])
    assert Training(SETTINGS, seldom, "spec", b"key").next_offset == len(blocks)


def test_an_erased_user_is_in_no_checkpoint_and_what_was_learned_stays() -> None:
    blocks = make_blocks()
    half = len(blocks) // 2
    trainer, number = Trainer(SETTINGS), 0
    for at, (_, block) in enumerate(blocks[:half]):
        trainer.feed(block, at)
        number = block.first_number + len(block.items) if block.partition == 0 else number
    kept = msgspec.msgpack.encode(trainer.state())
    users = sorted({user for _, block in blocks[:half] for user in block.items.users if user.encode() in kept}, key=len)[-20:]
    assert len(users) == 20
    learned = trainer.learners["gone"].learned
    watermark = trainer.state().watermarks[0][1]
    trainer.feed(
        ExampleBlock("0", 0, number, watermark, "spec", ["gone"], empty_examples(WIDTH), [(user, 50 * DAY) for user in users]), half
    )
    left = msgspec.msgpack.encode(trainer.state())
    # an id is written behind a byte that says its length
    assert not [user for user in users if bytes([0xA0 + len(user)]) + user.encode() in left]
    assert trainer.learners["gone"].learned >= learned
    again = Trainer(SETTINGS)
    again.restore(trainer.state())
    for at, (_, block) in enumerate(blocks[half:], half + 1):
        assert [one.labels for one in trainer.feed(block, at)] == [one.labels for one in again.feed(block, at)]


def test_blocks_survive_the_wire() -> None:
    _, block = make_blocks(partitions=1)[3]
    back = unpack_block(block.pack())
    assert back.items.users == block.items.users
    assert np.array_equal(back.items.vectors, block.items.vectors)
    assert (back.first_number, back.watermark_ms, back.partition) == (block.first_number, block.watermark_ms, block.partition)


class Said(msgspec.Struct):
    """A body that is enough for a test."""

    numbers: list[int]


@pytest.mark.parametrize("at", [0, 5, 8, 20, 41, 73, 90, 200, -1])
def test_a_flipped_bit_anywhere_is_refused(at: int) -> None:
    sealed = bytearray(seal(Header(kind="trainer", spec_hash="spec"), Said(list(range(100))), b"key"))
    sealed[at] ^= 1
    with pytest.raises(CheckpointRefused):
        unseal(bytes(sealed), b"key", Said, "spec")


def test_torn_foreign_and_forged_checkpoints_are_refused() -> None:
    sealed = seal(Header(kind="trainer", spec_hash="spec"), Said([1]), b"key")
    for bad, why in ((sealed[:50], "cut"), (b"\x80\x04\x95pickle" * 20, "not a churnwatch"), (sealed[:-1], "signature")):
        with pytest.raises(CheckpointRefused, match=why):
            unseal(bad, b"key", Said, "spec")
    with pytest.raises(CheckpointRefused, match="another key"):
        unseal(sealed, b"other", Said, "spec")
    with pytest.raises(CheckpointRefused, match="feature spec"):
        unseal(sealed, b"key", Said, "other")
    assert unseal(sealed, b"key", Said, "spec")[1] == Said([1])


def test_a_second_trainer_fences_the_first() -> None:
    registry = MemoryRegistry()
    first, second = Training(SETTINGS, registry, "spec", b"key"), Training(SETTINGS, registry, "spec", b"key")
    second.save()
    with pytest.raises(RegistryStale):
        first.save()


def test_a_repeated_save_changes_nothing() -> None:
    registry = MemoryRegistry()
    claim = registry.claim()
    save = Save(claim, 0, b"checkpoint")
    registry.save(save)
    registry.save(save)
    assert registry.claim().commit_no == 1


def test_a_version_keeps_its_probe_scores() -> None:
    training = run(make_blocks(seed=6), MemoryRegistry())
    version = training.trainer.learners["gone"].version
    sealed = training._registry.load("gone", version)
    assert sealed is not None
    header, scorer = unseal_version(sealed, b"key", "spec")
    assert header.number == version
    assert scorer.risk(np.zeros((1, WIDTH), np.uint8)).shape == (1,)
