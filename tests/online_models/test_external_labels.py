"""Labels from outside are paired with their snapshot when it matures, each of them once, whatever kills and repeats come between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from features.definitions.definition import NO_LABEL
from features.users.catalog import WIDTH
from online_models.example import LABEL, ExampleBlock
from online_models.external_labels import ExternalLabel, LabelBlock
from online_models.registry import MemoryRegistry
from stream.processes.trainer import Training
from tests.online_models.test_learning import DAY, SETTINGS, make_blocks

EXTERNAL = replace(SETTINGS, external={"gone": DAY})
PROBE = np.random.default_rng(3).integers(0, 256, (50, WIDTH)).astype(np.uint8)

Said = ExampleBlock | LabelBlock


def silenced(block: ExampleBlock) -> ExampleBlock:
    """The block as a shard says it of an external definition: matured, but without a label."""
    items = block.items.take(slice(None))
    items.label = np.full(len(items), NO_LABEL, np.uint8)
    return msgspec.structs.replace(block, items=items)


def told_of(blocks: Sequence[ExampleBlock], whom: Callable[[str], bool] = lambda _user: True) -> list[ExternalLabel]:
    """What the outside says: an hour after the landmark that it holds for, known half a day before it matures."""
    found = []
    for block in blocks:
        for i in np.flatnonzero(block.items.kind == LABEL).tolist():
            landmark, user = int(block.items.landmark_ms[i]), block.items.users[i]
            if whom(user):
                found.append(ExternalLabel(len(found), user, "gone", landmark + DAY // 24, int(block.items.label[i]), landmark + DAY // 2))
    return found


def learned(said: Sequence[Said], kills: frozenset[int] = frozenset(), settings: object = EXTERNAL) -> Training:
    registry = MemoryRegistry()
    training = Training(settings, registry, "spec", b"key")  # type: ignore[arg-type]  # TrainerSettings
    number, killed = 0, set()
    packed = [one.pack() for one in said]
    while number < len(packed):
        if number in kills and number not in killed:
            killed.add(number)
            training = Training(settings, registry, "spec", b"key")  # type: ignore[arg-type]
            number = training.next_offset
            continue
        training.feed(number, 0, packed[number])
        number += 1
    return training


def blocks_of(seed: int) -> list[ExampleBlock]:
    return [block for _, block in make_blocks(partitions=1, seed=seed)]


def in_log(blocks: Sequence[ExampleBlock], told: Sequence[ExternalLabel], size: int = 70) -> list[Said]:
    """Blocks without labels, and what is told just before each block that it may mature in."""
    due = sorted(told, key=lambda one: one.matured_ms)
    said: list[Said] = []
    at, sent = 0, 0
    for block in blocks:
        upto = at
        while upto < len(due) and due[upto].matured_ms < block.watermark_ms:
            upto += 1
        if upto - at >= size or (upto > at and block is blocks[-1]):
            part = [msgspec.structs.replace(one, offset=sent + i) for i, one in enumerate(due[at:upto])]
            sent += len(part)
            said.append(LabelBlock(sent, part))
            at = upto
        said.append(silenced(block))
    return said


def test_told_labels_teach_what_a_shards_own_would() -> None:
    blocks = blocks_of(1)
    own = learned(blocks, settings=SETTINGS)
    told = told_of(blocks)
    outside = learned([LabelBlock(len(told), told), *map(silenced, blocks)])
    a, b = own.trainer.learners["gone"], outside.trainer.learners["gone"]
    assert (a.learned, a.churned, a.version) == (b.learned, b.churned, b.version)
    assert a.learned > 1_000
    assert np.array_equal(a.score(PROBE), b.score(PROBE), equal_nan=True)
    assert outside.trainer.external.counts["censored"] == 0


def test_whom_nobody_tells_of_is_censored() -> None:
    blocks = blocks_of(2)
    told = told_of(blocks, lambda user: user.endswith(("1", "2", "3")))
    training = learned([LabelBlock(len(told), told), *map(silenced, blocks)])
    learner, counts = training.trainer.learners["gone"], training.trainer.external.counts
    low = blocks[-1].watermark_ms
    due = [one for one in told if one.landmark_ms - DAY // 24 + DAY < low]
    assert learner.learned + learner.waiting == counts["learned"] == len(due)
    assert counts["censored"] == sum(int(((b.items.kind == LABEL) & (b.items.matured_ms < low)).sum()) for b in blocks) - len(due)
    assert len(training.trainer._kept) < 200, "scores of the censored are let go"


def test_killed_twenty_times_with_labels_copied_again_it_learns_each_once() -> None:
    blocks = blocks_of(3)
    said = in_log(blocks, told_of(blocks, lambda user: hash_of(user) % 2 == 0))
    # what a killed copier had copied comes again, and some of it later still
    doubled = [one for each in said for one in ((each, each) if isinstance(each, LabelBlock) else (each,))]
    assert sum(isinstance(one, LabelBlock) for one in doubled) > 10
    kills = frozenset(np.random.default_rng(4).choice(len(doubled), 20, replace=False).tolist())
    once, killed = learned(said), learned(doubled, kills)
    a, b = once.trainer.learners["gone"], killed.trainer.learners["gone"]
    assert (a.learned, a.churned, a.version, a.waiting) == (b.learned, b.churned, b.version, b.waiting)
    assert np.array_equal(a.score(PROBE), b.score(PROBE), equal_nan=True)
    assert killed.trainer.external.counts["repeated"] > 0


def hash_of(user: str) -> int:
    return int(user.split("-")[1])


def one_user(*told: ExternalLabel, due_ms: int = 2 * DAY, low_ms: int = 10 * DAY) -> Training:
    """One snapshot of ann at day 1, matured at `due_ms`; labels told before."""
    block = next(one for one in blocks_of(4) if (one.items.kind == LABEL).any())
    items = silenced(block).items.take(np.flatnonzero(block.items.kind == LABEL)[:1])
    items.users, items.landmark_ms, items.matured_ms = ["ann"], np.array([DAY]), np.array([due_ms])
    training = Training(EXTERNAL, MemoryRegistry(), "spec", b"key")
    training.feed(0, 0, LabelBlock(len(told), list(told)).pack())
    training.feed(1, 0, ExampleBlock("0", 0, 0, low_ms, "spec", ["gone"], items).pack())
    return training


@pytest.mark.parametrize(
    ("landmark_ms", "matches"),
    [(DAY - 1, False), (DAY, True), (2 * DAY - 1, True), (2 * DAY, False)],
    ids=["before", "at", "same day", "later"],
)
def test_a_label_holds_for_the_last_landmark_at_or_before_it(landmark_ms: int, matches: bool) -> None:
    training = one_user(ExternalLabel(0, "ann", "gone", landmark_ms, 1, 3 * DAY))
    assert (training.trainer.learners["gone"].waiting == 1) == matches


def test_a_second_label_for_the_same_landmark_takes_the_firsts_place() -> None:
    training = one_user(ExternalLabel(0, "ann", "gone", DAY, 0, 2 * DAY), ExternalLabel(1, "ann", "gone", DAY, 1, 2 * DAY))
    learner = training.trainer.learners["gone"]
    assert learner._waiting[0][2].tolist() == [1]


def test_nothing_is_learned_before_the_label_was_known() -> None:
    label = ExternalLabel(0, "ann", "gone", DAY, 1, 12 * DAY)
    training = one_user(label)
    assert training.trainer.learners["gone"].waiting == 0
    later = silenced(blocks_of(4)[0]).items.take(slice(0, 0))
    training.feed(2, 0, ExampleBlock("0", 0, 1, 13 * DAY, "spec", ["gone"], later).pack())
    assert training.trainer.learners["gone"].waiting == 1


def test_a_label_that_comes_after_its_snapshot_matured_is_counted() -> None:
    training = one_user()
    training.feed(2, 0, LabelBlock(1, [ExternalLabel(0, "ann", "gone", DAY, 1, 12 * DAY)]).pack())
    assert training.trainer.external.counts == {"censored": 1, "too late": 1, "learned": 0}


def test_a_label_without_a_snapshot_is_let_go_and_counted() -> None:
    training = one_user(ExternalLabel(0, "bob", "gone", DAY, 1, 2 * DAY))
    assert training.trainer.external.counts["no snapshot"] == 1
    assert not training.trainer.external.state().waiting
